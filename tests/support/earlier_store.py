"""A store that keeps rows as they were at each point of a rollout, so that one can be put back; and a stage on it."""

from collections.abc import Iterator
from copy import copy
from datetime import timedelta
from typing import Any

from orchestrator.core.domain.errors import Lost
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.rows import Row
from orchestrator.store.memory.store import MemoryStore
from tests.support.rehearsal import Rehearsal


def point(row: Rollout) -> str:
    """Where in its life a rollout is, more closely than by its phase: what was done on AWS by then."""
    return f"{row.phase}{_of(row)}"


def _of(row: Rollout) -> str:
    match row.phase:
        case Phase.PROVISIONING:
            return ", green asked for" if row.green and row.green.is_asked else ""
        case Phase.SHIFTING:
            return ", green has traffic" if row.green_weight else ""
        case Phase.SETTLING:
            return _of_settling(row)
        case Phase.RETIRING:
            return _of_retiring(row)
        case Phase.ROLLING_BACK if row.way_out.is_way_clear:
            return ", all is on blue"
        case _:
            return ""


def _of_settling(row: Rollout) -> str:
    if row.way_out.is_way_clear:
        return ", green leaves"
    if row.handover.is_homeward:
        return ", traffic returns" if row.green_weight < ALL else ", blue is steady"
    return ", blue is updated" if row.handover.attempts else ""


def _of_retiring(row: Rollout) -> str:
    retirement = row.retirement
    if retirement is None:
        return ""
    if retirement.is_deleting:
        return ", blue is deleted"
    if retirement.is_empty:
        return ", blue is empty"
    return ", green is in blue's place" if retirement.swapped_at else ""


class Remembering(MemoryStore):
    """Keeps each row as it was when it first came to a point; at `halt_at` nothing is committed any more."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Row] = {}
        self.halt_at = ""
        self.is_halted = False

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """As the store does, until the point was reached."""
        if self.is_halted:
            raise Lost(what="the engine has stopped", why=f"it came to {self.halt_at}")
        after = await super().commit(leased, decision)
        at = point(decision.rollout)
        if at not in self.kept:
            self.kept[at] = self.copy_of(decision.rollout.id)
        self.is_halted = at == self.halt_at
        return after

    async def lease_due(self, **asked: Any) -> tuple[Leased, ...]:  # noqa: ANN401 - as the store takes them
        """Nothing, once it has halted."""
        return () if self.is_halted else await super().lease_due(**asked)

    def copy_of(self, rollout: RolloutId) -> Row:
        """A row that later commits do not change."""
        row = copy(self._rows[rollout])
        row.events, row.records, row.commands = list(row.events), dict(row.records), dict(row.commands)
        return row

    def put_back(self, row: Row) -> "Remembering":
        """Another store, which knows this rollout as it was then and nothing later."""
        earlier, rollout = Remembering(), row.rollout.id
        row.owner = row.lease_until = None
        earlier._rows[rollout] = row
        if row.is_active:
            earlier._active[rollout] = row
        return earlier


class EarlierStoreStage(Rehearsal):
    """A rehearsal whose store can be put back to an earlier point of a rollout."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - as a rehearsal takes them
        super().__init__(**{"requests_per_second": 20, **more})
        self.store: Remembering = Remembering()

    def until_point(self, rollout: RolloutId, at: str) -> None:
        """Let the rollout go on until it has come there, and stop the engine."""
        self.store.halt_at = at
        for _ in range(3600):
            if at in self.store.kept:
                return
            self.let_run(timedelta(seconds=1))
        raise AssertionError(f"it never came to {at!r}:\n{self.story(rollout)}")

    def put_back(self, rollout: RolloutId, at: str, *, is_marked: bool = True) -> None:
        """Have a store from then, as `teal restore` leaves it; not marked: as a copied file is."""
        row = self.store.copy_of(rollout) if at not in self.store.kept else self.store.kept[at]
        if is_marked:
            row.rollout = changed(row.rollout, went_back_at=self.clock.now())
        self.store = self.store.put_back(row)

    def shares_until(
        self, rollout: RolloutId, *, within: timedelta = timedelta(minutes=20)
    ) -> Iterator[float]:
        """Green's part of the traffic, second by second, until the rollout ends."""
        for _ in range(round(within.total_seconds())):
            if self.row(rollout).phase.is_final:
                return
            self.let_run(timedelta(seconds=1))
            yield self.share()
