"""The first tables: rollouts with what they claim, tell, keep and are asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_rollouts()
    op.create_table(
        "claims",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), nullable=False, index=True),
    )
    op.create_table(
        "events",
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("rollout", "key", name="records_once"),
    )
    op.create_table(
        "commands",
        sa.Column("rollout", sa.String, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("rollout", "number", name="commands_in_order"),
    )


def _make_rollouts() -> None:
    op.create_table(
        "rollouts",
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
    )
    op.create_index("rollouts_due", "rollouts", ["is_active", "wake_at"])
    op.create_index("rollouts_newest", "rollouts", ["created_at", "id"])
    op.create_index("rollouts_of_service", "rollouts", ["service", "created_at"])
