"""Evidence that ran out while the population database was away counts for the grace period two people approved."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the verification says about its grace."""
    op.execute("ALTER TABLE verification ADD COLUMN grace_until date")


def downgrade() -> None:
    """Take the column away."""
    op.execute("ALTER TABLE verification DROP COLUMN grace_until")
