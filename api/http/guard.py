"""What every request passes before it reaches a call: an id, a bound, this machine's own name, and a line in the log.

The door has no authentication yet and listens on loopback, where any page in a local browser could reach it. A
request therefore has to name this machine itself (against DNS rebinding) and may not come from another site's page.
"""

import ipaddress
import re
import secrets
import time
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, Foreign, Internal, TooLarge, problem
from orchestrator.core.errors import TealError

BODY_MAX = 256 * 1024
REQUEST_ID = "X-Request-Id"
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_FAULT = "Teal failed on this request"  # the fault's own text may hold what nobody should read
_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)

log = structlog.get_logger()


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        headers = Headers(scope=scope)
        request_id = _request_id(headers)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._admit(scope, receive, answer, headers)
            except Exception as fault:  # a door's edge: one request's fault never stops the others
                log.error("request_failed", path=scope["path"], exc_info=fault)
                if not status:  # else the answer has begun, and ends here
                    await _refuse(Internal(what=_FAULT, next_step="look in its log"), scope, receive, answer)
            finally:
                say = log.debug if scope["path"] in QUIET else log.info
                say(
                    "request_answered",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round((time.perf_counter() - began) * 1000, 1),
                )

    async def _admit(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        try:
            check_origin(headers.get("host", ""), headers.get("origin"))
            body = await _whole_body(receive, headers)
        except TealError as error:
            await _refuse(error, scope, receive, send)
            return
        if body is not None:  # None: the client has gone
            await self.app(scope, _replay(body, receive), send)


async def _refuse(error: TealError, scope: Scope, receive: Receive, send: Send) -> None:
    told = problem(error, instance=scope["path"]).model_dump_json()
    await Response(told, status_code=error.http_status, media_type=MEDIA_TYPE)(scope, receive, send)


def check_origin(host: str, origin: str | None) -> None:
    """Raises Foreign unless a request names this machine itself and comes from no other site's page."""
    if not is_loopback(_hostname(f"//{host}")):
        raise Foreign(
            what=f"a request for host `{host[:100]}`",
            why="there is no authentication yet, so only this machine's own names are answered",
            next_step="ask for 127.0.0.1 or localhost, through a tunnel if need be",
        )
    if origin is not None and not is_loopback(_hostname(origin)):
        raise Foreign(
            what=f"a request from a page of `{origin[:100]}`",
            why="other sites' pages may not reach a door without authentication",
            next_step="send it without an Origin header, from a program",
        )


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # half a bracketed address
        return ""


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and every loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


async def _whole_body(receive: Receive, headers: Headers) -> bytes | None:
    """The body, read before anything is done with it. Raises TooLarge; None if the client went away meanwhile."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > BODY_MAX):
        raise _too_large()
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_MAX:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


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
