"""The tables. What is looked for has a column; the rest of a value is JSON in ``body``.

``migrations/`` brings a database to this shape; a test compares the two.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970, UTC: exact, and ordered as numbers are."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """The number to write; a naive datetime is a mistake in the code."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment has a time zone"
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The moment of a number that was read."""
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),  # cluster/service
    Column("phase", String, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("owner", String),  # of the lease; null: nobody's
    Column("lease_until", Moment),
    Column("wake_at", Moment),
    # The earliest wake-up since the lease's holder last read the row: the next commit keeps it, since its tick may
    # have looked before whatever the wake-up is about.
    Column("woken_at", Moment),
    Column("start_key", String, unique=True),  # null: released for another rollout
    Column("created_at", Moment, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("record_count", Integer, nullable=False),
    Column("chain", String, nullable=False, server_default=""),  # the link of the last event
    Column("body", Text, nullable=False),
    Column("shown", Text),  # what doors show of it, as the same commit kept it; null: not kept, `body` tells
    Index("rollouts_due", "is_active", "wake_at"),
    Index("rollouts_newest", "created_at", "id"),
    Index("rollouts_of_service", "service", "created_at"),
    Index("rollouts_in_phase", "phase", "created_at", "id"),
)

claims = Table(
    "claims",
    metadata,
    Column("key", String, primary_key=True),
    Column("rollout", ForeignKey("rollouts.id"), nullable=False, index=True),
)

events = Table(
    "events",
    metadata,
    Column("rollout", ForeignKey("rollouts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    Column("chain", String, nullable=False, server_default=""),
)

records = Table(
    "records",
    metadata,
    Column("rollout", ForeignKey("rollouts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("rollout", "key", name="records_once"),
)

commands = Table(
    "commands",
    metadata,
    Column("rollout", ForeignKey("rollouts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String),  # null: released for another command
    Column("state", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("rollout", "key", name="commands_by_key"),
)

sinks = Table(
    "sinks",
    metadata,
    Column("name", String, primary_key=True),
    Column("opened_at", Moment, nullable=False),
)

# A row for each rollout that a sink is, or was, told of.
deliveries = Table(
    "deliveries",
    metadata,
    Column("rollout", ForeignKey("rollouts.id"), primary_key=True),
    Column("sink", ForeignKey("sinks.name"), primary_key=True),
    Column("sent", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Moment),  # null: the sink has taken every event
    Column("attempts", Integer, nullable=False),
    Column("why", Text, nullable=False),  # of the last failed attempt
    Column("owner", String),  # of the lease; null: nobody's
    Column("lease_until", Moment),
    Index("deliveries_due", "sink", "due_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("services", Text, nullable=False),  # a JSON list, as are the groups
    Column("groups", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

calls = Table(
    "calls",
    metadata,
    # SQLite counts up a primary key of this very type alone.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", String, nullable=False),
    Column("source", String, nullable=False),
    Column("address", String, nullable=False),
    Column("call", String, nullable=False),
    Column("target", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("request", String, nullable=False),
    Column("token", String, nullable=False, server_default=""),
)

# The operators' calendar, whole; a server replaces it when it starts.
freezes = Table(
    "freezes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # its place in the settings
    Column("begins", Moment, nullable=False),
    Column("ends", Moment, nullable=False),
    Column("zone", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("services", Text, nullable=False),  # a JSON list
)
