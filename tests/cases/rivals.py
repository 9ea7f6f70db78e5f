"""What others do to a service while it is rolled out, each past Teal's adapters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.cases.rule_stage import call, forward_of, rule_of
from tests.cases.scaling_stage import somebody
from tests.support.rehearsal import Rehearsal


def foreign_weight(stage: Rehearsal) -> None:
    """Another team takes a larger share of the default rule on the HTTPS listener."""
    rule = rule_of(stage, stage.scenery.rules[-1])
    groups = forward_of(rule)["TargetGroups"]
    for group in groups:
        if "/search/" in group["TargetGroupArn"]:
            group["Weight"] = 500
    listener = next(
        one["ListenerArn"]
        for one in call(stage, "DescribeListeners", LoadBalancerArn=stage.scenery.load_balancer)["Listeners"]
        if one["Port"] == 443
    )
    call(stage, "ModifyListener", ListenerArn=listener, DefaultActions=rule["Actions"])


def deleted_rule(stage: Rehearsal) -> None:
    call(stage, "DeleteRule", RuleArn=stage.scenery.rules[0])
    stage.scenery = replace(stage.scenery, rules=stage.scenery.rules[1:])


def changed_condition(stage: Rehearsal) -> None:
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/shop/*"]}}]
    call(stage, "ModifyRule", RuleArn=stage.scenery.rules[0], Conditions=conditions)


def changed_stickiness(stage: Rehearsal) -> None:
    rule = rule_of(stage)
    forward_of(rule)["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 77}
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=rule["Actions"])


def updated(**params: Any) -> Callable[[Rehearsal], None]:  # noqa: ANN401 - UpdateService's
    def change(stage: Rehearsal) -> None:
        asked = {"cluster": stage.scenery.cluster, "service": stage.scenery.service}
        stage.world.call("ecs", "UpdateService", {**asked, **params})

    return change


def another_revision(stage: Rehearsal) -> None:
    updated(taskDefinition=stage.revision())(stage)


def other_bounds(stage: Rehearsal) -> None:
    somebody(stage, MinCapacity=1, MaxCapacity=15)


def changed_alarm(stage: Rehearsal) -> None:
    """A colleague gives an alarm another threshold."""
    name = stage.scenery.alarms[-1]
    (alarm,) = stage.world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [name]})["MetricAlarms"]
    kept = (
        "AlarmName",
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "ComparisonOperator",
        "TreatMissingData",
    )
    asked = {name: alarm[name] for name in kept} | {"Threshold": 99.0}
    stage.world.call("cloudwatch", "PutMetricAlarm", asked)
