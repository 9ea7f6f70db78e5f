"""By which names this server may be asked, and from whose pages.

Without authentication whoever reaches the port is believed, so any page in a local browser could give commands: a
request then has to name this machine itself (against DNS rebinding). With it, no browser sends a token unasked, and
any name will do unless the settings say by which one people reach the server.
"""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from api.problems import Foreign

_PORTS = {"http": 80, "https": 443}


def check_origin(host: str, origin: str | None, *, is_on: bool, public_url: str = "") -> None:
    """Raises Foreign for a request by a foreign name, or from another site's page. `is_on`: authentication is."""
    if is_on:
        _check_public(host, origin, public_url)
    else:
        _check_local(host, origin)


def _check_local(host: str, origin: str | None) -> None:
    if not is_loopback(_hostname(f"//{host}")):
        raise Foreign(
            what=f"a request for host `{_shown(host)}`",
            why="there is no authentication, so only this machine's own names are answered",
            next_step="ask for 127.0.0.1 or localhost, through a tunnel if need be",
        )
    if origin is not None and not is_loopback(_hostname(origin)):
        raise _foreign_page(origin)


def _check_public(host: str, origin: str | None, public_url: str) -> None:
    if public_url:
        name = _hostname(f"//{host}")
        if name != _hostname(public_url) and not is_loopback(name):
            raise Foreign(
                what=f"a request for host `{_shown(host)}`",
                why="the settings name another one as `public_url`",
                next_step=f"ask for {public_url}",
            )
    if origin is not None and not _is_same(origin, host) and not _are_equal(origin, public_url):
        raise _foreign_page(origin)


def _foreign_page(origin: str) -> Foreign:
    return Foreign(
        what=f"a request from a page of `{_shown(origin)}`",
        why="other sites' pages may not ask this server",
        next_step="send it without an Origin header, from a program",
    )


def _is_same(origin: str, host: str) -> bool:
    """True if a page's origin is the very host and port that is asked; the scheme ends at a proxy, perhaps."""
    asked = _split(f"//{host}")
    page = _split(origin)
    if page is None or asked is None or not page.hostname:
        return False
    port = _PORTS.get(page.scheme)
    return port is not None and (page.hostname, page.port or port) == (asked.hostname, asked.port or port)


def _are_equal(origin: str, url: str) -> bool:
    return bool(url) and _split(url) is not None and (_place(origin) == _place(url))


def _place(url: str) -> tuple[str, str, int | None]:
    parts = _split(url)
    return (
        (parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme))
        if parts
        else ("", "", None)
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # half a bracketed address, or a port that is none
        return None
    return parts


def _hostname(url: str) -> str:
    parts = _split(url)
    return (parts.hostname or "") if parts else ""


def _shown(text: str) -> str:
    return text[:100].encode("ascii", "backslashreplace").decode()


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and every loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
