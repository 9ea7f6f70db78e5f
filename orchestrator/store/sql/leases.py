"""Leases and commits: who may write a row, and the one way to write it. Bodies of transactions on a connection."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from orchestrator.core.domain.commands import Command, CommandState, Outcome
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import Stored
from orchestrator.store import invariants
from orchestrator.store.codec import decode, encode
from orchestrator.store.errors import Unusable
from orchestrator.store.sql import outbox
from orchestrator.store.sql.queries import SHOWN, open_commands, stored
from orchestrator.store.sql.starts import add_events
from orchestrator.store.sql.tables import claims, commands, records, rollouts

_log = logging.getLogger(__name__)

_FREE: dict[str, Any] = {"owner": None, "lease_until": None}

# Statements are made once: making one anew costs more than running it.
_DUE = (
    select(*SHOWN, rollouts.c.fence)
    .where(
        rollouts.c.is_active,
        rollouts.c.wake_at <= bindparam("now"),
        or_(rollouts.c.lease_until.is_(None), rollouts.c.lease_until <= bindparam("now")),
    )
    .order_by(rollouts.c.wake_at, rollouts.c.id)
    .limit(bindparam("most"))
)
_ACTIVE = (
    select(*SHOWN, rollouts.c.fence)
    .where(
        rollouts.c.is_active,
        rollouts.c.phase.in_(bindparam("phases", expanding=True)),
        rollouts.c.id.not_in(bindparam("but", expanding=True)),
    )
    .order_by(rollouts.c.wake_at, rollouts.c.id)
    .limit(bindparam("most"))
)
_LET_GO = (
    update(rollouts)
    .where(rollouts.c.is_active, rollouts.c.owner.in_(bindparam("dead", expanding=True)))
    .values(_FREE)
)
_DUE_ONE = _DUE.where(rollouts.c.id == bindparam("only"))
# Whoever took a lease took it by now, so it does not last longer than from now on, whatever a clock was that wrote it.
_BOUND = (
    update(rollouts)
    .where(
        rollouts.c.is_active,
        rollouts.c.wake_at <= bindparam("now"),
        rollouts.c.lease_until > bindparam("latest"),
    )
    .values(lease_until=bindparam("latest"))
)
_WAKE_ALL = (
    update(rollouts)
    .where(rollouts.c.is_active, rollouts.c.wake_at > bindparam("now"))
    .values(wake_at=bindparam("now"))
)
_LEASE = (
    update(rollouts)
    .where(rollouts.c.id.in_(bindparam("rows", expanding=True)))
    .values(fence=rollouts.c.fence + 1, woken_at=None)
)
_MINE = update(rollouts).where(
    rollouts.c.id == bindparam("row"),
    rollouts.c.fence == bindparam("my_fence"),
    rollouts.c.owner == bindparam("my_owner"),
)
_HELD = select(
    rollouts.c.fence,
    rollouts.c.owner,
    rollouts.c.is_active,
    rollouts.c.version,
    rollouts.c.woken_at,
    rollouts.c.event_count,
    rollouts.c.record_count,
    rollouts.c.chain,
    outbox.HAS_TAKEN_ALL.label("is_awaited"),
).where(rollouts.c.id == bindparam("row"))
_WRITE = update(rollouts).where(rollouts.c.id == bindparam("row"))
_ANSWER = update(commands).where(
    commands.c.rollout == bindparam("row"),
    commands.c.key == bindparam("answered"),
    commands.c.state == CommandState.ACCEPTED.value,
)


def let_go(connection: Connection, dead: Collection[str]) -> None:
    """Give back the leases of owners that have died."""
    connection.execute(_LET_GO, {"dead": list(dead)})


def lease_due(
    connection: Connection,
    *,
    owner: str,
    now: datetime,
    ttl: timedelta,
    limit: int,
    only: RolloutId | None = None,
) -> tuple[Leased, ...]:
    """See `ports.leases.Leases.lease_due`.

    A row that cannot be read is leased like the others, so that it comes up once in a `ttl` and keeps nobody out, but
    it is not returned: it is said in the log, loudly.
    """
    connection.execute(_BOUND, {"now": now, "latest": now + ttl})
    due, asked = (_DUE, {}) if only is None else (_DUE_ONE, {"only": only})
    rows = connection.execute(due, {"now": now, "most": limit, **asked}).all()
    if not rows:
        return ()
    ids, until = [row.id for row in rows], now + ttl
    connection.execute(_LEASE, {"rows": ids, "owner": owner, "lease_until": until})
    return _read(connection, rows, owner=owner, fence=1, until=until)


def look_active(
    connection: Connection,
    *,
    owner: str,
    now: datetime,
    phases: Collection[Phase],
    but: Collection[RolloutId],
    limit: int,
) -> tuple[Leased, ...]:
    """See `ports.leases.AloneStore.look_active`."""
    asked = {"phases": [phase.value for phase in phases], "but": list(but), "most": limit}
    return _read(connection, connection.execute(_ACTIVE, asked).all(), owner=owner, fence=0, until=now)


def wake_all(connection: Connection, *, now: datetime) -> None:
    """See `ports.leases.Leases.wake_all`."""
    connection.execute(_WAKE_ALL, {"now": now})


def renew(connection: Connection, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
    """See `ports.leases.Leases.renew`. Only ``until`` changes: row and commands stay as they were leased."""
    until = now + ttl
    renewed = connection.execute(_MINE, _mine(leased) | {"lease_until": until})
    if renewed.rowcount == 0:
        raise invariants.passed_on(leased.stored.rollout.id)
    return replace(leased, until=until)


def waiting(connection: Connection, of: Collection[RolloutId]) -> dict[RolloutId, tuple[Command, ...]]:
    """See `ports.leases.Leases.waiting`."""
    return {
        rollout: tuple(decode(Command, body, rollout=rollout) for body in bodies)
        for rollout, bodies in open_commands(connection, list(of)).items()
    }


def release(connection: Connection, leased: Leased) -> None:
    """See `ports.leases.Leases.release`."""
    connection.execute(_MINE, _mine(leased) | _FREE)


def release_all(connection: Connection, leases: Collection[Leased]) -> None:
    """Give rows back."""
    for leased in leases:
        release(connection, leased)


def commit(
    connection: Connection, leased: Leased, decision: Decision, *, shown: Callable[[Stored], str | None]
) -> Leased:
    """See `ports.leases.Leases.commit`. `shown`: what is kept of the row for those who show it.

    A wake-up or command that arrived since `leased` was read keeps the row due, whatever the decision says, and is in
    what is returned; if the rollout ends here, such a command is overtaken.
    """
    rollout, row = decision.rollout, _held(connection, leased)
    assert rollout.id == leased.stored.rollout.id, "a decision is about the row that is leased"
    is_over = rollout.phase.is_final
    _answer(connection, rollout.id, decision.outcomes)
    left = _open(connection, rollout.id)
    overtaken, told = invariants.too_late(left if is_over else (), rollout.phase)
    _answer(connection, rollout.id, overtaken)
    events = invariants.chained(
        rollout.id, (*decision.events, *told), after=row.event_count, before=row.chain
    )
    add_events(connection, rollout.id, events)
    if events and row.is_awaited:
        outbox.note_events(connection, rollout.id, since=events[0].event.at)
    kept = _add_records(connection, rollout.id, decision.records, after=row.record_count)
    wake_at = None if is_over else invariants.earliest(decision.wake_at, row.woken_at)
    stored_now = Stored(
        rollout=rollout, version=row.version + 1, wake_at=wake_at, events=row.event_count + len(events)
    )
    written = {
        "phase": rollout.phase.value,
        "is_active": not is_over,
        "version": stored_now.version,
        "wake_at": wake_at,
        "woken_at": None,  # the holder learns of it by what is returned here
        "event_count": stored_now.events,
        "record_count": row.record_count + kept,
        "chain": events[-1].chain if events else row.chain,
        "body": encode(rollout),
        "shown": shown(stored_now),
    }
    connection.execute(_WRITE, {"row": rollout.id, **written, **(_FREE if is_over else {})})
    if is_over:
        connection.execute(delete(claims).where(claims.c.rollout == rollout.id))
    return replace(leased, stored=stored_now, commands=() if is_over else left)


def add_note(connection: Connection, rollout: RolloutId, event: Event, record: Record) -> bool:
    """See `ports.rollouts.AftercareStore.add_note`."""
    row = connection.execute(_HELD, {"row": rollout}).one_or_none()
    if row is None:
        raise invariants.unknown(rollout)
    newest = (
        select(records.c.body)
        .where(records.c.rollout == rollout, records.c.kind == record.kind)
        .order_by(records.c.number.desc())
        .limit(1)
    )
    same_key = select(records.c.key).where(records.c.rollout == rollout, records.c.key == record.key)
    if row.is_active or connection.scalar(same_key) or connection.scalar(newest) == record.body:
        return False
    told = invariants.chained(rollout, (event,), after=row.event_count, before=row.chain)
    add_events(connection, rollout, told)
    if row.is_awaited:
        outbox.note_events(connection, rollout, since=event.at)
    kept = _add_records(connection, rollout, (record,), after=row.record_count)
    counts = {"event_count": row.event_count + 1, "record_count": row.record_count + kept}
    connection.execute(_WRITE, {"row": rollout, **counts, "chain": told[-1].chain})
    return True


def _read(
    connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]], *, owner: str, fence: int, until: datetime
) -> tuple[Leased, ...]:
    """Rows with what people ask of them; `fence`: how many leases they were given since they were read."""
    waiting = open_commands(connection, [row.id for row in rows])
    leased = (_leased(row, waiting.get(row.id, []), owner=owner, fence=fence, until=until) for row in rows)
    return tuple(one for one in leased if one is not None)


def _leased(
    row: Row[*tuple[Any, ...]], texts: list[str], *, owner: str, fence: int, until: datetime
) -> Leased | None:
    try:
        return Leased(
            stored=stored(row),
            commands=tuple(decode(Command, text, rollout=row.id) for text in texts),
            owner=owner,
            fence=row.fence + fence,
            until=until,
        )
    except Unusable as error:
        _log.error("row_unreadable rollout=%s why=%s", row.id, error)
        return None


def _mine(leased: Leased) -> dict[str, Any]:
    return {"row": leased.stored.rollout.id, "my_fence": leased.fence, "my_owner": leased.owner}


def _held(connection: Connection, leased: Leased) -> Row[*tuple[Any, ...]]:
    """The row's bookkeeping, if the lease and the version are still the row's. Raises Lost."""
    rollout = leased.stored.rollout.id
    row = connection.execute(_HELD, {"row": rollout}).one_or_none()
    if row is None or (row.fence, row.owner) != (leased.fence, leased.owner):
        raise invariants.passed_on(rollout)
    if row.version != leased.stored.version:
        raise invariants.moved_on(rollout, mine=leased.stored.version, version=row.version)
    return row


def _answer(connection: Connection, rollout: RolloutId, outcomes: tuple[Outcome, ...]) -> None:
    """Write what became of commands; what was answered once stays so."""
    if not outcomes:
        return
    rows = [{"row": rollout, "answered": o.key, "state": o.state.value, "text": o.text} for o in outcomes]
    connection.execute(_ANSWER, rows)


def _open(connection: Connection, rollout: RolloutId) -> tuple[Command, ...]:
    texts = open_commands(connection, [rollout]).get(rollout, [])
    return tuple(decode(Command, text, rollout=rollout) for text in texts)


def _add_records(connection: Connection, rollout: RolloutId, added: tuple[Record, ...], *, after: int) -> int:
    """Add the records whose keys are new, and return how many."""
    if not added:
        return 0
    fresh = {record.key: record for record in reversed(added)}  # of one key, the first counts
    known = select(records.c.key).where(records.c.rollout == rollout, records.c.key.in_(fresh))
    known_keys = set(connection.scalars(known))
    new = [record for record in added if fresh[record.key] is record and record.key not in known_keys]
    rows = [
        {"rollout": rollout, "number": n, "key": r.key, "kind": r.kind, "at": r.at, "body": r.body}
        for n, r in enumerate(new, start=after + 1)
    ]
    if rows:
        connection.execute(insert(records), rows)
    return len(rows)
