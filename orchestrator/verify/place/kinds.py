"""The kinds of things that are made: how each is found again by its name, removed, and removed by hand."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.client.call import chunks
from orchestrator.aws.services.elbv2 import ARNS_PER_CALL
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Calls, Refusal
from orchestrator.verify.wanted import TAG

GONE = ("NotFound", "NotActive")
NOT_MADE_BY_US = "it has the name, but not this run's tag, and is left alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `find` gives the ARN of what has the name and the run's tag, empty if there is none."""

    find: Callable[[Calls, Made, str], Awaitable[str]]
    remove: Callable[[Calls, Made, str], Awaitable[object]]
    command: Callable[[Made], str]


def is_gone(refusal: Refusal) -> bool:
    """True where AWS says that there is nothing of that name."""
    return any(word in refusal.code for word in GONE) or "does not exist" in refusal.message


class Stays(Exception):
    """It is not removed; the text says why."""


class Stranger(Stays):
    """Something of this name is there, and it is not this run's."""


# Elastic Load Balancing ------------------------------------------------------------------------------------------


async def tags_of(calls: Calls, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags of what Elastic Load Balancing has, by ARN. Raises Refusal."""
    found: dict[str, dict[str, str]] = {}
    for some in chunks(tuple(arns), ARNS_PER_CALL):
        shown = await calls("elbv2", "DescribeTags", ResourceArns=list(some))
        for one in shown["TagDescriptions"]:
            found[one["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", ())}
    return found


async def _tagged(calls: Calls, arn: str, run: str) -> str:
    if (await tags_of(calls, [arn])).get(arn, {}).get(TAG) != run:
        raise Stranger(NOT_MADE_BY_US)
    return arn


async def _first_tagged(calls: Calls, arns: Sequence[str], run: str) -> str:
    found = await tags_of(calls, arns)
    return next((arn for arn in arns if found.get(arn, {}).get(TAG) == run), "")


async def _find_balancer(calls: Calls, made: Made, run: str) -> str:
    shown = await calls("elbv2", "DescribeLoadBalancers", Names=[made.name])
    return await _tagged(calls, shown["LoadBalancers"][0]["LoadBalancerArn"], run)


async def _find_group(calls: Calls, made: Made, run: str) -> str:
    shown = await calls("elbv2", "DescribeTargetGroups", Names=[made.name])
    return await _tagged(calls, shown["TargetGroups"][0]["TargetGroupArn"], run)


async def _find_listener(calls: Calls, made: Made, run: str) -> str:
    found = await listed(calls, "DescribeListeners", "Listeners", LoadBalancerArn=made.within)
    return await _first_tagged(calls, [one["ListenerArn"] for one in found], run)


async def _find_rule(calls: Calls, made: Made, run: str) -> str:
    found = await listed(calls, "DescribeRules", "Rules", ListenerArn=made.within)
    return await _first_tagged(calls, [one["RuleArn"] for one in found], run)


async def listed(calls: Calls, operation: str, items: str, **params: str) -> list[Any]:
    """A list of Elastic Load Balancing's, to its last page. Raises Refusal."""
    return await calls.pages("elbv2", operation, items=items, token="NextMarker", sent_as="Marker", **params)


def _elb(operation: str, key: str) -> Callable[[Calls, Made, str], Awaitable[object]]:
    return lambda calls, _made, arn: calls("elbv2", operation, **{key: arn})


# ECS -------------------------------------------------------------------------------------------------------------


async def _find_cluster(calls: Calls, made: Made, run: str) -> str:
    shown = await calls("ecs", "DescribeClusters", clusters=[made.name], include=["TAGS"])
    alive = [one for one in shown["clusters"] if one["status"] != "INACTIVE"]
    if alive and {"key": TAG, "value": run} not in alive[0].get("tags", []):
        raise Stranger(NOT_MADE_BY_US)
    return str(alive[0]["clusterArn"]) if alive else ""


async def _find_service(calls: Calls, made: Made, _: str) -> str:
    """In the run's own cluster alone, so that nothing of others can be there."""
    shown = await calls("ecs", "DescribeServices", cluster=made.within, services=[made.name])
    alive = [one for one in shown["services"] if one["status"] == "ACTIVE"]
    return str(alive[0]["serviceArn"]) if alive else ""


async def _remove_service(calls: Calls, made: Made, _: str) -> object:
    return await calls("ecs", "DeleteService", cluster=made.within, service=made.name, force=True)


async def _remove_definitions(calls: Calls, made: Made, _: str) -> object:
    """Every active revision of the family; raises Stays with each that AWS does not let go."""
    found = await calls.pages(
        "ecs",
        "ListTaskDefinitions",
        items="taskDefinitionArns",
        token="nextToken",
        familyPrefix=made.name,
        status="ACTIVE",
    )
    stay = []
    for arn in found:
        revision = arn.rpartition("/")[2]
        if revision.rpartition(":")[0] != made.name:
            continue
        try:
            await calls("ecs", "DeregisterTaskDefinition", taskDefinition=arn)
        except Refusal as refusal:
            stay.append(f"{revision}: {refusal.code}: {refusal.message}")
    if stay:
        raise Stays("; ".join(stay))
    return None


async def _by_name(_: Calls, made: Made, __: str) -> str:
    return made.name


# CloudWatch and Application Auto Scaling -------------------------------------------------------------------------


async def _find_alarm(calls: Calls, made: Made, _: str) -> str:
    shown = await calls(
        "cloudwatch",
        "DescribeAlarms",
        AlarmNames=[made.name],
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
    )
    found = [*shown.get("MetricAlarms", ()), *shown.get("CompositeAlarms", ())]
    return str(found[0]["AlarmArn"]) if found else ""


async def _remove_alarm(calls: Calls, made: Made, _: str) -> object:
    return await calls("cloudwatch", "DeleteAlarms", AlarmNames=[made.name])


def _key(made: Made) -> dict[str, str]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": made.name,
        "ScalableDimension": "ecs:service:DesiredCount",
    }


async def _find_scaling(calls: Calls, made: Made, _: str) -> str:
    shown = await calls(
        "application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs", ResourceIds=[made.name]
    )
    return made.name if shown["ScalableTargets"] else ""


async def _remove_scaling(calls: Calls, made: Made, _: str) -> object:
    return await calls("application-autoscaling", "DeregisterScalableTarget", **_key(made))


KINDS: dict[str, Kind] = {
    "cluster": Kind(
        find=_find_cluster,
        remove=lambda calls, made, _: calls("ecs", "DeleteCluster", cluster=made.name),
        command=lambda made: f"aws ecs delete-cluster --cluster {made.name}",
    ),
    "load balancer": Kind(
        find=_find_balancer,
        remove=_elb("DeleteLoadBalancer", "LoadBalancerArn"),
        command=lambda made: f"aws elbv2 delete-load-balancer --load-balancer-arn {made.arn or made.name}",
    ),
    "listener": Kind(
        find=_find_listener,
        remove=_elb("DeleteListener", "ListenerArn"),
        command=lambda made: f"aws elbv2 delete-listener --listener-arn {made.arn or made.name}",
    ),
    "target group": Kind(
        find=_find_group,
        remove=_elb("DeleteTargetGroup", "TargetGroupArn"),
        command=lambda made: f"aws elbv2 delete-target-group --target-group-arn {made.arn or made.name}",
    ),
    "rule": Kind(
        find=_find_rule,
        remove=_elb("DeleteRule", "RuleArn"),
        command=lambda made: f"aws elbv2 delete-rule --rule-arn {made.arn or made.name}",
    ),
    "task definitions": Kind(
        find=_by_name,
        remove=_remove_definitions,
        command=lambda made: f"aws ecs deregister-task-definition --task-definition {made.name}:REVISION",
    ),
    "service": Kind(
        find=_find_service,
        remove=_remove_service,
        command=lambda made: f"aws ecs delete-service --force --cluster {made.within} --service {made.name}",
    ),
    "alarm": Kind(
        find=_find_alarm,
        remove=_remove_alarm,
        command=lambda made: f"aws cloudwatch delete-alarms --alarm-names {made.name}",
    ),
    "scaling": Kind(
        find=_find_scaling,
        remove=_remove_scaling,
        command=lambda made: (
            "aws application-autoscaling deregister-scalable-target --service-namespace ecs "
            f"--scalable-dimension ecs:service:DesiredCount --resource-id {made.name}"
        ),
    ),
}
