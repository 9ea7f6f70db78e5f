"""What the Service Authorization Reference says of each action: its required resource types, and its condition keys.

A test holds every line to that reference. Keys of tags end in a slash: any name may follow. A key that is not an
action's is absent from its requests, whatever the call was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

REQUEST_TAG, RESOURCE_TAG, TAG_KEYS = "aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"
GLOBAL = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:RequestedRegion", "aws:SecureTransport")
"""Keys that every request has. Source: IAM User Guide, "AWS global condition context keys"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action. `types`: those that it must be allowed on; empty: it is allowed on ``*``, or on what is named."""

    types: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


_MADE = (REQUEST_TAG, TAG_KEYS)
_OF_ECS = (RESOURCE_TAG, "ecs:cluster")
_OF_ELB = (RESOURCE_TAG, "elasticloadbalancing:ResourceTag/")
_OF_SCALING = (
    "application-autoscaling:service-namespace",
    "application-autoscaling:scalable-dimension",
)
_OF_SERVICE = (
    "ecs:capacity-provider",
    "ecs:task-definition",
    "ecs:enable-ebs-volumes",
    "ecs:enable-execute-command",
    "ecs:enable-service-connect",
    "ecs:namespace",
    "ecs:enable-vpc-lattice",
    "ecs:enable-ecs-managed-tags",
    "ecs:propagate-tags",
    "ecs:auto-assign-public-ip",
    "ecs:subnet",
    "ecs:task-cpu",
    "ecs:task-memory",
)
_OF_SECRET = (
    "secretsmanager:SecretId",
    "secretsmanager:resource/AllowRotationLambdaArn",
    "secretsmanager:ResourceTag/tag-key",
    RESOURCE_TAG,
    "secretsmanager:SecretPrimaryRegion",
    "secretsmanager:resource/Type",
)
_TARGET = ("ScalableTarget",)

ACTIONS: Mapping[str, Action] = {
    "application-autoscaling:DescribeScalableTargets": Action(),
    "application-autoscaling:DescribeScalingPolicies": Action(),
    "application-autoscaling:DescribeScheduledActions": Action(),
    "application-autoscaling:ListTagsForResource": Action(types=_TARGET),
    "application-autoscaling:RegisterScalableTarget": Action(types=_TARGET, keys=(*_MADE, *_OF_SCALING)),
    "application-autoscaling:DeregisterScalableTarget": Action(types=_TARGET, keys=_OF_SCALING),
    "application-autoscaling:PutScalingPolicy": Action(types=_TARGET, keys=_OF_SCALING),
    "application-autoscaling:PutScheduledAction": Action(types=_TARGET, keys=_OF_SCALING),
    "application-autoscaling:TagResource": Action(types=_TARGET, keys=_MADE),
    "cloudwatch:DescribeAlarmHistory": Action(types=("alarm",)),
    "cloudwatch:DescribeAlarms": Action(types=("alarm",)),
    "cloudwatch:GetMetricData": Action(),
    "cloudwatch:PutMetricAlarm": Action(types=("alarm",), keys=(*_MADE, "cloudwatch:AlarmActions")),
    "cloudwatch:DeleteAlarms": Action(types=("alarm",)),
    "cloudwatch:TagResource": Action(keys=_MADE),
    "cognito-idp:DescribeUserPoolClient": Action(types=("userpool",)),
    "ec2:DescribeSubnets": Action(keys=("ec2:Region",)),
    "ecr:DescribeImages": Action(types=("repository",)),
    "ecs:CreateService": Action(types=("service",), keys=(*_OF_ECS, *_MADE, *_OF_SERVICE)),
    "ecs:DeleteService": Action(types=("service",), keys=_OF_ECS),
    "ecs:DeregisterTaskDefinition": Action(),
    "ecs:DescribeClusters": Action(types=("cluster",), keys=(RESOURCE_TAG,)),
    "ecs:DescribeServiceRevisions": Action(
        types=("service", "service-revision"), keys=(*_OF_ECS, "ecs:service")
    ),
    "ecs:DescribeServices": Action(types=("service",), keys=_OF_ECS),
    "ecs:DescribeTaskDefinition": Action(),
    "ecs:DescribeTasks": Action(types=("task",), keys=_OF_ECS),
    "ecs:GetTaskProtection": Action(types=("task",), keys=_OF_ECS),
    "ecs:ListClusters": Action(),
    "ecs:ListServiceDeployments": Action(types=("service",), keys=_OF_ECS),
    "ecs:ListServices": Action(keys=("ecs:cluster",)),
    "ecs:ListTaskDefinitions": Action(),
    "ecs:ListTasks": Action(types=("container-instance",), keys=_OF_ECS),
    "ecs:PutClusterCapacityProviders": Action(
        types=("cluster",), keys=(RESOURCE_TAG, "ecs:capacity-provider")
    ),
    "ecs:RunTask": Action(types=("task-definition",), keys=(*_OF_ECS, *_MADE)),
    "ecs:StopTask": Action(types=("task",), keys=_OF_ECS),
    "ecs:RegisterTaskDefinition": Action(
        types=("task-definition",),
        keys=(
            RESOURCE_TAG,
            *_MADE,
            "ecs:compute-compatibility",
            "ecs:privileged",
            "ecs:task-cpu",
            "ecs:task-memory",
        ),
    ),
    "ecs:TagResource": Action(keys=(*_MADE, RESOURCE_TAG, "ecs:CreateAction")),
    "ecs:UntagResource": Action(keys=(RESOURCE_TAG, TAG_KEYS)),
    "ecs:UpdateService": Action(types=("service",), keys=(*_OF_ECS, *_OF_SERVICE)),
    "elasticloadbalancing:AddTags": Action(keys=(*_MADE, *_OF_ELB, "elasticloadbalancing:CreateAction")),
    "elasticloadbalancing:CreateTargetGroup": Action(types=("targetgroup",), keys=(*_MADE, *_OF_ELB)),
    "elasticloadbalancing:DeleteTargetGroup": Action(types=("targetgroup",), keys=_OF_ELB),
    "elasticloadbalancing:DescribeAccountLimits": Action(),
    "elasticloadbalancing:DescribeListeners": Action(),
    "elasticloadbalancing:DescribeLoadBalancerAttributes": Action(),
    "elasticloadbalancing:DescribeLoadBalancers": Action(),
    "elasticloadbalancing:DescribeRules": Action(),
    "elasticloadbalancing:DescribeTags": Action(),
    "elasticloadbalancing:DescribeTargetGroupAttributes": Action(),
    "elasticloadbalancing:DescribeTargetGroups": Action(),
    "elasticloadbalancing:DescribeTargetHealth": Action(),
    "elasticloadbalancing:ModifyListener": Action(
        types=("listener/app", "listener/gwy", "listener/net"),
        keys=(*_OF_ELB, "elasticloadbalancing:SecurityPolicy", "elasticloadbalancing:ListenerProtocol"),
    ),
    "elasticloadbalancing:ModifyRule": Action(types=("listener-rule/app", "listener-rule/net"), keys=_OF_ELB),
    "elasticloadbalancing:RegisterTargets": Action(types=("targetgroup",), keys=_OF_ELB),
    "elasticloadbalancing:SetRulePriorities": Action(types=("listener-rule/app", "listener-rule/net")),
    "elasticloadbalancing:ModifyTargetGroupAttributes": Action(types=("targetgroup",), keys=_OF_ELB),
    "iam:GetRole": Action(types=("role",), keys=("iam:PermissionsBoundary",)),
    "iam:PassRole": Action(types=("role",), keys=("iam:AssociatedResourceArn", "iam:PassedToService")),
    "iam:SimulatePrincipalPolicy": Action(),
    "secretsmanager:DescribeSecret": Action(types=("Secret",), keys=_OF_SECRET),
    "servicequotas:ListServiceQuotas": Action(),
    "sqs:DeleteMessage": Action(types=("queue",)),
    "sqs:ReceiveMessage": Action(types=("queue",)),
    "ssm:DescribeParameters": Action(),
    "sts:AssumeRole": Action(types=("role",), keys=("sts:ExternalId", "sts:RoleSessionName")),
}


@cache
def keys_of(action: str) -> tuple[str, ...]:
    """The condition keys that requests for an action may have, in lower case."""
    return tuple(key.lower() for key in (*ACTIONS[action].keys, *GLOBAL))
