"""Green tried out before users reach it, in whole rollouts: what a probe catches, and what becomes of test rules."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Limits, OnDrift, OnFailure, Spec
from tests.support.rehearsal import Rehearsal

PORT = 8081
PROBE = ProbeSpec(url=f"http://test.internal:{PORT}", paths=("/healthz", "/checkout?dry=1"))


@pytest.fixture
def stage() -> Rehearsal:
    return Rehearsal(test_port=PORT)


def spec(stage: Rehearsal, revision: dict[str, str], *, probe: ProbeSpec = PROBE, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    gates = GatesSpec(alarms=AlarmsSpec(), probe=probe)
    made = stage.spec(stage.revision(revision), gates=gates, test_rules=stage.scenery.test_rules)
    return replace(made, **changes)


def actions(stage: Rehearsal, rule: str) -> list[dict[str, Any]]:
    answer = stage.world.call("elbv2", "DescribeRules", {"RuleArns": [rule]})
    found: list[dict[str, Any]] = json.loads(json.dumps(answer["Rules"][0]["Actions"], default=str))
    return found


def weights(stage: Rehearsal, rule: str) -> dict[str, int]:
    (action,) = actions(stage, rule)
    groups = action["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def rewrite(stage: Rehearsal, rule: str, wanted: list[dict[str, Any]]) -> None:
    stage.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": wanted})


def never_met(stage: Rehearsal) -> bool:
    """True if no user's request was ever answered by another group than blue's."""
    return set(stage.traffic.totals.answered) <= {stage.scenery.target_group}


def verdict(row: Rollout, gate: str) -> Verdict | None:
    return next((judged.answer.verdict for judged in row.answers if judged.answer.gate == gate), None)


def test_green_that_fails_everything_is_taken_back_before_any_user_meets_it(stage: Rehearsal) -> None:
    with stage:
        before = actions(stage, stage.scenery.test_rules[0])
        rollout = stage.start(spec(stage, {"TEAL_DEMO_ERROR_RATE": "1"}))
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith("probe: "), row.end.reason
        assert "answered 500, not 200-299" in row.end.reason
        assert never_met(stage)
        assert actions(stage, stage.scenery.test_rules[0]) == before


def test_green_that_fails_one_request_in_fifty_is_caught(stage: Rehearsal) -> None:
    with stage:
        rollout = stage.start(spec(stage, {"TEAL_DEMO_ERROR_RATE": "0.02"}, probe=replace(PROBE, count=400)))
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith("probe: "), row.end.reason
        assert never_met(stage)


def test_a_green_that_hangs_shows_in_the_probe_as_requests_without_an_answer(stage: Rehearsal) -> None:
    with stage:
        row = stage.until(stage.start(spec(stage, {"TEAL_DEMO_HANG": "1"})))
        assert row.end is not None
        assert "no answer within 5 s" in row.end.reason
        assert never_met(stage)


def test_a_good_green_passes_and_the_probe_says_what_it_could_have_missed(stage: Rehearsal) -> None:
    with stage:
        before = actions(stage, stage.scenery.test_rules[0])
        rollout = stage.start(spec(stage, {}))
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        told = [seen.event for seen in stage.events(rollout, EventKind.GATE_ANSWERED)]
        passed = next(
            e for e in told if dict(e.facts)["gate"] == "probe" and dict(e.facts)["verdict"] == "pass"
        )
        assert (
            "150 good answers: a green that fails more than 2 % would have been found with 95%"
            in passed.message
        )
        assert actions(stage, stage.scenery.test_rules[0]) == before


def test_the_test_rule_points_at_green_until_it_leaves_and_users_do_not_follow(stage: Rehearsal) -> None:
    with stage:
        rollout = stage.start(spec(stage, {}))
        row = stage.until(rollout, Phase.SHIFTING)
        (blue, green) = (stage.scenery.target_group, row.pairs[0].green)
        assert green is not None
        assert weights(stage, stage.scenery.test_rules[0]) == {blue: 0, green: 999}
        assert stage.scenery.test_rules[0] not in {rule.arn for rule in row.rules}
        assert never_met(stage)
        stage.until(rollout, Phase.SETTLING)
        assert weights(stage, stage.scenery.test_rules[0])[green] == 999
        stage.until(rollout)
        assert set(weights(stage, stage.scenery.test_rules[0])) == {blue}


def test_a_test_listener_that_cannot_be_reached_holds_and_goes_on_once_it_can_case_71(
    stage: Rehearsal,
) -> None:
    with stage:
        stage.prober.is_reachable = False
        rollout = stage.start(spec(stage, {}))
        stage.let_run(timedelta(minutes=1))
        row = stage.row(rollout)
        assert row.phase is Phase.PROVISIONING
        assert verdict(row, "probe") is Verdict.HOLD
        (hold,) = [hold for hold in row.waiting.holds if hold.kind is HoldKind.GATE]
        assert "no connection could be made" in hold.reason
        stage.prober.is_reachable = True
        assert stage.until(rollout, Phase.SHIFTING).phase is Phase.SHIFTING, stage.story(rollout)


def test_a_probe_that_never_gets_through_is_given_up_as_the_limits_say(stage: Rehearsal) -> None:
    with stage:
        stage.prober.is_reachable = False
        limits = Limits(provision=timedelta(minutes=5), hold=timedelta(minutes=2))
        rollout = stage.start(spec(stage, {}, limits=limits))
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK
        assert row.end is not None
        assert row.end.reason.startswith("held for 2 min: probe: "), row.end.reason


def test_with_on_failure_hold_a_failed_probe_waits_for_a_person_and_is_made_anew(stage: Rehearsal) -> None:
    with stage:
        revision = {"TEAL_DEMO_ERROR_RATE": "1"}
        rollout = stage.start(spec(stage, revision, on_failure=OnFailure.HOLD))
        stage.let_run(timedelta(minutes=1))
        row = stage.row(rollout)
        assert row.phase is Phase.PROVISIONING
        assert {hold.kind for hold in row.waiting.holds} == {HoldKind.FAILED}
        stage.command(rollout, CommandKind.RESUME)
        stage.let_run(timedelta(minutes=1))
        row = stage.row(rollout)
        assert row.checks.probed is not None
        assert row.checks.probed.attempt == 2
        assert {hold.kind for hold in row.waiting.holds} == {HoldKind.FAILED}
        assert never_met(stage)


def test_a_probe_that_warmed_green_leaves_compare_no_warm_up(stage: Rehearsal) -> None:
    with stage:
        gates = GatesSpec(alarms=AlarmsSpec(), probe=PROBE, compare=CompareSpec(warm_up=3))
        rollout = stage.start(spec(stage, {}, gates=gates))
        assert stage.until(rollout, Phase.SHIFTING).evidence.warm_up_left == 0
    unprobed = Rehearsal()
    with unprobed:
        rollout = unprobed.start(unprobed.spec(unprobed.revision(), gates=replace(gates, probe=ProbeSpec())))
        assert unprobed.until(rollout, Phase.SHIFTING).evidence.warm_up_left == 3


def test_every_batch_bears_a_key_of_its_own_and_no_request_is_sent_twice(stage: Rehearsal) -> None:
    with stage:
        rollout = stage.start(spec(stage, {}))
        row = stage.until(rollout, Phase.SHIFTING)
        assert row.checks.probed is not None
        assert (row.checks.probed.warmed, row.checks.probed.answered) == (PROBE.warm_up, PROBE.count)
        assert len(stage.prober.sent) == len(set(stage.prober.sent)) == row.checks.probed.batches
        records = stage.run(stage.store.records(rollout, kind="probe"))
        assert len(records) == row.checks.probed.batches


def pointed(stage: Rehearsal, **changes: Any) -> RolloutId:  # noqa: ANN401 - the fields of Spec
    """A rollout that probes for long, with its test rule pointing at green."""
    rollout = stage.start(spec(stage, {}, probe=replace(PROBE, count=5000), **changes))
    stage.until(rollout, Phase.PROVISIONING)
    for _ in range(60):
        stage.let_run(timedelta(seconds=1))
        if all(rule.verified == Tenths(1000) for rule in stage.row(rollout).test_rules):
            return rollout
    raise AssertionError(stage.story(rollout))


def test_a_test_rule_that_somebody_changed_is_never_overwritten(stage: Rehearsal) -> None:
    (rule,) = stage.scenery.test_rules
    theirs = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}]
    with stage:
        rollout = pointed(stage)
        rewrite(stage, rule, theirs)
        stage.let_run(timedelta(seconds=30))
        assert any(hold.kind is HoldKind.DRIFT for hold in stage.row(rollout).waiting.holds)
        stage.command(rollout, CommandKind.ROLLBACK)
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert actions(stage, rule)[0]["Type"] == "fixed-response"
        told = [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]
        assert any(message.endswith("left as it is") for message in told), told


def test_somebody_who_leads_the_test_rule_back_to_blue_is_not_overruled(stage: Rehearsal) -> None:
    (rule,) = stage.scenery.test_rules
    with stage:
        first = actions(stage, rule)
        rollout = pointed(stage)
        rewrite(stage, rule, first)
        stage.let_run(timedelta(seconds=30))
        assert any(hold.kind is HoldKind.DRIFT for hold in stage.row(rollout).waiting.holds), stage.story(
            rollout
        )
        assert actions(stage, rule) == first


def test_with_on_drift_rollback_a_changed_test_rule_ends_the_rollout(stage: Rehearsal) -> None:
    with stage:
        rollout = pointed(stage, on_drift=OnDrift.ROLLBACK)
        rewrite(
            stage,
            stage.scenery.test_rules[0],
            [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}],
        )
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK
        assert row.end is not None
        assert row.end.reason.startswith("test rule: "), row.end.reason


def test_a_rollback_while_green_is_probed_restores_the_test_rule_to_the_letter(stage: Rehearsal) -> None:
    (rule,) = stage.scenery.test_rules
    with stage:
        first = actions(stage, rule)
        rollout = pointed(stage)
        stage.command(rollout, CommandKind.ROLLBACK)
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert actions(stage, rule) == first
        assert never_met(stage)
        made = stage.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
        assert [group["TargetGroupArn"] for group in made] == [stage.scenery.target_group]
