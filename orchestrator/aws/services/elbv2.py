"""Elastic Load Balancing v2: rules, target groups and their health, and the writes on them.

Source of all shapes: Elastic Load Balancing API Reference (version 2015-12-01). One unknown name or ARN fails a whole
describe call, so such a batch is asked again one by one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from orchestrator.aws.client.call import Caller, chunks
from orchestrator.aws.client.concurrent import attempt, each
from orchestrator.aws.client.transport import Answer
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import as_writable, canonical, says_the_same
from orchestrator.core.cloud.resources import FIXED, Absent, GroupSeen, RuleSeen, TargetsSeen, Unread
from orchestrator.core.domain.errors import Missing, Unreachable
from orchestrator.core.domain.ids import ListenerArn, LoadBalancerArn, RuleArn, TargetGroupArn

ARNS_PER_CALL = 20
ZONAL_SHIFT = "zonal_shift"  # ``zonal_shift_active``, ``zonal_shift_delegated_to_dns``

T = TypeVar("T")
Found = dict[str, Answer | Absent | Unread]
ReadRules = Callable[[Iterable[RuleArn]], Awaitable[Mapping[RuleArn, RuleSeen | Absent | Unread]]]


async def rules(call: Caller, arns: Iterable[RuleArn]) -> dict[RuleArn, RuleSeen | Absent | Unread]:
    """Rules (default ones too) by ARN. Never raises Outside: each is a value."""
    found = await _by_batch(tuple(arns), lambda batch: _rules_by_arn(call, batch))
    return {
        RuleArn(arn): rule if isinstance(rule, Absent | Unread) else rule_seen(rule)
        for arn, rule in found.items()
    }


async def groups(call: Caller, names: Iterable[str]) -> dict[str, GroupSeen | Absent | Unread]:
    """Target groups by name, with attributes and tags. Never raises Outside: each is a value."""
    found = await _by_batch(tuple(names), lambda batch: _groups_by_name(call, batch))
    described = {name: group for name, group in found.items() if not isinstance(group, Absent | Unread)}
    arns = tuple(group["TargetGroupArn"] for group in described.values())
    async with asyncio.TaskGroup() as tasks:
        tag_read = tasks.create_task(_by_batch(arns, lambda batch: _tags_by_arn(call, batch)))
        attribute_reads = {
            arn: tasks.create_task(attempt(_unless_missing(attributes(call, arn)))) for arn in arns
        }
    seen: dict[str, GroupSeen | Absent | Unread] = {}
    for name, group in found.items():
        if isinstance(group, Absent | Unread):
            seen[name] = group
        else:
            arn = group["TargetGroupArn"]
            seen[name] = _group(group, attribute_reads[arn].result(), tag_read.result()[arn])
    return seen


async def targets(call: Caller, group: TargetGroupArn) -> TargetsSeen | Absent:
    """How the targets of a group are; Absent: no such group. Raises Outside."""
    try:
        answer = await call.read(
            "elbv2", "DescribeTargetHealth", {"TargetGroupArn": group}, has="TargetHealthDescriptions"
        )
    except Missing:
        return Absent()
    return targets_seen(answer["TargetHealthDescriptions"])


async def targets_by_id(call: Caller, group: str) -> tuple[TargetsSeen, tuple[str, ...]]:
    """How the targets of a group are, and the ids of those that are not on their way out. Raises Outside."""
    asked = {"TargetGroupArn": group}
    answer = await call.read("elbv2", "DescribeTargetHealth", asked, has="TargetHealthDescriptions")
    shown = answer["TargetHealthDescriptions"]
    stays = [entry for entry in shown if not str(entry["TargetHealth"].get("State", "")).endswith("draining")]
    return targets_seen(shown), tuple(entry["Target"]["Id"] for entry in stays)


async def attributes(call: Caller, group: str) -> dict[str, str]:
    """All attributes of a target group. Raises Outside."""
    answer = await call.read(
        "elbv2", "DescribeTargetGroupAttributes", {"TargetGroupArn": group}, has="Attributes"
    )
    return {entry["Key"]: entry.get("Value", "") for entry in answer["Attributes"]}


async def tags(call: Caller, arns: Iterable[str]) -> dict[str, dict[str, str]]:
    """Tags of target groups by ARN. Raises Outside."""
    found: dict[str, dict[str, str]] = {}
    for batch in chunks(tuple(arns), ARNS_PER_CALL):
        answer = await call.read("elbv2", "DescribeTags", {"ResourceArns": list(batch)})
        for entry in answer.get("TagDescriptions", ()):
            found[entry["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in entry.get("Tags", ())}
    return found


async def groups_by_arn(call: Caller, arns: Iterable[str]) -> list[Answer]:
    """Target groups as described, in any order. Raises Outside (Missing: one of them does not exist)."""
    found: list[Answer] = []
    for batch in chunks(tuple(arns), ARNS_PER_CALL):
        found.extend(
            await _paged(call, "DescribeTargetGroups", {"TargetGroupArns": list(batch)}, "TargetGroups")
        )
    return found


async def groups_of(call: Caller, load_balancer: str) -> list[Answer]:
    """The target groups that a load balancer uses. Raises Outside."""
    return await _paged(call, "DescribeTargetGroups", {"LoadBalancerArn": load_balancer}, "TargetGroups")


async def listeners_of(call: Caller, load_balancer: str) -> list[Answer]:
    """The listeners of a load balancer. Raises Outside."""
    return await _paged(call, "DescribeListeners", {"LoadBalancerArn": load_balancer}, "Listeners")


async def rules_of(call: Caller, listener: str) -> list[RuleSeen]:
    """Every rule of a listener, the default one too. Raises Outside."""
    return [
        rule_seen(rule) for rule in await _paged(call, "DescribeRules", {"ListenerArn": listener}, "Rules")
    ]


async def carried_by(call: Caller, load_balancer: LoadBalancerArn) -> tuple[RuleSeen, ...] | Absent:
    """Every rule of every listener of a load balancer; Absent: no such load balancer. Raises Outside."""
    try:
        listeners = await listeners_of(call, load_balancer)
    except Missing:
        return Absent()
    found: list[RuleSeen] = []
    for listener in listeners:
        found += await rules_of(call, listener["ListenerArn"])
    return tuple(found)


async def listings(
    call: Caller, listeners: Iterable[ListenerArn]
) -> dict[ListenerArn, tuple[RuleSeen, ...] | Absent | Unread]:
    """Every rule of each listener, in the order of priority. Never raises Outside: each is a value."""
    async with asyncio.TaskGroup() as tasks:
        reads = {arn: tasks.create_task(attempt(_unless_missing(rules_of(call, arn)))) for arn in listeners}
    found = {arn: read.result() for arn, read in reads.items()}
    return {arn: tuple(seen) if isinstance(seen, list) else seen for arn, seen in found.items()}


async def listener_exists(call: Caller, listener: str) -> bool:
    """True if AWS knows the listener. Raises Outside."""
    try:
        return bool(await _paged(call, "DescribeListeners", {"ListenerArns": [listener]}, "Listeners"))
    except Missing:
        return False


async def rule_exists(call: Caller, rule: str) -> bool:
    """True if AWS knows the rule. Raises Outside."""
    try:
        return bool(await _rules_by_arn(call, (rule,)))
    except Missing:
        return False


async def zones_of(call: Caller, load_balancer: str) -> frozenset[str]:
    """The Availability Zones that a load balancer is enabled in. Raises Outside."""
    asked = {"LoadBalancerArns": [load_balancer]}
    found = await _paged(call, "DescribeLoadBalancers", asked, "LoadBalancers")
    return frozenset(zone["ZoneName"] for entry in found for zone in entry.get("AvailabilityZones", ()))


def rule_seen(rule: Mapping[str, Any]) -> RuleSeen:
    """A rule as described. Its listener and load balancer are part of its ARN."""
    arn = rule["RuleArn"]
    listener = listener_of(arn)
    return RuleSeen(
        arn=RuleArn(arn),
        listener=listener,
        load_balancer=LoadBalancerArn(listener.replace(":listener/", ":loadbalancer/").rpartition("/")[0]),
        is_default=bool(rule.get("IsDefault")),
        priority=rule.get("Priority", ""),
        conditions=canonical(rule.get("Conditions", [])),
        actions=canonical(rule.get("Actions", [])),
        transforms=canonical(rule["Transforms"]) if rule.get("Transforms") else "",
    )


def listener_of(rule: str) -> ListenerArn:
    """The listener of a rule: ``…:listener-rule/app/<name>/<id>/<listener>/<rule>`` says it.

    Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Elastic Load Balancing
    V2", resource types.
    """
    return ListenerArn(rule.replace(":listener-rule/", ":listener/").rpartition("/")[0])


def targets_seen(descriptions: Iterable[Mapping[str, Any]]) -> TargetsSeen:
    """Targets counted by state; a state of a kind not known here counts as unavailable."""
    counts = dict.fromkeys(("healthy", "initial", "unhealthy", "draining", "unused", "unavailable"), 0)
    reasons: dict[str, None] = {}
    shifted = 0
    zones: set[str] = set()
    for description in descriptions:
        health = description.get("TargetHealth") or {}
        state = health.get("State", "")
        if state == "unhealthy.draining":
            state = "draining"
        counts[state if state in counts else "unavailable"] += 1
        reason = health.get("Reason") or health.get("Description")
        if state != "healthy" and reason:
            reasons[reason] = None
        override = (description.get("AdministrativeOverride") or {}).get("State", "")
        shifted += override.startswith(ZONAL_SHIFT) and state != "draining"
        if state == "unused":
            zones.add((description.get("Target") or {}).get("AvailabilityZone", ""))
    return TargetsSeen(
        **counts, shifted=shifted, reasons=tuple(reasons), unused_zones=tuple(sorted(zones - {""}))
    )


async def write_rule(call: Caller, effect: effects.WriteRule, read: ReadRules) -> None:
    """Replace a rule's actions and nothing else: properties that are not sent stay as they are. Raises Outside.

    Elastic Load Balancing knows no version of a rule, so one that is not as it was when the write was decided is read
    once more right before, and left to the next look if somebody else was quicker; `read` reads it, together with the
    other rules that are to be written now. A write to safety waits for no read: its tick has read the rules and little
    else.
    """
    if effect.expects is not None and not effect.to_safety:
        found = (await read((effect.rule,)))[effect.rule]
        if isinstance(found, Unread):
            raise Unreachable(
                what=f"rule {effect.rule} was not written",
                why=f"it could not be read right before: {found.why}",
                next_step="Teal tries again",
            )
        if isinstance(found, RuleSeen) and not says_the_same(found.actions, effect.expects):
            return
    actions = json.loads(as_writable(effect.actions))
    if effect.is_default:
        params: Answer = {"ListenerArn": effect.listener, "DefaultActions": actions}
        await call.write("elbv2", "ModifyListener", params, to_safety=effect.to_safety, harm=effect.harm)
    else:
        params = {"RuleArn": effect.rule, "Actions": actions}
        await call.write("elbv2", "ModifyRule", params, to_safety=effect.to_safety, harm=effect.harm)


async def create_group(call: Caller, effect: effects.CreateTargetGroup) -> None:
    """Make a target group; with the same name and settings AWS answers with the one there is. Raises Outside."""
    template = json.loads(effect.template)
    own = {tag["Key"]: tag.get("Value", "") for tag in template.pop("Tags", ())}
    wanted = [{"Key": key, "Value": value} for key, value in (own | dict(effect.tags)).items()]
    await call.write("elbv2", "CreateTargetGroup", {**template, "Name": effect.name, "Tags": wanted})


async def configure_group(call: Caller, effect: effects.ConfigureTargetGroup) -> None:
    """Set attributes of a target group. Raises Outside."""
    wanted = [{"Key": key, "Value": value} for key, value in effect.attributes]
    if wanted:
        params: Answer = {"TargetGroupArn": effect.group, "Attributes": wanted}
        await call.write("elbv2", "ModifyTargetGroupAttributes", params)


async def delete_group(call: Caller, effect: effects.DeleteTargetGroup) -> None:
    """Delete a target group; one that is gone already is done. Raises Outside (Rejected: a rule still uses it)."""
    try:
        await call.write("elbv2", "DeleteTargetGroup", {"TargetGroupArn": effect.group})
    except Missing:
        return


async def tag(call: Caller, arns: Iterable[str], wanted: effects.Tags) -> None:
    """Put tags on target groups. Raises Outside."""
    named = [{"Key": key, "Value": value} for key, value in wanted]
    for batch in chunks(tuple(arns), ARNS_PER_CALL):
        await call.write("elbv2", "AddTags", {"ResourceArns": list(batch), "Tags": named})


async def _paged(call: Caller, operation: str, params: Answer, items: str) -> list[Answer]:
    return await call.pages("elbv2", operation, params, items=items, token="NextMarker", sent_as="Marker")


async def _rules_by_arn(call: Caller, arns: tuple[str, ...]) -> dict[str, Answer]:
    found = await _paged(call, "DescribeRules", {"RuleArns": list(arns)}, "Rules")
    return {rule["RuleArn"]: rule for rule in found}


async def _groups_by_name(call: Caller, names: tuple[str, ...]) -> dict[str, Answer]:
    found = await _paged(call, "DescribeTargetGroups", {"Names": list(names)}, "TargetGroups")
    return {group["TargetGroupName"]: group for group in found}


async def _tags_by_arn(call: Caller, arns: tuple[str, ...]) -> dict[str, Answer]:
    return dict(await tags(call, arns))


async def _by_batch(
    keys: tuple[str, ...], read: Callable[[tuple[str, ...]], Awaitable[dict[str, Answer]]]
) -> Found:
    """What `read` gives for each key, asked in batches side by side; a batch with an unknown key one by one."""
    if len(keys) <= ARNS_PER_CALL:
        return await each(keys, _batch(keys, read)) if keys else {}
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(each(batch, _batch(batch, read))) for batch in chunks(keys, ARNS_PER_CALL)]
    return {key: value for done in reads for key, value in done.result().items()}


async def _batch(
    keys: tuple[str, ...], read: Callable[[tuple[str, ...]], Awaitable[dict[str, Answer]]]
) -> Found:
    try:
        return dict(await read(keys))
    except Missing:
        if len(keys) == 1:
            return {keys[0]: Absent()}
        async with asyncio.TaskGroup() as tasks:
            reads = [tasks.create_task(each((key,), _batch((key,), read))) for key in keys]
        return {key: value for done in reads for key, value in done.result().items()}


def _group(
    group: Answer,
    attributes: dict[str, str] | Absent | Unread,
    tags: Answer | Absent | Unread,
) -> GroupSeen | Absent | Unread:
    if isinstance(attributes, Absent | Unread):
        return attributes
    if isinstance(tags, Absent | Unread):
        return tags
    return GroupSeen(
        arn=TargetGroupArn(group["TargetGroupArn"]),
        name=group["TargetGroupName"],
        load_balancers=tuple(LoadBalancerArn(entry) for entry in group.get("LoadBalancerArns", ())),
        attributes=attributes,
        tags=tags,
        settings=canonical({name: group[name] for name in FIXED if name in group}),
    )


async def _unless_missing(read: Awaitable[T]) -> T | Absent:
    """What `read` gives; Absent where what it asks about was deleted since it was listed."""
    try:
        return await read
    except Missing:
        return Absent()
