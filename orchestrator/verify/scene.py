"""What a part of a run works with: the place, the calls, the users, and the time."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.core.domain.ids import metric_dimension
from orchestrator.core.gates.scene import floor_to
from orchestrator.verify.journal import Journal, Made
from orchestrator.verify.means import Calls, Means, Refusal, Users
from orchestrator.verify.place.kinds import KINDS, is_gone
from orchestrator.verify.place.making import Maker, Place, Tell
from orchestrator.verify.wanted import Wanted

STEERS_LEAST = 2.0  # seconds: a sandbox's rules take as long whatever its minutes are
UNREACHED = "no request that this machine sent reached the load balancer"


@dataclass(slots=True, kw_only=True)
class Scene:
    """One run in progress. `users` None: none of this machine's requests reaches the service."""

    wanted: Wanted
    means: Means
    journal: Journal
    place: Place
    tell: Tell
    users: Users | None = None

    @property
    def calls(self) -> Calls:
        """AWS."""
        return self.means.calls

    @property
    def maker(self) -> Maker:
        """Makes things that the journal knows of."""
        return Maker(self.calls, self.journal, self.wanted, self.tell)

    @property
    def minute(self) -> float:
        """Seconds of a CloudWatch minute there."""
        return self.wanted.minute.total_seconds()

    @property
    def steers_after(self) -> float:
        """Seconds after which a written rule steers every request: ten on AWS, where nothing is shortened."""
        return max(self.minute / 6, STEERS_LEAST)

    def now(self) -> datetime:
        """AWS's time."""
        return self.means.engine.clock.now()

    async def wait(self, minutes: float) -> None:
        """Let so many of CloudWatch's minutes pass."""
        await asyncio.sleep(minutes * self.minute)

    async def into_minute(self, part: float) -> datetime:
        """Wait until this part of a minute has passed; the minute's start."""
        minute, now = self.wanted.minute, self.now()
        start = floor_to(now, minute)
        at = start + minute * part
        if at < now:
            start, at = start + minute, at + minute
        await asyncio.sleep((at - now).total_seconds())
        return start

    async def counts(
        self, metric: str, group: str, *, start: datetime, end: datetime
    ) -> dict[datetime, float]:
        """The sums of a target group's metric by the start of their minute; a minute without one is left out."""
        dimensions = [
            {"Name": "LoadBalancer", "Value": metric_dimension(self.place.load_balancer)},
            {"Name": "TargetGroup", "Value": metric_dimension(group)},
        ]
        stat = {
            "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions},
            "Period": int(self.minute),
            "Stat": "Sum",
        }
        answer = await self.calls(
            "cloudwatch",
            "GetMetricData",
            MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
            StartTime=start,
            EndTime=end,
        )
        found = answer["MetricDataResults"][0]
        return dict(zip(found["Timestamps"], found["Values"], strict=True))

    async def blue(self) -> dict[str, Any]:
        """The service of record, as ECS describes it. Raises Refusal."""
        name = self.place.service
        shown = await self.calls("ecs", "DescribeServices", cluster=name.cluster, services=[name.service])
        found: dict[str, Any] = shown["services"][0]
        return found

    @asynccontextmanager
    async def a(
        self, made: Made, operation: tuple[str, str, dict[str, Any]], *path: str | int
    ) -> AsyncIterator[str]:
        """Something of the run's for as long as the context lasts; its ARN. Raises Refusal where it is not made."""
        arn = await self.maker.make(made, operation, *path)
        try:
            yield arn
        finally:
            kept = Made(kind=made.kind, name=made.name, within=made.within, arn=arn)
            try:
                await KINDS[made.kind].remove(self.calls, kept, arn or made.name)
                self.journal.removed(kept)
            except Refusal as refusal:  # the end of the run tries again
                if is_gone(refusal):
                    self.journal.removed(kept)


def policy(*statements: tuple[Sequence[str], Sequence[str]]) -> str:
    """A policy document that allows these actions on these resources."""
    listed = [{"Effect": "Allow", "Action": list(a), "Resource": list(r)} for a, r in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": listed}, separators=(",", ":"))
