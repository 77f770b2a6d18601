"""Whoever was paid under several files that were merged is one person of the year: who is to be taken off stands among the sums.

A job makes an older database's sums again where files were merged. The release before does not read what is taken off.
"""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM beneficiary WHERE merged_into IS NOT NULL)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    # They change with their people only: no column of theirs is written often.
    op.execute("CREATE INDEX month_sum_twice ON month_sum (unit_path, month) WHERE measure LIKE 'twice:%'")
    op.execute("CREATE INDEX month_sum_above_twice ON month_sum_above (unit_path, month) WHERE measure LIKE 'twice:%'")
    op.execute(_AGAIN)


def downgrade() -> None:
    op.execute("DELETE FROM month_sum WHERE measure LIKE 'twice:%'")
    op.execute("DELETE FROM month_sum_above WHERE measure LIKE 'twice:%'")
    op.execute("DROP INDEX month_sum_twice")
    op.execute("DROP INDEX month_sum_above_twice")
