"""Break glass on AWS: finds a service by its name, and what divides its traffic with a green, by tags alone.

As few calls as will do, and each failure costs itself: what could not be read is said, and what was seen is acted on.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TypeVar

from orchestrator.aws.client.call import Caller, chunks
from orchestrator.aws.client.concurrent import attempt, side_by_side
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.reads import service_of_record
from orchestrator.aws.services import autoscaling, ecs, elbv2
from orchestrator.core.break_glass.direct_rollback import green_names
from orchestrator.core.break_glass.snapshot import Guest, Place, Step, TagGreen
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import Absent, RuleSeen, ScalingSeen, ServiceSeen, Unread
from orchestrator.core.domain import tags
from orchestrator.core.domain.errors import Denied, Missing, NotFound, Throttled, Unreachable
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.core.tick.needs import SurveyNeed

T = TypeVar("T")
DEFAULT = "default"  # the cluster that AWS's own tools mean when none is named
CLUSTERS_AT_ONCE = 10


class AwsDirect:
    """``ports.break_glass.Direct`` in one account and region; `perform` takes the effects that a rollout knows too."""

    def __init__(self, call: Caller, perform: Callable[[Effect], Awaitable[None]]) -> None:
        self._call, self._perform = call, perform

    async def find(self, *, cluster: str, service: str) -> ServiceName:
        """The service of record that is meant; `cluster` empty: the only one that has such a service.

        Green's own name means its blue. Raises NotFound, Outside.
        """
        if not cluster:
            cluster = await self._only_cluster(service)
        meant = ServiceName(cluster=cluster, service=service)
        found = ecs.service_seen((await service_of_record.find(self._call, _need(meant))).service)
        if found.tags.get(tags.MANAGED) == "true" and tags.SERVICE in found.tags:
            service = found.tags[tags.SERVICE].rpartition("/")[2]
        return ServiceName(cluster=found.cluster.rpartition("/")[2], service=service)

    async def look(self, service: ServiceName, known: Collection[TargetGroupArn] = ()) -> Place:
        """Blue, its rules and green as they are now. Raises Outside (Missing: no such service, or no traffic).

        `known`: green's target groups of an earlier look, which may be in no rule any more.
        """
        try:
            return await self._look(service, known)
        except (LookupError, TypeError, ValueError) as error:
            raise Unreachable(
                what=f"a look at {service}",
                why=f"AWS's answer cannot be understood: {type(error).__name__} {error}",
                next_step="try again; check AWS_ENDPOINT_URL",
            ) from error

    async def perform(self, step: Step) -> None:
        """Carry a step out; twice is once. Raises Outside; after Unreachable its outcome is unknown."""
        if not isinstance(step, TagGreen):
            await self._perform(step)
            return
        if step.service:
            await ecs.tag(self._call, step.service, step.tags)
        await elbv2.tag(self._call, step.groups, step.tags)

    async def _only_cluster(self, service: str) -> str:
        try:
            known = await ecs.clusters(self._call)
        except Denied:
            return DEFAULT  # without the permission to list there is one cluster to try
        having: list[str] = []
        for some in chunks(known, CLUSTERS_AT_ONCE):
            async with side_by_side() as reads:
                found = {one: reads.create_task(self._has(one, service)) for one in some}
            having += [one for one, read in found.items() if read.result()]
        if len(having) == 1:
            return having[0]
        what = f"which service {service} is meant"
        if not having:
            where = ", ".join(known) or "there is no cluster at all"
            raise NotFound(
                what=f"service {service}",
                why=f"no cluster of this account and region has one ({where})",
                next_step="check the name, the region and whose credentials these are; name it as CLUSTER/SERVICE",
            )
        raise NotFound(
            what=what,
            why=f"{len(having)} clusters have one",
            next_step=f"name it: {', '.join(f'{one}/{service}' for one in having)}",
        )

    async def _has(self, cluster: str, service: str) -> bool:
        found = (await ecs.describe_services(self._call, cluster, [service]))[service]
        if isinstance(found, Unread):
            raise Unreachable(what=f"service {cluster}/{service}", why=found.why, next_step="try again")
        return not isinstance(found, Absent)

    async def _look(self, service: ServiceName, known: Collection[TargetGroupArn]) -> Place:
        need = _need(service)
        place = await self._look_at(service, (await service_of_record.find(self._call, need)).service, known)
        if place.rules or place.unread or place.is_served:
            return place
        # It has tasks and nobody's traffic: perhaps a green that stayed serves in its place.
        other = await service_of_record.elsewhere(self._call, need, than=place.blue.name)
        return place if other is None else await self._look_at(service, other.service, known)

    async def _look_at(
        self, service: ServiceName, described: Answer, known: Collection[TargetGroupArn]
    ) -> Place:
        blue = ecs.service_seen(described)
        arns = _groups_of(described)
        if blue.tags.get(tags.SERVES) == tags.RETIRING:
            rollout = blue.tags.get(tags.ROLLOUT, "")
            raise Missing(
                what=f"a way back for {service} with AWS alone",
                why=f"{rollout} has put {blue.name} in place for good, and is retiring the service before it",
                next_step=f"`teal rollback {rollout}` gives that one its tasks and its traffic back; where no engine "
                "runs, roll the former revision out with plan instant",
            )
        if blue.status != "ACTIVE" or not arns:
            is_gone = blue.status != "ACTIVE"
            raise Missing(
                what=f"service {service}",
                why=f"it is {blue.status}" if is_gone else "no load balancer sends it traffic",
                next_step="name the service of record, whose users these are",
            )
        async with side_by_side() as reads:
            health = {arn: reads.create_task(attempt(elbv2.targets(self._call, arn))) for arn in arns}
            scaling = reads.create_task(attempt(autoscaling.target(self._call, blue.cluster, blue.name)))
            ruled = reads.create_task(self._rules(arns))
        rules, unread = ruled.result()
        beside = {group for rule in rules if _on(rule) & set(arns) for group in _on(rule) - set(arns)}
        guests = await self._guests(service, beside | set(known), unread)
        greens = frozenset(group for guest in guests for group in guest.groups)
        seen = scaling.result()
        named = tuple(guest.service.name for guest in guests if guest.service)
        scaled = await attempt(autoscaling.targets(self._call, blue.cluster, named)) if named else {}
        targets = {} if isinstance(scaled, Unread) else scaled
        return Place(
            cluster=service.cluster,
            blue=blue,
            targets={arn: read.result() for arn, read in health.items()},
            rules=tuple(rule for rule in rules if _on(rule) & greens and _on(rule) & set(arns)),
            alone=tuple(rule.name for rule in rules if _on(rule) & greens and not _on(rule) & set(arns)),
            guests=guests,
            is_served=any(service_of_record.gives(rule, frozenset(arns)) for rule in rules),
            scaling=seen if isinstance(seen, ScalingSeen) else None,
            scaled=tuple(name for name, target in targets.items() if isinstance(target, ScalingSeen)),
            unread=tuple(unread),
        )

    async def _rules(self, groups: tuple[TargetGroupArn, ...]) -> tuple[list[RuleSeen], list[str]]:
        """Every rule of the load balancers that use the groups, and what could not be read."""
        described = await elbv2.groups_by_arn(self._call, groups)
        balancers = dict.fromkeys(
            LoadBalancerArn(arn) for group in described for arn in group.get("LoadBalancerArns", ())
        )
        unread: list[str] = []
        listed = await self._each(
            ((arn, elbv2.listeners_of(self._call, arn)) for arn in balancers), unread, "its listeners"
        )
        listeners = [listener["ListenerArn"] for one in listed for listener in one]
        ruled = await self._each(
            ((arn, elbv2.rules_of(self._call, arn)) for arn in listeners), unread, "its rules"
        )
        return [rule for one in ruled for rule in one], unread

    async def _each(
        self, reads: Iterable[tuple[str, Awaitable[list[T]]]], unread: list[str], what: str
    ) -> list[list[T]]:
        """What could be read; AWS's troubles go into `unread`, a refusal is raised."""
        named = tuple(reads)
        async with side_by_side() as group:
            done = [(name, group.create_task(_or_unread(read))) for name, read in named]
        found: list[list[T]] = []
        for name, task in done:
            result = task.result()
            if isinstance(result, Unread):
                unread.append(f"{what} could not be read ({name.rpartition(':')[2]}): {result.why}")
            else:
                found.append(result)
        return found

    async def _guests(
        self, service: ServiceName, groups: Collection[TargetGroupArn], unread: list[str]
    ) -> tuple[Guest, ...]:
        """Each rollout's green: its groups, known by their tags, and its service."""
        tagged = await _or_unread(elbv2.tags(self._call, sorted(groups)))
        if isinstance(tagged, Unread):
            unread.append(f"the target groups' tags could not be read: {tagged.why}")
            return ()
        by_rollout: dict[str, dict[TargetGroupArn, Mapping[str, str]]] = {}
        for arn, found in tagged.items():
            if tags.is_of(found, cluster=service.cluster, service=service.service):
                by_rollout.setdefault(found.get(tags.ROLLOUT, ""), {})[TargetGroupArn(arn)] = found
        return tuple(
            [
                Guest(
                    rollout=rollout,
                    groups=groups,
                    service=await self._green(service, rollout, unread),
                )
                for rollout, groups in sorted(by_rollout.items())
            ]
        )

    async def _green(self, service: ServiceName, rollout: str, unread: list[str]) -> ServiceSeen | None:
        names = green_names(service.service, rollout)
        described = await _or_unread(ecs.describe_services(self._call, service.cluster, names))
        found = {"green": described} if isinstance(described, Unread) else described
        for one in found.values():
            if isinstance(one, Unread):
                unread.append(f"green's service could not be read: {one.why}")
            elif not isinstance(one, Absent):
                seen = ecs.service_seen(one)
                if seen.tags.get(tags.ROLLOUT) == rollout and seen.status == "ACTIVE":
                    return seen
        return None


def _need(service: ServiceName) -> SurveyNeed:
    return SurveyNeed(
        cluster=service.cluster, service=service.service, task_definition="", rules=(), alarms=()
    )


def _groups_of(service: Answer) -> tuple[TargetGroupArn, ...]:
    entries = service.get("loadBalancers", ())
    return tuple(TargetGroupArn(one["targetGroupArn"]) for one in entries if one.get("targetGroupArn"))


def _on(rule: RuleSeen) -> frozenset[TargetGroupArn]:
    """The target groups that a rule forwards to, at whatever weight."""
    forward = read_forward(rule.actions)
    return frozenset(w.group for w in forward.groups) if forward else frozenset()


async def _or_unread(read: Awaitable[T]) -> T | Unread:
    """What `read` gives, or why AWS did not answer; a refusal is raised, since it will not pass by itself."""
    try:
        return await read
    except (Throttled, Unreachable) as error:
        return Unread(why=str(error))
