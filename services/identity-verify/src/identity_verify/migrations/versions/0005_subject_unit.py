"""The people of a unit are found without reading the province."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX subject_unit ON subject (unit_path text_pattern_ops)")


def downgrade() -> None:
    op.execute("DROP INDEX subject_unit")
