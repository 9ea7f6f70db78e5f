"""A FAIL of health that one old answer of AWS would give too waits until the looks agree, and no longer."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.cloud.resources import Absent, TargetsSeen, Unread
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Decision, Rollout
from tests.builders import BLUE_GROUP, NOON, WANTED, good_deployment
from tests.core.stages import GREEN_GROUP, GREEN_NAME, at, baked, seen_of, service, written

SECOND = timedelta(seconds=1)
GAP = timedelta(seconds=10)  # a sixth of a period
BAD = TargetsSeen(unhealthy=3, reasons=("Target.Timeout",))
WELL = TargetsSeen(healthy=3)
AS_BEFORE = TargetsSeen(initial=3, reasons=("Elb.RegistrationInProgress",))
UNREAD = Unread(why="throttled")


def looked(known: Rollout, targets: Any, *, now: datetime = NOON, **changes: Any) -> Decision:  # noqa: ANN401 - any look
    return at(known, seen_of(known, targets={BLUE_GROUP: WELL, GREEN_GROUP: targets}, **changes), now=now)


@pytest.mark.parametrize("green", [BAD, TargetsSeen(), TargetsSeen(draining=3), AS_BEFORE, Absent()], ids=str)
def test_one_look_at_a_green_without_a_healthy_target_holds_and_the_next_is_soon(green: Any) -> None:  # noqa: ANN401
    decision = looked(baked(3), green)
    assert decision.rollout.phase is Phase.SHIFTING
    answer = next(one.answer for one in decision.rollout.answers if one.answer.gate == "health")
    assert answer.verdict is Verdict.HOLD
    assert not answer.is_evidence, "no promotion waives it"
    assert not written(decision)
    assert decision.wake_at is not None
    assert decision.wake_at <= NOON + STALE_LONGEST


@pytest.mark.parametrize(
    ("green", "sure_after"),
    [(BAD, GAP), (TargetsSeen(), GAP), (Absent(), GAP), (AS_BEFORE, STALE_LONGEST)],
    ids=["unhealthy", "empty", "group gone", "as before it was ready"],
)
def test_looks_that_agree_for_long_enough_roll_back(green: Any, sure_after: timedelta) -> None:  # noqa: ANN401
    first = looked(baked(3), green).rollout
    early = looked(first, green, now=NOON + sure_after - SECOND)
    assert early.rollout.phase is Phase.SHIFTING, "two looks so near may both be old"
    assert written(looked(early.rollout, green, now=NOON + sure_after)) == [0]
    assert written(looked(first, green, now=NOON + sure_after)) == [0]


def test_a_service_that_is_not_found_takes_two_looks_too() -> None:
    first = looked(baked(3), WELL, green=Absent())
    assert first.rollout.phase is Phase.SHIFTING
    assert looked(first.rollout, WELL, green=Absent(), now=NOON + GAP).rollout.phase is Phase.ROLLING_BACK


def test_a_look_that_shows_otherwise_ends_the_doubt() -> None:
    first = looked(baked(3), BAD).rollout
    well = looked(first, WELL, now=NOON + GAP).rollout
    assert looked(well, BAD, now=NOON + 2 * GAP).rollout.phase is Phase.SHIFTING


def test_a_doubt_from_before_ticks_in_which_green_was_not_judged_agrees_with_nothing() -> None:
    """Green had no traffic meanwhile, say: whatever a look found then is not what every look since has found."""
    known = looked(baked(3), BAD).rollout
    known = changed(known, ticked_at=NOON + 5 * GAP)
    assert looked(known, BAD, now=NOON + 6 * GAP).rollout.phase is Phase.SHIFTING
    assert looked(known, BAD, now=NOON + 6 * GAP).rollout.waiting.holds


@pytest.mark.parametrize("changes", [{"green": UNREAD}, {}], ids=["service", "targets"])
def test_a_look_that_could_not_be_made_says_nothing_and_the_next_bad_one_agrees(
    changes: dict[str, Any],
) -> None:
    first = looked(baked(3), BAD).rollout
    blind = looked(first, BAD if changes else UNREAD, now=NOON + SECOND, **changes).rollout
    assert blind.phase is Phase.SHIFTING
    assert looked(blind, BAD, now=NOON + GAP).rollout.phase is Phase.ROLLING_BACK


def test_what_no_old_answer_can_show_fails_at_once() -> None:
    given_up = good_deployment(task_definition=WANTED, rollout_state="FAILED", reason="tasks failed to start")
    decision = looked(baked(3), WELL, green=service(GREEN_NAME, WANTED, deployments=(given_up,)))
    assert decision.rollout.phase is Phase.ROLLING_BACK
