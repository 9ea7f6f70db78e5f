"""What a tick reads of metric sources other than CloudWatch, beside its look at AWS."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from orchestrator.core.cloud.resources import Series, Unread
from orchestrator.core.tick.needs import MetricsNeed, Needs
from orchestrator.ports.metric_source import MetricSource

Sources = Mapping[str, MetricSource]


def of_cloudwatch(needs: Needs) -> Needs:
    """The needs without what is asked of other sources."""
    if needs.metrics is None:
        return needs
    own = tuple(query for query in needs.metrics.queries if not query.source)
    return replace(needs, metrics=replace(needs.metrics, queries=own) if own else None)


async def ask_sources(sources: Sources, needs: Needs) -> dict[str, Series | Unread]:
    """The series of every other source, side by side; one that is not in the settings is Unread."""
    if needs.metrics is None:
        return {}
    asked: dict[str, MetricsNeed] = {}
    for name in dict.fromkeys(query.source for query in needs.metrics.queries if query.source):
        queries = tuple(query for query in needs.metrics.queries if query.source == name)
        asked[name] = replace(needs.metrics, queries=queries)
    async with asyncio.TaskGroup() as group:
        reads = {
            name: group.create_task(sources[name].series(need))
            for name, need in asked.items()
            if name in sources
        }
    found: dict[str, Series | Unread] = {}
    for name, need in asked.items():
        unread = dict.fromkeys((query.id for query in need.queries), Unread(why=missing(name, sources)))
        found |= reads[name].result() if name in reads else unread
    return found


def missing(name: str, sources: Sources) -> str:
    """Why a source that the settings do not have cannot be read."""
    known = f"it has {', '.join(sorted(sources))}" if sources else "it has none"
    return f"metric source {name} is not among the server's settings; {known}"
