"""What nothing is due of any more is not unpaid, and a person's file names the one it was merged into.

A job makes an older database's sums again, on the way down too, and reads from the log which files were merged.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM event_log)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    op.execute("ALTER TABLE beneficiary ADD COLUMN merged_into uuid")
    op.execute("CREATE INDEX beneficiary_merged ON beneficiary (merged_into) WHERE merged_into IS NOT NULL")
    op.execute(_AGAIN)


def downgrade() -> None:
    op.execute("ALTER TABLE beneficiary DROP COLUMN merged_into")
    op.execute(_AGAIN)
