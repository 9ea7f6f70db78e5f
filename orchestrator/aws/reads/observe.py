"""What a tick sees: all reads side by side, each a value, so that one that fails costs itself and nothing else."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import attempt, each
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.reads.shared_reads import Reads
from orchestrator.aws.reads.survey import survey
from orchestrator.aws.services import autoscaling, ecs, elbv2, task_definitions
from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    ImageSeen,
    RuleSeen,
    Series,
    ServiceSeen,
    StopSeen,
    Unread,
)
from orchestrator.core.domain.ids import ListenerArn, RuleArn
from orchestrator.core.tick.needs import MetricsNeed, Needs, RuleNeed
from orchestrator.core.tick.seen import Seen

T = TypeVar("T")
ServiceFound = ServiceSeen | Absent | Unread
Listings = dict[ListenerArn, tuple[RuleSeen, ...] | Absent | Unread]


async def observe(call: Caller, region: str, needs: Needs, reads: Reads | None = None) -> Seen:
    """Everything a tick asks for. Never raises Outside.

    `reads`: shared with other ticks. A tick that brings traffic to safety shares with nobody: it waits for no other.
    """
    shared = Reads(call) if reads is None or needs.is_urgent else reads
    async with asyncio.TaskGroup() as group:

        def start(wanted: object, read: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T] | None:
            return group.create_task(read()) if wanted else None

        surveyed = group.create_task(attempt(survey(call, region, needs.survey))) if needs.survey else None
        metrics = group.create_task(_metrics(shared, needs.metrics)) if needs.metrics else None
        listings = start(needs.listeners, lambda: each(needs.listeners, shared.listings(needs.listeners)))
        rules = start(needs.rules, lambda: _rules(shared, needs.rules, listings))
        services = start(needs.blue or needs.green, lambda: _services(shared, needs))
        balancers = {arn: group.create_task(attempt(elbv2.carried_by(call, arn))) for arn in needs.balancers}
        groups = start(needs.groups, lambda: each(needs.groups, elbv2.groups(call, needs.groups)))
        targets = {arn: group.create_task(attempt(elbv2.targets(call, arn))) for arn in needs.targets}
        scaled = tuple(name for name in (needs.scaling, needs.green_scaling) if name)
        scaling = start(scaled, lambda: each(scaled, shared.scaling(needs.cluster, scaled)))
        green_scales = start(
            needs.green_scales,
            lambda: attempt(
                autoscaling.scales(call, needs.cluster, needs.green_scales, alarms=needs.drivers)
            ),
        )
        revisions = {
            need.family: group.create_task(attempt(task_definitions.registered_since(call, need)))
            for need in needs.revisions
        }
        definition = start(
            needs.definition, lambda: attempt(task_definitions.definition_seen(call, needs.definition))
        )
        images = start(needs.images, lambda: attempt(_images(call, needs)))
        protection = start(
            needs.protection, lambda: attempt(ecs.protection(call, needs.cluster, needs.protection))
        )
        alarms = start(needs.alarms, lambda: _alarms(shared, needs))
    found = services.result() if services else {}
    targets_of = scaling.result() if scaling else {}
    return Seen(
        survey=surveyed.result() if surveyed else None,
        rules=rules.result() if rules else {},
        listings=listings.result() if listings else {},
        balancers={arn: read.result() for arn, read in balancers.items()},
        blue=found.get(needs.blue),
        green=found.get(needs.green),
        groups=groups.result() if groups else {},
        targets={arn: read.result() for arn, read in targets.items()},
        scaling=targets_of.get(needs.scaling),
        green_scaling=targets_of.get(needs.green_scaling),
        green_scales=green_scales.result() if green_scales else None,
        revisions={family: read.result() for family, read in revisions.items()},
        definition=definition.result() if definition else None,
        images=images.result() if images else None,
        protection=protection.result() if protection else None,
        alarms=alarms.result() if alarms else {},
        metrics=metrics.result() if metrics else {},
    )


async def _rules(
    reads: Reads, needs: tuple[RuleNeed, ...], listings: "asyncio.Task[Listings] | None"
) -> dict[RuleArn, RuleSeen | Absent | Unread]:
    """Rules by ARN; those of a listener that is read whole anyway are found there and cost no call of their own."""
    listed = {
        rule.arn: rule for seen in (await listings if listings else {}).values() for rule in _all_of(seen)
    }
    arns = [need.arn for need in needs if need.arn not in listed]
    read = await each(arns, reads.rules(arns)) if arns else {}
    return {need.arn: listed.get(need.arn) or read[need.arn] for need in needs}


def _all_of(listing: tuple[RuleSeen, ...] | Absent | Unread) -> tuple[RuleSeen, ...]:
    return listing if isinstance(listing, tuple) else ()


async def _alarms(reads: Reads, needs: Needs) -> dict[str, AlarmSeen | Absent | Unread]:
    return await each(needs.alarms, reads.alarms(needs.alarms, since=needs.alarms_since))


async def _metrics(reads: Reads, need: MetricsNeed) -> dict[str, Series | Unread]:
    return await each([query.id for query in need.queries], reads.metrics(need))


async def _images(call: Caller, needs: Needs) -> tuple[ImageSeen, ...]:
    """What ECS resolved the images of a service's newest revision to. Raises Outside."""
    found = (await ecs.describe_services(call, needs.cluster, [needs.images]))[needs.images]
    if isinstance(found, Absent | Unread):
        return ()
    return ecs.images(await ecs.revisions_of(call, found), found.get("taskDefinition", ""))


async def _services(reads: Reads, needs: Needs) -> dict[str, ServiceFound]:
    names = tuple(name for name in (needs.blue, needs.green) if name)
    async with asyncio.TaskGroup() as group:
        described = group.create_task(each(names, reads.services(needs.cluster, names)))
        stops = {
            name: group.create_task(attempt(reads.stops(needs.cluster, name)))
            for name in needs.stops
            if name in names
        }
    return {
        name: _service(found, stops[name].result() if name in stops else ())
        for name, found in described.result().items()
    }


def _service(found: Answer | Absent | Unread, stops: tuple[StopSeen, ...] | Unread) -> ServiceFound:
    if isinstance(found, Absent | Unread):
        return found
    if isinstance(stops, Unread):  # to show it without its stops would read as "nothing stopped"
        return Unread(why=f"its stopped tasks could not be read: {stops.why}")
    try:
        return ecs.service_seen(found, stops=stops)
    except (LookupError, TypeError) as error:
        return Unread(why=f"ECS's answer cannot be understood: {type(error).__name__} {error}")
