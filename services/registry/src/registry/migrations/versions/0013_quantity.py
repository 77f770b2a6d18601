"""How many units (years of seniority) a decision or a row of a list grants, where the category is paid by them."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; an allowance has had its quantity from the start."""
    op.execute(
        "ALTER TABLE decision ADD COLUMN quantity smallint CHECK (quantity BETWEEN 1 AND 100);"
        "ALTER TABLE import_row ADD COLUMN quantity smallint NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 100)"
    )


def downgrade() -> None:
    """Take them away."""
    op.execute("ALTER TABLE import_row DROP COLUMN quantity; ALTER TABLE decision DROP COLUMN quantity")
