"""What every request passes before it reaches a call: an id, bounds, its admission, and after it a line in the log.

Calls that change something are kept in the audit log too, whoever made them and however they were answered, before
their answer is sent; of strangers' calls, which are all refused, so many a minute.
"""

import asyncio
import re
import secrets
from contextlib import nullcontext

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.request.authorization import PROBED, Calls, admit
from api.http.request.context import Visit, address_of, path_of
from api.http.request.problem_answers import rendered
from api.http.request.server_state import Door
from api.problems import AddressTooLong, HeadersTooLarge, Internal, TooLarge
from orchestrator.core.domain.errors import TealError

BODY_MAX = 256 * 1024
HEADERS_MAX = 32 * 1024
ADDRESS_MAX = 8 * 1024
REQUEST_ID = "X-Request-Id"
REFUSED, TOO_MANY = 400, frozenset({429, 503})
_FAULT = "Teal failed on this request"  # the fault's own text may hold what nobody should read
_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)

log = structlog.get_logger()


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, calls: Calls) -> None:
        self.app = app
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        door = scope["app"].state.door
        assert isinstance(door, Door)
        headers = Headers(scope=scope)
        is_head = scope["method"] == "HEAD" and self._calls.find(scope["path"], "GET")[0] in PROBED
        visit = Visit(
            request=_request_id(headers),
            method="GET" if is_head else scope["method"],
            path=path_of(scope),
            address=address_of(scope),
            at=door.engine.clock.now(),
        )
        if is_head:
            scope = {**scope, "method": "GET"}  # RFC 9110, section 9.3.2: the same answer without its content
        scope.setdefault("state", {})["visit"] = visit

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = visit.request
                await _keep(visit, door)
                if visit.status >= REFUSED and visit.known is not None and not visit.is_command:
                    is_too_many = visit.status in TOO_MANY
                    door.pacing.refused(
                        visit.caller,
                        key=headers.get("authorization", "").encode("latin-1"),
                        body_bytes=visit.body_bytes,
                        is_too_many=is_too_many,
                    )
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        with structlog.contextvars.bound_contextvars(request=visit.request):
            try:
                await self._pass(visit, door, scope, receive, answer, headers)
            except Exception as fault:  # a door's edge: one request's fault never stops the others
                log.error("request_failed", path=visit.path, exc_info=fault)
                if not visit.status:  # else the answer has begun, and ends here
                    error = Internal(what=_FAULT, next_step="look in its log")
                    await rendered(error, visit)(scope, receive, answer)
            finally:
                say = log.debug if visit.is_quiet else log.info
                say("request_answered", **visit.line())

    async def _pass(
        self, visit: Visit, door: Door, scope: Scope, receive: Receive, send: Send, headers: Headers
    ) -> None:
        try:
            _check_sizes(scope)
            await admit(visit, scope, headers, door.auth, self._calls)
            body, seconds = None, 0.0 if visit.is_command else door.pacing.owes(visit.caller)
            if seconds:
                body = await _whole_body(receive, headers, visit)
                if body is None or not await _stays(visit, receive, seconds):
                    return
            with nullcontext() if visit.is_command else door.asking(visit.caller, visit.address):
                body = await _whole_body(receive, headers, visit) if body is None else body
                if body is not None:  # None: the client has gone
                    await self.app(scope, _replay(body, receive), send)
        except TealError as error:
            if visit.status:
                raise
            await rendered(error, visit)(scope, receive, send)


async def _keep(visit: Visit, door: Door) -> None:
    """Keep a call that was to change something. A store that cannot undoes nothing of it, and the log says so."""
    if not visit.is_kept:
        return
    if visit.known is None:
        is_room = door.strangers.may_keep(visit.address)
        door.meters.strangers.labels("yes" if is_room else "no").inc()
        if not is_room:
            return
    try:
        await door.engine.store.add_call(visit.kept())
    except TealError as error:
        log.error("call_not_kept", why=str(error), **visit.line())


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def _check_sizes(scope: Scope) -> None:
    """Raises AddressTooLong or HeadersTooLarge. What is larger still, `serving.connections` refuses."""
    address = len(scope["path"]) + len(scope.get("query_string", b""))
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if address > ADDRESS_MAX:
        raise AddressTooLong(
            what=f"the address is longer than {ADDRESS_MAX // 1024} KiB", next_step="ask for less at once"
        )
    if size > HEADERS_MAX:
        raise HeadersTooLarge(
            what=f"the headers are longer than {HEADERS_MAX // 1024} KiB", next_step="send fewer of them"
        )


async def _whole_body(receive: Receive, headers: Headers, visit: Visit) -> bytes | None:
    """The body, read before anything is done with it. Raises TooLarge; None if the client went away meanwhile."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > BODY_MAX):
        raise _too_large()
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        visit.body_bytes += len(parts[-1])
        if visit.body_bytes > BODY_MAX:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


async def _stays(visit: Visit, receive: Receive, seconds: float) -> bool:
    """False if the client goes within so many seconds; where there is no room for connections, it is made to."""
    visit.is_paced = True
    try:
        async with asyncio.timeout(seconds):
            return bool((await receive())["type"] != "http.disconnect")
    except TimeoutError:
        return True
    finally:
        visit.is_paced = False


def _too_large() -> TooLarge:
    return TooLarge(what="the body is larger than 256 KiB", next_step="send a rollout file")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once, then whatever the server says: that the client has gone."""
    is_told = False

    async def again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
