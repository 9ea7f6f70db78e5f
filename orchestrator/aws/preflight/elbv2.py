"""Elastic Load Balancing: the account's limits, and what blue's load balancers carry of them.

Source: Elastic Load Balancing API Reference, DescribeAccountLimits.
"""

from collections.abc import Iterable

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import attempt
from orchestrator.aws.services import elbv2
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn
from orchestrator.core.preflight.environment import BalancerUse

GROUPS_COUNTED = 20  # beyond it, reading every group's targets would take the calls that rollouts need


async def limits(call: Caller) -> dict[str, int]:
    """The account's limits by AWS's names (``targets-per-application-load-balancer``). Raises Outside."""
    found = await call.pages(
        "elbv2", "DescribeAccountLimits", {}, items="Limits", token="NextMarker", sent_as="Marker"
    )
    return {limit["Name"]: int(limit["Max"]) for limit in found}


async def uses(call: Caller, balancers: Iterable[LoadBalancerArn]) -> tuple[BalancerUse, ...]:
    """What these load balancers carry. Raises Outside."""
    return tuple([await _use(call, balancer) for balancer in dict.fromkeys(balancers)])


async def _use(call: Caller, balancer: LoadBalancerArn) -> BalancerUse:
    groups = [TargetGroupArn(group["TargetGroupArn"]) for group in await elbv2.groups_of(call, balancer)]
    targets: int | Unread = Unread(why=f"it has {len(groups)} target groups: too many to ask each")
    if len(groups) <= GROUPS_COUNTED:
        targets = await attempt(_targets(call, groups))
    return BalancerUse(arn=balancer, groups=len(groups), targets=targets)


async def _targets(call: Caller, groups: Iterable[TargetGroupArn]) -> int:
    seen = [await elbv2.targets(call, group) for group in groups]
    return sum(one.registered + one.draining for one in seen if not isinstance(one, Absent))
