"""Users whom cookies keep on a target group: what it does to a rollout, and to whom."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Sticky
from tests.cases.rule_stage import (
    LIFE,
    call,
    forward_of,
    green_group,
    make_sessions_sticky,
    make_sticky,
    rule_of,
)
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=60) as rehearsal:
        yield rehearsal


def said(stage: Rehearsal, rollout: RolloutId, kind: EventKind) -> list[str]:
    return [seen.event.message for seen in stage.events(rollout, kind)]


def test_case_13_sessions_kept_by_an_applications_cookie_are_refused_before_anything_is_made(
    stage: Rehearsal,
) -> None:
    """An application's cookie does not work where weights divide: preflight refuses, and says what does."""
    make_sessions_sticky(stage, "app_cookie")
    revision, begun = stage.revision(), len(stage.world.log)
    with pytest.raises(Unfit, match="sticky sessions by a cookie of the application"):
        stage.start(stage.spec(revision))
    writing = ("Add", "Create", "Delete", "Modify", "Put", "Register", "Tag", "Update")
    assert not [r for r in list(stage.world.log)[begun:] if r.operation.startswith(writing)]


def test_case_13_sticky_sessions_get_group_stickiness_beside_green_and_lose_it_again(
    stage: Rehearsal,
) -> None:
    """AWS demands group stickiness beside a sticky target group: Teal lends it, and the rule's first list is back."""
    make_sessions_sticky(stage)
    stage.let_run(stage.world.minute)
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    lent = {"Enabled": True, "DurationSeconds": LIFE}
    assert forward_of(rule_of(stage))["TargetGroupStickinessConfig"] == lent
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert json.dumps(rule_of(stage), sort_keys=True) == before


def test_case_13_pinned_users_leave_blue_slowly_and_it_is_said_how_many_stay(stage: Rehearsal) -> None:
    """The watch lasts until nobody uses blue any more, for a cookie's life at the longest; each step says the split."""
    make_sticky(stage)
    stage.let_run(timedelta(seconds=LIFE))
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    began = stage.clock.now()
    passed = said(stage, rollout, EventKind.STEP_PASSED)
    assert "cookies keep users where they were: blue got" in passed[0], passed
    assert "where its weight says 90 %" in passed[0], passed
    stage.let_run(timedelta(seconds=45))
    assert "users whom cookies keep on blue" in stage.row(rollout).waiting.waiting_for, stage.story(rollout)
    row = stage.until(rollout, Phase.SETTLING)
    waited = stage.clock.now() - began
    assert timedelta(seconds=45) < waited <= timedelta(seconds=LIFE + 5), waited
    before = stage.traffic.totals.answered[stage.scenery.target_group]
    stage.let_run(stage.world.minute)
    assert stage.traffic.totals.answered[stage.scenery.target_group] == before, "nobody is left on blue"
    assert row.phase is Phase.SETTLING


def test_case_13_cut_does_not_wait_for_pinned_users(stage: Rehearsal) -> None:
    """With `sticky: cut` the watch ends in its own time, and green leaves the rule once its users may go home."""
    make_sticky(stage, life=600)
    stage.let_run(2 * stage.world.minute)
    rollout = stage.start(stage.spec(stage.revision(), sticky=Sticky.CUT))
    began = stage.clock.now()
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert stage.clock.now() - began < timedelta(seconds=600)
    assert stage.traffic.totals.rejected == 0
    assert not stage.traffic.totals.unanswered


def test_case_53_a_rollback_takes_green_out_of_a_sticky_rule_so_that_nobody_stays_on_it(
    stage: Rehearsal,
) -> None:
    """A weight of 0 frees nobody: the rollback's one write takes green out, and green ends when nobody uses it."""
    make_sticky(stage, life=3600)
    stage.let_run(stage.world.minute)
    before = json.dumps(rule_of(stage), sort_keys=True)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.let_run(stage.world.minute)
    green = green_group(stage)
    assert stage.traffic.totals.answered[green] > 0
    stage.command(rollout, CommandKind.ROLLBACK)
    stage.until(rollout, Phase.ROLLING_BACK)
    stage.let_run(timedelta(seconds=2))
    assert json.dumps(rule_of(stage), sort_keys=True) == before, "green is out of the rule at once"
    answered = stage.traffic.totals.answered[green]
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert stage.traffic.totals.answered[green] == answered, "nobody met green any more"
    assert stage.traffic.totals.rejected == 0


def test_case_53_green_is_kept_until_cloudwatch_says_that_nobody_uses_it(stage: Rehearsal) -> None:
    """The end is RequestCount(green) = 0, read of a whole period after green left the rule."""
    make_sticky(stage, life=3600)
    stage.let_run(stage.world.minute)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    stage.command(rollout, CommandKind.ROLLBACK)
    stage.until(rollout, Phase.ROLLING_BACK)
    stage.let_run(timedelta(seconds=15))
    assert "a whole period in which no cookie leads to green" in stage.row(rollout).waiting.waiting_for
    stage.world.faults.outage(("cloudwatch",))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, "a CloudWatch that is away does not keep green for ever"


def test_case_13_stickiness_that_somebody_turns_on_meanwhile_is_their_change(stage: Rehearsal) -> None:
    """Group stickiness changed in the console is drift: said within one look, held, and never written over."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    rule = rule_of(stage)
    forward_of(rule)["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 77}
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=rule["Actions"])
    stage.let_run(stage.world.minute)
    row = stage.row(rollout)
    assert any("somebody changed it: group stickiness: " in hold.reason for hold in row.waiting.holds)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert forward_of(rule_of(stage))["TargetGroupStickinessConfig"]["DurationSeconds"] == 77
