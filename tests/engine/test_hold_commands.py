"""What a hold's reader can do: the commands that would end it, of those that are accepted now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.apply_commands import accepted
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.progress import Bake, Loss
from orchestrator.core.rollout.rollout import Hold, HoldKind, Rollout
from orchestrator.engine.views.hold_commands import commands_that_end
from tests.builders import NOON, WANTED
from tests.core.stages import (
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    SCALING,
    at,
    attempt,
    baked,
    plan,
    row,
    seen_of,
    service,
    settling,
    spec,
)


def ends(known: Rollout, kind: HoldKind) -> tuple[str, ...]:
    return of(known, Hold(kind=kind, reason="a reason", clears_when="it is over", since=NOON))


def of(known: Rollout, hold: Hold) -> tuple[str, ...]:
    return commands_that_end(known, hold, accepted(known))


def test_a_pause_is_ended_by_resume() -> None:
    assert ends(changed(baked(2), paused_by=OPERATOR), HoldKind.PAUSED) == ("resume",)


def test_an_approval_is_given_or_refused() -> None:
    waiting = baked(2, spec=spec(plan=plan((10, 60), (100, 60), approval=(0,))))
    assert ends(waiting, HoldKind.APPROVAL) == ("approve", "reject")


def test_a_failure_that_holds_is_judged_anew_or_taken_back() -> None:
    assert ends(changed(baked(2), failed="guard: too many errors"), HoldKind.FAILED) == ("resume", "rollback")


def test_where_there_is_no_way_back_only_abandon_is_left() -> None:
    assert ends(changed(baked(2), blue_loss=Loss.DELETED), HoldKind.FAILED) == ("abandon",)


def test_an_update_that_blue_did_not_take_is_tried_once_more_or_taken_back() -> None:
    failed = replace(attempt(is_taken=True), is_failed=True)
    assert ends(changed(settling(), attempts=(failed,)), HoldKind.BLUE) == ("resume", "rollback")
    assert ends(settling(), HoldKind.BLUE) == ("rollback",), "nothing to try again yet"


def test_bounds_that_others_set_are_accepted_by_resume() -> None:
    theirs = Holding(base=SCALING, theirs=replace(SCALING, max_capacity=20), is_foreign=True)
    assert ends(changed(baked(2), holding=theirs), HoldKind.SCALING) == ("resume",)
    assert ends(baked(2), HoldKind.SCALING) == ()


def test_a_promotion_is_named_only_for_evidence_that_it_waives() -> None:
    since = Bake(since=NOON - timedelta(seconds=30), done=5 * MINUTE)
    known = baked(5, intervals=(), bake=since)
    unseen = at(known, seen_of(known)).rollout
    gates = [hold for hold in unseen.waiting.holds if hold.kind is HoldKind.GATE]
    assert gates
    assert {of(unseen, hold) for hold in gates} == {("promote",)}
    ill = at(
        known, seen_of(known, green=service(GREEN_NAME, WANTED, running=1, tags={"teal:rollout": known.id}))
    ).rollout
    health = [hold for hold in ill.waiting.holds if hold.reason.startswith("health: ")]
    assert health
    assert of(ill, health[0]) == ()


@pytest.mark.parametrize("kind", [HoldKind.AWS, HoldKind.DRIFT, HoldKind.CAPACITY, HoldKind.WINDOW])
def test_what_no_command_ends_names_none(kind: HoldKind) -> None:
    assert ends(baked(2), kind) == ()


def test_only_what_would_be_accepted_is_listed() -> None:
    first = row(Phase.SHIFTING, weight=100)
    assert CommandKind.BACK not in accepted(first), "there is no earlier step"
    assert CommandKind.APPROVE not in accepted(first), "the step needs none"
    assert CommandKind.RESUME not in accepted(first), "nothing is paused"
    assert CommandKind.PAUSE not in accepted(changed(first, paused_by=OPERATOR))
    assert CommandKind.BACK in accepted(row(Phase.SHIFTING, weight=500, step=1))
    assert CommandKind.ROLLBACK not in accepted(changed(first, blue_loss=Loss.DELETED))
    assert accepted(row(Phase.SUCCEEDED)) == ()
