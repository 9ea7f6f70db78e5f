"""The fewest AWS calls that can carry a rollout, by phase: a floor to hold Teal's against, and no proposal.

What is counted is what no controller can leave out that reads back what it writes and believes nothing that it has not
seen (the sequence of calls that ``smooth`` waits for, once each):

- before: everything that cannot be known otherwise, once, in batches as large as AWS takes (20 ARNs of rules or tags).
- a write: once for each thing, since AWS takes one rule, group or service a call. Then one read that shows it; the
  comparison before the next write is the look before it, so it costs none.
- "ready": two looks, each at the service and its targets.
- while users meet the receiving colour: one look a metric period, which is how often there is anything new to judge:
  services, targets of the colour that receives, rules (somebody else's change is noticed within one interval), alarms,
  and all metrics in one call. Blue's targets once a step, before it grows.

A second figure adds what Teal promises besides: the receiver's services and targets four times a period. Nothing here
repeats a read, asks for an answer that was late, lists a rule that was added meanwhile, or preflights.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import RETURN_STEPS, Plan

ARNS_PER_CALL = 20
LOOKS_PER_PERIOD = 4
SURVEY = (
    "GetCallerIdentity",
    "DescribeServices",
    "DescribeServiceRevisions",
    "DescribeTaskDefinition",
    "DescribeTaskDefinition",
    "ListServiceDeployments",
    "DescribeTargetGroups",
    "DescribeTargetGroupAttributes",
    "DescribeTags",
    "DescribeTargetHealth",
    "DescribeListeners",
    "DescribeRules",
    "DescribeScalableTargets",
    "DescribeScalingPolicies",
    "DescribeScheduledActions",
    "DescribeAlarms",
)
"""Of a service with one target group, whose rules are on one listener."""
HEALTH = Counter(("DescribeServices", "DescribeTargetHealth"))
LOOK = HEALTH + Counter(("DescribeAlarms", "GetMetricData"))

Calls = Mapping[Phase, "Counter[str]"]


def fewest(plan: Plan, *, rules: int, period: timedelta, looks: int = 1) -> Calls:
    """Calls by phase and operation. `looks`: how often in a period the receiver's health is looked at."""
    read = Counter({"DescribeRules": -(-rules // ARNS_PER_CALL)})
    written = Counter({"ModifyRule": rules}) + read
    judged = _times(HEALTH, looks - 1) + LOOK + read
    bakes = [-(-step.bake // period) for step in plan.steps]
    return {
        Phase.PENDING: Counter(SURVEY),
        Phase.PREPARING: written
        + Counter(("CreateTargetGroup", "ModifyTargetGroupAttributes"))
        + Counter(("DescribeTargetGroups", "DescribeTargetGroupAttributes")),
        Phase.PROVISIONING: _times(HEALTH, 2)
        + Counter(("CreateService", "RegisterScalableTarget", "DescribeScalableTargets")),
        Phase.SHIFTING: _times(written + Counter(("DescribeTargetHealth",)), len(bakes))
        + _times(judged, sum(bakes[:-1])),
        Phase.WATCHING: _times(judged, bakes[-1]),
        Phase.SETTLING: Counter(("TagResource", "AddTags", "UpdateService"))
        + _times(HEALTH, 2)
        + _times(written + judged, len(RETURN_STEPS))
        + written  # every rule as it was first read
        + Counter(("UpdateService", "DescribeServices", "DeleteService", "DescribeServices"))
        + Counter(("DeleteTargetGroup", "DescribeTargetGroups"))
        + Counter(("RegisterScalableTarget", "DescribeScalableTargets")),
    }


def _times(calls: "Counter[str]", times: int) -> "Counter[str]":
    return Counter({name: count * times for name, count in calls.items()})
