"""The permissions of a run: reads everywhere, and each write on what the run or its rollouts make, by name."""

import json
from collections.abc import Iterator, Sequence

from orchestrator.aws.permissions import DIRECT, PREFLIGHT, READS, WITH_TAGS, WRITES
from orchestrator.core.phases.pending import GROUP_STEM_MAX
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.means import READS as READING
from orchestrator.verify.run import BELIEF
from orchestrator.verify.wanted import TAG, Wanted

POLICY_MAX = 6_144
"""Characters of a managed policy without white space. Source: IAM User Guide, "IAM and AWS STS quotas"."""
MAKES = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "ec2:DescribeSubnets",
    "ecs:CreateCluster",
    "ecs:CreateService",
    "ecs:DeleteCluster",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeClusters",
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "iam:CreateServiceLinkedRole",
)
"""What making and removing the throw-away service calls."""
NEVER = frozenset({"ecs:UntagResource"})
"""A rollout's write that no run asks for: only an ending by a swap takes tags away."""
SCALING = (
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:TagResource",
)
NOT_THROW_AWAY = frozenset({"elasticloadbalancing:ModifyListener", *SCALING})
"""What rollouts of a service without auto scaling and default rules do not do."""
LINKED = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
)


Statement = dict[str, object]


def policy_of(wanted: Wanted, region: str) -> dict[str, object]:
    """The policy of a run there. Words in capitals stand for what only the account tells."""
    needed = _needed(wanted)
    reads = sorted(action for action in needed if _is_read(action))
    statements: list[Statement] = [{"Sid": "Read", "Effect": "Allow", "Action": reads, "Resource": "*"}]
    statements += _writes(wanted, partition_of(region), needed - set(reads))
    document: dict[str, object] = {"Version": "2012-10-17", "Statement": statements}
    assert len(json.dumps(document, separators=(",", ":"))) <= POLICY_MAX
    return document


def in_words(wanted: Wanted) -> Iterator[str]:
    """What the policy allows, for people."""
    yield "reads on everything, for AWS's lists know no resource"
    if wanted.is_throw_away:
        yield f"writes on what is named {wanted.name} and on the target groups of its rollouts"
    else:
        yield f"writes on {wanted.service} and {wanted.service}-…, and on its rollouts' target groups and alarms"
        yield "changes of the rules of LOAD_BALANCER, which you replace by the name of the service's load balancer"
        yield "handing on TASK_ROLE and EXECUTION_ROLE, which you replace by the roles of the service's tasks"
    if wanted.listener:
        yield "on the listener that you named a rule of the run's own, by its tag, and changes of no other"
    yield "on everything only what has no name beforehand: ecs:DeregisterTaskDefinition, and scalable targets of ECS"
    if not wanted.role and any(action.startswith("sts:") for action in _needed(wanted)):
        yield "sessions with fewer permissions, as a user, or as ROLE, which you replace by the role that you are"


def partition_of(region: str) -> str:
    """The partition of a region, as ARNs begin with it."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")


def _needed(wanted: Wanted) -> frozenset[str]:
    asked = {action for one in BELIEFS if wanted.wants(one.name, BELIEF) for action in one.actions}
    rollout = {*READS, *PREFLIGHT, *WRITES, *WITH_TAGS, *DIRECT} - NEVER
    if not wanted.is_throw_away:
        reads_of_beliefs = {action for action in asked if _is_read(action) or action.startswith("sts:")}
        return frozenset({*rollout, *reads_of_beliefs, "iam:PassRole"})
    return frozenset(
        {
            *(rollout - NOT_THROW_AWAY),
            *MAKES,
            *(asked - {"elasticloadbalancing:ModifyListener"}),
            *_https(wanted),
        }
    )


def _https(wanted: Wanted) -> Iterator[str]:
    if wanted.certificate and wanted.wants("client-secret", BELIEF):
        yield "elasticloadbalancing:ModifyListener"


def _is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(READING) and not action.startswith("sts:")


def _writes(wanted: Wanted, partition: str, writes: frozenset[str] | set[str]) -> Iterator[Statement]:
    def some(prefix: str, *besides: str) -> list[str]:
        return sorted(action for action in writes if action.startswith(prefix) and action not in besides)

    yield from _allow(
        "Containers", some("ecs:", "ecs:DeregisterTaskDefinition"), _containers(wanted, partition)
    )
    yield from _allow("Revisions", ["ecs:DeregisterTaskDefinition"], ["*"])
    yield from _balancing(wanted, f"arn:{partition}:elasticloadbalancing:*:*", some("elasticloadbalancing:"))
    yield from _allow("Alarms", some("cloudwatch:"), _alarms(wanted, partition))
    namespace = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    tagging = "application-autoscaling:TagResource"
    yield from _allow("Scaling", some("application-autoscaling:", tagging), ["*"], namespace)
    tag = {TAG: wanted.id} if wanted.is_throw_away else {"teal:managed": "true"}
    tagged = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in tag.items()}}
    targets = f"arn:{partition}:application-autoscaling:*:*:scalable-target/*"
    yield from _allow("TagScaling", [one for one in writes if one == tagging], [targets], tagged)
    linked = {"StringEquals": {"iam:AWSServiceName": list(LINKED)}}
    linking = [one for one in writes if one == "iam:CreateServiceLinkedRole"]
    yield from _allow("ServiceRoles", linking, [f"arn:{partition}:iam::*:role/aws-service-role/*"], linked)
    passed = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    roles = [f"arn:{partition}:iam::*:role/{name}" for name in ("TASK_ROLE", "EXECUTION_ROLE")]
    yield from _allow("PassRoles", [one for one in writes if one == "iam:PassRole"], roles, passed)
    sessions = [one for one in some("sts:") if not wanted.role or one == "sts:AssumeRole"]
    mine = [f"arn:{partition}:iam::*:role/ROLE", f"arn:{partition}:sts::*:federated-user/teal-verify"]
    yield from _allow("Sessions", sessions, [wanted.role] if wanted.role else mine)


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: object = None
) -> Iterator[Statement]:
    if actions:
        found: Statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": list(resources),
        }
        yield found | ({"Condition": condition} if condition else {})


def _containers(wanted: Wanted, partition: str) -> list[str]:
    head, name = f"arn:{partition}:ecs:*:*", wanted.name
    revisions = f"{head}:task-definition/{name}:*"
    if wanted.is_throw_away:
        return [f"{head}:cluster/{name}", f"{head}:service/{name}/*", revisions]
    return [f"{head}:service/{wanted.service}", f"{head}:service/{wanted.service}-*", revisions]


def _stem(wanted: Wanted) -> str:
    """How the names of the target groups and alarms begin that rollouts make."""
    service = wanted.service.partition("/")[2] or wanted.name
    stem = "".join(c if c.isalnum() else "-" for c in service)[:GROUP_STEM_MAX].strip("-")
    return f"teal-{stem}-"


def _balancing(wanted: Wanted, head: str, actions: list[str]) -> Iterator[Statement]:
    greens = f"{head}:targetgroup/{_stem(wanted)}*/*"
    if not wanted.is_throw_away:
        of_rules = ["elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]
        rules = [f"{head}:{kind}/app/LOAD_BALANCER/*" for kind in ("listener-rule", "listener")]
        yield from _allow("Balancing", [one for one in actions if one not in of_rules], [greens])
        yield from _allow("Rules", of_rules, rules)
        return
    name = wanted.name
    groups = [f"{head}:targetgroup/{name}/*", greens]
    if not wanted.listener:
        own = [f"{head}:{kind}/app/{name}/*" for kind in ("loadbalancer", "listener", "listener-rule")]
        yield from _allow("Balancing", actions, [*own, *groups])
        return
    own_rules = f"{wanted.listener.replace(':listener/', ':listener-rule/')}/*"
    kinds = ("Listener", "LoadBalancer", "Rule")
    yield from _allow("Balancing", [one for one in actions if not one.endswith(kinds)], groups)
    yield from _allow("MakeRule", ["elasticloadbalancing:CreateRule"], [wanted.listener])
    tagging = {"StringEquals": {"elasticloadbalancing:CreateAction": "CreateRule"}}
    yield from _allow("TagRuleWhenMade", ["elasticloadbalancing:AddTags"], [own_rules], tagging)
    own_rule = {"StringEquals": {f"aws:ResourceTag/{TAG}": wanted.id}}
    changes = ["elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"]
    yield from _allow("ChangeRule", changes, [own_rules], own_rule)


def _alarms(wanted: Wanted, partition: str) -> list[str]:
    head = f"arn:{partition}:cloudwatch:*:*:alarm"
    if wanted.is_throw_away:
        return [f"{head}:{wanted.name}", f"{head}:{wanted.name}-all"]
    return [f"{head}:{_stem(wanted)}*", f"{head}:TargetTracking-service/{wanted.service}-*"]
