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
    Column("start_key", String, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("record_count", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("rollouts_due", "is_active", "wake_at"),
    Index("rollouts_newest", "created_at", "id"),
    Index("rollouts_of_service", "service", "created_at"),
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
    Column("key", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("rollout", "number", name="commands_in_order"),
)
