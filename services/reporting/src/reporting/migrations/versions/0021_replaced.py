"""Later payments and holds of a month say what is still due of the dead payments before them: kept with both.

Nothing that was told before says it, so no figure changes now; on the way down the sums are made again, as the release before counts.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM month_sum)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    for table in ("payment", "hold"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN replaces jsonb")


def downgrade() -> None:
    for table in ("payment", "hold"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN replaces")
    op.execute(_AGAIN)
