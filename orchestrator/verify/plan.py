"""What a run will make, about what it costs, how long it takes, and which permissions it needs: `--dry-run`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.aws.permissions import DIRECT, PREFLIGHT, READS, WITH_TAGS, WRITES
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.place import template
from orchestrator.verify.rollouts.parts import PARTS
from orchestrator.verify.run import BELIEF
from orchestrator.verify.run import PREFLIGHT as LOOK
from orchestrator.verify.wanted import Wanted

POLICY_MAX = 6_144
"""Characters of a managed policy without white space. Source: IAM User Guide, "IAM and AWS STS quotas"."""
MAKING, REMOVING = 6.0, 5.0  # minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One unit price, as AWS's price list had it for a region on a day. Others are dearer or cheaper by a fifth."""

    what: str
    dollars: float
    unit: str


PRICED_ON, PRICED_FOR = "2026-01", "us-east-1"
VCPU_HOUR = Price(what="Fargate, Linux on x86, a vCPU", dollars=0.04048, unit="hour")
GB_HOUR = Price(what="Fargate, Linux on x86, a gigabyte", dollars=0.004445, unit="hour")
ALB_HOUR = Price(
    what="an application load balancer with one capacity unit", dollars=0.0225 + 0.008, unit="hour"
)
ADDRESS_HOUR = Price(what="a public IPv4 address", dollars=0.005, unit="hour")
ALARM_HOUR = Price(what="an alarm", dollars=0.10 / 730, unit="hour")
METRICS = Price(what="a thousand metrics asked for (GetMetricData)", dollars=0.01, unit="thousand")
PRICES = (VCPU_HOUR, GB_HOUR, ALB_HOUR, ADDRESS_HOUR, ALARM_HOUR, METRICS)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a run would do; nothing was called."""

    id: str
    makes: tuple[str, ...]
    parts: tuple[str, ...]
    minutes: float
    dollars: float
    priced_for: str
    priced_on: str
    prices: tuple[Price, ...]
    policy: dict[str, object]


def dry_run(wanted: Wanted, region: str) -> DryRun:
    """The plan of a run there."""
    minutes = _minutes(wanted)
    return DryRun(
        id=wanted.id,
        makes=tuple(_makes(wanted)),
        parts=tuple(_parts(wanted)),
        minutes=round(minutes, 1),
        dollars=round(_dollars(wanted, minutes / 60), 2),
        priced_for=PRICED_FOR,
        priced_on=PRICED_ON,
        prices=PRICES,
        policy=policy_of(wanted, region),
    )


def _makes(wanted: Wanted) -> Iterator[str]:
    name = wanted.name
    if not wanted.is_throw_away:
        yield f"a task definition {name}: a copy of the service's own whose tasks cannot start (the bad revision)"
        yield f"for each rollout, and by the rollout: a second service and target group beside {wanted.service}"
        return
    if wanted.listener:
        yield f"a rule of the listener that you named, for requests with the header {template.HEADER}: {wanted.id}"
    else:
        scheme = "internal" if wanted.is_private else "internet-facing"
        yield f"an {scheme} load balancer {name}, with a listener on port {wanted.port} and one rule"
    yield f"a target group, a cluster and a service {name} with {template.DESIRED} Fargate tasks of the smallest size"
    yield f"three revisions of a task definition {name}, which run {wanted.image}"
    yield f"an alarm {name}, which calls nobody"
    yield "for each rollout, and by the rollout: a second service and target group, removed at its end"
    yield "for some beliefs, and for a moment: a composite alarm, a scalable target, a service without tasks"


def _parts(wanted: Wanted) -> Iterator[str]:
    if wanted.wants(LOOK):
        yield f"{LOOK}: what speaks against a rollout"
    for part in PARTS:
        if wanted.wants(part.name, part.group):
            yield f"{part.name}: {part.says}"
    for belief in BELIEFS:
        if wanted.wants(belief.name, BELIEF):
            yield f"{belief.name}: {belief.believes}"


def _minutes(wanted: Wanted) -> float:
    rollouts = [part.minutes for part in PARTS if wanted.wants(part.name, part.group)]
    beliefs = [belief.minutes for belief in BELIEFS if wanted.wants(belief.name, BELIEF)]
    around = MAKING + REMOVING if wanted.is_throw_away else 1.0
    return around + (sum(rollouts) + 5 if rollouts else 0) + sum(beliefs)


def _dollars(wanted: Wanted, hours: float) -> float:
    tasks = 2 * template.DESIRED  # both colours, as long as a rollout lasts
    a_task = int(template.CPU) / 1024 * VCPU_HOUR.dollars + int(template.MEMORY) / 1024 * GB_HOUR.dollars
    public = 0 if wanted.is_private else tasks + (0 if wanted.listener else 2)
    balancer = 0 if wanted.listener or not wanted.is_throw_away else ALB_HOUR.dollars
    # Looks a minute of the watched metrics and of the engine, in thousands.
    asked = hours * 60 * (12 + 40) / 1000 * METRICS.dollars
    return hours * (tasks * a_task + public * ADDRESS_HOUR.dollars + balancer + ALARM_HOUR.dollars) + asked


def policy_of(wanted: Wanted, region: str) -> dict[str, object]:
    """The permissions of a run, by service: reads everywhere, writes on what has the run's or Teal's name.

    A rollout's writes on a named service go to names that only its cluster tells, so these are not narrowed further.
    """
    beliefs = [b.actions for b in BELIEFS if wanted.wants(b.name, BELIEF)]
    needed = {*READS, *PREFLIGHT, *WRITES, *WITH_TAGS, *DIRECT, *(a for actions in beliefs for a in actions)}
    if wanted.is_throw_away:
        needed |= set(MAKES)
    reads = sorted(action for action in needed if _is_read(action))
    statements: list[dict[str, object]] = [
        {"Sid": "Read", "Effect": "Allow", "Action": reads, "Resource": "*"}
    ]
    writes = sorted(needed - set(reads))
    for sid, prefix, resources in _resources(wanted, partition_of(region)):
        actions = [action for action in writes if action.startswith(prefix)]
        if actions:
            statements.append({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
    if not wanted.is_throw_away:  # the roles of its tasks, which only its task definition tells
        passed = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        roles = f"arn:{partition_of(region)}:iam::*:role/*"
        statements.append(
            {
                "Sid": "PassRoles",
                "Effect": "Allow",
                "Action": ["iam:PassRole"],
                "Resource": [roles],
                "Condition": passed,
            }
        )
    document: dict[str, object] = {"Version": "2012-10-17", "Statement": statements}
    assert len(json.dumps(document, separators=(",", ":"))) <= POLICY_MAX
    return document


def partition_of(region: str) -> str:
    """The partition of a region, as ARNs begin with it."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")


def _is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(
        ("Describe", "List", "Get", "Simulate")
    ) and not action.startswith("sts:")


def _resources(wanted: Wanted, partition: str) -> Iterator[tuple[str, str, list[str]]]:
    """(name, prefix of actions, resources) of the statements that write."""
    cluster = wanted.service.partition("/")[0] or wanted.name
    yield (
        "Containers",
        "ecs:",
        [
            f"arn:{partition}:ecs:*:*:cluster/{cluster}",
            f"arn:{partition}:ecs:*:*:service/{cluster}/*",
            f"arn:{partition}:ecs:*:*:task-definition/{wanted.name}:*",
        ],
    )
    named = ("loadbalancer/app/teal-verify-*", "targetgroup/teal-*", "listener/app/*", "listener-rule/app/*")
    yield (
        "Balancing",
        "elasticloadbalancing:",
        [f"arn:{partition}:elasticloadbalancing:*:*:{one}" for one in named],
    )
    yield (
        "Alarms",
        "cloudwatch:",
        [f"arn:{partition}:cloudwatch:*:*:alarm:{one}" for one in ("teal-*", "TargetTracking-*")],
    )
    yield "Scaling", "application-autoscaling:", ["*"]
    yield "Roles", "iam:", ["*"]
    yield "Sessions", "sts:", [wanted.role or "*"]


def words_of(plan: DryRun) -> Iterator[str]:
    """The plan for people."""
    yield f"Run {plan.id} will make:"
    yield from (f"  - {one}" for one in plan.makes)
    yield "and try:"
    yield from (f"  - {one}" for one in plan.parts)
    yield "and remove everything that it made."
    yield ""
    yield f"It takes about {plan.minutes:.0f} minutes and costs about {plan.dollars:.2f} US dollars, by these prices of"
    yield f"{plan.priced_for} in {plan.priced_on}; other regions differ, and taxes and your traffic come on top:"
    yield from (f"  {price.dollars:.6g} a {price.unit}: {price.what}" for price in plan.prices)
    yield ""
    yield "It needs these permissions:"
    yield json.dumps(plan.policy, indent=1)
