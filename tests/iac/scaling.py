"""``aws_appautoscaling_target``, ``aws_appautoscaling_policy`` and ``aws_appautoscaling_scheduled_action``."""

from collections.abc import Collection

from sandbox.world.world import World
from tests.iac.kind import SCALING, Attributes, Kind, one

SUSPENSIONS = {
    "dynamic_scaling_in_suspended": "DynamicScalingInSuspended",
    "dynamic_scaling_out_suspended": "DynamicScalingOutSuspended",
    "scheduled_scaling_suspended": "ScheduledScalingSuspended",
}


# the target -------------------------------------------------------------------------------------------------------


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


# policies and schedules on it -------------------------------------------------------------------------------------

KEY = {"service_namespace": "ServiceNamespace", "scalable_dimension": "ScalableDimension"}
TRACKING = "target_tracking_scaling_policy_configuration"
NUMBERS = {
    "target_value": "TargetValue",
    "scale_in_cooldown": "ScaleInCooldown",
    "scale_out_cooldown": "ScaleOutCooldown",
    "disable_scale_in": "DisableScaleIn",
}
METRIC = {"predefined_metric_type": "PredefinedMetricType", "resource_label": "ResourceLabel"}


def _key(wanted: Attributes) -> Attributes:
    return {member: wanted[name] for name, member in KEY.items()} | {"ResourceId": wanted["resource_id"]}


def normal_policy(declared: Attributes) -> Attributes:
    """Scale-in is not disabled by default."""
    return declared | {TRACKING: [{"disable_scale_in": False, **each} for each in declared[TRACKING]]}


def read_policy(world: World, _: str, declared: Attributes) -> Attributes | None:
    """DescribeScalingPolicies by name and resource."""
    params = {"PolicyNames": [declared["name"]], **_key(declared)}
    policy = one(world, SCALING, "DescribeScalingPolicies", "ScalingPolicies", **params)
    if policy is None:
        return None
    given = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = given["PredefinedMetricSpecification"]
    found = {name: given[member] for name, member in NUMBERS.items() if member in given}
    named = {name: metric[member] for name, member in METRIC.items() if member in metric}
    tracking = {"disable_scale_in": False, **found, "predefined_metric_specification": [named]}
    return {
        "name": policy["PolicyName"],
        "policy_type": policy["PolicyType"],
        **{name: policy[member] for name, member in KEY.items()},
        "resource_id": policy["ResourceId"],
        TRACKING: [tracking],
    }


def create_policy(world: World, wanted: Attributes) -> str:
    """PutScalingPolicy."""
    update_policy(world, wanted["name"], wanted, ())
    return str(wanted["name"])


def update_policy(world: World, _: str, wanted: Attributes, __: Collection[str]) -> None:
    """PutScalingPolicy, whole."""
    given = wanted[TRACKING][0]
    metric = given["predefined_metric_specification"][0]
    configuration = {member: given[name] for name, member in NUMBERS.items() if name in given}
    named = {member: metric[name] for name, member in METRIC.items() if name in metric}
    asked = {
        "PolicyName": wanted["name"],
        "PolicyType": wanted["policy_type"],
        **_key(wanted),
        "TargetTrackingScalingPolicyConfiguration": {**configuration, "PredefinedMetricSpecification": named},
    }
    world.call(SCALING, "PutScalingPolicy", asked)


def read_action(world: World, _: str, declared: Attributes) -> Attributes | None:
    """DescribeScheduledActions by name and resource."""
    params = {"ScheduledActionNames": [declared["name"]], **_key(declared)}
    action = one(world, SCALING, "DescribeScheduledActions", "ScheduledActions", **params)
    if action is None:
        return None
    bounds = action["ScalableTargetAction"]
    return {
        "name": action["ScheduledActionName"],
        **{name: action[member] for name, member in KEY.items()},
        "resource_id": action["ResourceId"],
        "schedule": action["Schedule"],
        "timezone": action.get("Timezone", "UTC"),
        "scalable_target_action": [
            {"min_capacity": bounds["MinCapacity"], "max_capacity": bounds["MaxCapacity"]}
        ],
    }


def create_action(world: World, wanted: Attributes) -> str:
    """PutScheduledAction."""
    update_action(world, wanted["name"], wanted, ("schedule", "timezone", "scalable_target_action"))
    return str(wanted["name"])


def update_action(world: World, _: str, wanted: Attributes, changed: Collection[str]) -> None:
    """PutScheduledAction with what changed."""
    bounds = wanted["scalable_target_action"][0]
    members = {
        "schedule": ("Schedule", wanted["schedule"]),
        "timezone": ("Timezone", wanted["timezone"]),
        "scalable_target_action": (
            "ScalableTargetAction",
            {"MinCapacity": bounds["min_capacity"], "MaxCapacity": bounds["max_capacity"]},
        ),
    }
    sent = dict(members[name] for name in changed)
    world.call(SCALING, "PutScheduledAction", {"ScheduledActionName": wanted["name"], **_key(wanted), **sent})


POLICY = Kind(
    read=read_policy,
    create=create_policy,
    update=update_policy,
    normal=normal_policy,
    defaults={"policy_type": "StepScaling"},
)
ACTION = Kind(read=read_action, create=create_action, update=update_action, defaults={"timezone": "UTC"})
