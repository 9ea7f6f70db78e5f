"""URLs that are written to mislead: each is read as what it is, or refused."""

import pytest

from orchestrator.outbound.targets import Target, refusal, target_of
from orchestrator.settings import Hosts


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("HTTPS://Hooks.Example.COM/Run", "hooks.example.com", 443, "/Run"),
        ("https://hooks.example.com./x", "hooks.example.com", 443, "/x"),
        ("https://hooks.example.com:8443/a/../b", "hooks.example.com", 8443, "/a/../b"),
        ("http://localhost", "localhost", 80, "/"),
        ("https://192.0.2.7/x", "192.0.2.7", 443, "/x"),
        ("https://[2001:DB8::1]:8443/x", "2001:db8::1", 8443, "/x"),
        ("https://[::ffff:127.0.0.1]/", "::ffff:7f00:1", 443, "/"),
        ("https://xn--nxasmq6b.example/x", "xn--nxasmq6b.example", 443, "/x"),
        ("https://1and1.example", "1and1.example", 443, "/"),
    ],
)
def test_a_url_is_read_in_one_way(url: str, host: str, port: int, path: str) -> None:
    target = target_of(url)
    assert (target.host, target.port, target.path) == (host, port, path)


def test_a_query_is_kept_as_it_was_written() -> None:
    assert target_of("https://a.example/x?b=%2F&c=?d").query == "b=%2F&c=?d"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "is no URL"),
        ("hooks.example.com", "is no URL"),
        ("//hooks.example.com/x", "is no URL"),
        ("ftp://hooks.example.com/x", "is no URL"),
        ("file:///etc/passwd", "is no URL"),
        ("gopher://127.0.0.1:6379/_x", "is no URL"),
        ("https:/hooks.example.com", "is no URL"),
        ("https:///x", "the host is malformed"),
        ("https://", "the host is malformed"),
        ("https://user@hooks.example.com/", "a name or password"),
        ("https://user:secret@hooks.example.com/", "a name or password"),
        ("https://hooks.example.com@169.254.169.254/", "a name or password"),
        ("https://@hooks.example.com/", "a name or password"),
        ("https://hooks.example.com:443@evil.example/", "a name or password"),
        ("https://hooks.example.com#@evil.example/", "a fragment"),
        ("https://hooks.example.com\\@evil.example/", "a character that no URL may"),
        ("https://hooks.example.com\\.evil.example/", "a character that no URL may"),
        ("https://evil.example\t.example.com/", "a character that no URL may"),
        ("https://evil.example\r\nHost: x/", "a character that no URL may"),
        (" https://hooks.example.com/", "a character that no URL may"),
        ("https://hooks.example.com/a b", "a character that no URL may"),
        ("https://１２７.0.0.1/", "a character that no URL may"),
        ("https://ⓛocalhost/", "a character that no URL may"),
        ("https://bücher.example/", "a character that no URL may"),
        ("https://hooks。example/", "a character that no URL may"),
        ("https://hooks.example.com/<script>", "must be encoded"),
        ("https://hooks.example.com/%zz", "must be encoded"),
        ("https://%31%32%37.0.0.1/", "the host is malformed"),
        ("https://hooks..example.com/", "the host is malformed"),
        ("https://hooks.example.com../", "the host is malformed"),
        ("https://.example.com/", "the host is malformed"),
        ("https://-hooks.example.com/", "the host is malformed"),
        ("https://*.example.com/", "the host is malformed"),
        ("https://" + "a" * 64 + ".example/", "the host is malformed"),
        ("https://hooks.example.com:/", "the host is malformed"),
        ("https://hooks.example.com:x/", "the host is malformed"),
        ("https://hooks.example.com:80:80/", "the host is malformed"),
        ("https://hooks.example.com:0/", "the port is out of range"),
        ("https://hooks.example.com:65536/", "the port is out of range"),
        ("https://hooks.example.com:99999999/", "the host is malformed"),
        ("https://2130706433/", "no plain IPv4 address"),
        ("https://0x7f000001/", "no plain IPv4 address"),
        ("https://0x7f.1/", "no plain IPv4 address"),
        ("https://0177.0.0.1/", "no plain IPv4 address"),
        ("https://127.1/", "no plain IPv4 address"),
        ("https://127.0.0.1.0/", "no plain IPv4 address"),
        ("https://256.0.0.1/", "no plain IPv4 address"),
        ("https://example.0x1/", "no plain IPv4 address"),
        ("https://[::1%25eth0]/", "the host is malformed"),
        ("https://[fe80::1%eth0]/", "the host is malformed"),
        ("https://[::1/", "the host is malformed"),
        ("https://[12345::1]/", "no IPv6 address"),
        ("https://::1/", "the host is malformed"),
        ("https://hooks.example.com/" + "a" * 2048, "too long"),
    ],
)
def test_a_url_that_two_readers_could_read_differently_is_refused(url: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        target_of(url)
    assert len(caught.value.args) == 2


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://hooks.example.com/x", True),
        ("https://HOOKS.example.com./x", True),
        ("https://example.com/x", False),
        ("https://hooks.example.com.evil.net/x", False),
        ("https://evilexample.com/x", False),
        ("http://hooks.example.com/x", False),
        ("http://smoke.internal:8080/x", True),
        ("https://smoke.internal/x", True),
        ("http://[::1]/x", True),
    ],
)
def test_only_hosts_of_the_settings_are_addressed(url: str, is_allowed: bool) -> None:
    hosts = Hosts(allowed=("*.example.com",), private=("smoke.internal", "::1"))
    assert (refusal(target_of(url), hosts) is None) is is_allowed


def test_without_a_list_every_public_host_is_allowed_with_tls_alone() -> None:
    assert refusal(target_of("https://any.example"), Hosts()) is None
    assert refusal(target_of("http://any.example"), Hosts()) is not None


def test_errors_name_a_url_without_its_path() -> None:
    target: Target = target_of("https://[2001:db8::1]:8443/secret?token=secret")
    assert target.origin == "https://[2001:db8::1]:8443"
    assert target_of("https://a.example:443/x").origin == "https://a.example"
