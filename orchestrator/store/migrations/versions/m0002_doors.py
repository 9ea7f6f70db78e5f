"""What the doors need: chained events, keys that are released, the outbox, tokens, and the log of calls."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

from orchestrator.core.domain.event_chain import link
from orchestrator.core.domain.events import Event
from orchestrator.store.codec import decode
from orchestrator.store.errors import Unusable

revision = "0002"
down_revision = "0001"

_AT_ONCE = 1000  # events that are read and written together


def upgrade() -> None:
    """Change the tables and chain the events that are there."""
    _change_rollouts()
    _change_commands()
    op.add_column("events", sa.Column("chain", sa.String, nullable=False, server_default=""))
    _chain_events(op.get_bind())
    _make_outbox()
    _make_tokens()
    _make_calls()


def _change_rollouts() -> None:
    """A key that is released is null, and the last link stands in the row. SQLite has to make the table anew."""
    with op.batch_alter_table("rollouts", copy_from=_rollouts_before()) as batch:
        batch.alter_column("start_key", existing_type=sa.String, nullable=True)
        batch.add_column(
            sa.Column("chain", sa.String, nullable=False, server_default=""), insert_before="body"
        )


def _rollouts_before() -> sa.Table:
    return sa.Table(
        "rollouts",
        sa.MetaData(),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("wake_at", sa.BigInteger),
        sa.Column("woken_at", sa.BigInteger),
        sa.Column("start_key", sa.String, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("record_count", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("rollouts_due", "is_active", "wake_at"),
        sa.Index("rollouts_newest", "created_at", "id"),
        sa.Index("rollouts_of_service", "service", "created_at"),
    )


def _change_commands() -> None:
    """A command is known by its number, since its key may be released and given to another."""
    op.rename_table("commands", "commands_before")
    op.create_table(
        "commands",
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("rollout", "key", name="commands_by_key"),
    )
    columns = "rollout, number, key, state, text, body"
    op.execute(f"INSERT INTO commands ({columns}) SELECT {columns} FROM commands_before")
    op.drop_table("commands_before")


def _chain_events(connection: sa.Connection) -> None:
    """Link each rollout's events from the first on, and note the last link in its row."""
    write = sa.text("UPDATE events SET chain = :chain WHERE rollout = :rollout AND number = :number")
    last = sa.text("UPDATE rollouts SET chain = :chain WHERE id = :rollout")
    for rollout, rows in groupby(_events(connection), key=attrgetter("rollout")):
        before, links = "", []
        for row in rows:
            before = _link(before, row)
            links.append({"rollout": rollout, "number": row.number, "chain": before})
        connection.execute(write, links)
        connection.execute(last, {"rollout": rollout, "chain": before})


def _events(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    """Every event in order, read a part at a time: there is no writing to a table that is still being read."""
    part = sa.text(
        "SELECT rollout, number, body FROM events WHERE rollout > :rollout OR rollout = :rollout AND number > :number "
        "ORDER BY rollout, number LIMIT :most"
    )
    place = {"rollout": "", "number": 0}
    while rows := connection.execute(part, {**place, "most": _AT_ONCE}).all():
        yield from rows
        place = {"rollout": rows[-1].rollout, "number": rows[-1].number}


def _link(before: str, row: sa.Row[Any]) -> str:
    """The event's link; none for an event that cannot be read, where the chain will be found broken."""
    try:
        return link(before, row.rollout, row.number, decode(Event, row.body, rollout=row.rollout))
    except Unusable:
        return ""


def _make_outbox() -> None:
    op.create_table(
        "sinks",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("sink", sa.String, sa.ForeignKey("sinks.name"), primary_key=True),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("owner", sa.String),
        sa.Column("lease_until", sa.BigInteger),
    )
    op.create_index("deliveries_due", "deliveries", ["sink", "due_at"])


def _make_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("services", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )


def _make_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("actor", "source", "address", "call", "target", "outcome", "request")
        ),
    )
