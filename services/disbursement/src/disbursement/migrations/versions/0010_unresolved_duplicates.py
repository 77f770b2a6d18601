"""Whether the register says that somebody is probably registered twice: held until two people have decided there."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; people known before are in no unresolved pair."""
    op.execute("ALTER TABLE beneficiary ADD COLUMN unresolved_duplicate boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Take it away."""
    op.execute("ALTER TABLE beneficiary DROP COLUMN unresolved_duplicate")
