"""What each action of the least policy may be called on, and why: the table behind docs/permissions.md.

Sources: the Service Authorization Reference of each service, for resources and condition keys. No test can try the
conditions, since the sandbox asks nobody for permission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]

ECS = "arn:aws:ecs:REGION:ACCOUNT"
ELB = "arn:aws:elasticloadbalancing:REGION:ACCOUNT"
CLOUDWATCH = "arn:aws:cloudwatch:REGION:ACCOUNT"
SERVICES = f"{ECS}:service/CLUSTER/*"
GREEN_GROUPS = f"{ELB}:targetgroup/teal-*/*"
IN_CLUSTER: Condition = {"ArnEquals": {"ecs:cluster": f"{ECS}:cluster/CLUSTER"}}
TAGGED: Condition = {"StringEquals": {"aws:ResourceTag/teal:managed": "true"}}
TAGGING: Condition = {"StringEquals": {"aws:RequestTag/teal:managed": "true"}}
TEALS_TAGS: Condition = {"ForAllValues:StringLike": {"aws:TagKeys": ["teal:*"]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement of the policy: what it is for, and the actions it allows."""

    sid: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition | None = None


GRANTS = (
    Grant(
        sid="ReadServices",
        why="Blue and green: their deployments, tasks and tags.",
        actions=("ecs:DescribeServices", "ecs:ListServiceDeployments"),
        resources=(SERVICES,),
    ),
    Grant(
        sid="ReadRevisions",
        why="What a service revision says of features that a description leaves out.",
        actions=("ecs:DescribeServiceRevisions",),
        resources=(f"{ECS}:service-revision/CLUSTER/*",),
    ),
    Grant(
        sid="ReadTasks",
        why="Why tasks stopped, and which must not be.",
        actions=("ecs:ListTasks", "ecs:DescribeTasks", "ecs:GetTaskProtection"),
        condition=IN_CLUSTER,
    ),
    Grant(
        sid="ReadWithoutResources",
        why="Reads for which AWS knows no resource.",
        actions=(
            "ecs:DescribeTaskDefinition",
            "ecs:ListClusters",
            "ecs:ListTaskDefinitions",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:ListTagsForResource",
            "cloudwatch:GetMetricData",
        ),
    ),
    Grant(
        sid="ReadAlarms",
        why="The alarms that the file names, and whether one fired between two looks.",
        actions=("cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"),
        resources=("arn:aws:cloudwatch:REGION:ACCOUNT:alarm:*",),
    ),
    Grant(
        sid="ReadRoom",
        why="Before a rollout: addresses, quotas and limits that green's tasks will need, and services beside blue; "
        "ecs:ListServices also finds the service that a swap left, where the store does not know it.",
        actions=(
            "ec2:DescribeSubnets",
            "ecs:DescribeClusters",
            "ecs:ListServices",
            "elasticloadbalancing:DescribeAccountLimits",
            "servicequotas:ListServiceQuotas",
        ),
    ),
    Grant(
        sid="ReadImages",
        why="Before a rollout: whether the images of both colours are in their repositories.",
        actions=("ecr:DescribeImages",),
        resources=("arn:aws:ecr:REGION:ACCOUNT:repository/*",),
    ),
    Grant(
        sid="ReadSecrets",
        why="Before a rollout: whether the secrets of the new revision exist. Their values are never read.",
        actions=("secretsmanager:DescribeSecret", "ssm:DescribeParameters"),
    ),
    Grant(
        sid="ReadPolicies",
        why="Before a rollout: whether Teal may make its calls, and the execution role read the secrets, by IAM's "
        "simulation, which carries nothing out.",
        actions=("iam:GetRole", "iam:SimulatePrincipalPolicy"),
        resources=("arn:aws:iam::ACCOUNT:role/*",),
    ),
    Grant(
        sid="Shift",
        why="The weights, on the rules of this load balancer (ModifyListener: its default rules).",
        actions=("elasticloadbalancing:ModifyRule", "elasticloadbalancing:ModifyListener"),
        resources=(f"{ELB}:listener-rule/app/LOAD_BALANCER/*", f"{ELB}:listener/app/LOAD_BALANCER/*"),
    ),
    Grant(
        sid="MakeGreenGroups",
        why="Green's target groups, which are all named teal-…",
        actions=("elasticloadbalancing:CreateTargetGroup",),
        resources=(GREEN_GROUPS,),
        condition=TAGGING,
    ),
    Grant(
        sid="TagGreenGroupsWhenMade",
        why="Their tags: Teal's, and those that are copied from blue's group.",
        actions=("elasticloadbalancing:AddTags",),
        resources=(GREEN_GROUPS,),
        condition={"StringEquals": {"elasticloadbalancing:CreateAction": "CreateTargetGroup"}},
    ),
    Grant(
        sid="TagGreenGroupsWithFormer",
        why="The tag teal:former on them, which says what blue ran, and teal:serves on those that stay.",
        actions=("elasticloadbalancing:AddTags",),
        resources=(GREEN_GROUPS,),
        condition={**TAGGED, **TEALS_TAGS},
    ),
    Grant(
        sid="ChangeGreenGroups",
        why="Their attributes, and their end.",
        actions=(
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:DeleteTargetGroup",
        ),
        resources=(GREEN_GROUPS,),
        condition=TAGGED,
    ),
    Grant(
        sid="MakeGreen",
        why="Green's service, tagged from its first moment.",
        actions=("ecs:CreateService",),
        resources=(SERVICES,),
        condition={**TAGGING, **IN_CLUSTER},
    ),
    Grant(
        sid="TagGreenWhenMade",
        why="Green's tags: Teal's, and those that are copied from blue.",
        actions=("ecs:TagResource",),
        resources=(SERVICES,),
        condition={"StringEquals": {"ecs:CreateAction": "CreateService"}},
    ),
    Grant(
        sid="TagGreenWithFormer",
        why="The tag teal:former on green, which says what blue ran, and teal:serves on one that stays.",
        actions=("ecs:TagResource",),
        resources=(SERVICES,),
        condition={**TAGGED, **TEALS_TAGS},
    ),
    Grant(
        sid="AdoptBlue",
        why="Only for files that say `ending: {swap: delete}`, on the services that they name: a blue that Teal did "
        "not make gets Teal's tags right before it is deleted, and loses them if a rollback keeps it.",
        actions=("ecs:TagResource", "ecs:UntagResource"),
        resources=(f"{ECS}:service/CLUSTER/SERVICE",),
        condition=TEALS_TAGS,
    ),
    Grant(
        sid="RegisterRevisions",
        why="A new revision of a service's own family, and of its `-green` sibling: only where files name "
        "`revision.images` or `revision.colour_variable`.",
        actions=("ecs:RegisterTaskDefinition",),
        resources=(f"{ECS}:task-definition/SERVICE:*", f"{ECS}:task-definition/SERVICE-green:*"),
        condition=TAGGING,
    ),
    Grant(
        sid="TagRevisionsWhenMade",
        why="Their tags: Teal's, and those that are copied.",
        actions=("ecs:TagResource",),
        resources=(f"{ECS}:task-definition/SERVICE:*", f"{ECS}:task-definition/SERVICE-green:*"),
        condition={"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
    ),
    Grant(
        sid="DeregisterOwnRevisions",
        why="The end of those that nothing runs. AWS knows no resource for it: Teal takes only those with its tag.",
        actions=("ecs:DeregisterTaskDefinition",),
    ),
    Grant(
        sid="Update",
        why="Green's count; blue's revision when it settles, and its former one on the way back; where green stays, "
        "its deployment configuration and blue's count.",
        actions=("ecs:UpdateService",),
        resources=(SERVICES,),
        condition=IN_CLUSTER,
    ),
    Grant(
        sid="DeleteGreen",
        why="Green's end, or blue's after a swap: only what carries Teal's tag.",
        actions=("ecs:DeleteService",),
        resources=(SERVICES,),
        condition=TAGGED,
    ),
    Grant(
        sid="Scale",
        why="Blue's scale-in is suspended and its minimum raised while its capacity must be kept, and restored; green "
        "gets blue's policies and scheduled actions, and they go with it.",
        actions=(
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:TagResource",
        ),
        condition={"StringEquals": {"application-autoscaling:service-namespace": "ecs"}},
    ),
    Grant(
        sid="DriveGreensScaling",
        why="The alarms of green's scaling: copies of those that drive blue's step-scaling policies, named `teal-…`, "
        "and those that Application Auto Scaling makes by itself for target tracking, with the caller's permissions.",
        actions=("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource"),
        resources=(f"{CLOUDWATCH}:alarm:teal-*", f"{CLOUDWATCH}:alarm:TargetTracking-service/CLUSTER/*"),
    ),
    Grant(
        sid="ReadEvents",
        why="Events that wake rollouts at once: only with a queue of them (`docs/events-queue.md`).",
        actions=("sqs:ReceiveMessage", "sqs:DeleteMessage"),
        resources=("arn:aws:sqs:REGION:ACCOUNT:teal-events",),
    ),
)
