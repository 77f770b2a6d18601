"""What a list could not pay and a later one took over is due once in a period of several months; gifts given once are in no monthly sum.

A hold says which months it is of. The sums are made again by the job that the migration 0016 told of, on the way down too: the release
before counts as it did.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM month_sum)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    op.execute("ALTER TABLE hold ADD COLUMN months text[]")  # null or empty where the producer did not say
    op.execute(_AGAIN)


def downgrade() -> None:
    op.execute("ALTER TABLE hold DROP COLUMN months")
    op.execute(_AGAIN)
