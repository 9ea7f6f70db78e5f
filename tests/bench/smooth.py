"""A good rollout: how much longer it takes than AWS makes it wait, and how many calls it costs."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import RETURN_STEPS
from sandbox.world.kernel import throttle
from sandbox.world.kernel.log import CallRecord
from tests.bench.account import LONGEST, MINUTE, Account
from tests.bench.lines import line, ratio
from tests.sim.oracles.truth import Truth

LOOK = timedelta(milliseconds=200)
SEEDS = range(3)


@dataclass(slots=True, kw_only=True)
class Moments:
    """When something became true in the World; None: it has not yet."""

    green_ready: datetime | None = None
    blue_ready: datetime | None = None
    green_gone: datetime | None = None


class Onlooker:
    """Looks into the World five times a second, past its API."""

    def __init__(self, account: Account, revision: TaskDefinitionArn) -> None:
        self._account, self._revision = account, revision
        self._truth = Truth(account.world)
        self._blue = account.scenery.service
        self.moments = Moments()
        self._look()

    def _look(self) -> None:
        now, seen = self._account.world.now, self.moments
        others = [service for service in self._truth.services() if service.name != self._blue]
        if others and seen.green_ready is None and self._is_green_ready(others[0].name):
            seen.green_ready = now
        if seen.blue_ready is None and self._truth.runs_only(self._blue, self._revision):
            seen.blue_ready = now
        if seen.green_ready is not None and seen.green_gone is None and not others:
            seen.green_gone = now
        self._account.world.kernel.after(LOOK, self._look)

    def _is_green_ready(self, name: str) -> bool:
        groups = [arn for arn, known in self._truth.groups().items() if known.startswith("teal-")]
        return self._truth.runs_only(name, self._revision) and all(
            self._truth.healthy(arn) >= 3 for arn in groups
        )


def measure() -> Iterator[str]:
    """Rollouts by plan ``canary``: times over some seeds, calls of the first."""
    rollouts = [_roll_out(seed) for seed in SEEDS]
    waits = [waits for _, waits, _ in rollouts]
    waiting = [sum(each.values()) for each in waits]
    over = [total - least for (total, _, _), least in zip(rollouts, waiting, strict=True)]
    for name in waits[0]:
        yield line(f"canary_aws_waiting_seconds_{name}", median(each[name] for each in waits))
    yield line("baseline_canary_aws_waiting_seconds", median(waiting))
    yield line("canary_seconds", median(total for total, _, _ in rollouts))
    yield line("canary_overhead_seconds_median", median(over))
    yield line("canary_overhead_seconds_max", max(over))
    yield ratio(
        "canary_seconds", median(total for total, _, _ in rollouts), median(waiting), to="aws_waiting"
    )
    yield from rollouts[0][2]


def _roll_out(seed: int) -> tuple[float, dict[str, float], tuple[str, ...]]:
    """Seconds in all, seconds that AWS makes it wait, and the lines about its calls."""
    with Account(seed) as account:
        revision = account.revision()
        onlooker, before = Onlooker(account, revision), len(account.world.log)
        rollout = account.start(account.canary(revision))
        row = account.until(rollout, within=LONGEST)
        assert row.phase is Phase.SUCCEEDED, account.story(rollout)
        log = account.events(rollout)
        total = (log[-1].event.at - log[0].event.at).total_seconds()
        calls = tuple(_calls(account, rollout, account.world.log[before:]))
        return total, _waits(account, rollout, onlooker.moments), calls


def _waits(account: Account, rollout: RolloutId, moments: Moments) -> dict[str, float]:
    """What no orchestrator could do faster, one after the other: the critical path."""
    assert moments.green_ready is not None
    assert moments.blue_ready is not None
    assert moments.green_gone is not None
    blue, updates = account.scenery.service, account.world.log.of("UpdateService")
    created = account.world.log.of("CreateService")[-1].at
    settled = next(call.at for call in updates if call.params["service"].endswith(blue))
    stopped = next(call.at for call in updates if not call.params["service"].endswith(blue))
    written = [seen.event.at for seen in account.events(rollout, EventKind.WEIGHT_VERIFIED)]
    bakes = [step.bake for step in account.row(rollout).spec.plan.steps]
    returning = written[-len(RETURN_STEPS) :]
    steps = written[-len(RETURN_STEPS) - len(bakes) : -len(RETURN_STEPS)]
    return {
        "green_starts": (moments.green_ready - created).total_seconds(),
        "bakes": sum(
            max(bake.total_seconds(), _measured(account, at)) for bake, at in zip(bakes, steps, strict=True)
        ),
        "blue_starts": (moments.blue_ready - settled).total_seconds(),
        "metrics_on_the_way_home": sum(_measured(account, at) for at in returning),
        "green_stops": (moments.green_gone - stopped).total_seconds(),
    }


def _measured(account: Account, since: datetime) -> float:
    """Seconds until the first whole minute after a moment has ended and is complete in CloudWatch."""
    minute = MINUTE.total_seconds()
    into = since.timestamp() % minute
    return (math.ceil(into / minute) * minute - into) + minute * (
        1 + account.world.settings.metric_delay_minutes
    )


def _calls(account: Account, rollout: RolloutId, log: Sequence[CallRecord]) -> Iterator[str]:
    families = Counter(throttle.family(call.service, call.operation) for call in log)
    throttled = sum(call.error is not None and "hrottl" in str(call.error) for call in log)
    yield line("calls_per_canary", len(log), digits=0)
    for family, count in families.most_common():
        yield line(f"calls_per_canary_{_name(family)}", count, digits=0)
    yield line("calls_throttled_by_aws", throttled, digits=0)
    yield from _watching(log, *_watch(account, rollout))


def _watch(account: Account, rollout: RolloutId) -> tuple[datetime, datetime]:
    starts = account.events(rollout, EventKind.STEP_STARTED)
    plan = account.row(rollout).spec.plan.steps
    since = starts[len(plan) - 1].event.at
    return since, since + plan[-1].bake


def _watching(log: Sequence[CallRecord], since: datetime, until: datetime) -> Iterator[str]:
    """Calls of a rollout that only watches, and how many such rollouts one account's limits carry."""
    minutes = (until - since) / MINUTE
    inside = [call for call in log if since + MINUTE <= call.at < until]
    counts = Counter(throttle.family(call.service, call.operation) for call in inside)
    per_minute = {family: count / (minutes - 1) for family, count in counts.items()}
    yield line("calls_per_minute_watching", sum(per_minute.values()))
    room = {family: 60 * throttle.FAMILIES[family][1] / rate for family, rate in per_minute.items()}
    tightest = min(room, key=lambda family: room[family])
    yield line(f"watching_rollouts_within_aws_limit_of_{_name(tightest)}", room[tightest], digits=0)


def _name(family: str) -> str:
    return family.replace(" ", "_")
