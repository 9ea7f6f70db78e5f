"""The IAM actions that Teal's role needs: those of the calls made in this package, which a test compares.

Source of the names: Service Authorization Reference. GetCallerIdentity needs no permission.
"""

READS = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:ListTagsForResource",
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:GetTaskProtection",
    "ecs:ListClusters",
    "ecs:ListServiceDeployments",
    "ecs:ListTaskDefinitions",
    "ecs:ListTasks",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""Enough for a survey and for looking: preflight works with these alone."""

PREFLIGHT = (
    "ec2:DescribeSubnets",
    "ecr:DescribeImages",
    "ecs:DescribeClusters",
    "ecs:ListServices",
    "elasticloadbalancing:DescribeAccountLimits",
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
    "secretsmanager:DescribeSecret",
    "servicequotas:ListServiceQuotas",
    "ssm:DescribeParameters",
)
"""What preflight and ``init`` read besides (``orchestrator.aws.preflight``): without one of them, they say what they
could not look at. ``ecs:ListServices`` also finds the service that a swap left, where the store does not know it.
``iam:SimulatePrincipalPolicy`` only answers what a policy would allow."""

WRITES = (
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateService",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
)
"""What a rollout does besides."""

WITH_TAGS = ("application-autoscaling:TagResource", "cloudwatch:TagResource")
"""What IAM asks for besides where a call that makes something carries tags; never called by these names."""

FORWARDED = ("cognito-idp:DescribeUserPoolClient", "iam:PassRole")
"""What AWS asks for besides in the name of whoever writes a rule that authenticates, or hands a role on."""

EVENTS = ("sqs:DeleteMessage", "sqs:ReceiveMessage")
"""What reading a queue of events takes besides, on that queue alone; only where there is one."""

DIRECT = (
    "application-autoscaling:DescribeScalableTargets",
    "ecs:DescribeServices",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:TagResource",
    "ecs:UpdateService",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
)
"""What ``teal rollback --direct`` calls, with the credentials of whoever gives it."""

DISPENSABLE = (
    "application-autoscaling:DescribeScalableTargets",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:TagResource",
    "elasticloadbalancing:AddTags",
)
"""Those of them without which it goes on all the same."""
