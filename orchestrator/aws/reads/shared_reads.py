"""What the ticks of one account and region read, gathered across rollouts into calls as full as AWS takes them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.aws.client.batching import Gatherer
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.concurrent import each
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.services import autoscaling, cloudwatch, ecs, elbv2
from orchestrator.core.cloud.resources import (
    Absent,
    MetricQuery,
    RuleSeen,
    ScalingSeen,
    Series,
    StopSeen,
    Unread,
)
from orchestrator.core.domain.ids import ListenerArn, RuleArn
from orchestrator.core.gates.scene import floor_to
from orchestrator.core.tick.needs import MetricsNeed

TURNS_AT_ONCE, TURN_SECONDS = 3, 3.0
SPANS = 4  # series are read with others of a window at most so many times as long
REFUSED_KEPT = 1000
STOPS_KEPT = 10_000  # a stopped task is listed for about an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Queries of one window may share a call, which has one start and one end."""

    period: timedelta
    end: datetime
    span: int = 0  # how long, in classes; 0: exactly from `start`
    start: datetime | None = None
    alone: MetricQuery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One series as several rollouts may ask for it: without the id by which each knows it."""

    query: MetricQuery
    start: datetime


class Reads:
    """Reads for many rollouts. `window`: seconds for which a call waits for others' questions (see ``batching.py``).

    Target health is missing here: AWS tells it one group a call, and no two rollouts have a group in common.
    """

    def __init__(self, call: Caller, *, window: float = 0.0) -> None:
        self._call = call
        self._refused: dict[MetricQuery, None] = {}
        self._stops: dict[str, StopSeen] = {}
        self._turns = asyncio.Semaphore(TURNS_AT_ONCE)
        self._rules: Gatherer[str, RuleArn, RuleSeen | Absent | Unread] = Gatherer(
            lambda _, arns: elbv2.rules(call, arns), most=elbv2.ARNS_PER_CALL, window=window
        )
        self._listings: Gatherer[str, ListenerArn, tuple[RuleSeen, ...] | Absent | Unread] = Gatherer(
            lambda _, arns: elbv2.listings(call, arns), most=elbv2.ARNS_PER_CALL, window=window
        )
        self._services: Gatherer[str, str, Answer | Absent | Unread] = Gatherer(
            lambda cluster, names: ecs.describe_services(call, cluster, names),
            most=ecs.SERVICES_PER_CALL,
            window=window,
        )
        self._alarms: Gatherer[str, str, cloudwatch.Found] = Gatherer(
            lambda _, names: cloudwatch.read_alarms(call, names),
            most=cloudwatch.ALARMS_PER_CALL,
            window=window,
        )
        self._scaling: Gatherer[str, str, ScalingSeen | Absent | Unread] = Gatherer(
            lambda cluster, names: autoscaling.targets(call, cluster, names),
            most=autoscaling.TARGETS_PER_CALL,
            window=window,
        )
        self._metrics: Gatherer[_Window, _Series, Series | Unread] = Gatherer(
            self._read_series,
            most=cloudwatch.QUERIES_PER_CALL,
            window=window,
            size=lambda key: cloudwatch.size(key.query),
        )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """The turn of one look that may wait for others; False: it did not come in time.

        A look takes several reads, all or nothing. Two dozen that shared what Teal allows itself would all get a part
        of theirs, and none ever the whole.
        """
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            self._turns.release()

    async def rules(self, arns: Iterable[RuleArn]) -> dict[RuleArn, RuleSeen | Absent | Unread]:
        """Rules by ARN, each a value. Raises Throttled if too much is under way."""
        return await self._rules.get("", arns)

    async def listings(
        self, listeners: Iterable[ListenerArn]
    ) -> dict[ListenerArn, tuple[RuleSeen, ...] | Absent | Unread]:
        """Every rule of each listener, each a value. Raises Throttled if too much is under way."""
        return await self._listings.get("", listeners)

    async def services(self, cluster: str, names: Iterable[str]) -> dict[str, Answer | Absent | Unread]:
        """Services by name as ECS describes them, each a value. Raises Throttled if too much is under way."""
        return await self._services.get(cluster, names)

    async def stops(self, cluster: str, service: str) -> tuple[StopSeen, ...]:
        """As `ecs.stops`; a task that stopped is asked about once. Raises Outside."""
        found = await ecs.stops(self._call, cluster, service, self._stops)
        while len(self._stops) > STOPS_KEPT:
            del self._stops[next(iter(self._stops))]
        return found

    async def scaling(
        self, cluster: str, services: Iterable[str]
    ) -> dict[str, ScalingSeen | Absent | Unread]:
        """Services' scalable targets by their names, each a value. Raises Throttled if too much is under way."""
        return await self._scaling.get(cluster, services)

    async def alarms(
        self, names: Iterable[str], *, since: datetime | None = None
    ) -> dict[str, cloudwatch.Found]:
        """Alarms by name as `cloudwatch.alarms` tells them. Raises Throttled if too much is under way."""
        return await cloudwatch.alarms(
            self._call, names, since=since, read=lambda lacking: self._alarms.get("", lacking)
        )

    async def metrics(self, need: MetricsNeed) -> dict[str, Series | Unread]:
        """The series asked for, by the queries' ids, each a value. Raises Throttled if too much is under way."""
        asked: dict[_Window, list[_Series]] = {}
        keys: dict[str, tuple[_Window, _Series]] = {}
        for query in need.queries:
            key = _Series(query=replace(query, id=""), start=floor_to(need.start, query.period))
            window = self._window(key, need.end)
            asked.setdefault(window, []).append(key)
            keys[query.id] = window, key
        async with asyncio.TaskGroup() as group:
            reads = {
                window: group.create_task(each(series, self._metrics.get(window, series)))
                for window, series in asked.items()
            }
        found = {window: read.result() for window, read in reads.items()}
        return {name: found[window][key] for name, (window, key) in keys.items()}

    def _window(self, key: _Series, end: datetime) -> _Window:
        query = key.query
        if query in self._refused or cloudwatch.must_be_alone(query):
            return _Window(period=query.period, end=end, start=key.start, alone=query)
        if query.expression:
            # It may look at the whole of its window: RUNNING_SUM does, and AVG over a series.
            return _Window(period=query.period, end=end, start=key.start)
        span, periods = 1, SPANS
        while key.start < end - periods * query.period:
            span, periods = span + 1, periods * SPANS
        return _Window(period=query.period, end=end, span=span)

    async def _read_series(
        self, window: _Window, keys: tuple[_Series, ...]
    ) -> Mapping[_Series, Series | Unread]:
        """Each series from its own start on, whatever the others' starts are."""
        names = {query: str(number) for number, query in enumerate(dict.fromkeys(key.query for key in keys))}
        need = MetricsNeed(
            queries=tuple(replace(query, id=name) for query, name in names.items()),
            start=min(key.start for key in keys),
            end=window.end,
        )
        found = await cloudwatch.metrics(self._call, need)
        for query, name in names.items():
            self._note(query, found[name])
        return {key: _since(found[names[key.query]], key.start) for key in keys}

    def _note(self, query: MetricQuery, found: Series | Unread) -> None:
        """Remember what CloudWatch refuses, so that it has a call of its own from now on and costs others none."""
        if isinstance(found, Unread) and found.is_refused:
            self._refused[query] = None
            while len(self._refused) > REFUSED_KEPT:
                del self._refused[next(iter(self._refused))]
        else:
            self._refused.pop(query, None)


def _since(found: Series | Unread, start: datetime) -> Series | Unread:
    return found if isinstance(found, Unread) else tuple(point for point in found if point[0] >= start)
