"""What the checks of what must always hold found last (`common.invariants`)."""

from __future__ import annotations

from alembic import op

from common.schema import invariant_ddl

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.execute(invariant_ddl())


def downgrade() -> None:
    """What was found is found again."""
    op.execute("DROP TABLE invariant_result")
