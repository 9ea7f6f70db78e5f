"""Token buckets set below AWS's own, one for each API family, so that Teal leaves room for the account's other tools.

Sources: "Request throttling for the Elastic Load Balancing API", "Request throttling for the Amazon ECS API",
"CloudWatch service quotas". Application Auto Scaling publishes no figures; ours are careful.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from heapq import heapify, heappush
from itertools import count

from orchestrator.aws.client.errors import call_name
from orchestrator.core.domain.errors import Throttled


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An API family's bucket at AWS, and how much of it is kept for calls that bring traffic to safety."""

    size: float
    per_second: float
    reserve: float = 0


OF_PREFLIGHT = "preflight read"
FAMILIES = {
    "elbv2 read": Family(size=40, per_second=10, reserve=5),
    "elbv2 write": Family(size=20, per_second=3, reserve=5),
    "ecs service write": Family(size=50, per_second=5, reserve=5),
    "ecs service read": Family(size=100, per_second=20, reserve=5),
    "ecs cluster read": Family(size=50, per_second=20),
    "ecs task read": Family(size=100, per_second=20),
    "ecs deployment read": Family(size=50, per_second=20),
    "ecs revision read": Family(size=50, per_second=20),
    "ecs definition read": Family(size=50, per_second=20),
    "ecs definition write": Family(size=20, per_second=1),
    "ecs protection read": Family(size=200, per_second=80),
    "ecs tag write": Family(size=20, per_second=10),
    "cloudwatch alarm read": Family(size=9, per_second=9),
    "cloudwatch alarm write": Family(size=3, per_second=3),
    "cloudwatch history read": Family(size=20, per_second=20),
    "cloudwatch data read": Family(size=50, per_second=50),
    "scaling read": Family(size=10, per_second=2),
    "scaling write": Family(size=5, per_second=1),
    "sts": Family(size=10, per_second=10),
    OF_PREFLIGHT: Family(size=20, per_second=5),  # of services that preflight alone asks
}

_BY_OPERATION = {
    "CreateService": "ecs service write",
    "UpdateService": "ecs service write",
    "DeleteService": "ecs service write",
    "DescribeServices": "ecs service read",
    "ListClusters": "ecs cluster read",
    "DescribeClusters": "ecs cluster read",
    "ListServices": "ecs service read",
    "ListTasks": "ecs task read",
    "DescribeTasks": "ecs task read",
    "GetTaskProtection": "ecs protection read",
    "ListServiceDeployments": "ecs deployment read",
    "DescribeServiceRevisions": "ecs revision read",
    "DescribeTaskDefinition": "ecs definition read",
    "ListTaskDefinitions": "ecs definition read",
    "RegisterTaskDefinition": "ecs definition write",
    "DeregisterTaskDefinition": "ecs definition write",
    "TagResource": "ecs tag write",
    "DescribeAlarms": "cloudwatch alarm read",
    "DescribeAlarmHistory": "cloudwatch history read",
    "GetMetricData": "cloudwatch data read",
    "GetCallerIdentity": "sts",
    "PutMetricAlarm": "cloudwatch alarm write",
    "DeleteAlarms": "cloudwatch alarm write",
    "RegisterScalableTarget": "scaling write",
    "DeregisterScalableTarget": "scaling write",
    "PutScalingPolicy": "scaling write",
    "PutScheduledAction": "scaling write",
}
_BY_SERVICE = {
    "application-autoscaling": "scaling read",
    "ec2": OF_PREFLIGHT,
    "ecr": OF_PREFLIGHT,
    "iam": OF_PREFLIGHT,
    "secretsmanager": OF_PREFLIGHT,
    "service-quotas": OF_PREFLIGHT,
    "ssm": OF_PREFLIGHT,
}

_PATIENCE: ContextVar[float] = ContextVar("patience", default=0.0)
_NEGLIGIBLE = 1e-6  # of a token: less than rounding may leave

# A tick that rolls back needs these reads and no others: they may use what is kept back.
READS_TO_SAFETY = frozenset({"DescribeRules", "DescribeServices"})


def family_of(service: str, operation: str) -> str:
    """The family whose bucket a call takes its token from."""
    named = _BY_OPERATION.get(operation) or _BY_SERVICE.get(service)
    if named is not None:
        return named
    return "elbv2 read" if operation.startswith("Describe") else "elbv2 write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of AWS's buckets that one process allows itself, and the seconds a call may wait for a token.

    Two processes divide reads alone, and not those of preflight: doors write nothing, and the engine has no preflights.
    """

    size: float = 0.8
    per_second: float = 0.8
    has_reserve: bool = True  # for calls that bring traffic to safety
    patience: float = 1.5  # what a tick has time for

    def of(self, family: str) -> "Share":
        """The share of one family."""
        return ALONE if family.endswith("write") or family == OF_PREFLIGHT else self


ALONE = Share()
BESIDE_DOORS = Share(size=0.5, per_second=0.6)
OF_DOORS = Share(size=0.3, per_second=0.2, has_reserve=False, patience=20.0)
SHARES = {"": ALONE, "engine": BESIDE_DOORS, "doors": OF_DOORS}


@contextmanager
def waiting_for(seconds: float) -> Iterator[None]:
    """Calls inside may wait so long for a token, or as long as the share lets them if that is more."""
    token = _PATIENCE.set(seconds)
    try:
        yield
    finally:
        _PATIENCE.reset(token)


class Limits:
    """The buckets of one account and region. Belongs to one event loop. `patience` stands above the share's."""

    def __init__(self, share: Share = ALONE, *, patience: float | None = None) -> None:
        self.share = share if patience is None else replace(share, patience=patience)
        self._buckets = {name: _Bucket(family, share.of(name)) for name, family in FAMILIES.items()}

    async def take(self, service: str, operation: str, *, to_safety: bool, harm: float = 0.0) -> None:
        """Wait for this call's token. Raises Throttled if none is free in time.

        `harm`: of calls to safety that wait, the one that ends the most goes first.
        """
        bucket = self._buckets[family_of(service, operation)]
        urgent = to_safety or operation in READS_TO_SAFETY
        if bucket.take_now(urgent=urgent):
            return
        try:
            async with asyncio.timeout(max(self.share.patience, _PATIENCE.get())):
                await bucket.take(urgent=urgent, harm=harm)
        except TimeoutError as error:
            raise Throttled(
                what=call_name(service, operation),
                why="Teal's own limit, set below AWS's, is used up by other rollouts",
                next_step="Teal tries again; start fewer rollouts at once",
            ) from error

    def throttled(self, service: str, operation: str) -> None:
        """Note that AWS throttled a call: others share the bucket, so ordinary calls wait until it has refilled."""
        self._buckets[family_of(service, operation)].drain()


@dataclass(slots=True, order=True)
class _Waiting:
    """A call that waits for a token: before those that end less harm, and those that came later."""

    relief: float  # the harm, below zero
    number: int
    turn: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class _Bucket:
    """Tokens that refill with time. Ordinary calls leave the reserve alone and wait in the order of their coming."""

    def __init__(self, family: Family, share: Share) -> None:
        self._size = max(1.0, family.size * share.size)
        self._per_second = family.per_second * share.per_second
        self._reserve = family.reserve if share.has_reserve else 0.0
        self._left = self._size
        self._at: float | None = None
        self._lines: tuple[list[_Waiting], list[_Waiting]] = ([], [])  # heaps: ordinary, urgent
        self._came = count()

    def take_now(self, *, urgent: bool) -> bool:
        """True if a token was free and nobody of the same kind waits for one."""
        if self._lines[urgent] or self._short(urgent) > _NEGLIGIBLE:
            return False
        self._left -= 1
        return True

    async def take(self, *, urgent: bool, harm: float) -> None:
        """Wait in line for a token."""
        line, mine = self._lines[urgent], _Waiting(-harm, next(self._came))
        heappush(line, mine)
        try:
            # Again and again, since others may have taken what refilled meanwhile, or may have come before this one.
            while line[0] is not mine or self._short(urgent) > _NEGLIGIBLE:
                if line[0] is mine:
                    await asyncio.sleep(self._short(urgent) / self._per_second)
                else:
                    mine.turn.clear()
                    await mine.turn.wait()
            self._left -= 1
        finally:
            line.remove(mine)
            heapify(line)
            if line:
                line[0].turn.set()

    def drain(self) -> None:
        """Leave no more than the reserve."""
        self._refill()
        self._left = min(self._left, self._reserve)

    def _short(self, urgent: bool) -> float:
        self._refill()
        return 1 + (0 if urgent else self._reserve) - self._left

    def _refill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._at is not None:
            self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
