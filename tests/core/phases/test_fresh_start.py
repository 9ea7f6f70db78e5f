"""Tasks that stopped before somebody mended what stopped them are not held against the colour again."""

from datetime import timedelta
from typing import Any

from orchestrator.core.cloud.resources import StopSeen
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import OnFailure
from orchestrator.core.tick.seen import Seen
from tests.builders import NOON, WANTED
from tests.core.stages import (
    GREEN_NAME,
    a_command,
    at,
    baked,
    commanded,
    seen_of,
    service,
    settling,
    spec,
    written,
)

SECOND = timedelta(seconds=1)


def stopped(since: timedelta, count: int = 3) -> tuple[StopSeen, ...]:
    """Tasks of the new revision that died by themselves so long before noon."""
    made = StopSeen(
        task="task",
        task_definition=WANTED,
        at=NOON - since,
        code="EssentialContainerExited",
        reason="exit code 1",
    )
    return (made,) * count


LOOKED_AT: dict[str, Any] = {"stops_told": ("the first",)}  # from then on both colours' stops are read


def seen_with_stops(known: Rollout, stops: tuple[StopSeen, ...]) -> Seen:
    """What stopped is of the colour that is judged."""
    is_blue = known.phase is Phase.SETTLING
    return seen_of(
        known,
        blue=service("checkout", WANTED, stops=stops if is_blue else ()),
        green=service(GREEN_NAME, WANTED, stops=() if is_blue else stops, tags={"teal:rollout": known.id}),
    )


def test_blue_that_became_steady_after_some_failed_starts_takes_traffic_home() -> None:
    known = settling(ready_since=NOON - timedelta(minutes=1))
    steady = at(known, seen_with_stops(known, stopped(timedelta(minutes=3)))).rollout
    assert steady.handover.is_homeward
    later = NOON + timedelta(seconds=1)
    first = at(steady, seen_with_stops(steady, stopped(timedelta(minutes=3))), now=later)
    assert written(first) == [900]
    judged = settling(900, is_homeward=True, stops_count_from=steady.stops.stops_count_from)
    assert not at(judged, seen_with_stops(judged, stopped(timedelta(minutes=3)))).rollout.waiting.failed


def test_blue_that_dies_once_traffic_comes_home_fails() -> None:
    judged = settling(900, is_homeward=True, stops_count_from=NOON - timedelta(minutes=1), **LOOKED_AT)
    decision = at(judged, seen_with_stops(judged, stopped(timedelta(seconds=30))))
    assert (
        decision.rollout.waiting.failed == "health: 3 of blue's tasks stopped within 10 minutes: exit code 1"
    )


def test_resume_after_a_failure_judges_anew() -> None:
    known = baked(spec=spec(on_failure=OnFailure.HOLD), **LOOKED_AT)
    stops = stopped(timedelta(minutes=3))
    failed = at(known, seen_with_stops(known, stops)).rollout
    assert failed.waiting.failed
    assert failed.phase is Phase.SHIFTING
    resumed = commanded(failed, a_command(CommandKind.RESUME)).rollout
    again = at(resumed, seen_with_stops(resumed, stops), now=NOON + SECOND)
    assert not again.rollout.waiting.failed
