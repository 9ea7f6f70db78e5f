"""The statements that Teal's role needs: the table behind docs/permissions.md, and what preflight says to add.

Sources: the Service Authorization Reference of each service, for the resource types and condition keys of each action.
"""

from collections.abc import Mapping

from orchestrator.core.preflight.policy_statements import Condition, Grant, Part

ECS = "arn:aws:ecs:REGION:ACCOUNT"
ELB = "arn:aws:elasticloadbalancing:REGION:ACCOUNT"
CLOUDWATCH = "arn:aws:cloudwatch:REGION:ACCOUNT"
SERVICES = f"{ECS}:service/CLUSTER/*"
GREEN_GROUPS = f"{ELB}:targetgroup/teal-*/*"
IN_CLUSTER: Condition = {"ArnEquals": {"ecs:cluster": f"{ECS}:cluster/CLUSTER"}}
TAGGED: Condition = {"StringEquals": {"aws:ResourceTag/teal:managed": "true"}}
TAGGING: Condition = {"StringEquals": {"aws:RequestTag/teal:managed": "true"}}
TEALS_TAGS: Condition = {"ForAllValues:StringLike": {"aws:TagKeys": ["teal:*"]}}

GRANTS = (
    Grant(
        sid="ReadServices",
        part=Part.READ,
        why="Blue and green: their deployments, tasks and tags.",
        actions=("ecs:DescribeServices", "ecs:ListServiceDeployments"),
        resources=(SERVICES,),
    ),
    Grant(
        sid="ReadRevisions",
        part=Part.READ,
        why="What a service revision says of features that a description leaves out. AWS asks about the revision and "
        "about its service.",
        actions=("ecs:DescribeServiceRevisions",),
        resources=(f"{ECS}:service-revision/CLUSTER/*", SERVICES),
    ),
    Grant(
        sid="ReadTasks",
        part=Part.READ,
        why="Why tasks stopped, and which must not be.",
        actions=("ecs:ListTasks", "ecs:DescribeTasks", "ecs:GetTaskProtection"),
        condition=IN_CLUSTER,
    ),
    Grant(
        sid="ReadWithoutResources",
        part=Part.READ,
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
        part=Part.READ,
        why="The alarms that the file names, and whether one fired between two looks. Bound to `alarm:*`, AWS would "
        "show no composite alarm.",
        actions=("cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"),
    ),
    Grant(
        sid="ReadRoom",
        part=Part.PREFLIGHT,
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
        part=Part.PREFLIGHT,
        why="Before a rollout: whether the images of both colours are in their repositories.",
        actions=("ecr:DescribeImages",),
        resources=("arn:aws:ecr:REGION:ACCOUNT:repository/*",),
    ),
    Grant(
        sid="ReadSecrets",
        part=Part.PREFLIGHT,
        why="Before a rollout: whether the secrets of the new revision exist. Their values are never read.",
        actions=("secretsmanager:DescribeSecret", "ssm:DescribeParameters"),
    ),
    Grant(
        sid="ReadPolicies",
        part=Part.PREFLIGHT,
        why="Before a rollout: whether Teal may make its calls, and the execution role read the secrets, by IAM's "
        "simulation, which carries nothing out.",
        actions=("iam:GetRole", "iam:SimulatePrincipalPolicy"),
        resources=("arn:aws:iam::ACCOUNT:role/*",),
    ),
    Grant(
        sid="Shift",
        part=Part.ROLLOUT,
        why="The weights, on the rules of this load balancer (ModifyListener: its default rules).",
        actions=("elasticloadbalancing:ModifyRule", "elasticloadbalancing:ModifyListener"),
        resources=(f"{ELB}:listener-rule/app/LOAD_BALANCER/*", f"{ELB}:listener/app/LOAD_BALANCER/*"),
    ),
    Grant(
        sid="MakeGreenGroups",
        part=Part.ROLLOUT,
        why="Green's target groups, which are all named teal-…",
        actions=("elasticloadbalancing:CreateTargetGroup",),
        resources=(GREEN_GROUPS,),
        condition=TAGGING,
    ),
    Grant(
        sid="TagGreenGroupsWhenMade",
        part=Part.ROLLOUT,
        why="Their tags: Teal's, and those that are copied from blue's group.",
        actions=("elasticloadbalancing:AddTags",),
        resources=(GREEN_GROUPS,),
        condition={"StringEquals": {"elasticloadbalancing:CreateAction": "CreateTargetGroup"}},
    ),
    Grant(
        sid="TagGreenGroupsWithFormer",
        part=Part.ROLLOUT,
        why="The tag teal:former on them, which says what blue ran, and teal:serves on those that stay.",
        actions=("elasticloadbalancing:AddTags",),
        resources=(GREEN_GROUPS,),
        condition={**TAGGED, **TEALS_TAGS},
    ),
    Grant(
        sid="ChangeGreenGroups",
        part=Part.ROLLOUT,
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
        part=Part.ROLLOUT,
        why="Green's service, tagged from its first moment.",
        actions=("ecs:CreateService",),
        resources=(SERVICES,),
        condition={**TAGGING, **IN_CLUSTER},
    ),
    Grant(
        sid="TagGreenWhenMade",
        part=Part.ROLLOUT,
        why="Green's tags: Teal's, and those that are copied from blue.",
        actions=("ecs:TagResource",),
        resources=(SERVICES,),
        condition={"StringEquals": {"ecs:CreateAction": "CreateService"}},
    ),
    Grant(
        sid="TagGreenWithFormer",
        part=Part.ROLLOUT,
        why="The tag teal:former on green, which says what blue ran, and teal:serves on one that stays.",
        actions=("ecs:TagResource",),
        resources=(SERVICES,),
        condition={**TAGGED, **TEALS_TAGS},
    ),
    Grant(
        sid="AdoptBlue",
        part=Part.OPTIONS,
        why="Only for files that say `ending: {swap: delete}`, on the services that they name: a blue that Teal did "
        "not make gets Teal's tags right before it is deleted, and loses them if a rollback keeps it.",
        actions=("ecs:TagResource", "ecs:UntagResource"),
        resources=(f"{ECS}:service/CLUSTER/SERVICE",),
        condition=TEALS_TAGS,
    ),
    Grant(
        sid="RegisterRevisions",
        part=Part.OPTIONS,
        why="A new revision of a service's own family, and of its `-green` sibling: where files name "
        "`revision.images` or `revision.colour_variable`, and on the way back to a revision that somebody "
        "deregistered meanwhile.",
        actions=("ecs:RegisterTaskDefinition",),
        resources=(f"{ECS}:task-definition/FAMILY:*", f"{ECS}:task-definition/FAMILY-green:*"),
        condition=TAGGING,
    ),
    Grant(
        sid="TagRevisionsWhenMade",
        part=Part.OPTIONS,
        why="Their tags: Teal's, and those that are copied.",
        actions=("ecs:TagResource",),
        resources=(f"{ECS}:task-definition/FAMILY:*", f"{ECS}:task-definition/FAMILY-green:*"),
        condition={"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
    ),
    Grant(
        sid="DeregisterOwnRevisions",
        part=Part.OPTIONS,
        why="The end of those that nothing runs. AWS knows no resource for it: Teal takes only those with its tag.",
        actions=("ecs:DeregisterTaskDefinition",),
    ),
    Grant(
        sid="Update",
        part=Part.ROLLOUT,
        why="Green's count; blue's revision when it settles, and its former one on the way back; where green stays, "
        "its deployment configuration and blue's count.",
        actions=("ecs:UpdateService",),
        resources=(SERVICES,),
        condition=IN_CLUSTER,
    ),
    Grant(
        sid="DeleteGreen",
        part=Part.ROLLOUT,
        why="Green's end, or blue's after a swap: only what carries Teal's tag.",
        actions=("ecs:DeleteService",),
        resources=(SERVICES,),
        condition=TAGGED,
    ),
    Grant(
        sid="Scale",
        part=Part.ROLLOUT,
        why="Blue's scale-in is suspended and its minimum raised while its capacity must be kept, and restored; green "
        "gets blue's policies and scheduled actions, and they go with it.",
        actions=(
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:PutScheduledAction",
        ),
        condition={"StringEquals": {"application-autoscaling:service-namespace": "ecs"}},
    ),
    Grant(
        sid="TagScaling",
        part=Part.ROLLOUT,
        why="The tags of green's scalable target: Teal's, and those that are copied from blue's.",
        actions=("application-autoscaling:TagResource",),
        resources=("arn:aws:application-autoscaling:REGION:ACCOUNT:scalable-target/*",),
        condition=TAGGING,
    ),
    Grant(
        sid="DriveGreensScaling",
        part=Part.ROLLOUT,
        why="The alarms of green's scaling: copies of those that drive blue's step-scaling policies, named `teal-…`, "
        "and those that Application Auto Scaling makes by itself for target tracking, with the caller's permissions.",
        actions=("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource"),
        resources=(f"{CLOUDWATCH}:alarm:teal-*", f"{CLOUDWATCH}:alarm:TargetTracking-service/CLUSTER/*"),
    ),
    Grant(
        sid="PassTaskRoles",
        part=Part.OPTIONS,
        why="The two roles of the task, wherever a revision is registered.",
        actions=("iam:PassRole",),
        resources=("arn:aws:iam::ACCOUNT:role/TASK_ROLE", "arn:aws:iam::ACCOUNT:role/EXECUTION_ROLE"),
        condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    ),
    Grant(
        sid="PassServiceRoles",
        part=Part.OPTIONS,
        why="The role that blue's volumes name, or blue's own for its load balancer (services without `awsvpc`).",
        actions=("iam:PassRole",),
        resources=("arn:aws:iam::ACCOUNT:role/VOLUME_ROLE",),
        condition={"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}},
    ),
    Grant(
        sid="ReadUserPools",
        part=Part.OPTIONS,
        why="Only where a rule that Teal writes authenticates by Cognito: Elastic Load Balancing asks for the pool's "
        "client in the name of whoever writes the rule.",
        actions=("cognito-idp:DescribeUserPoolClient",),
        resources=("arn:aws:cognito-idp:REGION:ACCOUNT:userpool/USER_POOL",),
    ),
    Grant(
        sid="ReadEvents",
        part=Part.OPTIONS,
        why="Events that wake rollouts at once: only with a queue of them (`docs/events-queue.md`).",
        actions=("sqs:ReceiveMessage", "sqs:DeleteMessage"),
        resources=("arn:aws:sqs:REGION:ACCOUNT:teal-events",),
    ),
)

BY_SID: Mapping[str, Grant] = {grant.sid: grant for grant in GRANTS}
"""The same by their names."""
