"""A partner's limits are changed by two people, as other rulings are."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_KINDS = "'SETTING', 'ROUTE', 'APPROVAL_POLICY', 'DELEGATION', 'CALENDAR_DAY', 'BUDGET'"


def upgrade() -> None:
    op.execute(f"ALTER TABLE ruling DROP CONSTRAINT ruling_kind_check, ADD CONSTRAINT ruling_kind_check CHECK (kind IN ({_KINDS}, 'LANE'))")


def downgrade() -> None:
    op.execute("DELETE FROM ruling WHERE kind = 'LANE'")
    op.execute(f"ALTER TABLE ruling DROP CONSTRAINT ruling_kind_check, ADD CONSTRAINT ruling_kind_check CHECK (kind IN ({_KINDS}))")
