"""One small answer from an issuer of identities. Issuers are the operator's to name, so private addresses are fine."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from orchestrator.core.domain.errors import Unreachable

SECONDS = 5.0
ANSWER_MAX = 512 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Document = dict[str, Any]  # a JSON object, as an issuer publishes it
Fetch = Callable[[str], Awaitable[Document]]


async def fetch(url: str) -> Document:
    """The JSON object at a URL. Raises Unreachable: no answer in time, or none that is a JSON object.

    Redirects are not followed, so that what is believed comes from where the settings say.
    """
    import aiohttp

    if not may_be_fetched(url):
        raise _unread(url, "an issuer is asked over https (http: on this machine alone)")
    try:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status != 200:
                raise _unread(url, f"it answered {answer.status}")
            text = await answer.content.read(ANSWER_MAX + 1)
            while len(text) <= ANSWER_MAX and (more := await answer.content.read(ANSWER_MAX + 1)):
                text += more
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _unread(url, str(error) or type(error).__name__) from error
    return _object(url, text)


def may_be_fetched(url: str) -> bool:
    """True for https, and for http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _object(url: str, text: bytes) -> Document:
    if len(text) > ANSWER_MAX:
        raise _unread(url, f"its answer is longer than {ANSWER_MAX // 1024} KiB")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unread(url, "its answer is not JSON") from error
    if not isinstance(found, dict):
        raise _unread(url, "its answer is no JSON object")
    return found


def _unread(url: str, why: str) -> Unreachable:
    return Unreachable(
        what=f"{url} could not be read", why=why, next_step="see that the issuer answers there, and try again"
    )
