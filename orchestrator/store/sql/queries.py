"""Reading: bodies of transactions on a connection that write nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, literal, select, tuple_, union_all

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.rollouts import EventSeen, Filter, Stored
from orchestrator.ports.starts import KEYS_HOLD
from orchestrator.store import invariants
from orchestrator.store.codec import decode
from orchestrator.store.sql.tables import commands, events, records, rollouts

SHOWN = (  # what `stored` needs
    rollouts.c.id,
    rollouts.c.version,
    rollouts.c.wake_at,
    rollouts.c.event_count,
    rollouts.c.body,
)

_OPEN = (
    select(commands.c.rollout, commands.c.body)
    .where(
        commands.c.rollout.in_(bindparam("of", expanding=True)),
        commands.c.state == CommandState.ACCEPTED.value,
    )
    .order_by(commands.c.rollout, commands.c.number)
)

_PLACE = (rollouts.c.created_at, rollouts.c.id)  # where a rollout stands among all, the newest last
_NEXT_SERVICE = select(func.min(rollouts.c.service)).where(rollouts.c.service > bindparam("after"))


def stored(row: Row[*tuple[Any, ...]]) -> Stored:
    """A row of `SHOWN` as a value. Raises Unusable if its body does not fit."""
    rollout = decode(Rollout, row.body, rollout=row.id)
    return Stored(rollout=rollout, version=row.version, wake_at=row.wake_at, events=row.event_count)


def load(connection: Connection, rollout: RolloutId) -> Stored:
    """See `ports.cloud.TrafficCloud.load`."""
    row = connection.execute(select(*SHOWN).where(rollouts.c.id == rollout)).one_or_none()
    if row is None:
        raise invariants.unknown(rollout)
    return stored(row)


def started_by(connection: Connection, key: str, *, now: datetime) -> Stored | None:
    """See `ports.starts.Starts.started_by`."""
    standing = select(*SHOWN).where(rollouts.c.start_key == key, rollouts.c.created_at > now - KEYS_HOLD)
    row = connection.execute(standing).one_or_none()
    return None if row is None else stored(row)


def find_active(connection: Connection, service: str) -> Stored | None:
    """See `ports.rollouts.ActiveRollout.find_active`."""
    active = select(*SHOWN).where(rollouts.c.service == service, rollouts.c.is_active)
    newest = active.order_by(rollouts.c.created_at.desc(), rollouts.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else stored(row)


def page(connection: Connection, which: Filter, *, before: str, limit: int) -> tuple[tuple[Stored, ...], str]:
    """See `ports.rollouts.RolloutPages.list`. A cursor is the id of its page's last rollout."""
    last = None
    if before:
        last = connection.execute(select(*_PLACE).where(rollouts.c.id == before)).one_or_none()
        if last is None:
            raise invariants.unknown_cursor(before)
    query = listing(which, limit=limit + 1, before=None if last is None else (last.created_at, last.id))
    rows = connection.execute(query).all() if query is not None else []
    found = tuple(stored(row) for row in rows[:limit])
    return found, found[-1].rollout.id if len(rows) > limit else ""


def listing(
    which: Filter, *, limit: int, before: tuple[datetime, str] | None = None
) -> Select[*tuple[Any, ...]] | None:
    """The newest rollouts that a filter lets through, older than a place; None: it lets none through.

    Each phase is read from its own part of an index, newest first and no further than `limit`, so that no list costs
    more than what it shows.
    """
    phases = _phases(which)
    if phases is not None and not phases:
        return None
    newest = select(*SHOWN, rollouts.c.created_at).limit(limit)
    newest = newest.order_by(*(column.desc() for column in _PLACE))
    if before is not None:
        newest = newest.where(
            tuple_(*_PLACE)
            < tuple_(*(literal(value, column.type) for value, column in zip(before, _PLACE, strict=True)))
        )
    if which.service:
        newest = newest.where(rollouts.c.service == which.service)
        return newest if phases is None else newest.where(rollouts.c.phase.in_(phases))
    if phases is None:
        return newest
    parts = [newest.where(rollouts.c.phase == phase) for phase in phases]
    if len(parts) == 1:
        return parts[0]
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(found).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(limit)


def _phases(which: Filter) -> list[str] | None:
    """The phases to look in, by name; None: all of them."""
    if which.is_active is None:
        return sorted(which.phases) if which.phases else None
    return sorted(phase for phase in which.phases or Phase if phase.is_final is not which.is_active)


def services(connection: Connection, *, after: str, limit: int) -> tuple[tuple[str, ...], str]:
    """See `ports.rollouts.ServicePages.services`. From one name to the next, past all rollouts between them."""
    found: list[str] = []
    while len(found) <= limit:
        name = connection.scalar(_NEXT_SERVICE, {"after": found[-1] if found else after})
        if name is None:
            return tuple(found), ""
        found.append(name)
    return tuple(found[:limit]), found[limit - 1]


def log(connection: Connection, rollout: RolloutId, *, after: int, limit: int) -> tuple[EventSeen, ...]:
    """See `ports.rollouts.EventLog.events`."""
    _require(connection, rollout)
    query = (
        select(events.c.number, events.c.body, events.c.chain)
        .where(events.c.rollout == rollout, events.c.number > after)
        .order_by(events.c.number)
        .limit(limit)
    )
    return tuple(
        EventSeen(
            rollout=rollout,
            number=row.number,
            event=decode(Event, row.body, rollout=rollout),
            chain=row.chain,
        )
        for row in connection.execute(query)
    )


def kept(connection: Connection, rollout: RolloutId, *, kind: str, limit: int) -> tuple[Record, ...]:
    """See `ports.rollouts.RecordLog.records`."""
    query = select(records).where(records.c.rollout == rollout).order_by(records.c.number).limit(limit)
    if kind:
        query = query.where(records.c.kind == kind)
    return tuple(
        Record(key=row.key, at=row.at, kind=row.kind, body=row.body) for row in connection.execute(query)
    )


def find_command(connection: Connection, rollout: RolloutId, key: str) -> CommandSeen | None:
    """The newest command of a rollout by its key, if one was accepted."""
    query = select(commands.c.state, commands.c.text, commands.c.body).where(
        commands.c.rollout == rollout, commands.c.key == key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    command = decode(Command, row.body, rollout=rollout)
    return CommandSeen(command=command, state=CommandState(row.state), text=row.text)


def command(connection: Connection, rollout: RolloutId, key: str) -> CommandSeen:
    """See `ports.commands.CommandAnswers.command`."""
    found = find_command(connection, rollout, key)
    if found is None:
        _require(connection, rollout)
        raise invariants.unknown_command(rollout, key)
    return found


def open_commands(connection: Connection, of: Sequence[RolloutId]) -> dict[RolloutId, list[str]]:
    """The JSON of commands that are accepted and not yet answered by a tick, oldest first, by rollout."""
    found: dict[RolloutId, list[str]] = {}
    for row in connection.execute(_OPEN, {"of": of}):
        found.setdefault(row.rollout, []).append(row.body)
    return found


def next_due(connection: Connection) -> datetime | None:
    """See `ports.leases.NextDue.next_due`. A row that somebody holds is due when the hold ends at the earliest."""
    wake_at, lease_until = rollouts.c.wake_at, rollouts.c.lease_until
    due = case((lease_until > wake_at, lease_until), else_=wake_at)
    found: datetime | None = connection.scalar(select(func.min(due)).where(rollouts.c.is_active))
    return found


def _require(connection: Connection, rollout: RolloutId) -> None:
    if connection.execute(select(rollouts.c.id).where(rollouts.c.id == rollout)).first() is None:
        raise invariants.unknown(rollout)
