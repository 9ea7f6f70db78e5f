"""URLs that people wrote, read more strictly than any client reads them, so that no two readers differ over one.

Pure: nothing is resolved here. Every reader raises ValueError with what is wrong and what to write instead, and never
quotes more of a URL than its host: paths and queries may hold a secret.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address

from orchestrator.settings import Hosts

Address = IPv4Address | IPv6Address

LENGTH_MAX = 2048
_URL = re.compile(r"(?i:(https?))://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]*)(?::(\d{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_SAFE = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads. ``host`` is in small letters, without a trailing dot, an IPv6 address without brackets."""

    scheme: str  # http | https
    host: str
    port: int
    path: str  # percent-encoded as it was written; at least /
    query: str
    literal: Address | None  # the host, where it is an address

    @property
    def origin(self) -> str:
        """The URL as errors and logs name it: without path and query."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """True if the host names this machine by itself, whatever DNS says."""
        return self.host == "localhost" or (self.literal is not None and self.literal.is_loopback)


def target_of(url: str) -> Target:
    """Where a URL leads. Raises ValueError: what is wrong, and what to write instead."""
    if len(url) > LENGTH_MAX:
        raise ValueError("the address is too long", f"write at most {LENGTH_MAX} characters")
    if "\\" in url or not all("!" <= character <= "~" for character in url):
        raise ValueError(
            "the address holds a character that no URL may",
            "write plain ASCII: percent-encode the path, and a host of other letters as xn--…",
        )
    if "#" in url:
        raise ValueError("the address has a fragment (#…)", "remove it: it is never sent")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("the address is no URL", "write https://host/path")
    scheme, authority, path, query = (part or "" for part in found.groups())
    if "@" in authority:
        raise ValueError(
            "the address holds a name or password before its host",
            "remove them; a secret has its own setting",
        )
    if not _SAFE.fullmatch(path) or not _SAFE.fullmatch(query):
        raise ValueError("the path or query holds a character that must be encoded", "percent-encode it")
    host, port, literal = _place(authority)
    scheme = scheme.lower()
    return Target(
        scheme=scheme, host=host, port=port or _PORTS[scheme], path=path or "/", query=query, literal=literal
    )


def _place(authority: str) -> tuple[str, int, Address | None]:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise ValueError("the host is malformed", "write https://host/path or https://host:port/path")
    host, port = found[1].lower(), int(found[2]) if found[2] else 0
    if found[2] and not 0 < port < 65536:
        raise ValueError("the port is out of range", "write 1 to 65535, or none")
    if host.startswith("["):
        try:
            literal = IPv6Address(host[1:-1])
        except ValueError:
            raise ValueError("the host is no IPv6 address", "write it as [2001:db8::1]") from None
        return str(literal), port, literal
    name, literal_four = _named(host)
    return name, port, literal_four


def _named(host: str) -> tuple[str, Address | None]:
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the host is malformed", "write a host's name, such as hooks.example.com")
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    # Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses, each its own way: only one notation is taken.
    try:
        return host, ip_address(host)
    except ValueError:
        raise ValueError(
            "the host is a number that is no plain IPv4 address", "write four decimal numbers, or a name"
        ) from None


def refusal(target: Target, hosts: Hosts) -> tuple[str, str] | None:
    """Why requests may not go to a URL, and what to do instead, as far as the URL itself tells; else None."""
    if is_private(target.host, hosts):
        return None
    if target.scheme != "https":
        return f"{target.host} is addressed without TLS", "write https, or add the host to hosts.private"
    if hosts.allowed and not _matches(target.host, hosts.allowed):
        return (
            f"{target.host} is not among hosts.allowed",
            "ask an operator to add it to the server's settings",
        )
    return None


def is_private(host: str, hosts: Hosts) -> bool:
    """True if the settings let this host be private, loopback or link-local, and be reached without TLS."""
    return _matches(host, hosts.private)


def _matches(host: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(host, pattern.lower().strip("[]").removesuffix(".")) for pattern in patterns)
