"""A database that was put back to the past sees it by itself."""

from __future__ import annotations

from alembic import op

from common.schema import restore_ddl, restore_removal

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(restore_ddl())


def downgrade() -> None:
    op.execute(restore_removal())
