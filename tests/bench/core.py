"""How fast `decide` decides, on what an engine really saw in a good and in a bad rollout."""

import time
from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.decide import decide
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.seen import Seen
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from orchestrator.ports.leases import Leased
from tests.bench.lines import line, ratio
from tests.support.rehearsal import Rehearsal

Look = tuple[Rollout, Seen, datetime]
DECISIONS = 10_000


class Remembering(Ticker):
    """A ticker that keeps what it looked at."""

    def __init__(self, like: Ticker) -> None:
        super().__init__(like.store, like.cloud, like.clock)
        self.looks: list[Look] = []

    async def _look(self, row: Rollout, leased: Leased) -> Seen:
        seen = await super()._look(row, leased)
        self.looks.append((row, seen, self.clock.now()))
        return seen


def measure() -> Iterator[str]:
    """Decisions a second on one core, beside copying the row that each of them starts from."""
    looks = [*_looks({}), *_looks({"TEAL_DEMO_ERROR_RATE": "0.3"})]
    rounds = max(1, DECISIONS // len(looks))
    per_second = rounds * len(looks) / _seconds_deciding(looks, rounds)
    baseline = rounds * len(looks) / _seconds_copying(looks, rounds)
    yield line("decide_per_second", per_second, digits=0)
    yield line("baseline_copies_of_a_row_per_second", baseline, digits=0)
    yield ratio("decide_seconds", 1 / per_second, 1 / baseline, to="copying_a_row")


def _looks(environment: dict[str, str]) -> list[Look]:
    with Remembered() as stage:
        stage.until(stage.start(stage.spec(stage.revision(environment))))
        return stage.looks


class Remembered(Rehearsal):
    """A rehearsal whose looks are kept."""

    looks: list[Look]

    def _new_worker(self) -> Worker:
        ticker = Remembering(super()._new_worker().ticker)
        self.looks = ticker.looks
        return Worker(ticker, owner="bench")


def _seconds_deciding(looks: list[Look], rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        for row, seen, now in looks:
            decide(row, seen, now)
    return time.process_time() - began


def _seconds_copying(looks: list[Look], rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        for row, _, now in looks:
            changed(row, observed_at=now)
    return time.process_time() - began
