"""Finds the ECS service that serves under a service's name: the one of that name, or a green that stayed in its place.

The store may know; the tags and the weights say what is so. Services beside the named one are looked for only where it
does not serve by itself, since that takes a listing of the whole cluster.
"""

import re
from dataclasses import dataclass

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import side_by_side
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services import ecs, elbv2
from orchestrator.aws.services import ecs_listing as scout
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import Absent, RuleSeen, Unread
from orchestrator.core.domain.errors import Denied, Missing, Unreachable
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn
from orchestrator.core.domain.tags import SERVES, is_of
from orchestrator.core.tick.needs import SurveyNeed

NOWHERE, WEIGHTLESS, CARRIES = range(3)  # on rules: not at all, at weight 0, with traffic
ADVICE = (
    "check the names of cluster and service, the account and the region; to bring a new service up, create it "
    "with desired count 0 and its target group in a rule, and roll out with first_deployment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The service that serves, as described, and what does not fit."""

    service: Answer
    is_known_gone: bool = False  # the one that the store knows is not there any more
    rivals: tuple[str, ...] = ()  # others of the same service that rules give traffic too


async def blue(call: Caller, cluster: str, name: str) -> Answer:
    """Blue as described. Raises Outside; Missing says what to check."""
    what = f"service {cluster}/{name}"
    advice = ADVICE
    try:
        found = (await ecs.describe_services(call, cluster, [name]))[name]
    except Missing as error:
        raise Missing(what=what, why=f"there is no such cluster ({error.why})", next_step=advice) from error
    if isinstance(found, Absent):
        why = f"ECS knows no active service of this name ({found.reason})"
        raise Missing(what=what, why=why, next_step=advice)
    if isinstance(found, Unread):
        raise Unreachable(what=what, why=found.why, next_step="try again")
    return found


async def find(call: Caller, need: SurveyNeed) -> Serving:
    """The service of record. Raises Outside (Missing: there is none)."""
    first = need.known or need.service
    described = await _described(call, need, (first, need.service))
    known, named = described[first], described[need.service]
    if known is not None and _runs(known):
        is_other = named is not None and first != need.service and _runs(named)
        is_rival = is_other and named is not None and await _standing(call, named) == CARRIES
        return Serving(service=known, rivals=(need.service,) if is_rival else ())
    other = await elsewhere(call, need, than=first, named=named)
    if other is not None:
        return Serving(service=other.service, is_known_gone=known is None, rivals=other.rivals)
    found = known or named
    if found is None:
        found = await blue(call, need.cluster, need.service)  # says what ECS says of it
    return Serving(service=found, is_known_gone=known is None)


async def elsewhere(
    call: Caller, need: SurveyNeed, *, than: str, named: Answer | None = None
) -> Serving | None:
    """A service of the same record other than this one that rules know; None: there is none. Raises Outside.

    Without the permission to list a cluster's services there is nothing else to be found.
    """
    try:
        alike = await _left_by_swaps(call, need)
    except Denied:
        alike = []
    candidates = [*([named] if named is not None and _runs(named) else []), *alike]
    candidates = [one for one in candidates if one["serviceName"] != than]
    async with side_by_side() as reads:
        looks = [reads.create_task(_standing(call, one)) for one in candidates]
    # Another store's rollout may have all traffic for now: what it goes back to is still in the rules.
    best = max((task.result() for task in looks), default=NOWHERE)
    found = [one for one, task in zip(candidates, looks, strict=True) if task.result() == best]
    if best == NOWHERE:
        return None
    return Serving(service=found[0], rivals=tuple(one["serviceName"] for one in found[1:]))


async def _standing(call: Caller, service: Answer) -> int:
    """Whether rules give this service's target groups traffic, or have them at weight 0, or not. Raises Outside."""
    groups = frozenset(
        TargetGroupArn(entry["targetGroupArn"])
        for entry in service.get("loadBalancers", ())
        if entry.get("targetGroupArn")
    )
    try:
        described = await elbv2.groups_by_arn(call, sorted(groups))
    except Missing:
        return NOWHERE
    balancers = dict.fromkeys(LoadBalancerArn(arn) for one in described for arn in one["LoadBalancerArns"])
    async with side_by_side() as reads:
        read = [reads.create_task(elbv2.carried_by(call, balancer)) for balancer in balancers]
    rules = [rule for task in read if not isinstance(found := task.result(), Absent) for rule in found]
    if any(gives(rule, groups) for rule in rules):
        return CARRIES
    forwards = (read_forward(rule.actions) for rule in rules)
    is_listed = any(one.group in groups for forward in forwards if forward for one in forward.groups)
    return WEIGHTLESS if is_listed else NOWHERE


def gives(rule: RuleSeen, groups: frozenset[TargetGroupArn]) -> bool:
    """True if a rule gives one of these target groups traffic; a single group takes everything."""
    forward = read_forward(rule.actions)
    if forward is None:
        return False
    is_alone = len(forward.groups) == 1
    return any(one.group in groups and (one.weight or is_alone) for one in forward.groups)


async def _left_by_swaps(call: Caller, need: SurveyNeed) -> list[Answer]:
    """Services of the cluster that are named and tagged as greens of this service that stayed, and have tasks."""
    like = re.compile(re.escape(need.service[:240]) + r"-[0-9a-f]{8}(-\d+)?")
    names = [name for name in await scout.names(call, need.cluster) if like.fullmatch(name)]
    found = [one for one in (await _described(call, need, names)).values() if one is not None and _runs(one)]
    cluster = need.cluster.rpartition("/")[2]
    return [
        one
        for one in found
        if is_of(tags := ecs.tags_of(one), cluster=cluster, service=need.service) and SERVES in tags
    ]


def _runs(service: Answer) -> bool:
    return bool(service.get("status") == "ACTIVE" and service.get("desiredCount"))


async def _described(
    call: Caller, need: SurveyNeed, names: tuple[str, ...] | list[str]
) -> dict[str, Answer | None]:
    """Services by name; None: not there. Raises Outside."""
    try:
        found = await ecs.describe_services(call, need.cluster, tuple(dict.fromkeys(names)))
    except Missing as error:
        raise Missing(
            what=f"service {need.cluster}/{need.service}",
            why=f"there is no such cluster ({error.why})",
            next_step=ADVICE,
        ) from error
    described: dict[str, Answer | None] = {}
    for name, one in found.items():
        if isinstance(one, Unread):
            what = f"service {need.cluster}/{name}"
            raise Unreachable(what=what, why=one.why, next_step="try again")
        described[name] = None if isinstance(one, Absent) else one
    return described
