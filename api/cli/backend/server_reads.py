"""What a server is asked, through the client's own core: a short command should not wait for a big client."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from api.cli.backend.backend import EVENTS_A_PAGE, SERVICES_A_PAGE, SERVICES_MAX, Which
from api.cli.backend.operating_user import local_actor
from api.client import requests
from api.client.answers import read
from api.client.carrying import Transport
from api.client.failures import Conflict as FoundConflict
from api.client.failures import Failure, NoAnswer, Problem, Unavailable, Unreadable
from api.client.reading import read as shaped
from api.client.requests import Request
from api.client.retries import NEVER, Outage, Retries
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
    from orchestrator.engine.views.service_values import ServiceView

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


class ServerReads:
    """As `Shows`, by the server at a base URL; the token, if there is one, goes with every request.

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

    def get(self, name: str) -> RolloutView:
        """As Shows."""
        return self.shaped(RolloutView, self.exchange(requests.get(name)))

    def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Shows."""
        phase = which.phase.value if which.phase else ""
        asked = requests.page(service=which.service, phase=phase, active=which.is_active, limit=which.limit)
        return tuple(self.shaped(RolloutView, one) for one in self.exchange(asked)["rollouts"])

    def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Shows."""
        page = self.exchange(requests.events(rollout, after=after, limit=EVENTS_A_PAGE))
        return tuple(event_of(rollout, one) for one in page["events"])

    def services(self) -> "tuple[ServiceView, ...]":
        """As Shows."""
        from orchestrator.engine.views.service_values import ServiceView

        found: list[ServiceView] = []
        cursor = ""
        while True:
            page = self.exchange(requests.services(cursor=cursor, limit=SERVICES_A_PAGE))
            found += [self.shaped(ServiceView, one) for one in page["services"]]
            cursor = page["next"]
            if not cursor or len(found) >= SERVICES_MAX:
                return tuple(found)

    def service(self, name: str) -> "ServiceView":
        """As Shows."""
        from orchestrator.engine.views.service_values import ServiceView

        return self.shaped(ServiceView, self.exchange(requests.service(name)))

    def exchange(self, request: Request) -> Json:
        """One call's answer; it blocks."""
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
