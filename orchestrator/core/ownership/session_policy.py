"""What one rollout may write: a policy that names its rules, groups and services, as IAM reads it.

Where Teal assumes a role, a rollout's writes go out under this policy besides the role's own: a write to anything else
is refused by AWS itself. It confines writes alone; what can be read is as the role says. It is built from the row, so
names that are made later are in it before they are made.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.core.cloud.sign_in import READ_POOL, user_pools
from orchestrator.core.domain.ids import Json, RolloutId, long_service_arn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout

LONGEST = 2048
"""Characters of a session policy. Source: AWS STS API Reference, AssumeRole, Policy."""
READS = ("ecs:Describe*", "ecs:List*", "elasticloadbalancing:Describe*", "cloudwatch:Describe*")
"""Some writes look before they write, and some of AWS's services look with the rights of their caller."""
ANYWHERE = (
    # Of these IAM knows no resource, or one that cannot be named beforehand.
    "ecs:RegisterTaskDefinition",
    "ecs:DeregisterTaskDefinition",
    "application-autoscaling:*",
    # Which roles may be handed on is the role's own policy to say.
    "iam:PassRole",
    "iam:CreateServiceLinkedRole",
)
# Wildcards keep it short: they stand for these actions alone on what a statement names.
GROUPS = ("*TargetGroup*", "AddTags")
SERVICES = ("*Service", "TagResource", "UntagResource")
ALARMS = ("*Alarm*", "TagResource")

Statement = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A rollout's writes. `policies`: the exact one first, then coarser ones, for AWS packs them as it likes."""

    rollout: RolloutId
    policies: tuple[Json, ...]
    is_way_back: bool  # a write that the policy prevents is then made without it


def scope_of(row: Rollout) -> Scope | None:
    """What a rollout may write now; None before blue was read, when there is nothing to write."""
    if row.blue is None:
        return None
    texts = (
        _text(statements)
        for statements in (_exact(row), _by_id(row), _by_balancer(row), _by_kind(row), _by_action())
    )
    return Scope(
        rollout=row.id,
        policies=tuple(dict.fromkeys(text for text in texts if len(text) <= LONGEST)),
        is_way_back=row.phase is Phase.ROLLING_BACK,
    )


def _text(statements: Iterator[Statement]) -> Json:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Json(json.dumps(document, separators=(",", ":")))


def _allow(prefix: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    named = [f"{prefix}:{action}" if prefix else action for action in actions]
    return {"Effect": "Allow", "Action": named, "Resource": list(dict.fromkeys(resources))}


def _exact(row: Rollout) -> Iterator[Statement]:
    rules = (*row.rules, *row.test_rules)
    plain = [rule.arn for rule in rules if not rule.is_default]
    default = [rule.listener for rule in rules if rule.is_default]
    if plain:
        yield _allow("elasticloadbalancing", ["ModifyRule"], plain)
    if default:
        yield _allow("elasticloadbalancing", ["ModifyListener"], default)
    yield from _things(row)
    yield from _sign_in(row)


def _by_id(row: Rollout) -> Iterator[Statement]:
    """The same rules by their ids alone, of which AWS gives none twice: 64 characters instead of 160."""
    rules = (*row.rules, *row.test_rules)
    kinds = {False: "listener-rule", True: "listener"}
    ends = [
        f"arn:*:elasticloadbalancing:*:*:{kinds[rule.is_default]}/*/"
        + (rule.listener if rule.is_default else rule.arn).rpartition("/")[2]
        for rule in rules
    ]
    yield _allow("elasticloadbalancing", ["ModifyRule", "ModifyListener"], ends)
    yield from _things(row)
    yield from _sign_in(row)


def _by_balancer(row: Rollout) -> Iterator[Statement]:
    """Every rule of the load balancers of its rules: for a rollout that has very many."""
    rules = (*row.rules, *row.test_rules)
    listeners = [f"{rule.listener.rpartition('/')[0]}/*" for rule in rules]
    rules_there = [place.replace(":listener/", ":listener-rule/") for place in listeners]
    yield _allow("elasticloadbalancing", ["ModifyRule", "ModifyListener"], [*rules_there, *listeners])
    yield from _things(row)
    yield from _sign_in(row)


def _things(row: Rollout) -> Iterator[Statement]:
    """Green's groups and both services by name; where blue is to go, its groups too."""
    is_swap = row.spec.ending.is_swap
    groups = [f"{_head(pair.blue, 'targetgroup')}{_stem(pair.green_name)}-*/*" for pair in row.pairs]
    if is_swap:
        groups += [pair.blue for pair in row.pairs]
    if groups:
        yield _allow("elasticloadbalancing", GROUPS, groups)
    green = [long_service_arn(row.known.blue.cluster, row.green.name)] if row.green is not None else []
    families = [
        f"{_head(row.known.blue.former, 'task-definition')}{one.revision.family}:*"
        for one in row.revisions.registrations
    ]
    owned = [*green, row.known.blue.arn] if is_swap else green
    if owned:
        yield _allow("ecs", SERVICES, owned)
    if not is_swap:
        yield _allow("ecs", ["UpdateService"], [row.known.blue.arn])
    if families:
        yield _allow("ecs", ["TagResource"], families)
    yield from _rest(row.known.blue.arn)


def _by_kind(row: Rollout) -> Iterator[Statement]:
    """Whatever is of the account and region, and in the cluster: for names that are very long."""
    services = {long_service_arn(row.known.blue.cluster, "*"), f"{row.known.blue.arn.rpartition('/')[0]}/*"}
    balancing = {rule.arn.partition(":listener-rule/")[0] for rule in row.rules}
    kinds = ("listener-rule", "listener", "targetgroup")
    actions = ("ModifyRule", "ModifyListener", *GROUPS)
    yield _allow(
        "elasticloadbalancing", actions, [f"{p}:{kind}/*" for p in sorted(balancing) for kind in kinds]
    )
    definitions = f"{_head(row.known.blue.former, 'task-definition')}*"
    yield _allow("ecs", SERVICES, [*sorted(services), definitions])
    yield from _rest(row.known.blue.arn)
    if _pools(row):
        yield _allow("", (READ_POOL,), ["*"])


def _by_action() -> Iterator[Statement]:
    """A rollout's actions on anything: what is left where even that is too long."""
    yield _allow("elasticloadbalancing", ("ModifyRule", "ModifyListener", *GROUPS), ["*"])
    yield _allow("ecs", SERVICES, ["*"])
    yield _allow("cloudwatch", ALARMS, ["*"])
    yield _allow("", (*ANYWHERE, READ_POOL, *READS), ["*"])


def _sign_in(row: Rollout) -> Iterator[Statement]:
    """The user pools of rules that authenticate by Cognito, which AWS asks in the name of whoever writes the rule."""
    if pools := _pools(row):
        yield _allow("", (READ_POOL,), pools)


def _pools(row: Rollout) -> tuple[str, ...]:
    return user_pools(rule.base for rule in (*row.rules, *row.test_rules))


def _rest(service: str) -> Iterator[Statement]:
    """Alarms that scaling is driven by, what has no resource, and reads."""
    partition, _, region, account = service.split(":")[1:5]
    alarms = f"arn:{partition}:cloudwatch:{region}:{account}:alarm:"
    yield _allow("cloudwatch", ALARMS, [f"{alarms}teal-*", f"{alarms}TargetTracking-service/*"])
    yield _allow("", (*ANYWHERE, *READS), ["*"])


def _head(arn: str, kind: str) -> str:
    return f"{arn.partition(f':{kind}/')[0]}:{kind}/"


def _stem(name: str) -> str:
    """``teal-<service>-<hex>`` of ``teal-<service>-<hex>-<n>``: a number is added where a name is taken."""
    return name.rpartition("-")[0]
