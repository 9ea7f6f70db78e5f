"""A server's rollouts over HTTP, by the standard library alone: a short command should not wait for a big client."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from api.cli.doors import EVENTS_A_PAGE, Which, Wish
from api.cli.people import local_actor
from api.cli.shapes import read
from orchestrator.core.commands import CommandKind
from orchestrator.core.errors import (
    Conflict,
    Denied,
    Invalid,
    Mistake,
    NotFound,
    Refused,
    TealError,
    Unfit,
    Unreachable,
)
from orchestrator.core.events import Event, EventKind
from orchestrator.core.ids import RolloutId
from orchestrator.core.spec import Spec
from orchestrator.engine.views import RolloutView
from orchestrator.ports import EventSeen

ANSWER_SECONDS = 30.0
READ_SECONDS = 10.0  # what only reads the server's store is quick, or will not come
Json = Mapping[str, Any]
PLAIN: Mapping[int, type[TealError]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Refused,
    503: Unreachable,
    504: Unreachable,
}
"""Errors that carry nothing besides their words, by HTTP status."""


class ServerDoor:
    """The server at a base URL; the token, if there is one, goes with every request.

    Raises Unreachable where there is no answer, Invalid for an address that is none, and otherwise the error that
    the server named.
    """

    def __init__(self, url: str, *, token: str = "") -> None:
        self._url = urlsplit(url)
        self._token = token
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            wrong = Mistake(
                pointer="", what=f"{url!r} is no address of a server", instead="write http://host:port"
            )
            raise Invalid(source="TEAL_SERVER", mistakes=[wrong])

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        return read(RolloutView, await self._ask("GET", _path(name)))

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Door."""
        asked = {"limit": str(which.limit)}
        if which.service:
            asked["service"] = which.service
        if which.phase:
            asked["phase"] = which.phase.value
        if which.is_active is not None:
            asked["active"] = str(which.is_active).lower()
        page = await self._ask("GET", f"/v1/rollouts?{urlencode(asked)}")
        return tuple(read(RolloutView, one) for one in page["rollouts"])

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        page = await self._ask("GET", f"{_path(rollout)}/events?after={after}&limit={EVENTS_A_PAGE}")
        return tuple(_event(rollout, one) for one in page["events"])

    async def wish(self, name: str, wish: Wish) -> RolloutView:
        """As Door."""
        body: dict[str, object] = {"reason": wish.reason}
        if wish.step is not None:
            body["step"] = wish.step
        if wish.kind is CommandKind.PROMOTE:
            body["full"] = wish.full
        if wish.to is not None:
            body["to"] = f"{wish.to / 10:g}%"
        answer = await self._ask("POST", f"{_path(name)}/{wish.kind.value}", body)
        return read(RolloutView, answer["rollout"])

    async def start(self, spec: Spec, *, key: str) -> RolloutView:
        """As Door."""
        from orchestrator.config.dump import document_of

        answer = await self._ask("POST", "/v1/rollouts", document_of(spec), {"Idempotency-Key": key})
        return read(RolloutView, answer)

    async def _ask(
        self, method: str, path: str, body: object = None, more: Mapping[str, str] | None = None
    ) -> Json:
        return await asyncio.to_thread(self._exchange, method, path, body, more or {})

    def _exchange(self, method: str, path: str, body: object, more: Mapping[str, str]) -> Json:
        # The server believes this machine's users until it has tokens; a header carries ASCII alone.
        user = local_actor().name.encode("ascii", "replace").decode()
        headers = {"Accept": "application/json", "X-Teal-User": user, **more}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        sent = None if body is None else json.dumps(body)
        if sent is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection(READ_SECONDS if method == "GET" else ANSWER_SECONDS)
        try:
            connection.request(method, f"{self._url.path.rstrip('/')}{path}", sent, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise Unreachable(
                what=f"the server at {self._url.geturl()} does not answer",
                why=str(error),
                next_step="See that `teal serve` runs there, or unset TEAL_SERVER to use the store.",
            ) from error
        finally:
            connection.close()
        return self._read(status, text)

    def _connection(self, seconds: float) -> HTTPConnection:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        assert self._url.hostname is not None
        return kind(self._url.hostname, self._url.port, timeout=seconds)

    def _read(self, status: int, text: bytes) -> Json:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(
                what=f"{self._url.geturl()} answered {status} with something other than JSON",
                next_step="See that TEAL_SERVER is the address of a Teal server.",
            )
        if status >= 400:
            raise error_of(status, answer)
        return answer


def _path(name: str) -> str:
    return f"/v1/rollouts/{quote(name, safe='')}"


def _event(rollout: str, one: Json) -> EventSeen:
    event = Event(
        kind=EventKind(one["kind"]),
        at=datetime.fromisoformat(one["at"]),
        message=one["message"],
        facts=tuple(one["facts"].items()),
    )
    return EventSeen(rollout=RolloutId(rollout), number=one["number"], event=event)


def error_of(status: int, problem: Json) -> TealError:
    """The error that a problem document (RFC 9457) stands for, with its own words and the exit code of its kind."""
    what = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
    next_step = str(problem.get("next_step") or "")
    mistakes = problem.get("mistakes")
    if isinstance(mistakes, Sequence) and mistakes:
        return Invalid(source="", mistakes=[read(Mistake, {"line": None, **one}) for one in mistakes])
    findings = problem.get("findings")
    if isinstance(findings, Sequence) and findings:
        return Unfit(
            what="the server's preflight refuses this rollout", findings=[str(one) for one in findings]
        )
    match status:
        case 409 if problem.get("holder"):
            return Conflict(what=what, next_step=next_step, holder=str(problem["holder"]))
        case 400 | 422:
            return Invalid(source="", mistakes=[Mistake(pointer="", what=what, instead=next_step)])
        case _:
            return PLAIN.get(status, TealError)(what=what, next_step=next_step)
