"""What the load balancer says by itself, as bytes: errors, fixed responses, redirects; and heads it passes on."""

import http
from urllib.parse import quote

from sandbox.http1.messages import HOP_BY_HOP, SWITCHED, AnswerHead, RequestHead
from sandbox.plane.balancer.matching import Asked
from sandbox.ports import FixedView, RedirectView, SignInView

# Names the target an answer of 502 or 504 was lost on; an ALB keeps this to its access log (`target:port`).
LOST_TARGET_HEADER = "X-Teal-Target"

# Chunked bodies are passed on as they came, so their framing header stays.
_DROPPED = HOP_BY_HOP - {b"transfer-encoding"}
_UPGRADE = frozenset((b"connection", b"upgrade"))
_REWRITTEN = _DROPPED | {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port"}


def own_answer(
    status: int,
    body: str,
    *,
    content_type: str = "text/html",
    headers: tuple[str, ...] = (),
    keep_alive: bool,
) -> bytes:
    """An answer made by the load balancer itself."""
    content = body.encode()
    lines = (
        f"HTTP/1.1 {status} {_reason(status)}",
        "Server: awselb/2.0",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        *headers,
        *(() if keep_alive else ("Connection: close",)),
        "\r\n",
    )
    return "\r\n".join(lines).encode("latin-1") + content


def error_answer(status: int, *, target: str = "", keep_alive: bool) -> bytes:
    """An error of the load balancer's own; `target` is the one the answer was lost on."""
    title = f"{status} {_reason(status)}"
    body = (
        f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>\r\n"
    )
    named = (f"{LOST_TARGET_HEADER}: {target}",) if target else ()
    return own_answer(status, body, headers=named, keep_alive=keep_alive)


def fixed_answer(view: FixedView, *, keep_alive: bool) -> bytes:
    """A fixed response."""
    return own_answer(
        view.status, view.body, content_type=view.content_type or "text/plain", keep_alive=keep_alive
    )


def sign_in_answer(view: SignInView, asked: Asked, *, keep_alive: bool) -> tuple[int, bytes]:
    """The status and answer for a user without a session: to the identity provider, or 401.

    Source: OnUnauthenticatedRequest of AuthenticateOidcActionConfig; the path that one comes back to is AWS's.
    """
    if view.otherwise == "deny":
        return 401, error_answer(401, keep_alive=keep_alive)
    back = quote(f"https://{asked.host}/oauth2/idpresponse", safe="")
    location = f"Location: {view.location}?response_type=code&redirect_uri={back}"
    return 302, own_answer(302, "", headers=(location,), keep_alive=keep_alive)


def function_answer(function: str, *, keep_alive: bool) -> bytes:
    """What a Lambda function says, which is not run here: its name."""
    return own_answer(
        200, f"{function.rpartition(':')[2]} answers\r\n", content_type="text/plain", keep_alive=keep_alive
    )


def redirect_answer(view: RedirectView, asked: Asked, port: int, *, keep_alive: bool) -> bytes:
    """A redirect, its placeholders filled in from the request."""
    values = {
        "#{protocol}": "http",
        "#{host}": asked.host,
        "#{port}": str(port),
        "#{path}": asked.path.lstrip("/"),
        "#{query}": asked.query,
    }

    def filled(text: str) -> str:
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text

    query = filled(view.query)
    location = (
        f"{filled(view.protocol).lower()}://{filled(view.host)}:{filled(view.port)}"
        f"{quote(filled(view.path), safe='/%:@!$&()*+,;=~-._')}{'?' + query if query else ''}"
    )
    return own_answer(view.status, "", headers=(f"Location: {location}",), keep_alive=keep_alive)


def head_for_target(head: RequestHead, raw: bytes, client: str, port: int) -> bytes:
    """The request's head as a target receives it: X-Forwarded-* added, hop-by-hop headers gone.

    `raw` is the head as it came, without its empty line.
    """
    dropped = _REWRITTEN - _UPGRADE if head.is_upgrade else _REWRITTEN
    if head.headers.keys().isdisjoint(dropped):
        forwarded = client
        kept = raw
    else:
        before = head.headers.get(b"x-forwarded-for")
        forwarded = f"{before.decode('latin-1')}, {client}" if before else client
        kept = b"\r\n".join((raw.partition(b"\r\n")[0], *_without(head.lines, dropped)))
    if head.http10:  # to its targets the load balancer speaks HTTP/1.1
        kept = kept.replace(b" HTTP/1.0", b" HTTP/1.1", 1)
    added = f"\r\nX-Forwarded-For: {forwarded}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: {port}\r\n\r\n"
    return kept + added.encode("latin-1")


def head_for_client(
    head: AnswerHead, raw: bytes, *, keep_alive: bool, added: tuple[bytes, ...] = ()
) -> bytes:
    """The answer's head as the client receives it; `raw` is the head as it came, with its empty line.

    `added` are lines of the load balancer's own.
    """
    if head.status == SWITCHED:
        return raw[:-2] + b"".join(line + b"\r\n" for line in added) + b"\r\n"
    if keep_alive and not added and head.headers.keys().isdisjoint(_DROPPED):
        return raw
    lines = [raw.partition(b"\r\n")[0], *_without(head.lines, _DROPPED)]
    if not keep_alive:
        lines.append(b"Connection: close")
    return b"\r\n".join((*lines, *added, b"", b""))


def _without(lines: list[bytes], names: frozenset[bytes]) -> list[bytes]:
    return [line for line in lines if line.partition(b":")[0].lower() not in names]


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
