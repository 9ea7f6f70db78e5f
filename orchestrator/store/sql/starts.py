"""Starting a rollout and holding what it needs for itself: bodies of transactions on a connection."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.rollouts import EventSeen, Stored
from orchestrator.store import invariants
from orchestrator.store.codec import encode
from orchestrator.store.sql import outbox
from orchestrator.store.sql.queries import started_by
from orchestrator.store.sql.tables import claims as claimed
from orchestrator.store.sql.tables import events as logged
from orchestrator.store.sql.tables import rollouts


def create(
    connection: Connection,
    rollout: Rollout,
    *,
    claims: frozenset[str],
    key: str,
    events: tuple[Event, ...],
    wake_at: datetime,
    shown: Callable[[Stored], str | None],
) -> Stored:
    """See `ports.starts.Starts.create`. `shown`: what is kept of the row for those who show it."""
    assert not rollout.phase.is_final, "a rollout that is over is never started"
    before = started_by(connection, key, now=rollout.created_at)
    if before is not None:
        return before
    if connection.execute(select(rollouts.c.id).where(rollouts.c.id == rollout.id)).first():
        raise invariants.used_id(rollout.id)
    free = _free(connection, rollout.id, claims)
    connection.execute(update(rollouts).where(rollouts.c.start_key == key).values(start_key=None))
    log = invariants.chained(rollout.id, events, after=0, before="")
    begun = Stored(rollout=rollout, version=1, wake_at=wake_at, events=len(log))
    connection.execute(
        insert(rollouts).values(
            id=rollout.id,
            service=str(rollout.spec.service),
            phase=rollout.phase.value,
            is_active=True,
            version=1,
            fence=0,
            wake_at=wake_at,
            start_key=key,
            created_at=rollout.created_at,
            event_count=len(events),
            record_count=0,
            chain=log[-1].chain if log else "",
            body=encode(rollout),
            shown=shown(begun),
        )
    )
    _take(connection, rollout.id, free)
    outbox.open_rollout(connection, rollout.id, since=log[0].event.at if log else None)
    add_events(connection, rollout.id, log)
    return begun


def claim(connection: Connection, rollout: RolloutId, claims: frozenset[str]) -> None:
    """See `ports.leases.Leases.claim`."""
    is_active = connection.scalar(select(rollouts.c.is_active).where(rollouts.c.id == rollout))
    if is_active is None:
        raise invariants.unknown(rollout)
    if not is_active:
        raise invariants.ended(rollout)
    _take(connection, rollout, _free(connection, rollout, claims))


def add_events(connection: Connection, rollout: RolloutId, added: tuple[EventSeen, ...]) -> None:
    """Append to a rollout's log."""
    if not added:
        return
    rows = [
        {
            "rollout": rollout,
            "number": seen.number,
            "kind": seen.event.kind.value,
            "at": seen.event.at,
            "body": encode(seen.event),
            "chain": seen.chain,
        }
        for seen in added
    ]
    connection.execute(insert(logged), rows)


def _free(connection: Connection, rollout: RolloutId, claims: frozenset[str]) -> list[str]:
    """The claims that nobody holds yet, in order. Raises Conflict if somebody else holds one."""
    taken = select(claimed.c.key, claimed.c.rollout).where(claimed.c.key.in_(claims)).order_by(claimed.c.key)
    holders = {row.key: row.rollout for row in connection.execute(taken)}
    for key, holder in holders.items():
        if holder != rollout:
            raise invariants.held(key, holder=holder)
    return sorted(claims - holders.keys())


def _take(connection: Connection, rollout: RolloutId, keys: Iterable[str]) -> None:
    rows = [{"key": key, "rollout": rollout} for key in keys]
    if rows:
        connection.execute(insert(claimed), rows)
