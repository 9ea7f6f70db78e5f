"""The survey: blue and everything that carries its traffic, by read-only calls, in the order of their dependence."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import side_by_side
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.reads import service_of_record
from orchestrator.aws.services import autoscaling, clone_requests, cloudwatch, ecs, elbv2, task_definitions
from orchestrator.core.cloud.definition_differences import Difference, differences
from orchestrator.core.cloud.forward_action import canonical, read_forward
from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    ImageSeen,
    RuleSeen,
    Series,
    TargetsSeen,
    Unread,
)
from orchestrator.core.cloud.survey import GroupSurvey, NewRevision, Survey, is_elsewhere
from orchestrator.core.domain.errors import Denied, Outside, Unreachable
from orchestrator.core.domain.ids import Json, LoadBalancerArn, TargetGroupArn
from orchestrator.core.gates import metric
from orchestrator.core.gates.scene import Colour, Names
from orchestrator.core.tick.needs import MetricsNeed, SurveyNeed

# A group whose zones are served apart answers 503 in a zone that has no targets.
PERIODS = 60  # of a metric's past that are looked at
CROSS_ZONE = "load_balancing.cross_zone.enabled"


async def survey(call: Caller, region: str, need: SurveyNeed) -> Survey:
    """The world before a rollout. Raises Outside (Missing: no such cluster or service)."""
    account = await _account(call)
    need = _without_foreign(need, account=account, region=region)
    made = await _survey(call, account, region, need, await service_of_record.find(call, need))
    groups = frozenset(group.arn for group in made.groups)
    if made.blue.desired and groups and not any(service_of_record.gives(rule, groups) for rule in made.rules):
        # It has tasks and nobody's traffic: perhaps another one took its place.
        other = await service_of_record.elsewhere(call, need, than=made.blue.name)
        return made if other is None else await _survey(call, account, region, need, other)
    return made


async def _survey(
    call: Caller, account: str, region: str, need: SurveyNeed, found: service_of_record.Serving
) -> Survey:
    service = found.service
    cluster, name = service["clusterArn"], service["serviceName"]
    arns = [
        entry["targetGroupArn"] for entry in service.get("loadBalancers", ()) if entry.get("targetGroupArn")
    ]
    async with side_by_side() as reads:
        groups = reads.create_task(_groups(call, service, arns))
        asked = reads.create_task(_revisions(call, service))
        unsettled = reads.create_task(_unsettled(call, service))
        wanted = reads.create_task(_wanted(call, service, need))
        former = reads.create_task(task_definitions.describe(call, service["taskDefinition"]))
        scaling = reads.create_task(autoscaling.scales(call, cluster, name, are_tags_read=True))
        alarms = reads.create_task(_alarms(call, need.alarms))
    revisions, revisions_unread = asked.result()
    balancers = tuple(dict.fromkeys(lb for group in groups.result() for lb in group.load_balancers))
    async with side_by_side() as reads:
        carried = reads.create_task(_rules(call, balancers, need.rules))
        count = reads.create_task(_fullest(call, balancers))
        zones = reads.create_task(_zones_without_targets(call, service, groups.result()))
        served = reads.create_task(_zones(call, balancers)) if need.counts_zones else None
        numbers = reads.create_task(_metrics(call, need, cluster, name, groups.result()))
    rules, missing_rules = carried.result()
    minimum, maximum = clone_requests.percents(service)
    scales = scaling.result()
    return Survey(
        account=account,
        region=region,
        blue=ecs.service_seen(service),
        controller=(service.get("deploymentController") or {}).get("type", "ECS"),
        strategy=(service.get("deploymentConfiguration") or {}).get("strategy", "ROLLING"),
        scheduling=service.get("schedulingStrategy", "REPLICA"),
        unclonable=clone_requests.unclonable(service, revisions),
        unsettled=unsettled.result(),
        minimum_percent=minimum,
        maximum_percent=maximum,
        template=canonical(
            clone_requests.service_template(service, revisions, keeps_discovery=need.keeps_discovery)
        ),
        groups=groups.result(),
        rules=tuple(rule for rule in rules if _carries(rule, arns)),
        missing_rules=missing_rules,
        zones_without_targets=zones.result(),
        revision=ecs.task_definition_seen(asked_for) if (asked_for := wanted.result()[0]) else None,
        differences=_differences(former.result(), asked_for),
        former=ecs.task_definition_seen(ran) if (ran := former.result()) else None,
        former_template=_kept(ran, ecs.images(revisions, service["taskDefinition"])),
        scaling=scales.target,
        policies=tuple(policy.name for policy in scales.policies),
        scheduled_actions=tuple(f"{action.name} ({action.schedule})" for action in scales.schedules),
        scales=scales if scales.target is not None and scales.is_driven else None,
        alarms=alarms.result()[0],
        missing_alarms=alarms.result()[1],
        metrics=numbers.result(),
        groups_per_load_balancer=count.result(),
        zones=len(served.result()) if served else 1,
        new_revisions=wanted.result()[1],
        registries=clone_requests.registries(service),
        known=need.known,
        revisions_unread=revisions_unread,
        is_known_gone=found.is_known_gone,
        rivals=found.rivals,
    )


def _without_foreign(need: SurveyNeed, *, account: str, region: str) -> SurveyNeed:
    """The same without ARNs of other accounts and regions: nothing is asked about them, and preflight refuses them."""
    is_foreign = partial(is_elsewhere, account=account, region=region)
    return replace(
        need,
        rules=tuple(arn for arn in need.rules if not is_foreign(arn)),
        task_definition="" if is_foreign(need.task_definition) else need.task_definition,
    )


async def _account(call: Caller) -> str:
    answer = await call.read("sts", "GetCallerIdentity", {}, has="Account")
    return str(answer["Account"])


async def _wanted(
    call: Caller, service: Answer, need: SurveyNeed
) -> tuple[Answer | None, tuple[NewRevision, ...]]:
    """The revision that blue is to take over, and what must be registered for it. Raises Outside."""
    if not need.images and not need.task_definition:  # it is another account's
        return None, ()
    if not need.images and not need.colour_variable and not need.revives:
        return await ecs.task_definition(call, need.task_definition), ()
    found = await task_definitions.describe(call, need.task_definition or service["taskDefinition"])
    if found is None:
        return None, ()
    is_new = bool(need.images) or (need.revives and found["status"] != "ACTIVE")
    if is_new:  # nobody has registered it: what is known of it is what it will say
        found = task_definitions.with_images(found, need.images)
        found |= {"taskDefinitionArn": f"{found['family']}:new", "status": "ACTIVE"}
    new = await task_definitions.new_revisions(call, found, is_new=is_new, variable=need.colour_variable)
    return found, new


def _differences(former: Answer | None, wanted: Answer | None) -> tuple[Difference, ...] | None:
    """What the wanted revision has otherwise than blue's; None: one of them is not known."""
    if former is None or wanted is None:
        return None
    return differences(task_definitions.template(former), task_definitions.template(wanted))


def _kept(definition: Answer | None, images: tuple[ImageSeen, ...]) -> Json:
    """What registers blue's former revision again, by the images that ran: a tag may be moved meanwhile."""
    if definition is None:
        return Json("")
    pinned = tuple((seen.container, task_definitions.pinned(seen)) for seen in images if seen.digest)
    return canonical(task_definitions.template(task_definitions.with_images(definition, pinned)))


async def _revisions(call: Caller, service: Answer) -> tuple[list[Answer], str]:
    """Blue's service revisions, or why nobody may read them: preflight says what that costs. Raises Outside."""
    try:
        return await ecs.revisions_of(call, service), ""
    except Denied as denied:
        return [], str(denied)


async def _unsettled(call: Caller, service: Answer) -> tuple[str, ...]:
    """Deployments of other tools that have not ended: as listed, else as the service itself shows them."""
    listed = await ecs.deployments_under_way(call, service["clusterArn"], service["serviceName"])
    return listed or tuple(
        f"deployment {entry['id']} is {entry.get('rolloutState') or entry['status']}"
        for entry in service.get("deployments", ())
        if entry["status"] == "ACTIVE" or entry.get("rolloutState") == "IN_PROGRESS"
    )


async def _groups(call: Caller, service: Answer, arns: list[str]) -> tuple[GroupSurvey, ...]:
    """Blue's target groups in the order of the service's entries. Raises Outside."""
    async with side_by_side() as reads:
        described = reads.create_task(elbv2.groups_by_arn(call, arns))
        tags = reads.create_task(elbv2.tags(call, arns))
        attributes = {arn: reads.create_task(elbv2.attributes(call, arn)) for arn in arns}
        targets = {arn: reads.create_task(_targets(call, arn)) for arn in arns}
    by_arn = {group["TargetGroupArn"]: group for group in described.result()}
    ids = {arn: read.result()[1] for arn, read in targets.items()}
    strangers = await _strangers(call, service, by_arn, ids)
    return tuple(
        _group(
            by_arn[entry["targetGroupArn"]],
            entry,
            attributes=attributes[entry["targetGroupArn"]].result(),
            tags=tags.result().get(entry["targetGroupArn"], {}),
            targets=targets[entry["targetGroupArn"]].result()[0],
            strangers=strangers.get(entry["targetGroupArn"], ()),
        )
        for entry in service.get("loadBalancers", ())
        if entry.get("targetGroupArn")
    )


def _group(
    group: Answer,
    entry: Mapping[str, Any],
    *,
    attributes: Mapping[str, str],
    tags: Mapping[str, str],
    targets: TargetsSeen | None,
    strangers: tuple[str, ...],
) -> GroupSurvey:
    is_sticky = attributes.get("stickiness.enabled") == "true"
    return GroupSurvey(
        arn=TargetGroupArn(group["TargetGroupArn"]),
        name=group["TargetGroupName"],
        load_balancers=tuple(LoadBalancerArn(arn) for arn in group.get("LoadBalancerArns", ())),
        protocol_version=group.get("ProtocolVersion", ""),
        container=entry["containerName"],
        port=entry["containerPort"],
        template=canonical(clone_requests.group_template(group, tags)),
        attributes=canonical(clone_requests.group_attributes(attributes)),
        stickiness=attributes.get("stickiness.type", "") if is_sticky else "",
        targets=targets,
        strangers=strangers,
    )


async def _targets(call: Caller, group: str) -> tuple[TargetsSeen | None, tuple[str, ...]]:
    try:
        return await elbv2.targets_by_id(call, group)
    except Outside:
        return None, ()


async def _strangers(
    call: Caller, service: Answer, groups: Mapping[str, Answer], ids: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """By group: its targets that are no tasks of blue, as far as addresses tell (target type ip). Raises Outside.

    The tasks are read after the targets: a target's task runs by then, or has stopped and is still known.
    """
    by_address = {arn: ids[arn] for arn, group in groups.items() if group.get("TargetType") == "ip"}
    if not any(by_address.values()):
        return {}
    known: set[str] = set()
    for status in ("RUNNING", "STOPPED"):
        known |= await ecs.addresses(call, service["clusterArn"], service["serviceName"], status)
        if known >= {target for targets in by_address.values() for target in targets}:
            return {}
    if not known:  # no task shows an address: then none says whose a target is
        return {}
    return {arn: tuple(t for t in targets if t not in known) for arn, targets in by_address.items()}


async def _rules(
    call: Caller, balancers: Iterable[str], named: Iterable[str]
) -> tuple[list[RuleSeen], tuple[str, ...]]:
    """Every rule of every listener of the load balancers, and what is named but does not exist."""
    async with side_by_side() as reads:
        listed = [reads.create_task(elbv2.listeners_of(call, balancer)) for balancer in balancers]
    listeners = [listener["ListenerArn"] for one in listed for listener in one.result()]
    async with side_by_side() as reads:
        ruled = [reads.create_task(elbv2.rules_of(call, listener)) for listener in listeners]
    rules = [rule for one in ruled for rule in one.result()]
    known = {*listeners, *(rule.arn for rule in rules)}
    return rules, tuple([arn for arn in named if arn not in known and not await _exists(call, arn)])


async def _exists(call: Caller, arn: str) -> bool:
    """True if AWS knows a rule or listener that is on none of blue's load balancers."""
    if ":listener/" in arn:
        return await elbv2.listener_exists(call, arn)
    return await elbv2.rule_exists(call, arn)


def _carries(rule: RuleSeen, groups: Iterable[str]) -> bool:
    forward = read_forward(rule.actions)
    return forward is not None and any(forward.weight(TargetGroupArn(group)) is not None for group in groups)


async def _fullest(call: Caller, balancers: Iterable[str]) -> int:
    counts = [len(await elbv2.groups_of(call, balancer)) for balancer in balancers]
    return max(counts, default=0)


async def _zones_without_targets(
    call: Caller, service: Answer, groups: Iterable[GroupSurvey]
) -> tuple[str, ...]:
    """Zones of a load balancer without a task of blue, where a group serves each zone with its own targets."""
    apart = [group for group in groups if json.loads(group.attributes).get(CROSS_ZONE) == "false"]
    if not apart:
        return ()
    used = await ecs.zones(call, service["clusterArn"], service["serviceName"])
    enabled = await _zones(call, {balancer for group in apart for balancer in group.load_balancers})
    return tuple(sorted(enabled - used))


async def _zones(call: Caller, balancers: Iterable[LoadBalancerArn]) -> frozenset[str]:
    """The zones in which any of these load balancers is enabled."""
    found: set[str] = set()
    for balancer in balancers:
        found |= await elbv2.zones_of(call, balancer)
    return frozenset(found)


async def _metrics(
    call: Caller, need: SurveyNeed, cluster: str, service: str, groups: Iterable[GroupSurvey]
) -> tuple[tuple[str, Series | Unread], ...]:
    """The last hour (or sixty periods) of what the file's queries say of blue."""
    if not need.metrics or need.at is None:
        return ()
    carried = [group for group in groups if group.load_balancers]
    names = Names(
        cluster=cluster,
        blue_service=service,
        green_service=service,
        groups=tuple((group.arn, group.arn) for group in carried),
        balancers=tuple(group.load_balancers[0] for group in carried),
    )
    queries = tuple(metric.query(spec, names, Colour.BLUE, period=need.period) for spec in need.metrics)
    longest = max(query.period for query in queries)
    asked = MetricsNeed(queries=queries, start=need.at - PERIODS * longest, end=need.at)
    found = await cloudwatch.metrics(call, asked)
    return tuple((spec.name, found[metric.series_of(spec)]) for spec in need.metrics)


async def _alarms(call: Caller, names: Iterable[str]) -> tuple[tuple[AlarmSeen, ...], tuple[str, ...]]:
    """The named alarms and the names that CloudWatch does not know. Raises Unreachable if it does not say."""
    found = await cloudwatch.alarms(call, names)
    for name, alarm in found.items():
        if isinstance(alarm, Unread):
            raise Unreachable(what=f"alarm {name} could not be read", why=alarm.why, next_step="try again")
    seen = tuple(alarm for alarm in found.values() if isinstance(alarm, AlarmSeen))
    return seen, tuple(name for name, alarm in found.items() if isinstance(alarm, Absent))
