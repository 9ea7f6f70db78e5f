"""``aws_appautoscaling_target``."""

from collections.abc import Collection

from orchestrator.sandbox.world.world import World
from tests.iac.kind import SCALING, Attributes, Kind, one

SUSPENSIONS = {
    "dynamic_scaling_in_suspended": "DynamicScalingInSuspended",
    "dynamic_scaling_out_suspended": "DynamicScalingOutSuspended",
    "scheduled_scaling_suspended": "ScheduledScalingSuspended",
}


def normal(declared: Attributes) -> Attributes:
    """A suspended state that leaves something out means false by it."""
    states = [dict.fromkeys(SUSPENSIONS, False) | state for state in declared.get("suspended_state", ())]
    return declared | ({"suspended_state": states} if states else {})


def read(world: World, resource: str, _: Attributes) -> Attributes | None:
    """DescribeScalableTargets. The suspended state is optional and computed: without its block it is as it is."""
    params = {"ServiceNamespace": "ecs", "ResourceIds": [resource]}
    target = one(world, SCALING, "DescribeScalableTargets", "ScalableTargets", **params)
    if target is None:
        return None
    state = {name: target["SuspendedState"][member] for name, member in SUSPENSIONS.items()}
    return {
        "service_namespace": target["ServiceNamespace"],
        "scalable_dimension": target["ScalableDimension"],
        "resource_id": target["ResourceId"],
        "min_capacity": target["MinCapacity"],
        "max_capacity": target["MaxCapacity"],
        "suspended_state": [state],
    }


def create(world: World, wanted: Attributes) -> str:
    """RegisterScalableTarget."""
    update(world, wanted["resource_id"], wanted, ())
    return str(wanted["resource_id"])


def update(world: World, resource: str, wanted: Attributes, _: Collection[str]) -> None:
    """RegisterScalableTarget with both bounds, and the suspended state as planned: declared, or as it was read."""
    asked: Attributes = {
        "ServiceNamespace": wanted["service_namespace"],
        "ScalableDimension": wanted["scalable_dimension"],
        "ResourceId": resource,
        "MinCapacity": wanted["min_capacity"],
        "MaxCapacity": wanted["max_capacity"],
    }
    for state in wanted.get("suspended_state", ()):
        asked["SuspendedState"] = {member: state[name] for name, member in SUSPENSIONS.items()}
    world.call(SCALING, "RegisterScalableTarget", asked)


def names(resource: str) -> Attributes:
    """Policies refer to their target by its resource id."""
    return {
        "id": resource,
        "resource_id": resource,
        "service_namespace": "ecs",
        "scalable_dimension": "ecs:service:DesiredCount",
    }


TARGET = Kind(read=read, create=create, update=update, normal=normal, names=names)
