"""One HTTP request to an address that somebody named, and to no other place than its host's own.

The host is resolved once, every address it has is judged, and the connection is made to exactly these: a second answer
of DNS is never asked for. No redirect is followed and no proxy of the environment is used.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from orchestrator.core.domain.errors import Refused, Rejected, Unreachable
from orchestrator.outbound import addresses
from orchestrator.outbound.targets import Address, Target, is_private, refusal, target_of
from orchestrator.settings import Hosts


class Unconnected(Unreachable):
    """No connection could be made: whatever is behind the address was never asked."""


ANSWER_MAX = 64 * 1024
ADDRESSES_MAX = 50

Resolve = Callable[[str, int], Awaitable[tuple[Address, ...]]]
"""(host, port) -> its addresses. Raises OSError if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Headers by name in small letters; a repeated one is joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True  # False: the body was longer than asked for, and this is its beginning


class Outbound:
    """Sends requests only where the settings' hosts let them go."""

    def __init__(
        self, hosts: Hosts, *, resolve: Resolve | None = None, trusts: ssl.SSLContext | None = None
    ) -> None:
        """`resolve` None: the machine's resolver. `trusts` None: the usual certificate authorities."""
        self._hosts = hosts
        self._resolve = resolve or _by_machine
        self._trusts = trusts

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: timedelta = timedelta(seconds=10),  # noqa: ASYNC109 - the whole of it, DNS included
        answer_max: int = ANSWER_MAX,
        verify: bool = True,
        redirects_answer: bool = False,
    ) -> Answer:
        """The answer, whatever its status. Raises Refused where no request may go, Outside where none was answered.

        Unconnected says that it never came to a connection. `verify` False: any certificate is taken. A redirect is
        Rejected, or an answer like others where `redirects_answer`; it is never followed. Errors name scheme, host
        and port alone: the rest of a URL may be a secret.
        """
        target = self._target(url)
        given = dict(headers or {})
        _refuse_controls(target, given)
        way = _Way(verify=verify, redirects_answer=redirects_answer)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                pinned = await self._addresses(target)
                return await self._exchange(method, target, pinned, given, body, answer_max, way)
        except TimeoutError as error:
            if not way.is_connected:
                why = f"no connection could be made within {timeout.total_seconds():g} s"
                raise _unconnected(target, why) from error
            raise _unanswered(target, f"no answer within {timeout.total_seconds():g} s") from error

    def _target(self, url: str) -> Target:
        try:
            target = target_of(url)
        except ValueError as error:
            what, instead = error.args
            raise Refused(what="no request was sent", why=what, next_step=instead) from None
        found = refusal(target, self._hosts)
        if found is not None:
            raise Refused(what=f"no request was sent to {target.origin}", why=found[0], next_step=found[1])
        return target

    async def _addresses(self, target: Target) -> tuple[Address, ...]:
        """Every address of the host. Raises Refused if one of them may not be reached, Unreachable if there is none."""
        if target.literal is not None:
            found: tuple[Address, ...] = (target.literal,)
        else:
            try:
                found = await self._resolve(target.host, target.port)
            except (OSError, UnicodeError) as error:
                raise _unconnected(target, "its name cannot be resolved") from error
        if not found:
            raise _unconnected(target, "its name has no address")
        for address in found:
            self._judge(target, address)
        return found[:ADDRESSES_MAX]

    def _judge(self, target: Target, address: Address) -> None:
        why = addresses.refusal(address, may_be_private=is_private(target.host, self._hosts))
        if why:
            raise Refused(
                what=f"no request was sent to {target.origin}",
                why=f"it has the address {address}, and {why}",
                next_step="if it is meant, an operator adds the host to hosts.private in the server's settings",
            )

    async def _exchange(
        self,
        method: str,
        target: Target,
        pinned: tuple[Address, ...],
        headers: dict[str, str],
        body: bytes,
        answer_max: int,
        way: "_Way",
    ) -> Answer:
        def connect(about: aiohttp.AddrInfoType) -> socket.socket:
            # The last word before a packet leaves: this is the very address that is connected to.
            family, kind, protocol, _, place = about
            self._judge(target, ip_address(str(place[0]).partition("%")[0]))
            return socket.socket(family, kind, protocol)

        connector = aiohttp.TCPConnector(
            resolver=_Pinned(pinned),
            use_dns_cache=False,
            force_close=True,
            ssl=(self._trusts or _usual()) if way.verify else _any_certificate(),
            socket_factory=connect,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # a small answer may unfold into a very large one
            trust_env=False,
            timeout=aiohttp.ClientTimeout(),
            trace_configs=[way.trace()],
        ) as session:
            try:
                async with session.request(
                    method,
                    _url(target),
                    headers={"user-agent": "Teal", "accept-encoding": "identity", **headers},
                    data=body or None,
                    allow_redirects=False,
                ) as response:
                    if 300 <= response.status < 400 and not way.redirects_answer:
                        raise _redirected(target, response.status)
                    return await _answer(response, answer_max)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if isinstance(error, TimeoutError):
                    raise
                raised = _unanswered if way.is_connected else _unconnected
                raise raised(target, _words(error)) from error


@dataclass(slots=True, kw_only=True)
class _Way:
    """How one request goes, and how far it got."""

    verify: bool
    redirects_answer: bool
    is_connected: bool = False

    def trace(self) -> aiohttp.TraceConfig:
        """Notes when the connection, TLS included, is made."""

        async def connected(*_: object) -> None:
            self.is_connected = True

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(connected)
        return trace


class _Pinned(AbstractResolver):
    """Answers with the addresses that were judged."""

    def __init__(self, pinned: tuple[Address, ...]) -> None:
        self._pinned = pinned

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As AbstractResolver."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._pinned
        ]

    async def close(self) -> None:
        """As AbstractResolver."""


async def _by_machine(host: str, port: int) -> tuple[Address, ...]:
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return tuple(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


async def _answer(response: aiohttp.ClientResponse, answer_max: int) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > answer_max:
            break
    names = dict.fromkeys(name.lower() for name in response.headers)
    return Answer(
        status=response.status,
        headers={name: ", ".join(response.headers.getall(name)) for name in names},
        body=bytes(body[:answer_max]),
        is_whole=len(body) <= answer_max,
    )


def _url(target: Target) -> URL:
    """The URL again, from the parts that were judged."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    query = f"?{target.query}" if target.query else ""
    return URL(f"{target.scheme}://{host}:{target.port}{target.path}{query}", encoded=True)


@cache
def _usual() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _refuse_controls(target: Target, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise Refused(
                what=f"no request was sent to {target.origin}",
                why="a header holds a line break or another control character",
                next_step="write it on one line",
            )


def _redirected(target: Target, status: int) -> Rejected:
    return Rejected(
        what=f"{target.origin} answered {status}",
        why="it redirects elsewhere, and redirects are not followed",
        next_step="name the address where it leads",
    )


def _unanswered(target: Target, why: str) -> Unreachable:
    return Unreachable(
        what=f"{target.origin} did not answer",
        why=why,
        next_step="check that it runs and its address is right",
    )


def _unconnected(target: Target, why: str) -> Unconnected:
    return Unconnected(
        what=f"{target.origin} cannot be reached",
        why=why,
        next_step="check its address, its certificate, and the way there from where Teal runs",
    )


def _words(error: Exception) -> str:
    """Why no answer came. aiohttp's own words may quote the whole URL."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not one that can be trusted for this host"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "no TLS connection could be made"
        case aiohttp.ClientConnectorError():
            return f"no connection could be made: {error.os_error.strerror or 'it failed'}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "it hung up before its answer was whole"
        case aiohttp.ClientResponseError():
            return "its answer is not HTTP"
        case _:
            return f"the exchange failed ({type(error).__name__})"
