"""Intervals: which whole periods are due at a weight, when a reading of one is final, and what is kept of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.core.analysis import intervals
from orchestrator.core.cloud.resources import Series, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.evaluation import evaluate
from orchestrator.core.gates import guard
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Colour, Counts, Interval, ceil_to, first_whole, floor_to
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Bake, Spell
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import MetricsSpec
from orchestrator.core.statistics import comparison
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from tests.builders import BLUE_GROUP, NOON
from tests.core.stages import GREEN_GROUP, MINUTE, at, baked, metrics, row, seen_of, spec

START = NOON - MINUTE  # of the period that every test reads
SECOND = timedelta(seconds=1)
GAP = timedelta(seconds=10)  # a sixth of a period: two reads closer than that are one
BOTH = {"green": 100, "blue": 900}


def serving(weight: int = 100, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """A row whose weight was read back just in time for the period from START."""
    return row(Phase.SHIFTING, weight=weight, **{"bake": Bake(since=START - GAP), **changes})


def read(
    known: Rollout, requests: Mapping[str, int], *, errors: int = 0, starts: tuple[datetime, ...] = (START,)
) -> Seen:
    """CloudWatch's answer: so many requests of each colour (absent if it is not named) in each of these periods."""
    found: dict[str, Series | Unread] = {}
    for query in intervals.queries(known):
        colour, _, field = query.id.split(" ")
        value = {"requests": requests.get(colour, 0), "answers_5xx": errors}.get(field, 0)
        found[query.id] = tuple((start, float(value)) for start in starts) if value else ()
    return Seen(metrics=found)


def taken(known: Rollout, seen: Seen, now: datetime) -> Draft:
    draft = Draft(known, seen, now)
    intervals.take(draft)
    return draft


def read_twice(
    first: Mapping[str, int], second: Mapping[str, int], *, apart: timedelta, weight: int = 100
) -> Draft:
    """What the second of two reads takes."""
    known = serving(weight)
    once = taken(known, read(known, first), NOON + SECOND).row
    return taken(once, read(known, second), NOON + SECOND + apart)


# which are due -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serves_since", "start"),
    [
        pytest.param(-11 * SECOND, timedelta(0), id="more than a sixth of a period before the boundary"),
        pytest.param(-10 * SECOND, timedelta(0), id="just a sixth of a period before the boundary"),
        pytest.param(-9 * SECOND, MINUTE, id="too close to the boundary to have spread everywhere"),
        pytest.param(timedelta(0), MINUTE, id="at the boundary"),
        pytest.param(SECOND, MINUTE, id="just after the boundary"),
        pytest.param(50 * SECOND, MINUTE, id="a sixth of a period before the next boundary"),
        pytest.param(51 * SECOND, 2 * MINUTE, id="too close to the next boundary"),
    ],
)
def test_the_first_interval_begins_after_the_weight_has_spread(
    serves_since: timedelta, start: timedelta
) -> None:
    assert first_whole(NOON + serves_since, MINUTE) == NOON + start


def test_periods_begin_at_multiples_of_their_length() -> None:
    odd = NOON + timedelta(seconds=7)
    assert floor_to(odd, timedelta(seconds=5)) == NOON + timedelta(seconds=5)
    assert ceil_to(odd, timedelta(seconds=5)) == NOON + timedelta(seconds=10)
    assert floor_to(NOON, MINUTE) == ceil_to(NOON, MINUTE) == NOON


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (NOON - SECOND, 0),
        (NOON, 1),
        (NOON + MINUTE - SECOND, 1),
        (NOON + 3 * MINUTE, 4),
        (NOON + timedelta(days=2), intervals.READ_AT_ONCE),
    ],
)
def test_every_period_that_has_ended_at_this_weight_is_due_in_bounded_numbers(
    now: datetime, count: int
) -> None:
    due = intervals.due(serving(), now)
    assert due == tuple(START + n * MINUTE for n in range(count))


def test_nothing_is_due_before_the_weight_was_read_back() -> None:
    assert intervals.due(serving(bake=Bake()), NOON + 9 * MINUTE) == ()


def test_what_was_taken_is_not_due_again() -> None:
    known = serving(intervals=(Interval(start=START, blue=None, green=Counts(requests=1)),))
    assert intervals.due(known, NOON + SECOND) == ()
    assert intervals.due(known, NOON + MINUTE) == (NOON,)


def test_the_period_in_which_the_weight_was_read_back_is_never_taken() -> None:
    known = serving(bake=Bake(since=START + SECOND))
    late = NOON + 9 * MINUTE
    found = taken(known, read(known, BOTH, starts=(START, NOON, NOON + MINUTE)), late).row.evidence.intervals
    assert found[0].start == NOON
    assert all(interval.start > START + SECOND for interval in found)


# when a reading is final -------------------------------------------------------------------------------------------


def test_one_read_alone_takes_nothing_and_is_noted() -> None:
    known = serving()
    draft = taken(known, read(known, BOTH), NOON + SECOND)
    assert draft.row.evidence.intervals == ()
    assert [reading.start for reading in draft.row.evidence.reading] == [START]
    assert draft.row.evidence.read_at == NOON + SECOND


@pytest.mark.parametrize(("apart", "count"), [(GAP - SECOND, 0), (GAP, 1), (MINUTE, 1)])
def test_two_reads_that_agree_take_it_if_they_are_a_sixth_of_a_period_apart(
    apart: timedelta, count: int
) -> None:
    assert len(read_twice(BOTH, BOTH, apart=apart).row.evidence.intervals) == count


def test_many_reads_close_together_are_still_one() -> None:
    known = serving()
    for second in range(1, 10):
        known = taken(known, read(known, BOTH), NOON + second * SECOND).row
    assert known.evidence.intervals == ()
    assert len(taken(known, read(known, BOTH), NOON + 11 * SECOND).row.evidence.intervals) == 1


def test_a_datapoint_that_was_revised_is_read_once_more() -> None:
    revised = {"green": 120, "blue": 900}
    draft = read_twice(BOTH, revised, apart=GAP)
    assert draft.row.evidence.intervals == ()
    known = serving()
    again = taken(draft.row, read(known, revised), NOON + SECOND + 2 * GAP)
    assert again.row.evidence.intervals[0].green == Counts(requests=120)


def test_errors_that_appear_later_are_a_revision_too() -> None:
    known = serving()
    once = taken(known, read(known, BOTH), NOON + SECOND).row
    twice = taken(once, read(known, BOTH, errors=7), NOON + SECOND + GAP).row
    assert twice.evidence.intervals == ()
    thrice = taken(twice, read(known, BOTH, errors=7), NOON + SECOND + 2 * GAP).row
    assert thrice.evidence.intervals[0].green == Counts(requests=100, answers_5xx=7)


@pytest.mark.parametrize(
    ("weight", "requests", "count"),
    [
        pytest.param(100, {"green": 100}, 0, id="blue is still missing"),
        pytest.param(100, {"blue": 900}, 0, id="green is still missing"),
        pytest.param(100, {}, 0, id="both are missing"),
        pytest.param(1000, {"green": 900}, 1, id="blue has no traffic to miss"),
        pytest.param(1000, {"blue": 900}, 0, id="green has everything and is missing"),
        pytest.param(0, {"blue": 900}, 1, id="green has no traffic to miss"),
    ],
)
def test_a_colour_that_carries_traffic_must_be_there(
    weight: int, requests: dict[str, int], count: int
) -> None:
    assert len(read_twice(requests, requests, apart=GAP, weight=weight).row.evidence.intervals) == count


@pytest.mark.parametrize(
    ("requests", "green", "blue"),
    [
        pytest.param(BOTH, Counts(requests=100), Counts(requests=900), id="both"),
        pytest.param({"blue": 900}, None, Counts(requests=900), id="only blue"),
        pytest.param({"green": 100}, Counts(requests=100), None, id="only green"),
        pytest.param({}, None, None, id="neither"),
    ],
)
def test_once_the_lag_has_passed_it_is_taken_as_it_stands_and_absence_stays_absence(
    requests: dict[str, int], green: Counts | None, blue: Counts | None
) -> None:
    known = serving()
    final = NOON + known.spec.metrics.lag
    early = taken(known, read(known, requests), final - SECOND)
    assert early.row.evidence.intervals == ()
    draft = taken(known, read(known, requests), final)
    assert draft.row.evidence.intervals[0] == Interval(
        start=START, green=green, blue=blue, weight=Tenths(100)
    )


def test_periods_are_taken_in_their_order_and_none_is_passed_over() -> None:
    known = serving()
    only_newest = read(known, BOTH, starts=(NOON,))
    once = taken(known, only_newest, NOON + MINUTE + SECOND).row
    twice = taken(once, only_newest, NOON + MINUTE + SECOND + GAP).row
    assert twice.evidence.intervals == (), "the period before it is still missing"
    late = taken(twice, only_newest, NOON + 2 * MINUTE).row
    assert [i.start for i in late.evidence.intervals] == [START, NOON]
    assert late.evidence.intervals[0].green is None
    assert late.evidence.intervals[1].green == Counts(requests=100)


def test_only_the_newest_are_kept_in_the_row() -> None:
    old = tuple(
        Interval(start=START - n * MINUTE, blue=None, green=Counts(requests=1))
        for n in range(intervals.KEPT, 0, -1)
    )
    known = serving(intervals=old)
    draft = taken(known, read(known, BOTH), NOON + 2 * MINUTE)
    assert len(draft.row.evidence.intervals) == intervals.KEPT
    assert draft.row.evidence.intervals[-1].start == START
    assert draft.row.evidence.intervals[0] == old[1]


def test_another_period_and_lag_are_the_files() -> None:
    quick = MetricsSpec(period=timedelta(seconds=5), lag=timedelta(seconds=10))
    since = NOON - timedelta(seconds=6)
    known = serving(spec=spec(metrics=quick), bake=Bake(since=since))
    assert intervals.due(known, NOON) == (NOON - timedelta(seconds=5),)
    assert {query.period for query in intervals.queries(known)} == {timedelta(seconds=5)}
    seen = read(known, BOTH, starts=(NOON - timedelta(seconds=5),))
    assert taken(known, seen, NOON + timedelta(seconds=9)).row.evidence.intervals == ()
    assert taken(known, seen, NOON + timedelta(seconds=10)).row.evidence.intervals[0].green == Counts(
        requests=100
    )


# what could not be read --------------------------------------------------------------------------------------------


def test_what_is_unread_takes_nothing_and_holds_once_it_should_be_there() -> None:
    known = serving()
    good = read(known, BOTH)
    broken = replace(good, metrics={**good.metrics, "green 0 requests": Unread(why="throttled")})
    early = taken(known, broken, NOON + SECOND)
    late = taken(known, broken, NOON + known.spec.metrics.lag)
    assert (early.row.evidence.intervals, early.holds) == ((), [])
    assert late.row.evidence.intervals == ()
    assert [(hold.kind, hold.reason) for hold in late.holds] == [
        (HoldKind.AWS, "request counts could not be read: throttled")
    ]


def test_series_that_were_not_looked_at_take_nothing_and_hold() -> None:
    late = taken(serving(), Seen(), NOON + 2 * MINUTE)
    assert late.row.evidence.intervals == ()
    assert [hold.kind for hold in late.holds] == [HoldKind.AWS]


def test_an_unread_answer_between_two_reads_does_not_break_their_agreement() -> None:
    known = serving()
    once = taken(known, read(known, BOTH), NOON + SECOND).row
    blind = taken(once, Seen(), NOON + 5 * SECOND).row
    assert len(taken(blind, read(known, BOTH), NOON + SECOND + GAP).row.evidence.intervals) == 1


# what is asked for and kept ----------------------------------------------------------------------------------------


def test_every_count_of_every_group_of_both_colours_is_asked_for_with_both_dimensions() -> None:
    asked = intervals.queries(serving())
    assert len(asked) == len({query.id for query in asked}) == 2 * len(intervals.METRICS)
    assert {query.stat for query in asked} == {"Sum"}
    for query in asked:
        group = GREEN_GROUP if query.id.startswith("green") else BLUE_GROUP
        assert dict(query.dimensions) == {
            "LoadBalancer": "app/public/50dc6c495c0c9188",
            "TargetGroup": group.rpartition(":")[2],
        }


def test_a_colours_groups_are_added_up_and_one_silent_group_is_no_silence() -> None:
    known = serving()
    other = replace(
        known.pairs[0], blue=TargetGroupArn(BLUE_GROUP + "2"), green=TargetGroupArn(GREEN_GROUP + "2")
    )
    two = replace(known, pairs=(*known.pairs, other))
    seen = read(two, BOTH)
    final = NOON + 2 * MINUTE
    assert taken(two, seen, final).row.evidence.intervals[0].green == Counts(requests=200)
    half = replace(seen, metrics={**seen.metrics, "green 1 requests": ()})
    assert taken(two, half, final).row.evidence.intervals[0].green == Counts(requests=100)


def test_each_field_of_a_count_comes_from_its_own_metric() -> None:
    known = serving()
    fields = list(intervals.METRICS)
    found = {
        query.id: ((START, float(10 + fields.index(query.id.split(" ")[2]))),)
        for query in intervals.queries(known)
    }
    green = taken(known, Seen(metrics=found), NOON + 2 * MINUTE).row.evidence.intervals[0].green
    assert green == Counts(
        requests=10, answers_2xx=11, answers_3xx=12, answers_4xx=13, answers_5xx=14, connection_errors=15
    )


def test_a_taken_interval_is_a_record_and_an_event() -> None:
    known = serving(step=1)
    draft = taken(known, read(known, BOTH, errors=7), NOON + 2 * MINUTE)
    (record,), (event,) = draft.records, draft.events
    body = json.loads(record.body)
    assert (record.kind, record.at) == ("interval", NOON + 2 * MINUTE)
    assert (body["phase"], body["step"], body["weight"]) == ("shifting", 1, 100)
    assert body["use"] == "used"
    assert body["green"]["answers_5xx"] == 7
    assert event.kind is EventKind.INTERVAL_TAKEN
    facts = dict(event.facts)
    assert (facts["green_requests"], facts["green_errors"], facts["blue_requests"]) == (100, 7, 900)
    assert event.message == (
        "period from 11:59:00Z: blue 7 of 900 requests failed, green 7 of 100 requests failed"
    )


def test_silence_is_told_as_silence_and_not_as_zero() -> None:
    known = serving()
    draft = taken(known, read(known, {"blue": 900}), NOON + 2 * MINUTE)
    assert dict(draft.events[0].facts)["green_requests"] is None
    assert json.loads(draft.records[0].body)["green"] is None
    assert draft.events[0].message.endswith("green had no requests")


def test_records_of_different_periods_never_share_a_key() -> None:
    known = serving()
    seen = read(known, BOTH, starts=(START, NOON, NOON + MINUTE))
    keys = [record.key for record in taken(known, seen, NOON + 9 * MINUTE).records]
    assert len(keys) == len(set(keys)) == 8


# what a step makes of them -----------------------------------------------------------------------------------------


def test_a_bad_period_that_was_read_once_keeps_a_step_from_being_left() -> None:
    good = Interval(start=START - MINUTE, blue=Counts(requests=900), green=Counts(requests=100))
    known = baked(5, spec=spec(gates=GatesSpec()), intervals=(good,))
    decision = at(known, seen_of(known, metrics=metrics(known, green=(100, 50))))
    assert (decision.rollout.phase, decision.rollout.progress.step) == (Phase.SHIFTING, 0)
    assert decision.rollout.evidence.reading[-1].green == Counts(requests=100, answers_5xx=50)


def test_a_bad_reading_holds_even_if_it_follows_the_last_one_closely() -> None:
    known = changed(baked(5), read_at=NOON - SECOND)
    decision = at(known, seen_of(known, metrics=metrics(known, green=(100, 50))))
    assert decision.rollout.progress.step == 0


def test_an_interval_of_a_former_weight_is_no_sign_of_the_next_one() -> None:
    known = baked(5)
    left = at(known).rollout
    assert left.progress.step == 1
    assert intervals.at_weight(left) == ()
    assert intervals.at_weight(known) == known.evidence.intervals


def moved() -> Rollout:
    """10 % for ten minutes, then 50 % read back 30 s after a whole minute."""
    spells = (
        Spell(weight=Tenths(100), since=NOON - 10 * MINUTE, until=NOON - 3 * MINUTE),
        Spell(weight=Tenths(500), since=NOON - 3 * MINUTE + 30 * SECOND),
    )
    last = Interval(start=NOON - 5 * MINUTE, blue=None, green=None, weight=Tenths(100))
    since = Bake(since=spells[-1].since)
    return row(Phase.SHIFTING, step=1, weight=500, bake=since, spells=spells, intervals=(last,))


def test_periods_are_read_on_through_a_change_of_weight_and_bear_the_weight_they_had() -> None:
    known = moved()
    starts = tuple(NOON - n * MINUTE for n in (4, 3, 2, 1))
    draft = taken(known, read(known, BOTH, starts=starts), NOON + 3 * MINUTE)
    found = {i.start: i.weight for i in draft.row.evidence.intervals[1:5]}
    assert found == dict(zip(starts, (100, None, 500, 500), strict=True))


@pytest.mark.parametrize(
    ("warm_up", "uses", "compared"),
    [
        (0, ["used", "weight_change", "used", "used"], 3),
        (2, ["warm_up", "weight_change", "warm_up", "used"], 1),
    ],
)
def test_a_period_in_which_the_weight_changed_and_green_s_warm_up_compare_nothing(
    warm_up: int, uses: list[str], compared: int
) -> None:
    usual = (Counts(requests=900, answers_2xx=891, answers_5xx=9),) * 61
    known = changed(
        replace(moved(), spec=spec(gates=GatesSpec())),
        comparison=comparison.freeze(CompareSpec(), usual),
        warm_up_left=warm_up,
    )
    starts = tuple(NOON - n * MINUTE for n in (4, 3, 2, 1))
    draft = taken(known, read(known, BOTH, errors=90, starts=starts), NOON + 2 * MINUTE)
    told = [dict(event.facts) for event in draft.events if event.kind is EventKind.INTERVAL_TAKEN]
    assert [one["use"] for one in told[:4]] == uses
    errors = draft.row.evidence.comparison[0]
    assert (errors.green_requests, errors.green_events) == (100 * compared, 90 * compared)


def test_a_failing_period_of_a_former_weight_that_comes_late_still_fails_green() -> None:
    known = replace(moved(), spec=spec(gates=GatesSpec()))
    draft = taken(known, read(known, BOTH, errors=90, starts=(NOON - 4 * MINUTE,)), NOON)
    assert [i.weight for i in intervals.earlier(draft.row)] == [100, 100, None]
    answer = guard.judge(GuardSpec(), evaluate.scene_of(draft, Colour.GREEN))
    assert answer.verdict is Verdict.FAIL


def test_the_period_of_the_first_traffic_is_read_though_it_says_nothing_of_a_weight() -> None:
    begun = NOON - 90 * SECOND
    known = row(
        Phase.SHIFTING,
        weight=100,
        bake=Bake(since=begun),
        spells=(Spell(weight=Tenths(100), since=begun),),
        spec=spec(gates=GatesSpec()),
    )
    assert intervals.due(known, NOON) == (NOON - 2 * MINUTE, NOON - MINUTE)
    draft = taken(known, read(known, BOTH, errors=90, starts=(NOON - 2 * MINUTE,)), NOON + MINUTE)
    assert [(i.weight, round(i.dilution, 3)) for i in draft.row.evidence.intervals] == [(None, 1.111)]
    assert guard.judge(GuardSpec(), evaluate.scene_of(draft, Colour.GREEN)).verdict is Verdict.FAIL


def test_blue_that_is_bad_for_its_new_share_excuses_green_in_the_period_of_the_change() -> None:
    """From 10 to 99 %: what blue's counts show of an outage that began with the change is diluted ninety times."""
    spells = (
        Spell(weight=Tenths(100), since=NOON - 10 * MINUTE, until=NOON - 90 * SECOND),
        Spell(weight=Tenths(990), since=NOON - 90 * SECOND),
    )
    last = Interval(start=NOON - 3 * MINUTE, blue=None, green=None, weight=Tenths(100))
    known = row(
        Phase.SHIFTING,
        weight=990,
        bake=Bake(since=spells[1].since),
        spells=spells,
        intervals=(last,),
        spec=spec(gates=GatesSpec()),
    )
    seen = read(known, {"green": 300, "blue": 900}, errors=90, starts=(NOON - 2 * MINUTE,))
    draft = taken(known, seen, NOON + MINUTE)
    assert round(draft.row.evidence.intervals[-1].dilution) == 90
    assert guard.judge(GuardSpec(), evaluate.scene_of(draft, Colour.GREEN)).verdict is not Verdict.FAIL


def test_what_a_person_passed_over_is_not_held_against_green_again() -> None:
    known = moved()
    assert intervals.earlier(changed(known, judged_from=NOON - 2 * MINUTE)) == ()


def test_a_period_that_becomes_final_while_the_look_lasts_is_looked_at_in_the_next_tick_and_holds_only_then() -> (
    None
):
    known = serving()
    final = intervals.due(known, NOON + 9 * MINUTE)[0] + MINUTE + known.spec.metrics.lag
    asked_late = changed(known, read_at=final - 20 * SECOND, ticked_at=final - SECOND)
    unasked = taken(asked_late, Seen(), final + SECOND)
    assert (unasked.holds, unasked.wake_at) == ([], final + SECOND)
    again = taken(changed(asked_late, ticked_at=final + SECOND), Seen(), final + 2 * SECOND)
    assert [hold.reason for hold in again.holds] == [
        "request counts could not be read: they were not looked at"
    ]


def test_a_period_that_becomes_final_between_looking_and_judging_was_looked_at() -> None:
    """Else the judgement would hold for counts that "could not be read", which nobody had tried to read."""
    known = changed(serving(), read_at=NOON + 2 * MINUTE - 3 * SECOND)
    final = NOON + known.spec.metrics.lag
    assert intervals.to_read(known, final - SECOND) == intervals.due(known, final - SECOND)
    early = changed(known, read_at=NOON + MINUTE)
    assert intervals.to_read(early, NOON + MINUTE + SECOND) == ()
