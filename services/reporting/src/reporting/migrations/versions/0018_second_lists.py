"""A second list of a month counts otherwise, and a month that a later list paid is no longer unpaid: the sums are made again.

By the job that the migration 0016 told of, on the way down too: the release before counts as it did. Nothing in the tables changes.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM month_sum)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    op.execute(_AGAIN)


def downgrade() -> None:
    op.execute(_AGAIN)
