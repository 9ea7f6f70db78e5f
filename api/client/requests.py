"""Every call of the server as a value: what would be sent, without sending it."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

READ_SECONDS = 10.0  # what only reads the server's store is quick, or will not come
WRITE_SECONDS = 30.0  # a start reads AWS first
EVENTS_A_PAGE = 500
WAIT_SECONDS_MAX = 60.0  # as long as the server lets one request wait
STREAM = "text/event-stream"

Token = str | Callable[[], str]
"""A token, or what gets a fresh one: a CI job's lives for minutes, a rollout for longer."""
File = Mapping[str, object] | bytes | str | PathLike[str]
"""A rollout file: as a mapping, as YAML or JSON text in bytes, or as a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. ``seconds``: how long an answer may take. Each may be sent again: keys make writes repeatable."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    seconds: float = READ_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is. ``prefix``: the path that a proxy puts before Teal's own."""

    scheme: str
    host: str
    port: int | None
    prefix: str

    @property
    def url(self) -> str:
        """The address as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.prefix}"


def address_of(url: str) -> Address:
    """Read a server's address. Raises ValueError that says what to write."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{url!r} is no address of a server: write http://host:port or https://host")
    return Address(scheme=parts.scheme, host=parts.hostname, port=port, prefix=parts.path.rstrip("/"))


def head(*, token: str = "", user: str = "") -> dict[str, str]:
    """The headers that every request carries. Raises ValueError for a token or a name that no header can hold."""
    headers = {
        "Accept": "application/json",
        "User-Agent": "teal-client",
        "X-Request-Id": _random_hex(),
    }
    if user:
        headers["X-Teal-User"] = _printable(user.encode("ascii", "replace").decode(), "the user's name")
    if token:
        headers["Authorization"] = f"Bearer {_printable(token, 'the token')}"
    return headers


def start(file: File, *, key: str) -> Request:
    """Start a rollout. The same key again answers with the rollout that it started."""
    body, kind = _file(file)
    headers = (("Content-Type", kind), _key(key))
    return Request(method="POST", path="/v1/rollouts", headers=headers, body=body, seconds=WRITE_SECONDS)


def preflight(file: File) -> Request:
    """Look before a rollout; only reads."""
    body, kind = _file(file)
    return Request(
        method="POST",
        path="/v1/preflight",
        headers=(("Content-Type", kind),),
        body=body,
        seconds=WRITE_SECONDS,
    )


def traffic(file: File) -> Request:
    """The smallest simulation: how much traffic the server finds the service to have; only reads."""
    body, kind = _file(file)
    return Request(
        method="POST",
        path=_with("/v1/simulate", {"runs": "1", "defect": "none"}),
        headers=(("Content-Type", kind),),
        body=body,
        seconds=WRITE_SECONDS,
    )


def page(
    *, service: str = "", phase: str = "", active: bool | None = None, limit: int = 50, cursor: str = ""
) -> Request:
    """One page of rollouts, newest first."""
    asked = {"limit": str(limit), "service": service, "phase": phase, "cursor": cursor}
    if active is not None:
        asked["active"] = str(active).lower()
    return Request(method="GET", path=_with("/v1/rollouts", asked))


def get(name: str, *, wait: float = 0, version: int | None = None) -> Request:
    """One rollout; with `wait`, once its version is another than `version`, or after so many seconds."""
    wait = min(wait, WAIT_SECONDS_MAX)
    asked = {"wait": f"{wait:g}" if wait > 0 else "", "version": "" if version is None else str(version)}
    return Request(method="GET", path=_with(rollout_path(name), asked), seconds=READ_SECONDS + max(0, wait))


def events(name: str, *, after: int = 0, limit: int = EVENTS_A_PAGE) -> Request:
    """One page of a rollout's log, from the event after number `after`."""
    path = _with(f"{rollout_path(name)}/events", {"after": str(after), "limit": str(limit)})
    return Request(method="GET", path=path)


def follow(name: str, *, after: int = 0, silence: float = 45.0) -> Request:
    """A rollout's log as it grows. ``seconds`` is the longest silence: the server is heard every 15 s."""
    headers = (("Accept", STREAM), ("Last-Event-ID", str(after)))
    return Request(method="GET", path=f"{rollout_path(name)}/events", headers=headers, seconds=silence)


def command(name: str, kind: str, said: Mapping[str, object], *, key: str = "") -> Request:
    """A command (approve … abandon). Without a key it gets one of its own, so that it can be sent again."""
    body = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
    headers = (("Content-Type", "application/json"), _key(key or _random_hex()))
    path = f"{rollout_path(name)}/{kind}"
    return Request(method="POST", path=path, headers=headers, body=body, seconds=WRITE_SECONDS)


def report(name: str) -> Request:
    """Who did what in a rollout, for auditors."""
    return Request(method="GET", path=f"{rollout_path(name)}/report")


def undo(name: str) -> Request:
    """The rollout file that takes back a rollout which succeeded; to be started with `start`."""
    return Request(method="GET", path=f"{rollout_path(name)}/undo")


def services(*, cursor: str = "", limit: int = 50) -> Request:
    """A page of the services that Teal has moved."""
    return Request(method="GET", path=_with("/v1/services", {"limit": str(limit), "cursor": cursor}))


def service(name: str) -> Request:
    """One service (``cluster/service``): what serves now, and its history."""
    return Request(method="GET", path=f"/v1/services/{quote(name, safe='')}")


def me() -> Request:
    """Who the server takes this client for."""
    return Request(method="GET", path="/v1/me")


def audit(*, cursor: str = "", limit: int = 100) -> Request:
    """A page of the calls that were to change something."""
    return Request(method="GET", path=_with("/v1/audit", {"limit": str(limit), "cursor": cursor}))


def tokens() -> Request:
    """Every token of the server, without the tokens themselves."""
    return Request(method="GET", path="/v1/tokens")


def create_token(said: Mapping[str, object], *, key: str = "") -> Request:
    """Make a token."""
    headers = (("Content-Type", "application/json"), _key(key or _random_hex()))
    return Request(
        method="POST",
        path="/v1/tokens",
        headers=headers,
        body=json.dumps(said).encode(),
        seconds=WRITE_SECONDS,
    )


def revoke_token(token: str) -> Request:
    """Revoke a token by its id."""
    return Request(method="DELETE", path=f"/v1/tokens/{quote(token, safe='')}", seconds=WRITE_SECONDS)


def rollout_path(name: str) -> str:
    """Where a rollout is, by its id or its service. Raises ValueError for an empty name."""
    if not name:
        raise ValueError("name a rollout by its id, or by its service")
    return f"/v1/rollouts/{quote(name, safe='')}"


def _with(path: str, asked: Mapping[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _random_hex() -> str:
    return os.urandom(8).hex()  # what `secrets` does, without what it imports


def _key(key: str) -> tuple[str, str]:
    if not key or len(key) > 200:
        raise ValueError("an idempotency key has 1 to 200 characters: the build's id, for instance")
    return ("Idempotency-Key", _printable(key, "the idempotency key"))


def _printable(text: str, what: str) -> str:
    if not all(" " <= character <= "~" for character in text):
        raise ValueError(f"{what} may hold printable ASCII characters alone")
    return text


def _file(file: File) -> tuple[bytes, str]:
    """The bytes and the media type of a rollout file; YAML goes as it is, since the server reads it."""
    match file:
        case Mapping():
            return json.dumps(file).encode(), "application/json"
        case bytes():
            return file, "application/yaml"
        case _:
            path = Path(fspath(file))
            kind = "application/json" if path.suffix == ".json" else "application/yaml"
            return path.read_bytes(), kind
