"""The plan `auto`: what its weights and times follow from."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.analysis import auto_plan
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NAMED_PLANS, AutoSpec, Step
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Bake, Spell
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ApprovalSpec
from orchestrator.core.statistics import comparison
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from tests.builders import NOON
from tests.core.stages import MINUTE, row, spec

BALANCED = AutoSpec()


def blue(requests: int, errors: int = 0) -> Counts:
    return Counts(requests=requests, answers_2xx=requests - errors, answers_5xx=errors)


def planned(weight: int = 5, *, history: Counts = blue(60_000, 60), **changes: Any) -> Rollout:  # noqa: ANN401, B008
    """A rollout by `auto` at a weight, held for three minutes."""
    given: dict[str, Any] = {
        "spec": spec(plan=NAMED_PLANS["auto"], gates=GatesSpec()),
        "steps": (Step(weight=Tenths(weight), bake=timedelta(0)),),
        "weight": weight,
        "bake": Bake(since=NOON - 3 * MINUTE, done=3 * MINUTE),
        "history": (history,) * 61,
        "comparison": comparison.freeze(CompareSpec(), (history,) * 61),
        "spells": (Spell(weight=Tenths(weight), since=NOON - 3 * MINUTE),),
        "observed_at": NOON,
        **changes,
    }
    return row(Phase.SHIFTING, **given)


def measured(green: Counts, other: Counts, *, times: int = 1, weight: int = 5, **changes: Any) -> Rollout:  # noqa: ANN401
    """The same after so many such minutes were measured and compared."""
    known = planned(weight, **changes)
    taken = tuple(
        Interval(start=NOON - (2 + times - n) * MINUTE, green=green, blue=other, weight=Tenths(weight))
        for n in range(times)
    )
    streams = known.evidence.comparison
    for interval in taken:
        streams = comparison.use(streams, interval, at=NOON)
    since = NOON - (3 + times) * MINUTE
    spells = (Spell(weight=Tenths(weight), since=since),)
    return changed(
        known,
        intervals=taken,
        comparison=streams,
        spells=spells,
        bake=Bake(since=since, done=known.progress.bake.done),
    )


def why_not(known: Rollout) -> str:
    return auto_plan.not_yet(Draft(known, Seen(), NOON))


def extended(known: Rollout) -> Step:
    draft = Draft(known, Seen(), NOON)
    auto_plan.extend(draft)
    return draft.row.progress.steps[-1]


# where it begins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("requests", "weight"), [(60_000, 5), (6_000, 10), (4_000, 15), (600, 20), (0, 20)])
def test_the_first_weight_gives_green_sixty_requests_a_period_within_its_bounds(
    requests: int, weight: int
) -> None:
    assert auto_plan.first_weight(BALANCED, requests) == weight


@pytest.mark.parametrize(
    ("requests", "errors", "is_low"),
    [
        pytest.param(60_000, 60, False, id="busy"),
        pytest.param(60_000, 0.6, False, id="busy with very few errors: large defects still show"),
        pytest.param(600, 0.6, True, id="quiet"),
        pytest.param(200, 50, True, id="fewer than five requests of green"),
        pytest.param(0, 0, True, id="unknown"),
    ],
)
def test_low_traffic_takes_the_plan_with_longer_bakes(requests: float, errors: float, is_low: bool) -> None:
    assert auto_plan.is_low_traffic(BALANCED, requests, errors) is is_low


def test_the_low_traffic_plan_is_2_10_and_50_percent() -> None:
    draft = Draft(planned(steps=(), history=blue(600, 1)), Seen(), NOON)
    auto_plan.begin(draft)
    assert [(step.weight, step.bake // MINUTE) for step in draft.row.progress.steps] == [
        (20, 3),
        (100, 6),
        (500, 6),
    ]
    assert "too little traffic" in draft.events[-1].message
    assert "a probe is required here, and the file has none" in draft.events[-1].message


def test_the_low_traffic_plan_asks_for_no_probe_that_is_there() -> None:
    probed = spec(plan=NAMED_PLANS["auto"], gates=GatesSpec(probe=ProbeSpec(url="https://test.example.com")))
    draft = Draft(planned(steps=(), history=blue(600, 1), spec=probed), Seen(), NOON)
    auto_plan.begin(draft)
    assert draft.events[-1].message.endswith("2, 10 and 50 % with longer bakes")


@pytest.mark.parametrize(
    ("second", "wait"),
    [(0, 30), (20, 10), (30, 0), (45, 0), (49, 0), (50, 40), (59, 31)],
)
def test_the_first_weight_is_written_shortly_before_a_period_ends(second: int, wait: int) -> None:
    draft = Draft(planned(), Seen(), NOON + timedelta(seconds=second))
    assert auto_plan.wait_for_moment(draft) == timedelta(seconds=wait)


# when it moves on -------------------------------------------------------------------------------------------------


def test_it_waits_for_the_datapoint_and_not_for_the_clock() -> None:
    assert why_not(planned()) == "the datapoint of one whole period at this weight"
    assert why_not(measured(blue(300), blue(59_700, 60))) == ""


def test_it_waits_for_sixty_requests_of_green_and_at_most_four_periods() -> None:
    few = measured(blue(30), blue(5_970, 6))
    assert why_not(few) == "60 requests of green at this weight (30 so far)"
    assert why_not(changed(few, bake=replace(few.progress.bake, done=4 * MINUTE))) == ""


def test_it_hesitates_while_something_speaks_against_green_and_not_for_ever() -> None:
    doubtful = measured(blue(300, 4), blue(59_700, 60), bake=Bake(since=NOON - 3 * MINUTE, done=5 * MINUTE))
    assert why_not(doubtful).startswith("more evidence:")
    assert why_not(changed(doubtful, bake=replace(doubtful.progress.bake, done=10 * MINUTE))) == ""


def test_it_hesitates_on_what_this_weight_alone_shows_though_the_carried_evidence_is_small() -> None:
    """Twice blue's rate: one period at 50 % says so, while the process that may fail green has hardly moved."""
    doubtful = measured(blue(30_000, 60), blue(30_000, 30), weight=500)
    assert all(stream.onset.log_e < math.log(BALANCED.hesitate_at) for stream in doubtful.evidence.comparison)
    assert why_not(doubtful).startswith("more evidence:")
    good = measured(blue(30_000, 36), blue(30_000, 30), weight=500)
    assert why_not(good) == ""


def test_it_does_not_hesitate_on_greens_warm_up() -> None:
    cold = measured(blue(300, 9), blue(59_700, 60))
    unused = tuple(comparison.freeze(CompareSpec(), (blue(60_000, 60),) * 61))
    assert why_not(cold).startswith("more evidence:")
    assert "speaks against" not in why_not(changed(cold, comparison=unused))


def test_evidence_beyond_all_measure_is_told_up_to_a_million() -> None:
    dead = measured(blue(30_000, 30_000), blue(30_000, 30), weight=500)
    assert why_not(dead) == "more evidence: 1e+06 to 1 speaks against green"


def test_the_low_traffic_plan_hesitates_too_once_its_bake_is_over() -> None:
    low = (Step(weight=Tenths(20), bake=3 * MINUTE),)
    dead = measured(blue(9, 9), blue(590, 0), weight=20, steps=low, history=blue(600, 1))
    over = changed(dead, bake=replace(dead.progress.bake, done=3 * MINUTE))
    assert why_not(over).startswith("more evidence:")
    assert why_not(changed(over, bake=replace(over.progress.bake, done=9 * MINUTE))) == ""
    assert why_not(measured(blue(9), blue(590, 0), weight=20, steps=low, history=blue(600, 1))) == ""


@pytest.mark.parametrize(("second", "wait"), [(0, 30), (29, 1), (30, 0), (45, 0), (55, 35)])
def test_the_next_weight_is_written_shortly_before_a_period_begins(second: int, wait: int) -> None:
    draft = Draft(measured(blue(300), blue(59_700, 60)), Seen(), NOON + timedelta(seconds=second))
    assert auto_plan.wait_to_grow(draft) == timedelta(seconds=wait)


def test_nobody_waits_for_the_moment_after_a_half_or_a_timed_bake_or_a_persons_word() -> None:
    low = (Step(weight=Tenths(20), bake=3 * MINUTE),)
    for known in (planned(500), planned(20, steps=low), changed(planned(), waived_step=0)):
        assert auto_plan.wait_to_grow(Draft(known, Seen(), NOON)) == timedelta(0)


def test_a_person_who_waives_the_step_is_not_made_to_wait() -> None:
    assert why_not(changed(planned(), waived_step=0)) == ""


# where it goes ----------------------------------------------------------------------------------------------------


def test_the_next_weight_spends_no_more_than_the_budget_on_the_worst_that_green_could_still_be() -> None:
    """One error in 300: the 97.5 % bound is 1.9 %, less blue's 0.1 %: 0.3 periods / (1.76 % x 2.5) is over 25 x."""
    assert extended(measured(blue(300, 1), blue(59_700, 60))).weight == 125
    worse = extended(measured(blue(60, 12), blue(59_700, 60), bake=Bake(since=NOON, done=11 * MINUTE)))
    assert 15 <= worse.weight < 500


def test_a_green_without_an_error_could_still_be_bad_where_few_requests_have_reached_it() -> None:
    """None of ten: the 97.5 % bound is 27.8 %, so that half of the traffic would cost more than the budget."""
    assert 400 < extended(measured(blue(10), blue(90, 1), weight=100)).weight < 500
    assert extended(measured(blue(1000), blue(9000, 100), weight=100)).weight == 500


def test_after_the_longest_bake_it_moves_three_times_at_least() -> None:
    known = measured(blue(30, 8), blue(5_970, 6), weight=100, bake=Bake(since=NOON, done=11 * MINUTE))
    assert extended(known).weight >= 300


@pytest.mark.parametrize(("weight", "at_most"), [(5, 125), (15, 375), (100, 500)])
def test_it_grows_at_most_twenty_five_times_and_visits_a_half_before_full(weight: int, at_most: int) -> None:
    assert extended(measured(blue(60_000, 60), blue(60_000, 60), times=6, weight=weight)).weight == at_most


def test_after_a_half_comes_the_watch_with_a_control_group_and_then_everything() -> None:
    watch = extended(measured(blue(30_000, 30), blue(30_000, 30), weight=500))
    assert (watch.weight, watch.is_watch) == (990, True)
    assert watch.bake == timedelta(minutes=20) - 4 * MINUTE, (
        "at least to the twentieth minute since traffic began"
    )
    last = extended(changed(planned(990), steps=(watch,)))
    assert (last.weight, last.is_watch, last.bake) == (ALL, False, timedelta(0))


@pytest.mark.parametrize(
    ("requests", "phi", "kept"),
    [(60_000, 1, 10), (6_000, 1, 10), (1_000, 1, 60), (6_000, 10, 100), (600, 1, 100), (0, 1, 100)],
)
def test_the_control_group_is_as_small_as_can_still_judge(requests: int, phi: float, kept: int) -> None:
    assert auto_plan.hold_back(BALANCED, requests, phi) == kept


def test_an_approval_before_full_is_asked_for_at_a_half() -> None:
    asking = spec(plan=NAMED_PLANS["auto"], gates=GatesSpec(), approval=ApprovalSpec(before_full=True))
    known = replace(measured(blue(60_000, 60), blue(60_000, 60), times=6, weight=100), spec=asking)
    step = extended(known)
    assert (step.weight, step.approval) == (500, True)


def test_a_promotion_to_the_end_goes_to_the_watch() -> None:
    draft = Draft(measured(blue(300), blue(59_700, 60)), Seen(), NOON)
    auto_plan.to_the_end(draft)
    assert [(step.weight, step.is_watch) for step in draft.row.progress.steps] == [(5, False), (990, True)]
