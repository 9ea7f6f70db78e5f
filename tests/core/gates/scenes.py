"""Scenes in which everything is well, for tests that change one thing before they ask a gate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.core.cloud.resources import AlarmSeen, Series, StopSeen, TargetsSeen
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.scene import Colour, Counts, Interval, Names, Scene
from tests.builders import BLUE_GROUP, CLUSTER, FORMER, NOON, WANTED, good_alarm
from tests.core.stages import GREEN_GROUP, GREEN_NAME, MINUTE, service

SERVES_SINCE = NOON - 10 * MINUTE


def scene(**changes: Any) -> Scene:  # noqa: ANN401 - the fields of Scene
    """Green at 10 % for ten minutes: three healthy targets, and nothing measured yet."""
    made = Scene(
        now=NOON,
        phase=Phase.SHIFTING,
        period=MINUTE,
        lag=2 * MINUTE,
        poll=timedelta(seconds=15),
        judged=Colour.GREEN,
        weight=Tenths(100),
        serves_since=SERVES_SINCE,
        stops_count_from=NOON - timedelta(hours=1),
        revision=WANTED,
        service=service(GREEN_NAME, WANTED),
        targets=(TargetsSeen(healthy=3),),
        other=service("checkout", FORMER),
        intervals=(),
        reading=(),
        names=Names(
            cluster=CLUSTER,
            blue_service="checkout",
            green_service=GREEN_NAME,
            groups=((BLUE_GROUP, GREEN_GROUP),),
        ),
        alarms_at_start=(good_alarm(),),
        alarms={"checkout-5xx": good_alarm()},
        metrics={},
    )
    return replace(made, **changes)


def stop(*, ago: timedelta = MINUTE, **changes: Any) -> StopSeen:  # noqa: ANN401 - the fields of StopSeen
    """A task of green that ended by its own doing."""
    made = StopSeen(
        task="task/1", task_definition=WANTED, at=NOON - ago, code="EssentialContainerExited", reason="exit 1"
    )
    return replace(made, **changes)


def counts(requests: int, errors: int = 0) -> Counts:
    """One colour's requests, and how many of them it answered with 5xx."""
    return Counts(requests=requests, answers_2xx=requests - errors, answers_5xx=errors)


def minute(green: Counts | None, blue: Counts | None = None, *, ago: int = 4) -> Interval:
    """The period that began so many minutes ago."""
    return Interval(start=NOON - ago * MINUTE, blue=blue, green=green, weight=Tenths(100))


def fired_at_start(alarm: AlarmSeen) -> tuple[AlarmSeen, ...]:
    """The alarm as it was read when the rollout began, in ALARM."""
    return (replace(alarm, state="ALARM"),)


def series(values: Mapping[int, float], *, period: timedelta = MINUTE) -> Series:
    """Datapoints by how many periods ago theirs began (1: the newest whole one), oldest first."""
    return tuple((NOON - ago * period, value) for ago, value in sorted(values.items(), reverse=True))


def start_of(ago: int) -> datetime:
    """When the period so many minutes ago began."""
    return NOON - ago * MINUTE
