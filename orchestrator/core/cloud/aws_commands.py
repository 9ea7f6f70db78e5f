"""Commands of the AWS CLI as people paste them: each value quoted for a shell."""

import json
import shlex

from orchestrator.core.cloud.resources import ScalingSeen


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
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=f"service/{service}",
        **(bounds if are_bounds_written else {}),
        suspended_state=json.dumps(state),
    )
