"""Whole periods at one weight: when one is due, and when what was read of it is final."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core import intervals
from orchestrator.core.observed import Unread
from orchestrator.core.phases import Phase
from orchestrator.core.rollout import Bake, HoldKind, Rollout
from orchestrator.core.scene import Counts, Interval, first_whole
from orchestrator.core.verdict import Verdict
from tests.builders import NOON
from tests.core.stages import MINUTE, at, baked, held, metrics, seen_of, settling

SECOND = timedelta(seconds=1)


def fresh(since: timedelta = 2 * MINUTE + 30 * SECOND) -> Rollout:
    """A weight read back so long ago, of which no interval was taken."""
    return baked(1, bake=Bake(since=NOON - since, done=MINUTE), intervals=())


@pytest.mark.parametrize(("seconds", "whole"), [(0, 60), (1, 60), (49, 60), (51, 120), (60, 120)])
def test_the_first_whole_interval_begins_after_the_weight_has_spread(seconds: int, whole: int) -> None:
    assert first_whole(NOON + seconds * SECOND, MINUTE) == NOON + whole * SECOND


@pytest.mark.parametrize(
    ("known", "minutes_ago"),
    [
        pytest.param(fresh(), [2, 1], id="two whole minutes"),
        pytest.param(fresh(MINUTE), [], id="none has ended that began after it"),
        pytest.param(baked(1, bake=Bake()), [], id="no weight is read back"),
        pytest.param(baked(9), [3, 2, 1], id="those after the last taken"),
    ],
)
def test_due_are_the_whole_periods_that_ended_at_this_weight(known: Rollout, minutes_ago: list[int]) -> None:
    assert intervals.due(known, NOON) == tuple(NOON - m * MINUTE for m in minutes_ago)


def taken(known: Rollout) -> list[Interval]:
    return list(known.intervals)


def test_a_period_is_taken_when_two_reads_a_sixth_of_a_period_apart_agree() -> None:
    first = at(fresh()).rollout
    assert not taken(first)
    too_soon = at(first, now=NOON + 5 * SECOND).rollout
    assert not taken(too_soon)
    second = at(too_soon, now=NOON + 10 * SECOND)
    assert [i.start for i in taken(second.rollout)] == [NOON - 2 * MINUTE, NOON - MINUTE]
    assert taken(second.rollout)[0].green == Counts(requests=100)
    assert {record.kind for record in second.records} == {"interval"}


def test_a_reading_that_changed_is_read_again() -> None:
    first = at(fresh()).rollout
    revised = seen_of(first, metrics=metrics(first, green=(120, 0)))
    second = at(first, revised, now=NOON + 10 * SECOND).rollout
    assert not taken(second)
    assert taken(at(second, revised, now=NOON + 20 * SECOND).rollout)


@pytest.mark.parametrize(("green", "blue"), [((0, 0), (900, 0)), ((100, 0), (0, 0))])
def test_a_period_without_one_colour_waits_for_the_lag(green: tuple[int, int], blue: tuple[int, int]) -> None:
    known = fresh()
    seen = seen_of(known, metrics=metrics(known, green=green, blue=blue))
    first = at(known, seen).rollout
    assert not taken(at(first, seen, now=NOON + 30 * SECOND).rollout)
    late = at(first, seen, now=NOON + MINUTE).rollout
    assert [i.start for i in taken(late)] == [NOON - 2 * MINUTE]


def test_a_colour_without_traffic_is_not_waited_for() -> None:
    known = baked(1, phase=Phase.WATCHING, step=2, bake=Bake(since=NOON - 3 * MINUTE), intervals=())
    seen = seen_of(known, metrics=metrics(known, blue=(0, 0)))
    first = at(known, seen).rollout
    second = at(first, seen, now=NOON + 10 * SECOND).rollout
    assert second.intervals[0].blue is None


def test_no_request_of_anybody_is_an_interval_without_counts_and_not_of_zero() -> None:
    known = fresh()
    seen = seen_of(known, metrics=metrics(known, green=(0, 0), blue=(0, 0)))
    late = at(known, seen, now=NOON + 2 * MINUTE).rollout
    assert (late.intervals[0].green, late.intervals[0].blue) == (None, None)


@pytest.mark.parametrize("missing", ["unread", "absent"])
def test_counts_that_cannot_be_read_hold_once_they_are_overdue(missing: str) -> None:
    known = fresh()
    found = metrics(known)
    query = intervals.queries(known)[0].id
    broken = (
        {**found, query: Unread(why="a test")}
        if missing == "unread"
        else {k: v for k, v in found.items() if k != query}
    )
    soon = at(known, seen_of(known, metrics=broken))
    assert HoldKind.AWS not in held(soon)
    late = at(known, seen_of(known, metrics=broken), now=NOON + 2 * MINUTE)
    assert HoldKind.AWS in held(late)
    assert not taken(late.rollout)


def test_a_bad_period_that_was_read_once_keeps_a_step_from_being_left() -> None:
    known = replace(baked(5), read_at=None)
    decision = at(known, seen_of(known, metrics=metrics(known, green=(100, 50))), now=NOON)
    assert decision.rollout.step == 0
    answers = {judged.answer.gate: judged.answer for judged in decision.rollout.answers}
    assert answers["guard"].verdict is not Verdict.PASS


def test_intervals_begin_anew_with_every_weight() -> None:
    moved = at(baked(5)).rollout
    assert (moved.intervals, moved.reading, moved.read_at) == ((), (), None)
    assert settling().intervals == ()
