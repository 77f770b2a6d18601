"""Changes of the law."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES or "SELECT 1")


def downgrade() -> None:
    """Drop them."""
    op.execute("SELECT 1")
