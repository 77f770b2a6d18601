"""What came back of what was paid too much, by month; the account a payment was settled to; the partners' totals count a line once.

Cases get a row for each month in which something was told of them: what is open and what had come back by then. A job makes an older
database's sums again, and its recoveries by month from the log (what came back before events said so counts as nothing).
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM event_log)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE payment ADD COLUMN account_masked text;
        CREATE TABLE recovery_month (
            recovery_id uuid NOT NULL,
            month date NOT NULL,
            version bigint NOT NULL,
            beneficiary_id uuid NOT NULL,
            programme text NOT NULL,
            amount bigint NOT NULL,
            recovered bigint NOT NULL,
            status text NOT NULL,
            unit_path text COLLATE "C" NOT NULL,
            PRIMARY KEY (recovery_id, month)
        );
        INSERT INTO read_model VALUES ('recovery_month', 24);
        {_AGAIN}
    """)


def downgrade() -> None:
    op.execute(f"""
        DELETE FROM read_model WHERE name = 'recovery_month';
        DROP TABLE recovery_month;
        DROP TABLE IF EXISTS rebuild_recovery_month;
        ALTER TABLE payment DROP COLUMN account_masked;
        {_AGAIN}
    """)
