"""The scenario of `teal demo --evidence`: what an alarm misses, and an outage of both colours.

Its service fails a little all the time, as real ones do, and its alarm asks what alarms ask: is the share of failed
requests above 5 % for a quarter of an hour? It knows nothing of the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.scenarios.demo import MINUTE
from sandbox.scenarios.scenery import Scenery
from sandbox.world.cloudwatch.metrics import NAMESPACE
from sandbox.world.world import World

USUAL_RATE = 0.01  # what blue fails of its requests, and a good revision too
SUBTLE_RATE = 3 * USUAL_RATE
ALARM = "checkout-failing"
ALARM_PERCENT = 5
ALARM_MINUTES = 5
ALARM_PERIODS = 3  # the outage is shorter, so that the alarm is no part of that scene
HISTORY_MINUTES = 32  # of blue: as many as it takes to know how much its errors cluster

FILE = """\
# {about}
service: {service}
revision: {{task_definition: {revision}}}
plan:
{steps}
gates:
  alarms: [{alarm}]                     # above {percent} % of requests, for {alarm_minutes} of the sandbox's minutes
  guard: {{errors: 25%}}                # a period of a few dozen requests: chance alone takes it over 5 %
  compare: {{unanswered: off, client_errors: off, warm_up: 1{more}}}
metrics: {{period: {period}, lag: 2 periods}}      # the sandbox's CloudWatch minute; 60s on AWS
"""
SUBTLE_STEPS = """\
  - {weight: 20, bake: 15s}             # and as long as it takes to know
  - {weight: 100, bake: 8s}"""
OUTAGE_STEPS = """\
  - {weight: 50, bake: 13s}
  - {weight: 100, bake: 8s}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Something that both colours depend on fails. Seconds; ``after``: since green's first weight was read back.

    It comes so long after green grew that nobody need suspect its growth, and long enough before the bake ends to be
    seen by then; it is seen beyond the bake's end, so that what holds the step is the outage.
    """

    share: float = 0.4
    after: float = 7.0
    seconds: float = 6.0

    @property
    def fault(self) -> Mapping[str, object]:
        """What to ask the sandbox for."""
        return {"fault": "dependency", "rate": self.share, "seconds": self.seconds}


def subtle_file(*, about: str, service: str, revision: str) -> str:
    """The rollout file of a green that fails a little more: held until it is known whether it does."""
    return _file(about, service, revision, SUBTLE_STEPS, ", inconclusive: hold")


def outage_file(*, about: str, service: str, revision: str) -> str:
    """The rollout file of a good green that meets an outage."""
    return _file(about, service, revision, OUTAGE_STEPS, "")


def _file(about: str, service: str, revision: str, steps: str, more: str) -> str:
    return FILE.format(
        about=about,
        service=service,
        revision=revision,
        steps=steps,
        more=more,
        alarm=ALARM,
        percent=ALARM_PERCENT,
        alarm_minutes=ALARM_MINUTES * ALARM_PERIODS,
        period=f"{MINUTE.total_seconds():g}s",
    )


def put_alarm(world: World, scenery: Scenery) -> None:
    """Make the alarm: the share of blue's requests that fail, by metric math."""
    sums = [_sum(world, scenery, "requests", "RequestCount")]
    sums += [_sum(world, scenery, "failed", "HTTPCode_Target_5XX_Count")]
    share = {
        "Id": "share",
        "Expression": "IF(FILL(requests, 0) > 0, FILL(failed, 0) / requests * 100, 0)",
        "Label": "percent of requests that fail",
        "ReturnData": True,
    }
    world.call(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": ALARM,
            "Metrics": [*sums, share],
            "EvaluationPeriods": ALARM_PERIODS,
            "Threshold": float(ALARM_PERCENT),
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    )


def _sum(world: World, scenery: Scenery, name: str, metric: str) -> dict[str, Any]:
    dimensions = {
        "LoadBalancer": scenery.load_balancer.split(":loadbalancer/", 1)[1],
        "TargetGroup": scenery.target_group.rsplit(":", 1)[1],
    }
    stat = {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Period": ALARM_MINUTES * int(world.minute.total_seconds()),
        "Stat": "Sum",
    }
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def alarm_fired(world: World, since: datetime) -> str:
    """Whether the alarm was in ALARM at any time since then, in words; empty: it was OK all along.

    Raises AwsRefusal where the World throttles.
    """
    (shown,) = world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [ALARM]})["MetricAlarms"]
    if shown["StateValue"] != "OK":
        return f"{ALARM} is {shown['StateValue']}: {shown['StateReason']}"
    if shown["StateTransitionedTimestamp"] > since:
        return f"{ALARM} changed at {shown['StateTransitionedTimestamp']:%H:%M:%S}Z, and is OK again"
    return ""
