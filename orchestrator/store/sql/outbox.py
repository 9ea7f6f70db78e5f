"""What is still to be delivered to whom: bodies of transactions on a connection.

The log of events is the outbox. A delivery's row says how far its sink has come and since when something waits; the
transaction that adds events sets the latter, so that looking for work reads an index and nothing that is over.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, insert, literal, null, or_, select, update

from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.outbox import Delivery
from orchestrator.store import invariants
from orchestrator.store.errors import Unusable
from orchestrator.store.sql.queries import SHOWN, stored
from orchestrator.store.sql.tables import deliveries, rollouts, sinks
from orchestrator.store.sql.tables import events as logged

_log = logging.getLogger(__name__)

_COLUMNS = ["sink", "rollout", "sent", "state", "due_at", "attempts", "why"]

# Statements are made once: making one anew costs more than running it.
_WAITS = (
    update(deliveries)
    .where(deliveries.c.rollout == bindparam("row"), deliveries.c.due_at.is_(None))
    .values(due_at=bindparam("since"))
)
_DUE = (
    select(*SHOWN, deliveries.c.sent, deliveries.c.state, deliveries.c.attempts)
    .join_from(deliveries, rollouts, rollouts.c.id == deliveries.c.rollout)
    .where(
        deliveries.c.sink == bindparam("to"),
        deliveries.c.due_at <= bindparam("now"),
        or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= bindparam("now")),
    )
    .order_by(deliveries.c.due_at, deliveries.c.rollout)
    .limit(bindparam("most"))
)
_LEASE = update(deliveries).where(
    deliveries.c.sink == bindparam("to"), deliveries.c.rollout.in_(bindparam("rows", expanding=True))
)
_MINE = update(deliveries).where(
    deliveries.c.sink == bindparam("to"),
    deliveries.c.rollout == bindparam("row"),
    deliveries.c.owner == bindparam("my_owner"),
    deliveries.c.lease_until == bindparam("my_until"),
    deliveries.c.sent == bindparam("my_sent"),
    deliveries.c.attempts == bindparam("my_attempts"),
)
HAS_TAKEN_ALL = exists().where(deliveries.c.rollout == rollouts.c.id, deliveries.c.due_at.is_(None))
"""True of a rollout's row if there is a sink that `note_events` would find."""
_NEXT = select(logged.c.at).where(logged.c.rollout == bindparam("row"), logged.c.number == bindparam("place"))
_FREE: dict[str, Any] = {"owner": None, "lease_until": None}


def open_sink(connection: Connection, sink: str, *, now: datetime) -> None:
    """See `ports.outbox.Outbox.open_sink`. A rollout that has ended needs no row: no event will come."""
    if connection.execute(select(sinks.c.name).where(sinks.c.name == sink)).first():
        return
    connection.execute(insert(sinks).values(name=sink, opened_at=now))
    active = select(
        literal(sink), rollouts.c.id, rollouts.c.event_count, literal(""), null(), literal(0), literal("")
    ).where(rollouts.c.is_active)
    connection.execute(insert(deliveries).from_select(_COLUMNS, active))


def open_rollout(connection: Connection, rollout: RolloutId, *, since: datetime | None) -> None:
    """Have a new rollout delivered to every sink, from its first event on; ``since``: of that event, if any."""
    due_at = literal(since, deliveries.c.due_at.type)
    each = select(sinks.c.name, literal(rollout), literal(0), literal(""), due_at, literal(0), literal(""))
    connection.execute(insert(deliveries).from_select(_COLUMNS, each))


def note_events(connection: Connection, rollout: RolloutId, *, since: datetime) -> None:
    """Make a rollout due for every sink that has taken all until now; ``since``: of the first new event."""
    connection.execute(_WAITS, {"row": rollout, "since": since})


def lease_deliveries(
    connection: Connection, sink: str, *, owner: str, now: datetime, ttl: timedelta, limit: int
) -> tuple[Delivery, ...]:
    """See `ports.outbox.Outbox.lease_deliveries`.

    A rollout that cannot be read is leased like the others, so that it comes up once in a `ttl` and keeps nobody out,
    but it is not returned: it is said in the log, loudly.
    """
    rows = connection.execute(_DUE, {"to": sink, "now": now, "most": limit}).all()
    if not rows:
        return ()
    until = now + ttl
    connection.execute(
        _LEASE, {"to": sink, "rows": [row.id for row in rows], "owner": owner, "lease_until": until}
    )
    leased = (_delivery(row, sink=sink, owner=owner, until=until) for row in rows)
    return tuple(one for one in leased if one is not None)


def delivered(connection: Connection, delivery: Delivery, *, sent: int, state: str) -> None:
    """See `ports.outbox.Outbox.delivered`."""
    assert sent >= delivery.sent, "what was delivered stays delivered"
    rollout = delivery.stored.rollout.id
    due_at = connection.scalar(_NEXT, {"row": rollout, "place": sent + 1})
    _let_go(connection, delivery, {"sent": sent, "state": state, "due_at": due_at, "attempts": 0, "why": ""})


def not_delivered(connection: Connection, delivery: Delivery, *, again_at: datetime, why: str) -> None:
    """See `ports.outbox.Outbox.not_delivered`."""
    attempts = delivery.attempts + 1
    _let_go(connection, delivery, {"due_at": again_at, "attempts": attempts, "why": invariants.short(why)})


def delivery_state(connection: Connection, sink: str, rollout: RolloutId) -> str:
    """See `ports.outbox.Outbox.delivery_state`."""
    query = select(deliveries.c.state).where(deliveries.c.sink == sink, deliveries.c.rollout == rollout)
    return connection.scalar(query) or ""


def _let_go(connection: Connection, delivery: Delivery, written: dict[str, Any]) -> None:
    """Write to a delivery's row and free it. Raises Lost, and writes nothing, if it is not as it was leased."""
    mine = {
        "to": delivery.sink,
        "row": delivery.stored.rollout.id,
        "my_owner": delivery.owner,
        "my_until": delivery.until,
        "my_sent": delivery.sent,
        "my_attempts": delivery.attempts,
    }
    done = connection.execute(_MINE, mine | written | _FREE)
    if done.rowcount == 0:
        raise invariants.told_by_another(delivery)


def _delivery(row: Row[*tuple[Any, ...]], *, sink: str, owner: str, until: datetime) -> Delivery | None:
    try:
        return Delivery(
            sink=sink,
            stored=stored(row),
            sent=row.sent,
            state=row.state,
            attempts=row.attempts,
            owner=owner,
            until=until,
        )
    except Unusable as error:
        _log.error("row_unreadable rollout=%s why=%s", row.id, error)
        return None
