"""Names of things, so that one kind of name is never passed where another is meant."""

from typing import NewType

RolloutId = NewType("RolloutId", str)
RuleArn = NewType("RuleArn", str)
ListenerArn = NewType("ListenerArn", str)
LoadBalancerArn = NewType("LoadBalancerArn", str)
TargetGroupArn = NewType("TargetGroupArn", str)
TaskDefinitionArn = NewType("TaskDefinitionArn", str)
Tenths = NewType("Tenths", int)  # a share in tenths of a percent: 0–1000
Json = NewType("Json", str)  # canonical JSON text (sorted keys, no spaces) of something only an adapter reads


def revision_name(task_definition: str) -> str:
    """``family:revision`` of a task definition's ARN; a name that is no ARN is returned as it is."""
    return task_definition.rpartition("/")[2]


def long_service_arn(cluster: str, name: str) -> str:
    """The ARN of a service that is made now, by its cluster's ARN.

    One that was made before its account opted in to long ARNs has none of its cluster's name in its own.
    Source: Amazon Resource Names (ARNs) and IDs, Amazon ECS Developer Guide.
    """
    return f"{cluster.replace(':cluster/', ':service/', 1)}/{name}"


def metric_dimension(arn: str) -> str:
    """The value CloudWatch uses for a load balancer or target group: ``app/name/id``, ``targetgroup/name/id``.

    Source: CloudWatch metrics for your Application Load Balancer, "Metric dimensions".
    """
    suffix = arn.rpartition(":")[2]
    return suffix.removeprefix("loadbalancer/")
