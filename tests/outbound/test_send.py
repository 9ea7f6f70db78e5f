"""Requests over real sockets on loopback, with a resolver of the test's own."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.core.domain.errors import Refused, Rejected, TealError, Unreachable
from orchestrator.outbound.send import Answer, Outbound
from orchestrator.outbound.targets import Address
from orchestrator.settings import Hosts
from tests.support.loopback import listening

pytestmark = pytest.mark.machine

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
INTERNAL = Hosts(private=("*.internal", "127.0.0.1"))


class Names:
    """A resolver that answers each question with the next of the answers, the last of them for ever."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        """The next answer; an empty one is a name that does not exist."""
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return tuple(ip_address(text) for text in answer)


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback that answers everything with the handler; its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def exchanged(
    handler: Handler,
    *,
    url: str = "http://smoke.internal:{port}/run?x=1",
    hosts: Hosts = INTERNAL,
    names: Names | None = None,
    **more: Any,  # noqa: ANN401 - the parameters of `send`
) -> Answer:
    """What a request to a server with this handler is answered."""

    async def script() -> Answer:
        async with server(handler) as port:
            out = Outbound(hosts, resolve=names or Names(("127.0.0.1",)))
            return await out.send(more.pop("method", "POST"), url.format(port=port), **more)

    return asyncio.run(script())


async def fine(request: web.Request) -> web.Response:
    return web.Response(text="taken", headers={"X-Seen": request.headers["Host"]})


def test_a_request_arrives_whole_and_its_answer_comes_back() -> None:
    seen: dict[str, Any] = {}

    async def note(request: web.Request) -> web.Response:
        seen.update(
            method=request.method, path=request.path_qs, body=await request.read(), headers=request.headers
        )
        return web.Response(status=202, text="taken", headers={"Retry-After": "3"})

    answer = exchanged(note, headers={"X-Signature": "v1,abc"}, body=b"{}")
    assert (answer.status, answer.body, answer.is_whole) == (202, b"taken", True)
    assert answer.headers["retry-after"] == "3"
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/run?x=1", b"{}")
    assert seen["headers"]["X-Signature"] == "v1,abc"
    assert seen["headers"]["User-Agent"] == "Teal"
    assert seen["headers"]["Host"].startswith("smoke.internal:")


def test_a_path_arrives_as_it_was_written() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=request.raw_path)

    answer = exchanged(echo, url="http://smoke.internal:{port}/a/../%2e%2E/b?c=%2F&d=?")
    assert answer.body == b"/a/../%2e%2E/b?c=%2F&d=?"


def test_a_name_is_resolved_once_and_its_second_answer_is_never_asked_for() -> None:
    names = Names(("127.0.0.1",), ("169.254.169.254",))
    assert exchanged(fine, names=names).status == 200
    assert len(names.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("169.254.169.254",),
        ("93.184.216.34", "127.0.0.1"),
        ("0.0.0.0",),
    ],
)
def test_a_public_name_that_leads_to_a_private_address_is_refused(answer: tuple[str, ...]) -> None:
    reached = []

    async def never(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response()

    with pytest.raises(
        Refused, match=r"no request was sent to https://rebind\.example:\d+: it has the address "
    ):
        exchanged(never, url="https://rebind.example:{port}/secret", names=Names(answer))
    assert not reached


def test_metadata_is_refused_to_private_names_too() -> None:
    with pytest.raises(Refused, match="a cloud's metadata or credentials are there"):
        exchanged(fine, names=Names(("169.254.169.254",)))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://localhost.:{port}/",
        "http://smoke.internal@127.0.0.1:{port}/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_misleads_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Refused, match="no request was sent"):
        exchanged(fine, url=url, hosts=Hosts())


def test_the_address_that_is_connected_to_is_judged_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tampered(*_: object) -> tuple[Address, ...]:
        return (ip_address("127.0.0.1"),)

    monkeypatch.setattr(Outbound, "_addresses", tampered)
    with pytest.raises(Refused, match=r"it has the address 127\.0\.0\.1"):
        exchanged(fine, url="https://public.example:{port}/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(status: int) -> None:
    paths = []

    async def redirect(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "http://169.254.169.254/secret"})

    with pytest.raises(Rejected, match="it redirects elsewhere, and redirects are not followed") as caught:
        exchanged(redirect)
    assert paths == ["/run"]
    assert "secret" not in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert exchanged(fine).status == 200


def test_a_long_answer_is_cut_and_says_so() -> None:
    async def long(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 200_000)

    answer = exchanged(long, answer_max=1000)
    assert (len(answer.body), answer.is_whole) == (1000, False)


def test_an_endless_answer_ends() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    assert exchanged(endless).is_whole is False


def test_a_packed_answer_is_not_unpacked() -> None:
    async def bomb(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"})

    answer = exchanged(bomb)
    assert len(answer.body) < 20_000


def test_an_answer_that_does_not_come_in_time_is_none() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(Unreachable, match=r"no answer within 0\.2 s"):
        exchanged(slow, timeout=timedelta(seconds=0.2))


def test_a_body_that_trickles_ends_in_time() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.01)

    with pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
        exchanged(trickle, timeout=timedelta(seconds=0.3))


def test_a_name_that_does_not_exist_is_told() -> None:
    with pytest.raises(Unreachable, match="its name cannot be resolved"):
        exchanged(fine, names=Names(()))


def test_a_closed_port_is_told_without_the_path() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="no connection could be made") as caught:
        exchanged(fine, url=f"http://smoke.internal:{port}/secret?token=secret")
    assert "secret" not in str(caught.value)


def test_what_is_no_http_is_told() -> None:
    async def script() -> None:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"+PONG\r\n\r\n")
            writer.close()

        async with listening(babble) as port:
            await Outbound(INTERNAL).send("GET", f"http://127.0.0.1:{port}/secret")

    with pytest.raises(Unreachable, match="its answer is not HTTP") as caught:
        asyncio.run(script())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [{"X-Reason": "a\r\nX-Injected: 1"}, {"X-Reason\n": "a"}, {"X-Reason": "a\0b"}, {"X-Reason": "ü"}],
)
def test_a_header_cannot_carry_another(headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="a header holds"):
        exchanged(fine, headers=headers)


def authority(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS for one name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + pem)
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(path)
    return serves, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("host", "is_trusting", "error"),
    [
        ("smoke.internal", True, None),
        ("other.internal", True, "its certificate is not one that can be trusted for this host"),
        ("smoke.internal", False, "its certificate is not one that can be trusted for this host"),
    ],
)
def test_the_certificate_is_checked_for_the_name_in_the_url(
    tmp_path: Path, host: str, is_trusting: bool, error: str | None
) -> None:
    serves, trusts = authority(tmp_path, "smoke.internal")

    async def script() -> Answer:
        async with server(fine, serves) as port:
            names = Names(("127.0.0.1",))
            out = Outbound(INTERNAL, resolve=names, trusts=trusts if is_trusting else None)
            return await out.send("GET", f"https://{host}:{port}/")

    if error is None:
        assert asyncio.run(script()).status == 200
        return
    with pytest.raises(Unreachable, match=error):
        asyncio.run(script())


def test_every_error_says_what_to_do_next() -> None:
    for url in ("x", "http://a.example", "https://127.0.0.1"):
        with pytest.raises(TealError) as caught:
            asyncio.run(Outbound(Hosts()).send("GET", url))
        assert caught.value.next_step
