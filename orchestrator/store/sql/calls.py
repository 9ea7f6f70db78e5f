"""The log of calls: bodies of transactions on a connection. Nothing in it is ever changed; strangers' calls go."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from orchestrator.ports.calls import REFUSED_KEPT, Call
from orchestrator.store import invariants
from orchestrator.store.sql.tables import calls

TRIMMED_EVERY = 32
LOOKED_THROUGH = 50_000  # of the newest calls: more would hold up other writers

_TRIM = delete(calls).where(
    calls.c.number.in_(
        select(calls.c.number)
        .where(calls.c.number > bindparam("since"), calls.c.actor == "", calls.c.outcome != "ok")
        .order_by(calls.c.number.desc())
        .limit(8 * TRIMMED_EVERY)
        .offset(REFUSED_KEPT)
    )
)


def add_call(connection: Connection, call: Call) -> None:
    """See `ports.calls.CallRecorder.add_call`."""
    added = connection.execute(insert(calls).values(asdict(call)).returning(calls.c.number))
    number = added.scalar_one()
    if call.is_strangers and number % TRIMMED_EVERY == 0:
        connection.execute(_TRIM, {"since": number - LOOKED_THROUGH})


def page(connection: Connection, *, before: str, limit: int) -> tuple[tuple[Call, ...], str]:
    """See `ports.calls.CallPages.calls`. A cursor is the number of its page's last call."""
    query = select(calls).order_by(calls.c.number.desc()).limit(limit + 1)
    if before:
        last = invariants.place(before)
        reached = select(calls.c.number).where(calls.c.number >= last).limit(1)
        if last < 1 or connection.execute(reached).first() is None:
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
