"""What cannot be read is set aside with a growing pause, and partners' own patience is kept with each batch."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOTICES = """
-- A stored notice that does not open waits until `next_try_at`; the others go on.
ALTER TABLE partner_notice
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN next_try_at timestamptz,
    ADD COLUMN last_error text;
UPDATE partner_notice SET next_try_at = received_at;
ALTER TABLE partner_notice ALTER COLUMN next_try_at SET DEFAULT clock_timestamp(), ALTER COLUMN next_try_at SET NOT NULL;
DROP INDEX partner_notice_waiting;
CREATE INDEX partner_notice_waiting ON partner_notice (next_try_at) WHERE state = 'RECEIVED';
"""

BATCHES = """
-- `failures`: how often in a row the stored request could not be used; `expected_seconds`: the partner's patience when it was sent.
ALTER TABLE payment_batch
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN expected_seconds integer CHECK (expected_seconds > 0);
CREATE INDEX payment_batch_set_aside ON payment_batch (partner) WHERE failures > 0;
ALTER TABLE quarantine DROP CONSTRAINT quarantine_source_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_source_check CHECK (source IN ('ANSWER', 'NOTICE', 'INQUIRY', 'BATCH'));
"""


def upgrade() -> None:
    """Add the columns; nothing that waits now waits longer."""
    for ddl in (NOTICES, BATCHES):
        op.execute(ddl)


def downgrade() -> None:
    """Take the columns away; words about our own batches go with them, for the schema before knows none."""
    op.execute("DELETE FROM quarantine WHERE source = 'BATCH'; ALTER TABLE quarantine DROP CONSTRAINT quarantine_source_check")
    op.execute("ALTER TABLE quarantine ADD CONSTRAINT quarantine_source_check CHECK (source IN ('ANSWER', 'NOTICE', 'INQUIRY'))")
    op.execute("ALTER TABLE payment_batch DROP COLUMN failures, DROP COLUMN expected_seconds")
    op.execute("DROP INDEX partner_notice_waiting")
    op.execute("ALTER TABLE partner_notice DROP COLUMN failures, DROP COLUMN next_try_at, DROP COLUMN last_error")
    op.execute("CREATE INDEX partner_notice_waiting ON partner_notice (received_at) WHERE state = 'RECEIVED'")
