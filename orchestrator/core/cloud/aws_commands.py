"""Commands of the AWS CLI as people paste them: each value quoted for a shell."""

import json
import shlex
from collections.abc import Iterable

from orchestrator.core.cloud.forward_action import as_writable
from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.domain.ids import Json, ListenerArn, RuleArn

_DIMENSION = {"service_namespace": "ecs", "scalable_dimension": "ecs:service:DesiredCount"}


def aws(api: str, operation: str, /, **options: str) -> str:
    """``aws API OPERATION --name value …``; underscores in names are hyphens."""
    words = ["aws", api, operation]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    return shlex.join(words)


def register_target(service: str, wanted: ScalingSeen, *, are_bounds_written: bool = True) -> str:
    """The command that makes a service's scalable target so; `service`: ``cluster/name``.

    Application Auto Scaling leaves bounds that are not named as they are.
    """
    state = {
        "DynamicScalingInSuspended": wanted.scale_in_suspended,
        "DynamicScalingOutSuspended": wanted.scale_out_suspended,
        "ScheduledScalingSuspended": wanted.scheduled_suspended,
    }
    bounds = {"min_capacity": str(wanted.min_capacity), "max_capacity": str(wanted.max_capacity)}
    return aws(
        "application-autoscaling",
        "register-scalable-target",
        **_DIMENSION,
        resource_id=f"service/{service}",
        **(bounds if are_bounds_written else {}),
        suspended_state=json.dumps(state),
    )


def deregister_target(service: str) -> str:
    """The command that takes a service's scalable target away, and its policies and scheduled actions with it.

    Source: Application Auto Scaling, DeregisterScalableTarget. `service`: ``cluster/name``.
    """
    return aws(
        "application-autoscaling",
        "deregister-scalable-target",
        **_DIMENSION,
        resource_id=f"service/{service}",
    )


def write_rule(rule: RuleArn, listener: ListenerArn, *, is_default: bool, actions: Json) -> str:
    """The command that gives a rule this action list; a default rule is written through its listener."""
    written = as_writable(actions)
    if is_default:
        return aws("elbv2", "modify-listener", listener_arn=listener, default_actions=written)
    return aws("elbv2", "modify-rule", rule_arn=rule, actions=written)


def delete_service(cluster: str, service: str) -> str:
    """The command that deletes a service with its tasks."""
    return f"{aws('ecs', 'delete-service', cluster=cluster, service=service)} --force"


def delete_alarms(names: Iterable[str]) -> str:
    """The command that deletes alarms; names that there are none of do not keep the others."""
    return f"aws cloudwatch delete-alarms --alarm-names {shlex.join(names)}"


def update_service(cluster: str, service: str, **options: str) -> str:
    """The command that changes a service."""
    return aws("ecs", "update-service", cluster=cluster, service=service, **options)


def wait_until_stable(cluster: str, service: str) -> str:
    """The command that ends once a service's deployment has."""
    return f"aws ecs wait services-stable --cluster {shlex.quote(cluster)} --services {shlex.quote(service)}"
