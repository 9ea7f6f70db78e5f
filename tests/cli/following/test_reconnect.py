"""Looking on while the server is away: said once, gone on where it was, given up in the end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from api.cli.following.reconnect import PatientDoor
from orchestrator.core.domain.errors import NotFound, Throttled, Unreachable
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.rollout import RolloutView
from orchestrator.ports.rollouts import EventSeen
from tests.aws.clock import run_in_no_time

ROLLOUT = RolloutId("checkout-1")
AWAY = Unreachable(what="the server at http://teal does not answer", why="Connection refused")


def event(number: int) -> EventSeen:
    happened = Event(kind=EventKind.STEP_STARTED, at=datetime(2026, 3, 1, tzinfo=UTC), message=f"{number}")
    return EventSeen(rollout=ROLLOUT, number=number, event=happened)


class Server:
    """Twelve events, read two a page; away at these reads."""

    def __init__(self, is_away: Callable[[int], bool], error: Exception = AWAY) -> None:
        self._is_away, self._error = is_away, error
        self.asked: list[int] = []

    async def get(self, name: str) -> RolloutView:
        raise NotFound(what=f"there is no rollout {name}")

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        assert rollout == ROLLOUT
        self.asked.append(after)
        if self._is_away(len(self.asked)):
            raise self._error
        return tuple(event(number) for number in range(after + 1, min(after + 2, 12) + 1))


async def everything(door: PatientDoor) -> list[int]:
    found: list[int] = []
    while page := await door.events(ROLLOUT, found[-1] if found else 0):
        found += [seen.number for seen in page]
    return found


def test_events_go_on_after_the_last_one_that_came_and_none_comes_twice() -> None:
    server, said = Server(lambda read: read in (3, 4)), list[str]()
    assert run_in_no_time(everything(PatientDoor(server, said.append))) == list(range(1, 13))
    assert server.asked == [0, 2, 4, 4, 4, 6, 8, 10, 12]
    assert said == [
        "Connection lost: the server at http://teal does not answer (Connection refused). Trying again for 30 s.",
        "Connected again after 1 s: going on after event 4.",
    ]


def test_every_absence_has_its_own_time() -> None:
    server, said = (
        Server(lambda read: read % 12 > 2),
        list[str](),
    )  # away for nine reads, some 15 s, again and again
    assert run_in_no_time(everything(PatientDoor(server, said.append))) == list(range(1, 13))
    assert [line.partition(":")[0] for line in said] == [
        "Connection lost",
        "Connected again after 14 s",
    ] * 2


def test_server_that_stays_away_is_given_up_after_half_a_minute_in_clear_words() -> None:
    server, said = Server(lambda read: read > 3), list[str]()
    with pytest.raises(Unreachable) as caught:
        run_in_no_time(everything(PatientDoor(server, said.append)))
    assert str(caught.value) == (
        "the server at http://teal does not answer: gave up looking after 32 s: Connection refused. The rollout "
        "itself is not touched by this. See that `teal serve` runs there, then look again with the same command."
    )
    assert len(said) == 1
    assert len(server.asked) < 25


def test_whoever_waits_for_hours_outlives_an_outage_of_many_minutes() -> None:
    server, said = Server(lambda read: 3 < read < 500), list[str]()
    door = PatientDoor(server, said.append, limit=timedelta(hours=2))
    assert run_in_no_time(everything(door)) == list(range(1, 13))
    assert said[0].endswith("Trying again for 2 h.")
    assert said[1].startswith("Connected again after 16 min")


def test_server_that_is_too_busy_is_asked_again() -> None:
    busy = Throttled(what="the server takes no more requests for now")
    server, said = Server(lambda read: read in (1, 2), error=busy), list[str]()
    assert run_in_no_time(everything(PatientDoor(server, said.append))) == list(range(1, 13))


def test_an_answer_that_is_a_refusal_is_not_asked_for_again() -> None:
    server, said = Server(lambda read: True, error=NotFound(what="there is no rollout")), list[str]()
    with pytest.raises(NotFound):
        run_in_no_time(everything(PatientDoor(server, said.append)))
    assert (len(server.asked), said) == (1, [])
