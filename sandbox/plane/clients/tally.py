"""What a load has seen: counts by revision and by cause, and how long people waited.

Times of answers are kept in buckets that grow by a twentieth, so that counts of hours stay small, can be
subtracted from each other, and still give percentiles within 5 %.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

GROWTH = 1.05
SMALLEST_MS = 0.1


class RevisionWire(TypedDict):
    """One revision's counts as the load's process writes them."""

    version: str
    ok: int
    failed: int
    first_failure: float | None
    buckets: dict[str, int]


class LostWire(TypedDict):
    """Requests that were lost on one target, as the load balancer named it."""

    what: str
    host: str
    port: int
    count: int
    first: float


class Wire(TypedDict):
    """Everything the load's process has counted, as one line of JSON."""

    elapsed: float
    sent: int
    unsent: int
    in_flight: int
    done: bool
    revisions: dict[str, RevisionWire]
    shift: dict[str, int]
    lost: list[LostWire]
    first_shift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSeen:
    """What people met of one revision. Times are seconds since the epoch, latencies milliseconds."""

    version: str = ""
    ok: int = 0
    failed: int = 0  # answered with its own error, or lost because its task died of its own fault
    first_failure: float | None = None
    buckets: Mapping[int, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """All requests that this revision had."""
        return self.ok + self.failed

    def latency_ms(self, percent: float) -> float | None:
        """The time within which this share of its answers came, counted from when each was due to be asked."""
        answers = sum(self.buckets.values())
        left = math.ceil(answers * percent / 100)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return SMALLEST_MS * GROWTH**bucket
        return None

    def since(self, earlier: "RevisionSeen") -> "RevisionSeen":
        """What came after an earlier look; `first_failure` is kept only if it came after it."""
        return RevisionSeen(
            version=self.version,
            ok=self.ok - earlier.ok,
            failed=self.failed - earlier.failed,
            first_failure=self.first_failure if earlier.first_failure is None else None,
            buckets={b: n - earlier.buckets.get(b, 0) for b, n in self.buckets.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSeen:
    """What a load has seen so far."""

    elapsed_seconds: float = 0.0
    sent: int = 0
    unsent: int = 0  # due, but the limit of requests in flight was reached
    in_flight: int = 0
    revisions: Mapping[str, RevisionSeen] = field(default_factory=dict)
    shift: Mapping[str, int] = field(
        default_factory=dict
    )  # by what happened: "502", "503", "refused", "timeout"
    first_shift: float | None = None  # seconds since the epoch

    @property
    def failed_by_revision(self) -> int:
        """Requests that a revision failed by its own fault."""
        return sum(revision.failed for revision in self.revisions.values())

    @property
    def failed_by_shift(self) -> int:
        """Requests that failed for any other cause."""
        return sum(self.shift.values())

    @property
    def requests(self) -> int:
        """Requests that have ended, well or badly."""
        return sum(r.ok for r in self.revisions.values()) + self.failed_by_revision + self.failed_by_shift

    @classmethod
    def of(cls, wire: Wire, culprit: "Culprit") -> "LoadSeen":
        """What a line of the load's process says. `culprit` names the revision whose task died by itself there."""
        counts = {name: _revision(seen) for name, seen in wire["revisions"].items()}
        shift, first_shift = dict(wire["shift"]), wire["first_shift"]
        for lost in wire["lost"]:
            name = culprit(lost["host"], lost["port"])
            if name is None:
                shift[lost["what"]] = shift.get(lost["what"], 0) + lost["count"]
                first_shift = min(first_shift or lost["first"], lost["first"])
            else:
                count = counts.get(name, RevisionSeen())
                first = min(count.first_failure or lost["first"], lost["first"])
                counts[name] = replace(count, failed=count.failed + lost["count"], first_failure=first)
        return cls(
            elapsed_seconds=wire["elapsed"],
            sent=wire["sent"],
            unsent=wire["unsent"],
            in_flight=wire["in_flight"],
            revisions=counts,
            shift=shift,
            first_shift=first_shift,
        )

    def since(self, earlier: "LoadSeen") -> "LoadSeen":
        """What came after an earlier look."""
        nothing = RevisionSeen()
        return LoadSeen(
            elapsed_seconds=self.elapsed_seconds - earlier.elapsed_seconds,
            sent=self.sent - earlier.sent,
            unsent=self.unsent - earlier.unsent,
            in_flight=self.in_flight,
            revisions={n: r.since(earlier.revisions.get(n, nothing)) for n, r in self.revisions.items()},
            shift={what: n - earlier.shift.get(what, 0) for what, n in self.shift.items()},
            first_shift=self.first_shift if earlier.first_shift is None else None,
        )


Culprit = Callable[[str, int], str | None]


def _revision(seen: RevisionWire) -> RevisionSeen:
    return RevisionSeen(
        version=seen["version"],
        ok=seen["ok"],
        failed=seen["failed"],
        first_failure=seen["first_failure"],
        buckets={int(bucket): n for bucket, n in seen["buckets"].items()},
    )


def bucket_of(milliseconds: float) -> int:
    """The bucket of a time."""
    return max(0, math.ceil(math.log(max(milliseconds, SMALLEST_MS) / SMALLEST_MS, GROWTH)))


@dataclass(slots=True)
class RevisionCount:
    """Counts of one revision as they grow."""

    version: str
    ok: int = 0
    failed: int = 0
    first_failure: float | None = None
    buckets: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Counts as they grow, in the load's process."""

    sent: int = 0
    unsent: int = 0
    revisions: dict[str, RevisionCount] = field(default_factory=dict)
    shift: dict[str, int] = field(default_factory=dict)
    lost: dict[str, LostWire] = field(default_factory=dict)  # by what happened and the target it happened on
    first_shift: float | None = None

    def answered(self, revision: str, version: str, status: int, milliseconds: float, now: float) -> None:
        """A task answered. A status of 500 or more is its failure."""
        count = self.revisions.setdefault(revision, RevisionCount(version))
        if status >= 500:
            count.failed += 1
            count.first_failure = now if count.first_failure is None else count.first_failure
        else:
            count.ok += 1
        bucket = bucket_of(milliseconds)
        count.buckets[bucket] = count.buckets.get(bucket, 0) + 1

    def failed(self, what: str, target: str, now: float) -> None:
        """Nobody answered for a task: `target` (host:port) is the one it was lost on, if the load balancer says."""
        if target:
            host, _, port = target.rpartition(":")
            fresh: LostWire = {"what": what, "host": host, "port": int(port), "count": 0, "first": now}
            self.lost.setdefault(f"{what} {target}", fresh)["count"] += 1
        else:
            self.first_shift = now if self.first_shift is None else self.first_shift
            self.shift[what] = self.shift.get(what, 0) + 1

    def wire(self, *, elapsed: float, in_flight: int, done: bool) -> Wire:
        """All of it, for one line of JSON."""
        revisions: dict[str, RevisionWire] = {
            name: {
                "version": count.version,
                "ok": count.ok,
                "failed": count.failed,
                "first_failure": count.first_failure,
                "buckets": {str(bucket): n for bucket, n in count.buckets.items()},
            }
            for name, count in self.revisions.items()
        }
        return {
            "elapsed": elapsed,
            "sent": self.sent,
            "unsent": self.unsent,
            "in_flight": in_flight,
            "done": done,
            "revisions": revisions,
            "shift": self.shift,
            "lost": list(self.lost.values()),
            "first_shift": self.first_shift,
        }
