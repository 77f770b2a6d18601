"""What the payment organisations report of a month stands among the sums: they are made again.

By the job that the migration 0016 told of, on the way down too: the release before does not keep these sums, and leaves what is there.
Until it is done that one report is not made. Nothing in the tables changes.
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
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
