"""Gate `compare`: when green is worse, when it is shown not to be, and when nobody can tell."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates import compare
from orchestrator.core.gates.compare import CompareSpec, Inconclusive, StreamSpec
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Colour, Counts, Interval, Scene
from orchestrator.core.statistics import comparison
from orchestrator.core.statistics.comparison import Stream
from tests.builders import NOON
from tests.core.gates.scenes import scene

SPEC = CompareSpec()
ALONE = CompareSpec(streams=(StreamSpec(name=StreamName.ERRORS),))
HISTORY = tuple(Counts(requests=900, answers_2xx=891, answers_5xx=9) for _ in range(61))


def interval(green: tuple[int, int], blue: tuple[int, int] = (900, 9), *, ago: int = 4) -> Interval:
    """(requests, errors) of each colour; everything else was answered well."""
    made = [
        Counts(requests=requests, answers_2xx=requests - errors, answers_5xx=errors)
        for requests, errors in (green, blue)
    ]
    return Interval(start=NOON - timedelta(minutes=ago), green=made[0], blue=made[1], weight=Tenths(100))


def after(intervals: Iterable[Interval], spec: CompareSpec = SPEC) -> tuple[Stream, ...]:
    streams = comparison.freeze(spec, HISTORY)
    for one in intervals:
        streams = comparison.use(streams, one, at=NOON)
    return streams


def asked(intervals: list[Interval], spec: CompareSpec = SPEC, *, weight: int = 100) -> Answer:
    return judged(scene(intervals=tuple(intervals), weight=Tenths(weight)), after(intervals, spec), spec)


def judged(known: Scene, streams: tuple[Stream, ...], spec: CompareSpec = SPEC) -> Answer:
    answer = compare.judge(spec, replace(known, standings=tuple(stream.standing for stream in streams)))
    assert answer is not None
    return answer


def test_green_that_fails_five_times_as_often_as_blue_fails() -> None:
    answer = asked([interval((1000, 50), (9000, 90), ago=n) for n in (9, 8, 7, 6, 5)])
    assert answer.verdict is Verdict.FAIL
    assert "green is worse than blue in errors" in answer.reason
    assert "250 of 5000 (5.00%) on green, 450 of 45000 (1.00%) on blue" in answer.reason


def test_one_dreadful_interval_is_the_guards_business_and_not_enough_here() -> None:
    assert asked([interval((100, 100))]).verdict is not Verdict.FAIL


def test_an_outage_of_both_colours_is_not_held_against_green() -> None:
    outage = [interval((100, 30), (900, 270), ago=n) for n in range(30, 1, -1)]
    assert asked(outage).verdict is not Verdict.FAIL


def test_four_errors_decide_nothing_however_few_blue_has() -> None:
    few = [interval((10, 1), (99_990, 0), ago=n) for n in (8, 7, 6, 5)]
    assert after(few, ALONE)[0].onset.log_e > ALONE.threshold
    assert asked(few, ALONE).verdict is not Verdict.FAIL
    assert asked([*few, interval((10, 1), (99_990, 0))], ALONE).verdict is Verdict.FAIL


def test_a_failure_stays_one_whatever_comes_after() -> None:
    bad = [interval((1000, 50), (9000, 90), ago=n) for n in (70, 69, 68, 67, 66)]
    good = [interval((1000, 0), (9000, 90), ago=n) for n in range(65, 1, -1)]
    assert after([*bad, *good])[0].onset.log_e < SPEC.threshold
    assert asked([*bad, *good]).verdict is Verdict.FAIL


def test_green_as_good_as_blue_is_shown_not_to_be_twice_as_bad_once_there_are_errors_enough() -> None:
    answer = asked([interval((3000, 30), (27000, 270), ago=n) for n in range(12, 1, -1)], ALONE)
    assert (answer.verdict, answer.reason[:44]) == (
        Verdict.PASS,
        "green is shown not to be 2 times as bad as b",
    )


def test_too_few_errors_pass_in_the_words_of_no_evidence_and_hold_where_the_file_wants_proof() -> None:
    quiet = [interval((100, 0), (900, 1), ago=n) for n in range(12, 1, -1)]
    answer = asked(quiet)
    assert (answer.verdict, answer.reason[:26]) == (Verdict.PASS, "no evidence against green:")
    strict = replace(SPEC, inconclusive=Inconclusive.HOLD)
    held = asked(quiet, strict)
    assert (held.verdict, held.clears_when) == (Verdict.HOLD, "green is shown not to be 2 times as bad")


@pytest.mark.parametrize(
    ("periods", "requests", "is_shown"),
    [(12, 3000, True), (4, 3000, False), (5, 3000, True), (12, 24, False)],
)
def test_green_is_shown_well_by_enough_periods_and_requests_and_never_by_few(
    periods: int, requests: int, *, is_shown: bool
) -> None:
    """However strong the evidence: a few periods may all be of one quiet moment."""
    made = after(
        [interval((requests, requests // 100), (27000, 270), ago=n) for n in range(periods + 1, 1, -1)], ALONE
    )
    (standing,) = (replace(one.standing, log_not_worse=2 * ALONE.proof) for one in made)
    assert standing.green_at_weight == periods * requests
    known = scene(intervals=(interval((requests, 0)),), standings=(standing,))
    answer = compare.judge(replace(ALONE, inconclusive=Inconclusive.HOLD), known)
    assert answer is not None
    assert answer.verdict is (Verdict.PASS if is_shown else Verdict.HOLD)


def test_an_absolute_rate_shows_green_well_where_there_are_no_errors_to_compare() -> None:
    spec = replace(ALONE, p_max=0.005)
    quiet = [interval((300, 0), (2700, 0), ago=n) for n in range(12, 1, -1)]
    assert asked(quiet, spec).reason.startswith("green is shown")
    assert not asked(quiet, ALONE).reason.startswith("green is shown")


def test_latency_alone_never_shows_green_to_be_well() -> None:
    spec = CompareSpec(
        streams=(
            StreamSpec(name=StreamName.ERRORS),
            StreamSpec(name=StreamName.SLOW, over=timedelta(milliseconds=800)),
        )
    )
    fast = Counts(requests=3000, answers_2xx=3000, timed=3000, slow=30)
    many = [
        Interval(start=NOON - timedelta(minutes=n), green=fast, blue=fast, weight=Tenths(500))
        for n in range(12, 1, -1)
    ]
    assert asked(many, spec).reason.startswith("no evidence against green")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        (StreamName.ERRORS, {"answers_2xx": 950, "answers_5xx": 50}),
        (StreamName.ERRORS, {"answers_2xx": 950, "connection_errors": 50}),
        (StreamName.UNANSWERED, {"answers_2xx": 950}),
        (StreamName.CLIENT_ERRORS, {"answers_2xx": 950, "answers_4xx": 50}),
    ],
)
def test_each_stream_sees_its_own_kind_of_harm(name: StreamName, bad: dict[str, int]) -> None:
    blue = Counts(requests=9000, answers_2xx=8910, answers_5xx=30, answers_4xx=30)
    green = Counts(requests=1000, **bad)
    many = [
        Interval(start=NOON - timedelta(minutes=n), green=green, blue=blue, weight=Tenths(100))
        for n in range(9, 1, -1)
    ]
    failed = [stream.name for stream in after(many) if stream.failed_at is not None]
    assert name in failed


def test_streams_share_alpha() -> None:
    assert SPEC.threshold == pytest.approx(math.log(300))
    assert ALONE.threshold == pytest.approx(math.log(100))


# where it does not apply, and where it cannot know ---------------------------------------------------------------


@pytest.mark.parametrize("weight", [0, 1000])
def test_one_colour_alone_cannot_be_compared_and_it_says_how_it_stood(weight: int) -> None:
    answer = asked([interval((100, 1))], weight=weight)
    assert answer.verdict is Verdict.NOT_APPLICABLE
    assert "errors 1 of 100 (1.00%) on green" in answer.reason


def test_on_the_way_home_both_colours_run_the_same_revision() -> None:
    answer = judged(scene(judged=Colour.BLUE), after([]))
    assert answer.verdict is Verdict.NOT_APPLICABLE


def test_where_nothing_is_compared_it_says_nothing() -> None:
    assert compare.judge(SPEC, scene()) is None


def test_nothing_measured_at_this_weight_holds() -> None:
    assert asked([]).verdict is Verdict.HOLD


@pytest.mark.parametrize("silent", ["green", "blue"])
def test_a_colour_without_requests_holds(silent: str) -> None:
    without: dict[str, Any] = {silent: None}
    held = asked([replace(interval((100, 1)), **without)])
    assert (held.verdict, held.clears_when) == (Verdict.HOLD, f"requests reach {silent}")


def test_intervals_of_the_warm_up_alone_hold() -> None:
    answer = judged(scene(intervals=(interval((100, 90)),)), after([]))
    assert (answer.verdict, answer.clears_when) == (
        Verdict.HOLD,
        "a whole period after its warm-up was measured",
    )


# what a new weight and a person begin anew -----------------------------------------------------------------------


def test_a_new_weight_begins_what_shows_green_well_and_carries_what_speaks_against_it() -> None:
    before = after([interval((1000, 30), (9000, 90), ago=n) for n in (5, 4)])
    now = comparison.at_new_weight(before)
    assert [stream.onset for stream in now] == [stream.onset for stream in before]
    assert all(stream.mirror.log_e == 0 and stream.at_weight == 0 for stream in now)


def test_a_person_who_lets_a_failed_rollout_go_on_begins_the_evidence_anew_with_what_was_frozen() -> None:
    bad = after([interval((1000, 50), (9000, 90), ago=n) for n in (9, 8, 7, 6, 5)])
    now = comparison.anew(bad)
    assert all(stream.failed_at is None and stream.onset.log_e == 0 for stream in now)
    assert [stream.dispersion for stream in now] == [stream.dispersion for stream in bad]
