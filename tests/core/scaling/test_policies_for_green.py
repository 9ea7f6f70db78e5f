"""Blue's policies and alarms about green: dimensions and labels change, everything else stays to the letter."""

import json
from typing import Any

import pytest

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import DriverSeen, PolicySeen, ScalesSeen
from orchestrator.core.domain.ids import Json, LoadBalancerArn, TargetGroupArn
from orchestrator.core.gates.scene import Names
from orchestrator.core.scaling.policies_for_green import copied, drivers_of, for_green, renamed
from tests.builders import BLUE_GROUP, LOAD_BALANCER, OTHER_GROUP

GREEN_GROUP = TargetGroupArn(
    BLUE_GROUP.replace("targetgroup/checkout/", "targetgroup/teal-checkout-0a1b2c3d-0/")
)
NAMES = Names(
    cluster="prod",
    blue_service="checkout",
    green_service="checkout-0a1b2c3d",
    groups=((BLUE_GROUP, GREEN_GROUP),),
    balancers=(LoadBalancerArn(LOAD_BALANCER),),
)
BLUE, GREEN, OTHER = (arn.rpartition(":")[2] for arn in (BLUE_GROUP, GREEN_GROUP, OTHER_GROUP))


def changed(value: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(renamed(canonical(value), NAMES))


def dimension(name: str, value: str) -> dict[str, str]:
    return {"Name": name, "Value": value}


@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [
        ("ServiceName", "checkout", "checkout-0a1b2c3d"),
        ("service", "checkout", "checkout-0a1b2c3d"),
        ("TargetGroup", BLUE, GREEN),
        ("Pool", BLUE, GREEN),
        ("TargetGroup", OTHER, OTHER),
        ("ServiceName", "basket", "basket"),
        ("QueueName", "checkout", "checkout"),
        ("ClusterName", "prod", "prod"),
    ],
)
def test_a_dimension_is_changed_where_it_is_blues_own(name: str, was: str, becomes: str) -> None:
    found = changed({"CustomizedMetricSpecification": {"Dimensions": [dimension(name, was)]}})
    assert found["CustomizedMetricSpecification"]["Dimensions"] == [dimension(name, becomes)]


def test_every_metric_of_a_query_is_changed() -> None:
    def metrics(group: str, service: str) -> list[dict[str, Any]]:
        return [
            {"Id": "a", "MetricStat": {"Metric": {"Dimensions": [dimension("TargetGroup", group)]}}},
            {"Id": "b", "MetricStat": {"Metric": {"Dimensions": [dimension("ServiceName", service)]}}},
            {"Id": "c", "Expression": "a / b"},
        ]

    assert changed(metrics(BLUE, "checkout")) == metrics(GREEN, "checkout-0a1b2c3d")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (f"app/public/50dc/{BLUE}", f"app/public/50dc/{GREEN}"),
        (f"app/public/50dc/{OTHER}", f"app/public/50dc/{OTHER}"),
        ("garbage", "garbage"),
    ],
)
def test_a_label_keeps_its_load_balancer_and_gets_greens_group(was: str, becomes: str) -> None:
    assert changed({"ResourceLabel": was}) == {"ResourceLabel": becomes}


def test_what_is_no_dimension_stays() -> None:
    settings = {
        "Threshold": 5,
        "Unit": "Count",
        "AlarmDescription": "checkout is slow",
        "Metrics": ["checkout"],
    }
    assert changed(settings) == settings


def test_a_predictive_policy_forecasts_only_until_it_is_greens_own() -> None:
    policy = PolicySeen(
        name="f", kind="PredictiveScaling", configuration=canonical({"Mode": "ForecastAndScale"}), arn="a"
    )
    assert for_green(policy, NAMES) == canonical({"Mode": "ForecastOnly"})
    assert for_green(policy, NAMES, may_forecast=True) == policy.configuration


def test_only_alarms_of_copied_policies_are_copied() -> None:
    step = PolicySeen(name="steps", kind="StepScaling", configuration=Json("{}"), arn="arn:steps")
    gone = PolicySeen(name="gone", kind="StepScaling", configuration=Json("{}"), arn="arn:gone")
    busy = DriverSeen(name="busy", settings=Json("{}"), actions=(("AlarmActions", ("arn:steps",)),))
    odd = DriverSeen(name="odd", settings=Json("{}"), actions=(("OKActions", ("arn:elsewhere",)),))
    scales = ScalesSeen(policies=(step, gone), drivers=(busy, odd))
    policies = copied(scales, NAMES)
    assert policies == (step,)
    assert drivers_of(scales, policies) == (busy,)
