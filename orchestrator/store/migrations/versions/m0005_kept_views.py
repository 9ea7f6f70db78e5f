"""What doors show of a rollout, kept beside its row."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; rows of before have none, and get it with their next commit."""
    op.add_column("rollouts", sa.Column("shown", sa.Text))
