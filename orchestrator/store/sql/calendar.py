"""The calendar of freezes: bodies of transactions on a connection."""

import json

from sqlalchemy import Connection, delete, insert, select

from orchestrator.core.domain.calendar import Freeze
from orchestrator.store.sql.tables import freezes


def keep(connection: Connection, calendar: tuple[Freeze, ...]) -> None:
    """See `ports.freezes.FreezeCalendar.keep_freezes`."""
    connection.execute(delete(freezes))
    rows = [
        {
            "number": number,
            "begins": one.begins,
            "ends": one.ends,
            "zone": one.zone,
            "reason": one.reason,
            "services": json.dumps(one.services),
        }
        for number, one in enumerate(calendar)
    ]
    if rows:
        connection.execute(insert(freezes), rows)


def every(connection: Connection) -> tuple[Freeze, ...]:
    """See `ports.freezes.FreezeCalendar.freezes`."""
    return tuple(
        Freeze(
            begins=row.begins,
            ends=row.ends,
            zone=row.zone,
            reason=row.reason,
            services=tuple(json.loads(row.services)),
        )
        for row in connection.execute(select(freezes).order_by(freezes.c.number))
    )
