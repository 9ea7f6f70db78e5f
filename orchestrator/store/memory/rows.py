"""A rollout as the store in memory keeps it, with all that belongs to it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.core.domain.commands import Command, CommandState, Outcome
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import EventSeen, Filter, Stored
from orchestrator.store import invariants


@dataclass(slots=True, kw_only=True)
class Row:
    """One rollout: bookkeeping, events, records and commands."""

    rollout: Rollout
    wake_at: datetime | None
    version: int = 1
    fence: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    woken_at: datetime | None = None  # the earliest wake-up since the lease's holder last read the row
    events: list[EventSeen] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    commands: dict[str, CommandSeen] = field(default_factory=dict)  # the newest of each key, oldest first

    @property
    def service(self) -> str:
        """The service, as ``cluster/service``."""
        return str(self.rollout.spec.service)

    @property
    def place(self) -> tuple[datetime, RolloutId]:
        """Where it stands among all rollouts, the newest last."""
        return self.rollout.created_at, self.rollout.id

    @property
    def is_active(self) -> bool:
        """True until the rollout ends."""
        return not self.rollout.phase.is_final

    @property
    def due_at(self) -> datetime | None:
        """When somebody can look at it: not before a lease that is held ends."""
        if self.wake_at is None or self.lease_until is None:
            return self.wake_at
        return max(self.wake_at, self.lease_until)

    @property
    def stored(self) -> Stored:
        """The row as doors and ticks get it."""
        return Stored(
            rollout=self.rollout, version=self.version, wake_at=self.wake_at, events=len(self.events)
        )

    @property
    def open_commands(self) -> tuple[Command, ...]:
        """Commands that no tick has answered yet, oldest first."""
        return tuple(c.command for c in self.commands.values() if c.state is CommandState.ACCEPTED)

    def wake(self, at: datetime) -> None:
        """Have it looked at by a time, if it is active."""
        if self.is_active:
            self.wake_at = invariants.earliest(self.wake_at, at)
            self.woken_at = invariants.earliest(self.woken_at, at)

    def bound(self, now: datetime, latest: datetime) -> None:
        """Let no lease of what is due last longer than that."""
        if self.lease_until is not None and self.wake_at is not None and self.wake_at <= now:
            self.lease_until = min(self.lease_until, latest)

    def look(self, *, owner: str, now: datetime) -> Leased:
        """What it is, without a right to it."""
        return Leased(
            stored=self.stored, commands=self.open_commands, owner=owner, fence=self.fence, until=now
        )

    def lease(self, *, owner: str, until: datetime) -> Leased:
        """Give the sole right to it."""
        self.fence += 1
        self.owner, self.lease_until, self.woken_at = owner, until, None
        return Leased(
            stored=self.stored, commands=self.open_commands, owner=owner, fence=self.fence, until=until
        )

    def is_held_by(self, leased: Leased) -> bool:
        """True if this lease is the newest, and was not given back."""
        return (self.fence, self.owner) == (leased.fence, leased.owner)

    def answer(self, outcomes: tuple[Outcome, ...]) -> None:
        """Note what became of commands; what was answered once stays so."""
        for outcome in outcomes:
            seen = self.commands.get(outcome.key)
            if seen is not None and seen.state is CommandState.ACCEPTED:
                self.commands[outcome.key] = replace(seen, state=outcome.state, text=outcome.text)

    def matches(self, which: Filter) -> bool:
        """True if a list of these rollouts shows it."""
        return (
            which.service in ("", self.service)
            and (not which.phases or self.rollout.phase in which.phases)
            and which.is_active in (None, self.is_active)
        )

    def tell(self, events: tuple[Event, ...]) -> None:
        """Append to its log."""
        before = self.events[-1].chain if self.events else ""
        self.events += invariants.chained(self.rollout.id, events, after=len(self.events), before=before)
