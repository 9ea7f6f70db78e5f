"""Counts from elsewhere than AWS."""

from collections.abc import Mapping
from typing import Protocol

from orchestrator.core.cloud.resources import Series, Unread
from orchestrator.core.tick.needs import MetricsNeed


class MetricSource(Protocol):
    """Numbers from elsewhere than AWS: series of expressions in the source's own language."""

    async def series(self, need: MetricsNeed) -> Mapping[str, Series | Unread]:
        """The series asked for, by the queries' ids, each a value. Never raises Outside.

        A point stands at the start of the interval that it speaks of. What the source holds nothing of is left out of
        its series; an answer that is partial is Unread.
        """
        ...
