"""An index for lists of rollouts in some phases, newest first."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the index."""
    op.create_index("rollouts_in_phase", "rollouts", ["phase", "created_at", "id"])
