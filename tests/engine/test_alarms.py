"""The gate `alarms` in whole rollouts, on alarms of every kind that CloudWatch evaluates (here, the World)."""

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core.cloud.survey import Severity
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, metric_dimension
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine import commands
from tests.support.rehearsal import MINUTE, Rehearsal

BAD = {"TEAL_DEMO_ERROR_RATE": "0.4"}
SECONDS = int(MINUTE.total_seconds())


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as made:
        yield made


def cloudwatch(stage: Rehearsal, operation: str, **params: Any) -> Any:  # noqa: ANN401 - as botocore's
    return stage.world.call("cloudwatch", operation, params)


def dimensions(stage: Rehearsal, *, with_group: bool) -> list[dict[str, str]]:
    group = stage.scenery.target_group
    balancer = stage.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [group]})
    arn = balancer["TargetGroups"][0]["LoadBalancerArns"][0]
    found = [{"Name": "LoadBalancer", "Value": metric_dimension(arn)}]
    return [*found, {"Name": "TargetGroup", "Value": metric_dimension(group)}] if with_group else found


def share_alarm(stage: Rehearsal, name: str, *, with_group: bool = True, **changes: Any) -> str:  # noqa: ANN401
    """An alarm on metric math: more than a tenth of the requests fail."""

    def entry(id_: str, metric: str) -> dict[str, Any]:
        stat = {
            "Metric": {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": metric,
                "Dimensions": dimensions(stage, with_group=with_group),
            },
            "Period": SECONDS,
            "Stat": "Sum",
        }
        return {"Id": id_, "MetricStat": stat, "ReturnData": False}

    math = {
        "Id": "share",
        "Expression": "IF(FILL(r, 0) > 0, FILL(e, 0) / r * 100, 0)",
        "Label": "share",
        "ReturnData": True,
    }
    settings = {
        "AlarmName": name,
        "Metrics": [entry("r", "RequestCount"), entry("e", "HTTPCode_Target_5XX_Count"), math],
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }
    cloudwatch(stage, "PutMetricAlarm", **settings)
    return name


def composite_alarm(stage: Rehearsal, name: str, rule: str) -> str:
    cloudwatch(stage, "PutCompositeAlarm", AlarmName=name, AlarmRule=rule)
    return name


def rolled_out(
    stage: Rehearsal, *names: str, revision: dict[str, str] | None = None, no_data: NoData | None = None
) -> tuple[RolloutId, Rollout]:
    """A rollout that nothing but these alarms and the health of targets judges."""
    stage.world.advance(3 * MINUTE)  # CloudWatch evaluates new alarms
    rollout = stage.start(stage.spec(stage.revision(revision), gates=gates_of(*names, no_data=no_data)))
    return rollout, stage.until(rollout)


def gates_of(*names: str, no_data: NoData | None = None) -> GatesSpec:
    named = tuple(AlarmSpec(name=name, no_data=no_data) for name in names)
    return GatesSpec(
        guard=GuardSpec(on=False), compare=CompareSpec(on=False), alarms=AlarmsSpec(alarms=named)
    )


def ended_by(row: Rollout) -> str:
    return row.end.reason if row.end is not None else ""


def answers(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    told = (seen.event for seen in stage.events(rollout, EventKind.GATE_ANSWERED))
    return [str(dict(event.facts)["verdict"]) for event in told if dict(event.facts)["gate"] == "alarms"]


def test_case_12_an_alarm_on_blues_group_convicts_green_by_its_query_with_greens_names(
    stage: Rehearsal,
) -> None:
    rollout, row = rolled_out(stage, share_alarm(stage, "share"), revision=BAD)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert ended_by(row).startswith("alarms: share with green's names is over its threshold")


def test_metric_math_on_blues_group_passes_a_good_green_that_never_errs(stage: Rehearsal) -> None:
    rollout, row = rolled_out(stage, share_alarm(stage, "share"))
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert {"hold", "pass"} <= set(answers(stage, rollout))


def test_metric_math_on_the_load_balancer_convicts_by_its_state(stage: Rehearsal) -> None:
    share_alarm(stage, "both", with_group=False, Threshold=2.0)
    rollout, row = rolled_out(stage, "both", revision=BAD)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert ended_by(row).startswith("alarms: both is in ALARM")


def test_a_composite_alarm_on_blues_alarms_is_judged_by_its_rule_with_greens_names(stage: Rehearsal) -> None:
    share_alarm(stage, "share")
    share_alarm(stage, "deploying", Threshold=1000.0)
    composite_alarm(stage, "all", 'ALARM("share") AND NOT ALARM("deploying")')
    rollout, row = rolled_out(stage, "all", revision=BAD)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert ended_by(row).startswith("alarms: all fires for green: share with green's names is over")


def test_a_composite_alarm_on_blues_alarms_passes_a_good_green(stage: Rehearsal) -> None:
    share_alarm(stage, "share")
    rollout, row = rolled_out(stage, composite_alarm(stage, "all", 'ALARM("share")'))
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)


def test_a_composite_alarm_of_what_sees_both_convicts_by_its_state(stage: Rehearsal) -> None:
    share_alarm(stage, "both", with_group=False, Threshold=2.0)
    rollout, row = rolled_out(stage, composite_alarm(stage, "all", 'ALARM("both")'), revision=BAD)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert ended_by(row).startswith("alarms: all is in ALARM")


def test_case_37_an_alarm_that_fires_and_clears_between_two_looks_rolls_back(stage: Rehearsal) -> None:
    share_alarm(stage, "both", with_group=False, TreatMissingData="notBreaching")
    stage.world.advance(3 * MINUTE)
    rollout = stage.start(stage.spec(stage.revision(), gates=gates_of("both")))
    stage.until(rollout, Phase.WATCHING)
    stage.let_run(MINUTE / 2)
    for state in ("ALARM", "OK"):  # no tick comes between these
        cloudwatch(stage, "SetAlarmState", AlarmName="both", StateValue=state, StateReason="a test")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "both went to ALARM at" in ended_by(row)
    assert ended_by(row).endswith("is OK again")


def test_case_37_an_alarm_deleted_during_the_rollout_holds(stage: Rehearsal) -> None:
    share_alarm(stage, "both", with_group=False)
    stage.world.advance(3 * MINUTE)
    rollout = stage.start(stage.spec(stage.revision(), gates=gates_of("both")))
    stage.until(rollout, Phase.SHIFTING)
    cloudwatch(stage, "DeleteAlarms", AlarmNames=["both"])
    stage.let_run(6 * MINUTE)
    row = stage.row(rollout)
    assert row.phase is Phase.SHIFTING
    assert any("alarm both is not there" in hold.reason for hold in row.waiting.holds), row.waiting.holds


def test_case_12_an_alarm_that_fires_before_the_rollout_is_not_counted_and_asks_for_an_approval(
    stage: Rehearsal,
) -> None:
    cloudwatch(
        stage,
        "PutMetricAlarm",
        AlarmName="both",
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=dimensions(stage, with_group=False),
        Statistic="Sum",
        Period=SECONDS,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    stage.world.advance(3 * MINUTE)
    rollout = stage.start(stage.spec(stage.revision(), gates=gates_of("both")))
    stage.let_run(6 * MINUTE)
    row = stage.row(rollout)
    assert row.phase is Phase.PROVISIONING, stage.story(rollout)
    assert any("an alarm fires already" in hold.reason for hold in row.waiting.holds), row.waiting.holds
    stage.command(rollout, CommandKind.APPROVE, reason="it is a known one")
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_12_an_unknown_alarm_is_refused_at_the_start_with_its_place_in_the_file(
    stage: Rehearsal,
) -> None:
    with pytest.raises(Unfit) as caught:
        stage.start(stage.spec(stage.revision(), gates=gates_of("nowhere")))
    assert caught.value.findings[0].startswith("gates.alarms[1]: alarm nowhere does not exist")


def test_an_alarm_without_data_holds_and_preflight_says_so(stage: Rehearsal) -> None:
    share_alarm(stage, "both", with_group=False)  # nothing has failed yet, so it has never had a datapoint
    stage.world.advance(3 * MINUTE)
    spec = stage.spec(stage.revision(), gates=gates_of("both"))
    found = stage.run(commands.look_before(spec, cloud=stage.cloud, clock=stage.clock)).findings
    assert "gates.alarms[1]: alarm both has no data" in [finding.what for finding in found]
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(6 * MINUTE)
    assert any("both has no data" in hold.reason for hold in stage.row(rollout).waiting.holds)


def test_preflight_tells_what_each_alarm_can_see_of_green(stage: Rehearsal) -> None:
    share_alarm(stage, "on-blue")
    share_alarm(stage, "on-both", with_group=False)
    composite_alarm(stage, "of-blue", 'ALARM("on-blue")')
    cloudwatch(stage, "DisableAlarmActions", AlarmNames=["on-both"])
    stage.world.advance(3 * MINUTE)
    spec = stage.spec(stage.revision(), gates=gates_of("on-blue", "on-both", "of-blue"))
    found = stage.run(commands.look_before(spec, cloud=stage.cloud, clock=stage.clock)).findings
    codes = ("alarm-sight", "alarm-muted")
    told = [finding.what for finding in found if finding.code in codes]
    assert told == [
        "alarm on-blue is judged with green's names in its query; its own state is blue's side",
        "alarm on-both sees both colours: its state counts",
        "alarm on-both: its actions are switched off; its state counts for this rollout all the same",
        "alarm of-blue is blind to green: it is judged by its rule, with green's names in on-blue",
    ]
    assert not [finding for finding in found if finding.severity is Severity.ERROR]
