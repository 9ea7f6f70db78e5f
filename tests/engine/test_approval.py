"""Approvals over whole rollouts: who may give them, how many it takes, and what happens if nobody does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import ApprovalSpec, LimitThen, Spec
from tests.support.rehearsal import AUTHOR, Rehearsal, quick_plan

MINUTE = timedelta(minutes=1)
FIRST, SECOND = Actor(name="first", groups=("release",)), Actor(name="second", groups=("release", "ops"))
OUTSIDER = Actor(name="outsider", groups=("ops",))


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def asked(stage: Rehearsal, *, before_full: bool = True, **approval: Any) -> Spec:  # noqa: ANN401
    """A canary whose first step waits for people, unless said, with these terms."""
    spec = stage.spec(stage.revision(), approval=ApprovalSpec(**{"timeout": 5 * MINUTE, **approval}))
    first, *rest = quick_plan().steps
    plan = replace(spec.plan, name="custom", steps=(replace(first, approval=before_full), *rest))
    return replace(spec, plan=plan)


def waiting(stage: Rehearsal, rollout: RolloutId) -> Rollout:
    """The row once it waits for people."""
    for _ in range(120):
        row = stage.row(rollout)
        if any(hold.kind is HoldKind.APPROVAL for hold in row.waiting.holds):
            return row
        stage.let_run(timedelta(seconds=2))
    raise AssertionError(stage.story(rollout))


@pytest.mark.long
def test_nobody_approves_and_it_is_rolled_back_when_the_time_is_over(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage))
    waiting(stage, rollout)
    began = stage.clock.now()
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert row.end.reason == "nobody approved leaving step 1 within 5 min"
    assert 4.5 * MINUTE < row.end.at - began < 5.5 * MINUTE
    assert stage.traffic.totals.errors.total() == 0


@pytest.mark.long
def test_the_file_may_say_to_hold_and_call_people_instead(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage, on_timeout=LimitThen.HOLD))
    waiting(stage, rollout)
    stage.let_run(10 * MINUTE)
    assert (stage.row(rollout).phase, stage.row(rollout).green_weight) == (Phase.SHIFTING, 100)
    assert len(stage.events(rollout, EventKind.PAGED)) == 1
    stage.command(rollout, CommandKind.APPROVE, by=FIRST)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


@pytest.mark.long
def test_a_pause_stops_the_clock_of_an_approval(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage))
    waiting(stage, rollout)
    stage.command(rollout, CommandKind.PAUSE)
    stage.let_run(10 * MINUTE)
    stage.command(rollout, CommandKind.RESUME)
    stage.let_run(MINUTE)
    assert stage.row(rollout).phase is Phase.SHIFTING
    assert stage.until(rollout).phase is Phase.ROLLED_BACK


def test_two_different_people_of_a_group_must_approve(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage, approvers=("group:release",), required=2))
    waiting(stage, rollout)
    with pytest.raises(Refused, match="outsider is not among the approvers: group:release"):
        stage.command(rollout, CommandKind.APPROVE, by=OUTSIDER)
    stage.command(rollout, CommandKind.APPROVE, by=FIRST, key="1")
    stage.let_run(20 * timedelta(seconds=1))
    row = stage.row(rollout)
    assert [hold.reason for hold in row.waiting.holds] == ["leaving step 1 waits for 1 approval"]
    with pytest.raises(Refused, match="first has already approved this step"):
        stage.command(rollout, CommandKind.APPROVE, by=FIRST, key="2")
    stage.command(rollout, CommandKind.APPROVE, by=SECOND, key="3")
    assert stage.until(rollout, Phase.WATCHING).phase is Phase.WATCHING, stage.story(rollout)


def test_the_author_may_be_barred_also_as_one_of_the_group(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage, approvers=("group:release",), not_author=True))
    waiting(stage, rollout)
    with pytest.raises(Refused, match="its author may not approve it"):
        stage.command(rollout, CommandKind.APPROVE, by=replace(AUTHOR, groups=("release",)))
    assert waiting(stage, rollout).phase is Phase.SHIFTING


def test_users_meet_green_only_after_somebody_has_said_so(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage, before_full=False, before_traffic=True))
    row = waiting(stage, rollout)
    assert (row.phase, row.green_weight) == (Phase.PROVISIONING, 0)
    stage.let_run(2 * MINUTE)
    assert stage.row(rollout).green_weight == 0
    stage.command(rollout, CommandKind.APPROVE, by=FIRST)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_nobody_approves_the_first_traffic_and_green_is_gone_when_the_time_is_over(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage, before_full=False, before_traffic=True))
    waiting(stage, rollout)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert row.end.reason == "nobody approved first traffic within 5 min"
    written = stage.events(rollout, EventKind.WEIGHT_VERIFIED)
    assert all(dict(seen.event.facts).get("green_tenths") in (0, None) for seen in written)


def test_an_approval_may_be_given_from_the_steps_start_and_holds_nothing_up_then(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.APPROVE, by=FIRST)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    holds = [dict(seen.event.facts)["hold"] for seen in stage.events(rollout, EventKind.HELD)]
    assert "approval" not in holds


def test_a_rejected_step_is_rolled_back_at_once(stage: Rehearsal) -> None:
    rollout = stage.start(asked(stage))
    waiting(stage, rollout)
    began = stage.clock.now()
    stage.command(rollout, CommandKind.REJECT, by=FIRST, reason="the totals are wrong")
    row = stage.until(rollout)
    assert row.end is not None
    assert row.end.reason == "reject by first: the totals are wrong"
    assert row.end.traffic_on_blue_at is not None
    assert row.end.traffic_on_blue_at - began < timedelta(seconds=5)


def test_a_bad_revision_is_taken_back_while_people_make_up_their_minds(stage: Rehearsal) -> None:
    spec = asked(stage)
    rollout = stage.start(replace(spec, task_definition=stage.revision({"TEAL_DEMO_ERROR_RATE": "0.4"})))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert not row.end.reason.startswith("nobody approved")
