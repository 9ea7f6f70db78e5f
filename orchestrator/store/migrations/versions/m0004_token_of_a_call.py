"""Which token a call was made with, in the audit log of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; calls of before have no token."""
    op.add_column("calls", sa.Column("token", sa.String, nullable=False, server_default=""))
