"""Forgetting, and keeping what earlier versions did not: bodies of transactions on a connection."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from orchestrator.ports.rollouts import Stored
from orchestrator.store.errors import Unusable
from orchestrator.store.sql.queries import SHOWN, stored
from orchestrator.store.sql.tables import calls, claims, commands, deliveries, events, records, rollouts


def forget_rollouts(connection: Connection, service: str, *, before: datetime, limit: int) -> int:
    """See `ports.retention.RetentionStore.forget_rollouts`."""
    old = (
        select(rollouts.c.id)
        .where(rollouts.c.service == service, rollouts.c.created_at < before, rollouts.c.is_active.is_(False))
        .order_by(rollouts.c.created_at, rollouts.c.id)
        .limit(limit)
    )
    ids = list(connection.scalars(old))
    if ids:
        for table in (claims, deliveries, commands, records, events):
            connection.execute(delete(table).where(table.c.rollout.in_(ids)))
        connection.execute(delete(rollouts).where(rollouts.c.id.in_(ids)))
    return len(ids)


def keep_shown(
    connection: Connection, *, after: str, limit: int, shown: Callable[[Stored], str | None]
) -> str:
    """See `ports.retention.RetentionStore.keep_shown`."""
    without = select(*SHOWN).where(rollouts.c.shown.is_(None), rollouts.c.id > after)
    rows = connection.execute(without.order_by(rollouts.c.id).limit(limit)).all()
    for row in rows:
        try:
            text = shown(stored(row))
        except Unusable:  # whoever asks for this one is told why
            continue
        if text is not None:
            connection.execute(update(rollouts).where(rollouts.c.id == row.id).values(shown=text))
    return str(rows[-1].id) if len(rows) == limit else ""


def forget_calls(connection: Connection, *, before: datetime, limit: int) -> int:
    """See `ports.retention.RetentionStore.forget_calls`."""
    # Numbers grow with time, so the oldest are found without looking through all.
    oldest = select(calls.c.number, calls.c.at).order_by(calls.c.number).limit(limit)
    old = [row.number for row in connection.execute(oldest) if row.at < before]
    if old:
        connection.execute(delete(calls).where(calls.c.number.in_(old)))
    return len(old)
