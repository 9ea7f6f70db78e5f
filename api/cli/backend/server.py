"""A server's rollouts over HTTP, through the client's own core: a short command should not wait for a big client."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from api.cli.backend.backend import EVENTS_A_PAGE, SERVICES_A_PAGE, SERVICES_MAX, Given, NewCommand, Which
from api.cli.backend.operating_user import local_actor
from api.client import requests
from api.client.answers import read
from api.client.carrying import Transport
from api.client.failures import Conflict as FoundConflict
from api.client.failures import Failure, NoAnswer, Problem, Unavailable, Unreadable
from api.client.reading import read as shaped
from api.client.requests import Request
from api.client.retries import NEVER, Outage, Retries
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import (
    Conflict,
    Denied,
    Invalid,
    Mistake,
    NotFound,
    Refused,
    TealError,
    Throttled,
    Unfit,
    Unreachable,
)
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

if TYPE_CHECKING:
    from api.auth.token_shapes import TokenMade, TokenView
    from api.cli.backend.backend import NewToken
    from api.http.json_values import PreflightView
    from orchestrator.core.analysis.detectable_regression import Measured
    from orchestrator.core.rollout.spec import Spec
    from orchestrator.engine.views.report_parts import Report
    from orchestrator.engine.views.services import ServiceView

Json = Mapping[str, Any]
Shape = TypeVar("Shape")
WRITES = Retries(within=8.0, if_refused=False)
"""A command that was cut off is sent again under its key; where nothing listens, a person is told at once."""
AWAY = (
    "The rollouts it moves are not touched by this. See that `teal serve` runs there. If users are affected now, "
    "`teal rollback CLUSTER/SERVICE --direct` puts all traffic on blue without any server. "
    "`teal -p store …`, or unset TEAL_SERVER, goes to the store on this machine."
)
STRANGER = "See that {origin} is the address of a Teal server."


class ServerDoor:
    """The server at a base URL; the token, if there is one, goes with every request.

    Raises Unreachable where there is no answer, Invalid for an address that is none, and otherwise the error that
    the server named. ``origin``: who named this server, for the words.
    """

    def __init__(self, url: str, *, token: str = "", origin: str = "TEAL_SERVER") -> None:
        self._origin, self._token = origin, token
        try:
            self._transport = Transport(requests.address_of(url))
        except ValueError as error:
            what, _, instead = str(error).rpartition(": ")
            wrong = Mistake(pointer="", what=what, instead=instead)
            raise Invalid(source=origin, mistakes=[wrong]) from error

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        return self.shaped(RolloutView, await self.ask(requests.get(name)))

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Door."""
        phase = which.phase.value if which.phase else ""
        asked = requests.page(service=which.service, phase=phase, active=which.is_active, limit=which.limit)
        page = await self.ask(asked)
        return tuple(self.shaped(RolloutView, one) for one in page["rollouts"])

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        page = await self.ask(requests.events(rollout, after=after, limit=EVENTS_A_PAGE))
        return tuple(event_of(rollout, one) for one in page["events"])

    async def report(self, name: str) -> "Report":
        """As Door."""
        from orchestrator.engine.views.report_parts import Report

        return self.shaped(Report, await self.ask(requests.report(name)))

    async def undoing(self, name: str) -> "Spec":
        """As Door."""
        from orchestrator import config

        return config.from_json(await self.ask(requests.undo(name)), "the server's answer")

    async def give(self, name: str, command: NewCommand) -> Given:
        """As Door."""
        said: dict[str, object] = {"reason": command.reason, "step": command.step}
        if command.kind is CommandKind.PROMOTE:
            said["full"] = command.full
        if command.to is not None:
            said["to"] = f"{command.to / 10:g}%"
        answer = await self.ask(requests.command(name, command.kind.value, said))
        rollout = self.shaped(RolloutView, answer["rollout"])
        return Given(rollout=rollout, is_recorded=answer.get("recorded") is not False)

    async def start(self, spec: "Spec", *, key: str) -> RolloutView:
        """As Door."""
        from orchestrator.config.rollout_file.dump import document_of

        return self.shaped(RolloutView, await self.ask(requests.start(document_of(spec), key=key)))

    async def services(self) -> "tuple[ServiceView, ...]":
        """As Door."""
        from orchestrator.engine.views.services import ServiceView

        found: list[ServiceView] = []
        cursor = ""
        while True:
            page = await self.ask(requests.services(cursor=cursor, limit=SERVICES_A_PAGE))
            found += [self.shaped(ServiceView, one) for one in page["services"]]
            cursor = page["next"]
            if not cursor or len(found) >= SERVICES_MAX:
                return tuple(found)

    async def service(self, name: str) -> "ServiceView":
        """As Door."""
        from orchestrator.engine.views.services import ServiceView

        return self.shaped(ServiceView, await self.ask(requests.service(name)))

    async def preflight(self, spec: "Spec") -> "PreflightView":
        """What a rollout would start from, as the server reads it. Raises as Door's start."""
        from api.http.json_values import PreflightView
        from orchestrator.config.rollout_file.dump import document_of

        return self.shaped(PreflightView, await self.ask(requests.preflight(document_of(spec))))

    async def traffic(self, spec: "Spec") -> "Measured":
        """A service's traffic as the server reads it. Raises as Door's start, and TrafficUnknown."""
        from orchestrator.config.rollout_file.dump import document_of
        from orchestrator.core.analysis.detectable_regression import Measured

        found = await self.ask(requests.traffic(document_of(spec)))
        return self.shaped(Measured, found["measured"])

    async def ask(self, request: Request) -> Json:
        """One call's answer."""
        return await asyncio.to_thread(self._exchange, request)

    def _exchange(self, request: Request) -> Json:
        outage = Outage(NEVER if request.method == "GET" else WRITES)
        # The server believes this machine's users until it has tokens.
        user = "" if self._token else local_actor().name
        while True:
            try:
                head = requests.head(token=self._token, user=user)
                return read(self._transport.exchange(request, head), url=self._transport.address.url)
            except Failure as failure:
                try:
                    pause = outage.pause_after(failure)
                except Failure:
                    raise error_of(failure, origin=self._origin) from failure
            time.sleep(pause)

    def shaped(self, kind: type[Shape], value: object) -> Shape:
        """A value of this kind from an answer's JSON. Raises Unreachable."""
        try:
            return shaped(kind, value)
        except Unreadable as failure:
            raise error_of(failure, origin=self._origin) from failure


def event_of(rollout: str, one: Json) -> EventSeen:
    """An event from its JSON. Raises KeyError, TypeError, ValueError for what is none."""
    event = Event(
        kind=EventKind(one["kind"]),
        at=datetime.fromisoformat(one["at"]),
        message=one["message"],
        facts=tuple(one["facts"].items()),
    )
    return EventSeen(
        rollout=RolloutId(rollout), number=one["number"], event=event, chain=one.get("chain", "")
    )


def error_of(failure: Failure, *, origin: str = "TEAL_SERVER") -> TealError:
    """The error that the store would have raised, with the server's own words and the exit code of its kind."""
    what, next_step = failure.what, failure.next_step
    match failure:
        case NoAnswer():
            head, _, why = what.partition(" does not answer: ")
            return Unreachable(what=f"{head} does not answer", why=why, next_step=AWAY)
        case Unreadable():
            return Unreachable(what=what, next_step=STRANGER.format(origin=origin))
        case Problem(mistakes=mistakes) if mistakes:
            places = [
                Mistake(pointer=one.pointer, what=one.what, instead=one.instead, line=one.line)
                for one in mistakes
            ]
            return Invalid(source="", mistakes=places)
        case Problem(findings=findings) if findings:
            return Unfit(what="the server's preflight refuses this rollout", findings=findings)
        case FoundConflict():
            return Conflict(what=what, next_step=next_step, holder=failure.holder)
        case Unavailable(status=503 | 504):
            return Unreachable(what=what, next_step=next_step)
        case Problem():
            return _by_status(failure, origin)
    return TealError(what=what, next_step=next_step)


def _by_status(problem: Problem, origin: str) -> TealError:
    what, next_step = problem.what, problem.next_step
    match problem.status:
        case 401:
            return Denied(what=what, next_step=next_step or f"give a valid token ({origin})")
        case 403:
            return Denied(what=what, next_step=next_step)
        case 404:
            return NotFound(what=what, next_step=next_step)
        case 429:
            return Throttled(what=what, next_step=next_step)
        case 409:
            return Refused(what=what, next_step=next_step)
        case 400 | 405 | 413 | 415 | 422:
            return Invalid(source="", mistakes=[Mistake(pointer="", what=what, instead=next_step)])
        case _:
            return TealError(what=what, next_step=next_step)


class ServerTokens:
    """A server's tokens."""

    def __init__(self, door: ServerDoor) -> None:
        self._door = door

    async def create(self, wanted: "NewToken") -> "TokenMade":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenMade

        said = {
            "name": wanted.name,
            "role": wanted.role,
            "services": wanted.services,
            "groups": wanted.groups,
            "expires": wanted.expires or None,
        }
        return self._door.shaped(TokenMade, await self._door.ask(requests.create_token(said)))

    async def every(self) -> "tuple[TokenView, ...]":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenView

        page = await self._door.ask(requests.tokens())
        return tuple(self._door.shaped(TokenView, one) for one in page["tokens"])

    async def revoke(self, token: str) -> "TokenView":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenView

        return self._door.shaped(TokenView, await self._door.ask(requests.revoke_token(token)))
