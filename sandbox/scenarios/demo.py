"""The demo's scenario and what its users meet: a sandbox with steady load, a good revision and a bad one.

It knows nothing of the engine: rollouts are made by `teal deploy`, which speaks to this sandbox as to any AWS.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sandbox.plane.clients.tally import LoadSeen, RevisionSeen

MINUTE = timedelta(seconds=1)  # one CloudWatch minute; evidence then takes seconds where AWS takes minutes
RATE = 400.0  # requests a second: a tenth of them is enough for the guard to judge one minute of the sandbox
ERROR_RATE = 0.2  # what the bad revision fails of its requests
WINDOW_SECONDS = 2.0  # what "now" means in the figures

ROLLOUT_FILE = """\
# {about}
service: {service}
revision: {{task_definition: {revision}}}
plan:
  - {{weight: 10, bake: 10s}}
  - {{weight: 50, bake: 6s}}
  - {{weight: 100, bake: 10s}}       # the watch: blue is one write away
gates:
  alarms: [{alarm}]
metrics: {{period: {period}, lag: 2 periods}}      # the sandbox's CloudWatch minute; 60s on AWS
"""


def rollout_file(*, about: str, service: str, revision: str, alarm: str) -> str:
    """The rollout file of one of the demo's rollouts."""
    period = f"{MINUTE.total_seconds():g}s"
    return ROLLOUT_FILE.format(about=about, service=service, revision=revision, alarm=alarm, period=period)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFelt:
    """What users met of one revision: in the last seconds, and since the load began."""

    revision: str
    per_second: float
    failed_share: float | None  # of the last seconds' requests, 0–1; None: there were none
    half_ms: float | None  # half of the last seconds' answers came within this
    most_ms: float | None  # 99 of 100 did
    requests: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """What the service's users meet right now."""

    per_second: float
    revisions: tuple[RevisionFelt, ...]  # in the order in which users met them
    shift: Mapping[str, int]  # failed by no revision's fault, by what happened


class Gauge:
    """Makes rates out of counts: compares what the load has seen with what it had seen a moment ago."""

    def __init__(self) -> None:
        self._seen: deque[LoadSeen] = deque()

    def felt(self, seen: LoadSeen) -> Felt:
        """What users meet, given the newest counts."""
        if not self._seen or seen.elapsed_seconds > self._seen[-1].elapsed_seconds:
            self._seen.append(seen)
        while len(self._seen) > 1 and seen.elapsed_seconds - self._seen[1].elapsed_seconds >= WINDOW_SECONDS:
            self._seen.popleft()
        recent = seen.since(self._seen[0])
        seconds = recent.elapsed_seconds
        return Felt(
            per_second=_rate(recent.sent, seconds),
            revisions=tuple(
                _felt(name, recent.revisions[name], whole, seconds) for name, whole in seen.revisions.items()
            ),
            shift=seen.shift,
        )


def _felt(name: str, recent: RevisionSeen, whole: RevisionSeen, seconds: float) -> RevisionFelt:
    return RevisionFelt(
        revision=name,
        per_second=_rate(recent.requests, seconds),
        failed_share=recent.failed / recent.requests if recent.requests else None,
        half_ms=recent.latency_ms(50) if recent.requests else None,
        most_ms=recent.latency_ms(99) if recent.requests else None,
        requests=whole.requests,
        failed=whole.failed,
    )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def first_failure(seen: LoadSeen) -> float | None:
    """When a user first met a revision's own error, in seconds since the epoch; None: nobody did."""
    return min(
        (r.first_failure for r in seen.revisions.values() if r.first_failure is not None), default=None
    )


def serving(seen: LoadSeen) -> frozenset[str]:
    """The revisions that answered anything in these counts."""
    return frozenset(name for name, revision in seen.revisions.items() if revision.requests)
