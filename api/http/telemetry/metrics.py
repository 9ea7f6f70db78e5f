"""What Prometheus is told. The engine knows nothing of it: its ticker is measured from outside.

The engine's counters are counted where it runs, and handed to the doors as text.
"""

from collections import Counter as Tally
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from orchestrator.core.domain.errors import Lost
from orchestrator.core.domain.phases import Phase
from orchestrator.core.tick.seen import Results, Unrecorded
from orchestrator.engine.tick import NOTHING_KNOWN, Ticked, Ticker
from orchestrator.engine.worker import Worker
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import Filter, RolloutPages

PAGE = 500
PAGES_MAX = 100  # 50,000 active rollouts: more than one process carries


class Meters:
    """One engine's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ticks = Counter(
            "teal_ticks", "Ticks by how they ended.", ["outcome"], registry=self.registry
        )  # committed | lost | failed
        self.tick_seconds = Histogram(
            "teal_tick_seconds",
            "Duration of a tick: look, decide, commit, perform.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
            registry=self.registry,
        )
        self.decisions = Counter(
            "teal_decisions", "Events that were recorded, by kind.", ["kind"], registry=self.registry
        )
        self.failures = Counter(
            "teal_effects_failed",
            "Effects that did not succeed, by kind of effect.",
            ["effect"],
            registry=self.registry,
        )
        for outcome in ("committed", "lost", "failed"):
            self.ticks.labels(outcome)

    def watch(self, worker: Worker) -> None:
        """Measure every tick of a worker from now on."""
        worker.ticker = MeteredTicker(worker.ticker, self)

    def counted(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class DoorMeters:
    """What the doors tell: the engine's counters, which `counted` has, and the active rollouts of the store."""

    def __init__(self, counted: Callable[[], bytes]) -> None:
        self.registry = CollectorRegistry()
        self._counted = counted
        self.active = Gauge(
            "teal_rollouts_active", "Active rollouts by phase.", ["phase"], registry=self.registry
        )
        self.strangers = Counter(
            "teal_strangers_refused",
            "Calls of nobody known that were to change something, by whether the audit log has them.",
            ["kept"],
            registry=self.registry,
        )

    async def text(self, store: RolloutPages) -> bytes:
        """Everything in Prometheus' text format, with the active rollouts as the store has them now."""
        tally = await _active_by_phase(store)
        for phase in Phase:
            if not phase.is_final:
                self.active.labels(phase.value).set(tally[phase])
        return self._counted() + generate_latest(self.registry)


class MeteredTicker(Ticker):
    """A ticker that counts."""

    def __init__(self, ticker: Ticker, meters: Meters) -> None:
        super().__init__(
            ticker.store,
            ticker.cloud,
            ticker.clock,
            registries=ticker.registries,
            calendar=ticker.calendar,
            outward=ticker.outward,
            sources=ticker.sources,
        )
        self._meters = meters

    async def tick(
        self, leased: Leased, results: Results = NOTHING_KNOWN, unrecorded: Unrecorded | None = None
    ) -> Ticked:
        """One tick, measured. Raises what a tick raises."""
        meters, outcome = self._meters, "failed"
        try:
            with meters.tick_seconds.time():
                ticked = await super().tick(leased, results, unrecorded)
            outcome = "committed" if ticked.is_recorded else "unrecorded"
        except Lost:
            outcome = "lost"
            raise
        finally:
            meters.ticks.labels(outcome).inc()
        for event in ticked.decision.events:
            meters.decisions.labels(event.kind.value).inc()
        for failure in ticked.results.failures:
            # An effect's key begins with its kind; the rest names one resource and would make a label without bound.
            meters.failures.labels(failure.key.partition(" ")[0]).inc()
        return ticked


async def _active_by_phase(store: RolloutPages) -> Tally[Phase]:
    tally: Tally[Phase] = Tally()
    before = ""
    for _ in range(PAGES_MAX):
        rows, before = await store.list(Filter(is_active=True), before=before, limit=PAGE)
        tally.update(row.rollout.phase for row in rows)
        if not before:
            break
    return tally
