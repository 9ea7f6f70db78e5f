"""The log of calls: bodies of transactions on a connection. Nothing in it is ever changed."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from orchestrator.ports.calls import Call
from orchestrator.store import invariants
from orchestrator.store.sql.tables import calls


def add_call(connection: Connection, call: Call) -> None:
    """See `ports.calls.CallRecorder.add_call`."""
    connection.execute(insert(calls).values(asdict(call)))


def page(connection: Connection, *, before: str, limit: int) -> tuple[tuple[Call, ...], str]:
    """See `ports.calls.CallPages.calls`. A cursor is the number of its page's last call."""
    query = select(calls).order_by(calls.c.number.desc()).limit(limit + 1)
    if before:
        last = invariants.place(before)
        if connection.execute(select(calls.c.number).where(calls.c.number == last)).first() is None:
            raise invariants.unknown_cursor(before)
        query = query.where(calls.c.number < last)
    rows = connection.execute(query).all()
    shown = rows[:limit]
    return tuple(_call(row) for row in shown), str(shown[-1].number) if len(rows) > limit else ""


def _call(row: Row[*tuple[Any, ...]]) -> Call:
    return Call(
        at=row.at,
        actor=row.actor,
        source=row.source,
        address=row.address,
        call=row.call,
        target=row.target,
        outcome=row.outcome,
        request=row.request,
        token=row.token,
    )
