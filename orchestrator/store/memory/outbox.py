"""The outbox in memory: how far each sink has come with each rollout."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.outbox import Delivery
from orchestrator.store import invariants
from orchestrator.store.memory.rows import Row


@dataclass(slots=True, kw_only=True)
class _Told:
    """One rollout, as far as one sink knows it."""

    sent: int = 0
    state: str = ""
    due_at: datetime | None = None  # None: the sink has taken every event
    attempts: int = 0
    why: str = ""
    owner: str | None = None
    lease_until: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        is_free = self.lease_until is None or self.lease_until <= now
        return self.due_at is not None and self.due_at <= now and is_free

    def is_held_by(self, delivery: Delivery) -> bool:
        mine = (delivery.owner, delivery.until, delivery.sent, delivery.attempts)
        return (self.owner, self.lease_until, self.sent, self.attempts) == mine


@dataclass(slots=True)
class _Sink:
    told: dict[RolloutId, _Told] = field(default_factory=dict)
    behind: set[RolloutId] = field(default_factory=set)  # those with a time at which they are due

    def set_due(self, rollout: RolloutId, at: datetime | None) -> None:
        self.told[rollout].due_at = at
        (self.behind.discard if at is None else self.behind.add)(rollout)


class MemoryOutbox:
    """`ports.outbox.Outbox` says what each method promises."""

    def __init__(self) -> None:
        self._rows: dict[RolloutId, Row] = {}
        self._active: dict[RolloutId, Row] = {}  # the part of `_rows` that every look for work goes through
        self._sinks: dict[str, _Sink] = {}

    async def open_sink(self, sink: str, *, now: datetime) -> None:
        """Make a sink known."""
        if sink not in self._sinks:
            told = {id_: _Told(sent=len(row.events)) for id_, row in self._active.items()}
            self._sinks[sink] = _Sink(told)

    async def lease_deliveries(
        self, sink: str, *, owner: str, now: datetime, ttl: timedelta, limit: int
    ) -> tuple[Delivery, ...]:
        """Lease rollouts that are to be delivered to a sink."""
        known = self._sinks.get(sink, _Sink())
        due = [(told.due_at, id_) for id_ in known.behind if (told := known.told[id_]).is_due(now)]
        return tuple(self._lease(sink, id_, owner=owner, until=now + ttl) for _, id_ in sorted(due)[:limit])

    async def delivered(self, delivery: Delivery, *, sent: int, state: str) -> None:
        """Note what was delivered, and let go."""
        assert sent >= delivery.sent, "what was delivered stays delivered"
        told, rollout = self._freed(delivery), delivery.stored.rollout.id
        told.sent, told.state, told.attempts, told.why = sent, state, 0, ""
        left = self._rows[rollout].events[sent : sent + 1]
        self._sinks[delivery.sink].set_due(rollout, left[0].event.at if left else None)

    async def not_delivered(self, delivery: Delivery, *, again_at: datetime, why: str) -> None:
        """Note a failed attempt, and let go until then."""
        told = self._freed(delivery)
        told.attempts, told.why = told.attempts + 1, invariants.short(why)
        self._sinks[delivery.sink].set_due(delivery.stored.rollout.id, again_at)

    async def delivery_state(self, sink: str, rollout: RolloutId) -> str:
        """What a sink committed last for a rollout."""
        told = self._sinks[sink].told.get(rollout) if sink in self._sinks else None
        return told.state if told is not None else ""

    def _begin_to_tell(self, rollout: RolloutId) -> None:
        """Have a new rollout delivered to every sink, from its first event on."""
        for sink in self._sinks.values():
            sink.told[rollout] = _Told()

    def _stop_telling(self, rollout: RolloutId) -> None:
        """Forget a rollout."""
        for sink in self._sinks.values():
            sink.told.pop(rollout, None)
            sink.behind.discard(rollout)

    def _note_events(self, row: Row, *, after: int) -> None:
        """Make a rollout due for every sink that had taken all, if it has events after that number."""
        if len(row.events) == after:
            return
        for sink in self._sinks.values():
            told = sink.told.get(row.rollout.id)  # None: the rollout had ended before the sink was opened
            if told is not None and told.due_at is None:
                sink.set_due(row.rollout.id, row.events[after].event.at)

    def _lease(self, sink: str, rollout: RolloutId, *, owner: str, until: datetime) -> Delivery:
        told = self._sinks[sink].told[rollout]
        told.owner, told.lease_until = owner, until
        return Delivery(
            sink=sink,
            stored=self._rows[rollout].stored,
            sent=told.sent,
            state=told.state,
            attempts=told.attempts,
            owner=owner,
            until=until,
        )

    def _freed(self, delivery: Delivery) -> _Told:
        """What the sink knows, freed. Raises Lost if it is not as it was leased."""
        sink = self._sinks.get(delivery.sink, _Sink())
        told = sink.told.get(delivery.stored.rollout.id)
        if told is None or not told.is_held_by(delivery):
            raise invariants.told_by_another(delivery)
        told.owner = told.lease_until = None
        return told
