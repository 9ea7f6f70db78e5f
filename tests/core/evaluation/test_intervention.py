"""Interventions: green's last step is undone where blue fails after it, and blue says whether green did it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import ScaleService
from orchestrator.core.decide import decide
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.evaluation import intervention
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Bake, Intervention, Spell, Trial
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import OnFailure
from orchestrator.core.statistics import comparison
from tests.builders import NOON, WANTED, good_deployment
from tests.core.stages import GREEN_NAME, MINUTE, recorded, row, seen_of, service, spec, written

USUAL = Counts(requests=900, answers_2xx=891, answers_5xx=9)
BAD = Counts(requests=900, answers_2xx=630, answers_5xx=270)
GREEN = Counts(requests=500, answers_2xx=495, answers_5xx=5)
HISTORY = (USUAL,) * 61


def minute(ago: int, blue: Counts | None, *, weight: int | None, green: Counts | None = GREEN) -> Interval:
    return Interval(
        start=NOON - ago * MINUTE,
        blue=blue,
        green=green,
        weight=None if weight is None else Tenths(weight),
    )


def grown(*newest: Interval, grew: timedelta = 5 * MINUTE, **changes: Any) -> Rollout:  # noqa: ANN401
    """10 % for a long time, then 50 % for some minutes, and these newest intervals."""
    at = NOON - grew
    spells = (
        Spell(weight=Tenths(100), since=NOON - timedelta(hours=1), until=at),
        Spell(weight=Tenths(500), since=at),
    )
    given: dict[str, Any] = {
        "spec": spec(gates=GatesSpec()),
        "step": 1,
        "weight": 500,
        "bake": Bake(since=at, done=grew),
        "observed_at": NOON - timedelta(seconds=15),
        "history": HISTORY,
        "comparison": comparison.freeze(CompareSpec(), HISTORY),
        "spells": spells,
        "intervals": newest,
        **changes,
    }
    return row(Phase.SHIFTING, **given)


def tried(
    on: Intervention,
    blues: list[Counts],
    *,
    weight: int,
    before: tuple[Counts, ...] = (BAD, BAD),
    **changes: Any,  # noqa: ANN401 - the fields of Rollout
) -> Rollout:
    """A trial at its weight, watched for so many minutes, after these of blue at the weight that green grew to."""
    since = NOON - (len(blues) + 1) * MINUTE
    spells = (
        Spell(weight=Tenths(500), since=since - 5 * MINUTE, until=since - MINUTE),
        Spell(weight=Tenths(weight), since=since - timedelta(seconds=15)),
    )
    green = GREEN if weight else None
    return grown(
        *(minute(9 + len(before) - n, blue, weight=500) for n, blue in enumerate(before)),
        *(minute(len(blues) - n, blue, weight=weight, green=green) for n, blue in enumerate(blues)),
        **{
            "weight": weight,
            "bake": Bake(since=spells[1].since),
            "spells": spells,
            "intervention": on,
            **changes,
        },
    )


def at(known: Rollout, **seen: Any) -> Decision:  # noqa: ANN401 - what was seen otherwise
    return decide(known, seen_of(known, **seen), NOON)


BEGUN = NOON - timedelta(minutes=9)
FORMER = Intervention(begun_at=BEGUN, former=Tenths(100), trial=Trial.FORMER_WEIGHT)
NONE_LEFT = replace(FORMER, trial=Trial.NO_TRAFFIC)
NO_TASKS = replace(FORMER, trial=Trial.NO_TASKS, tasks_gone_at=BEGUN)


def test_case_61_green_that_poisons_what_blue_reads_is_found_though_green_itself_does_well() -> None:
    """Blue alone fails, and every comparison favours green: blue is watched against its own last hour."""
    known = grown(minute(3, BAD, weight=500, green=GREEN))
    assert GREEN.error_rate < BAD.error_rate
    assert EventKind.INTERVENTION_BEGUN in recorded(at(known))


def test_blue_that_goes_bad_soon_after_green_grew_takes_greens_growth_back() -> None:
    decision = at(grown(minute(3, BAD, weight=500)))
    assert EventKind.INTERVENTION_BEGUN in recorded(decision)
    assert written(decision) == [100]
    assert decision.rollout.phase is Phase.SHIFTING


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(
            grown(minute(3, BAD, weight=500), grew=timedelta(minutes=40)), id="long after green grew"
        ),
        pytest.param(
            grown(
                minute(3, BAD, weight=500),
                spec=spec(gates=GatesSpec(compare=CompareSpec(intervene=False))),
            ),
            id="the file says not to intervene",
        ),
    ],
)
def test_otherwise_a_bad_blue_holds_and_nothing_is_taken_back(known: Rollout) -> None:
    decision = at(known)
    assert decision.rollout.evidence.intervention is None
    assert written(decision) == []
    assert any(hold.reason.startswith("blue itself fails") for hold in decision.rollout.waiting.holds)


def test_blue_as_well_as_in_its_last_hour_is_left_alone() -> None:
    assert not any(
        h.reason.startswith("blue itself")
        for h in at(grown(minute(3, USUAL, weight=500))).rollout.waiting.holds
    )


@pytest.mark.parametrize(
    ("on", "weight"),
    [(FORMER, 100), (replace(NONE_LEFT, former=Tenths(0)), 0)],
    ids=["at its former weight", "without traffic, where it had none before"],
)
def test_blue_that_recovers_at_once_without_the_growth_convicts_green(on: Intervention, weight: int) -> None:
    decision = at(tried(on, [USUAL] * 3, weight=weight))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert "recovered with green at" in decision.rollout.end.reason


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(tried(FORMER, [BAD, USUAL, USUAL, USUAL], weight=100), id="it was still bad at first"),
        pytest.param(tried(NONE_LEFT, [USUAL] * 3, weight=0), id="only in the second trial"),
    ],
)
def test_blue_that_recovers_only_later_acquits_green_once_and_convicts_it_the_second_time(
    known: Rollout,
) -> None:
    first = at(known).rollout
    assert (first.phase, first.evidence.outages_passed) == (Phase.SHIFTING, 1)
    again = at(changed(known, outages_passed=1)).rollout
    assert again.phase is Phase.ROLLING_BACK


def test_one_bad_period_of_blue_alone_convicts_nobody() -> None:
    decision = at(tried(FORMER, [USUAL] * 3, weight=100, before=(USUAL, BAD)))
    assert (decision.rollout.phase, decision.rollout.evidence.outages_passed) == (Phase.SHIFTING, 1)
    assert any("only one period of blue failed" in event.message for event in decision.events)


def test_a_conviction_holds_where_the_file_holds_on_failure() -> None:
    known = tried(FORMER, [USUAL] * 3, weight=100, spec=spec(gates=GatesSpec(), on_failure=OnFailure.HOLD))
    decision = at(known)
    assert decision.rollout.waiting.failed.startswith("compare: blue failed when green grew")


def test_two_whole_periods_are_not_enough_to_convict() -> None:
    decision = at(tried(FORMER, [USUAL] * 2, weight=100))
    assert decision.rollout.evidence.intervention == FORMER
    assert decision.rollout.waiting.holds


@pytest.mark.parametrize(
    ("on", "weight", "after"),
    [(FORMER, 100, Trial.NO_TRAFFIC), (NONE_LEFT, 0, Trial.NO_TASKS)],
)
def test_blue_that_stays_bad_is_tried_with_less_of_green(on: Intervention, weight: int, after: Trial) -> None:
    decision = at(tried(on, [BAD] * 3, weight=weight))
    assert decision.rollout.evidence.intervention is not None
    assert decision.rollout.evidence.intervention.trial is after


def test_the_last_trial_stops_greens_tasks_and_watches_blue_from_then_on() -> None:
    known = tried(replace(NO_TASKS, tasks_gone_at=None), [BAD] * 3, weight=0)
    decision = at(known)
    assert [e.desired for e in decision.effects if isinstance(e, ScaleService)] == [0]
    gone = service(GREEN_NAME, WANTED, desired=0, running=0)
    assert at(known, green=gone).rollout.evidence.intervention == replace(NO_TASKS, tasks_gone_at=NOON)


def test_a_green_that_was_taken_off_the_traffic_is_not_judged_meanwhile() -> None:
    """Its tasks were stopped by Teal: what ECS then says of it is nobody's evidence."""
    gave_up = good_deployment(task_definition=WANTED, rollout_state="FAILED", reason="tasks failed to start")
    stopped = service(GREEN_NAME, WANTED, desired=0, running=0, deployments=(gave_up,))
    decision = at(tried(NO_TASKS, [BAD, BAD], weight=0), green=stopped)
    assert decision.rollout.phase is Phase.SHIFTING
    assert at(grown(minute(3, USUAL, weight=500)), green=stopped).rollout.phase is Phase.ROLLING_BACK


def test_blue_that_stays_bad_without_green_acquits_it_and_the_rollout_waits() -> None:
    gone = service(GREEN_NAME, WANTED, desired=0, running=0)
    decision = at(tried(NO_TASKS, [BAD] * 3, weight=0), green=gone)
    on = decision.rollout.evidence.intervention
    assert on is not None
    assert on.is_acquitted
    assert EventKind.INTERVENTION_ENDED in recorded(decision)
    waiting = at(changed(decision.rollout, ticked_at=NOON - MINUTE), green=gone)
    assert waiting.rollout.phase is Phase.SHIFTING
    assert written(waiting) == []


def test_after_an_acquittal_the_step_begins_anew_once_blue_is_well() -> None:
    known = tried(replace(NO_TASKS, is_acquitted=True), [BAD, BAD, USUAL], weight=0)
    decision = at(known)
    assert (decision.rollout.evidence.intervention, decision.rollout.progress.step) == (None, 1)
    assert decision.rollout.evidence.judged_from == NOON


def test_nothing_to_compare_with_is_never_a_reason_to_intervene() -> None:
    assert not intervention.is_degraded(grown(history=()), BAD)
    assert not intervention.is_degraded(grown(comparison=()), BAD)
    assert not intervention.is_degraded(grown(), None)
