"""Gate ``guard``: one interval that speaks loudly enough alone, tested at the edges of its thresholds."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.guard import GuardSpec, judge
from orchestrator.core.gates.scene import Colour, Counts
from tests.core.gates.scenes import counts, minute, scene

FAIL, HOLD, PASS = Verdict.FAIL, Verdict.HOLD, Verdict.PASS
SPEC = GuardSpec()


def asked(*intervals: Any, spec: GuardSpec = SPEC, **changes: Any) -> Answer:  # noqa: ANN401
    return judge(spec, scene(intervals=intervals, **changes))


@pytest.mark.parametrize(
    ("green", "blue", "verdict"),
    [
        pytest.param((100, 0), (900, 0), PASS, id="no errors"),
        pytest.param((20, 5), (900, 0), FAIL, id="the least requests and the least errors"),
        pytest.param((19, 19), (900, 0), PASS, id="one request too few"),
        pytest.param((20, 4), (900, 0), PASS, id="one error too few"),
        pytest.param((100, 5), (900, 0), PASS, id="errors exactly at the threshold"),
        pytest.param((100, 6), (900, 0), FAIL, id="errors just over the threshold"),
        pytest.param((1000, 51), (900, 0), FAIL, id="over the threshold by a tenth of a percent"),
        pytest.param((100, 20), (1000, 50), PASS, id="exactly four times as bad as blue"),
        pytest.param((1000, 201), (1000, 50), FAIL, id="just over four times as bad as blue"),
        pytest.param((100, 20), (1000, 51), HOLD, id="blue over the threshold too, green not 4 times worse"),
        pytest.param((100, 30), (1000, 60), FAIL, id="blue over the threshold too, green 5 times worse"),
        pytest.param((100, 50), (100, 13), HOLD, id="exactly half, and less than four times as bad as blue"),
        pytest.param((100, 51), (100, 13), FAIL, id="over a half fails whatever blue does below it"),
        pytest.param((100, 60), (100, 30), FAIL, id="over a half, and twice as bad as blue"),
        pytest.param((100, 60), (100, 31), HOLD, id="over a half, and blue more than half as bad: an outage"),
        pytest.param((100, 51), (100, 51), HOLD, id="both over a half is an outage of both"),
        pytest.param((100, 100), (100, 100), HOLD, id="both fail altogether"),
        pytest.param((100, 4), (100, 40), PASS, id="only blue fails"),
        pytest.param((100, 51), None, FAIL, id="blue has no requests"),
        pytest.param((100, 6), None, FAIL, id="blue has no requests, and green is over the threshold"),
        pytest.param((100, 6), (0, 0), FAIL, id="blue has none either, as a number"),
    ],
)
def test_one_interval_decides(green: tuple[int, int], blue: tuple[int, int] | None, verdict: Verdict) -> None:
    answer = asked(minute(counts(*green), counts(*blue) if blue else None))
    assert answer.verdict is verdict, answer.reason
    assert dict(answer.numbers)["requests"] == green[0]
    assert dict(answer.numbers)["errors"] == green[1]


def test_the_threshold_is_the_files() -> None:
    interval = minute(counts(100, 6), counts(900, 0))
    assert asked(interval, spec=GuardSpec(errors=0.06)).verdict is PASS
    assert asked(interval, spec=GuardSpec(errors=0.059)).verdict is FAIL


def test_connection_errors_count_and_never_make_more_errors_than_requests() -> None:
    broken = Counts(requests=20, answers_5xx=10, connection_errors=30)
    answer = asked(minute(broken, counts(900)))
    assert (answer.verdict, dict(answer.numbers)["error_rate"]) == (FAIL, 1.0)
    assert "20 of 20 requests (100.0%) failed on green" in answer.reason


def test_answers_of_the_class_4xx_are_no_errors() -> None:
    assert asked(minute(Counts(requests=100, answers_4xx=100), counts(900))).verdict is PASS


@pytest.mark.parametrize(
    ("green", "blue", "usual", "verdict"),
    [
        pytest.param((100, 100), (900, 0), None, FAIL, id="green hangs, blue does not"),
        pytest.param((20, 11), (900, 0), None, FAIL, id="the least requests, and just over a half"),
        pytest.param((20, 10), (900, 0), None, PASS, id="exactly a half"),
        pytest.param((19, 19), (900, 0), None, PASS, id="one request too few"),
        pytest.param((100, 100), (900, 450), None, FAIL, id="blue answers a half"),
        pytest.param((100, 100), (900, 451), None, PASS, id="blue's connections stay open, too"),
        pytest.param((100, 100), None, (5000, 3), FAIL, id="blue has no traffic, and used to answer"),
        pytest.param((100, 100), (0, 0), (5000, 3), FAIL, id="blue has none, as a number"),
        pytest.param((100, 100), None, (5000, 4900), PASS, id="its users' connections always stay open"),
        pytest.param((100, 100), None, None, HOLD, id="nothing is known of blue"),
        pytest.param((100, 0), None, None, PASS, id="nothing is known of blue, and green answers"),
        pytest.param((100, 100), (900, 900), (5000, 0), PASS, id="both hang: going back does not mend it"),
    ],
)
def test_most_requests_without_an_answer_fail_where_that_is_unusual(
    green: tuple[int, int],
    blue: tuple[int, int] | None,
    usual: tuple[int, int] | None,
    verdict: Verdict,
) -> None:
    interval = minute(silent(*green), silent(*blue) if blue else None)
    answer = asked(interval, usual=silent(*usual) if usual else None)
    assert answer.verdict is verdict, answer.reason
    if verdict is not PASS:
        assert f"{green[1]} of {green[0]} requests got no answer on green" in answer.reason
    assert dict(answer.numbers)["unanswered"] == green[1]


def test_silence_that_was_read_only_once_holds() -> None:
    answer = asked(
        minute(counts(100), counts(900)), reading=(minute(silent(100, 100), silent(900, 0), ago=1),)
    )
    assert answer.verdict is HOLD
    assert "read only once" in answer.reason


def silent(requests: int, unanswered: int) -> Counts:
    """Requests of which so many got no answer, and the others a good one."""
    return Counts(requests=requests, answers_2xx=requests - unanswered)


def test_few_requests_pass_and_say_that_they_tell_little() -> None:
    answer = asked(minute(counts(19, 5), counts(900)))
    assert answer.verdict is PASS
    assert "too few to tell much" in answer.reason


def test_no_interval_yet_is_a_hold() -> None:
    assert asked().verdict is HOLD


def test_an_interval_without_requests_of_green_is_a_hold_and_no_pass() -> None:
    answer = asked(minute(None, counts(900)))
    assert answer.verdict is HOLD
    assert "no request reached green" in answer.reason
    assert answer.is_evidence


def test_a_weight_of_nothing_is_not_judged() -> None:
    assert asked(minute(counts(100, 100)), weight=0).verdict is Verdict.NOT_APPLICABLE


def test_a_bad_interval_is_not_forgotten_for_better_ones_after_it() -> None:
    bad, good = minute(counts(100, 90), counts(900), ago=5), minute(counts(100), counts(900), ago=4)
    answer = asked(bad, good)
    assert answer.verdict is FAIL
    assert "11:55:00Z" in answer.reason


def test_the_newest_interval_speaks_where_none_fails() -> None:
    both, good = minute(counts(100, 10), counts(900, 90), ago=5), minute(counts(100), counts(900), ago=4)
    assert asked(both, good).verdict is PASS
    assert asked(good, both).verdict is HOLD


def test_a_bad_interval_that_was_read_only_once_holds_and_does_not_fail_yet() -> None:
    good, bad = minute(counts(100), counts(900)), minute(counts(100, 90), counts(900), ago=1)
    answer = asked(good, reading=(bad,))
    assert answer.verdict is HOLD
    assert "read only once" in answer.reason
    assert asked(good, reading=(minute(counts(100), counts(900), ago=1),)).verdict is PASS


def test_on_the_way_home_blue_is_judged_beside_green() -> None:
    blue_fails = minute(green=counts(900), blue=counts(100, 10))
    green_fails = minute(green=counts(900, 90), blue=counts(100))
    answer = asked(blue_fails, judged=Colour.BLUE)
    assert answer.verdict is FAIL
    assert "failed on blue" in answer.reason
    assert asked(green_fails, judged=Colour.BLUE).verdict is PASS
    assert asked(minute(green=counts(900)), judged=Colour.BLUE).verdict is HOLD


def test_where_errors_come_in_clumps_it_takes_so_many_times_as_many() -> None:
    few = scene(intervals=(minute(counts(60, 6), counts(6000, 6)),))
    assert judge(GuardSpec(), few).verdict is Verdict.FAIL
    assert judge(GuardSpec(), replace(few, clump=3.0)).verdict is not Verdict.FAIL
    many = scene(intervals=(minute(counts(60, 16), counts(6000, 6)),), clump=3.0)
    assert judge(GuardSpec(), many).verdict is Verdict.FAIL
