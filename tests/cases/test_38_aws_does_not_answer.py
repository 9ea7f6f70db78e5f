"""Cases 38, 39 and 49: AWS throttles everything, does not know Teal any more, or refuses the way back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.rate_limits import Limits
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Throttled
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import ListenerArn, RolloutId, RuleArn
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.faults import Fault, Kind
from tests.cases.looks import paged, shifting
from tests.cases.rule_stage import green_group, rule_of, weights_of
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def passed(stage: Rehearsal, rollout: RolloutId) -> int:
    return len(stage.events(rollout, EventKind.STEP_PASSED))


def test_case_38_while_aws_throttles_everything_nothing_advances_and_teal_asks_no_more_often(
    stage: Rehearsal,
) -> None:
    """What cannot be read is no pass, time that nobody could look through is no bake; afterwards it goes on."""
    rollout = shifting(stage)
    stage.let_run(2 * MINUTE)
    before = len(stage.world.log)
    stage.let_run(3 * MINUTE)
    usual = len(stage.world.log) - before
    rollout_steps = passed(stage, rollout)
    stage.world.faults.throttle_everything()
    before = len(stage.world.log)
    stage.let_run(12 * MINUTE)
    row = stage.row(rollout)
    assert len(stage.world.log) - before < 12 * usual, "each read is repeated twice at most"
    assert passed(stage, rollout) == rollout_steps
    assert row.waiting.holds
    stage.world.faults.end_outage()
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_38_a_reserve_of_writes_is_kept_for_rollbacks(stage: Rehearsal) -> None:
    """What other rollouts spend of the account's writes leaves enough to bring traffic to safety at once."""
    transport = DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost)
    cloud = AwsCloud(Caller(transport, limits=Limits(), chance=lambda: 0.5), region=stage.world.region)
    rule = rule_of(stage)
    write = WriteRule(
        rule=RuleArn(rule["RuleArn"]),
        listener=ListenerArn(stage.scenery.listeners[0]),
        is_default=False,
        actions=canonical(rule["Actions"]),
        green=None,
        to_safety=False,
    )

    async def spend() -> float:
        for _ in range(1000):
            try:
                await cloud.perform(write)
            except Throttled:
                break
        began = stage.loop.time()
        await cloud.perform(replace(write, to_safety=True))
        return stage.loop.time() - began

    assert stage.run(spend()) == 0


def test_case_38_a_rollback_goes_on_in_the_storm_and_ends_when_it_is_over(stage: Rehearsal) -> None:
    rollout = shifting(stage)
    stage.world.faults.throttle_everything()
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    stage.let_run(3 * MINUTE)
    assert stage.row(rollout).phase is Phase.ROLLING_BACK
    stage.world.faults.end_outage()
    stage.let_run(timedelta(seconds=5))
    assert weights_of(stage).get(green_group(stage), 0) == 0, stage.story(rollout)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK


def test_case_38_pages_of_a_proxy_hold_are_no_refusal_and_are_never_shown(stage: Rehearsal) -> None:
    """A page in place of AWS's answer says nothing of what was asked: it holds, and is told by its status alone."""
    rollout = shifting(stage)
    weights = weights_of(stage)
    stage.world.faults.outage(kind="page")
    stage.let_run(3 * MINUTE)
    row = stage.row(rollout)
    assert any("a page instead of an AWS answer (HTTP 502)" in hold.reason for hold in row.waiting.holds)
    stage.world.faults.end_outage()
    assert weights_of(stage) == weights
    stage.world.faults.add(Fault(operation="ModifyRule", kind="page", times=2))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    failed = stage.events(rollout, EventKind.EFFECT_FAILED)
    assert [dict(each.event.facts)["is_final"] for each in failed] == [False, False]
    assert "<" not in stage.story(rollout)


@pytest.mark.parametrize("kind", ["expired", "denied"])
def test_case_39_without_access_nothing_moves_and_people_are_called_at_the_first_look(
    stage: Rehearsal, kind: Kind
) -> None:
    """Credentials that have expired do not come back by themselves: the rollout says so, tries on, and then goes on."""
    rollout = shifting(stage)
    weights = weights_of(stage)
    stage.world.faults.outage(kind=kind)
    stage.let_run(MINUTE)
    (told,) = paged(stage, rollout)
    assert told.startswith("blocked: no access: ")
    stage.let_run(12 * MINUTE)
    assert any(hold.reason.startswith("blocked: no access") for hold in stage.row(rollout).waiting.holds)
    assert passed(stage, rollout) == 0
    stage.world.faults.end_outage()
    assert weights_of(stage) == weights
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


@pytest.mark.long
def test_case_49_a_rollback_that_is_refused_is_tried_for_ever_calls_people_and_is_never_said_to_be_over(
    stage: Rehearsal,
) -> None:
    rollout = shifting(stage)
    stage.world.faults.add(Fault(operation="ModifyRule", kind="denied", times=10_000))
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    stage.let_run(timedelta(minutes=20))
    row = stage.row(rollout)
    assert row.phase is Phase.ROLLING_BACK
    assert row.end is not None
    assert row.end.traffic_on_blue_at is None
    assert not stage.events(rollout, EventKind.TRAFFIC_ON_BLUE)
    (told,) = paged(stage, rollout)
    assert told.startswith("rolling back for 1 min, and blue does not have all traffic yet"), told
    stage.world.faults.clear()
    stage.let_run(timedelta(seconds=5))
    assert stage.events(rollout, EventKind.TRAFFIC_ON_BLUE), stage.story(rollout)
    assert weights_of(stage)[green_group(stage)] == 0
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert list(weights_of(stage)) == [stage.scenery.target_group]


def test_case_49_a_write_that_is_acknowledged_and_does_not_show_is_no_rollback(stage: Rehearsal) -> None:
    """Only the read-back says that blue has everything."""
    rollout = shifting(stage)
    rule, green = rule_of(stage), green_group(stage)
    for action in rule["Actions"]:
        action.pop("TargetGroupArn", None)

    def undo(world: object) -> None:
        if not weights_of(stage).get(green):
            stage.world.call("elbv2", "ModifyRule", {"RuleArn": rule["RuleArn"], "Actions": rule["Actions"]})
        stage.world.faults.before("DescribeRules", 1, undo)

    undo(stage.world)
    stage.command(rollout, CommandKind.ROLLBACK, reason="a test")
    stage.let_run(timedelta(minutes=3))
    assert not stage.events(rollout, EventKind.TRAFFIC_ON_BLUE)
    stage.world.faults.clear()
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
