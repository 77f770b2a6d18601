"""What came back, or was not collected, may be corrected to paid as well; and comes back again: each time has its round in the ledger."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
contract = "two rules of uniqueness are made wider; nothing that is written today is refused, and what was unique stays so"

# A correction twice of one payment is kept out by its state: it must be dead before, and is locked.
UPGRADE = """
ALTER TABLE ledger_transfer ADD COLUMN round smallint NOT NULL DEFAULT 1;
ALTER TABLE ledger_transfer
    DROP CONSTRAINT transfer_once,
    ADD CONSTRAINT transfer_once UNIQUE (payment_id, kind, round),
    ADD CONSTRAINT transfer_repeated CHECK (round = 1 OR (round > 1 AND kind IN ('RETURN', 'CORRECT')));
DROP INDEX manual_result_corrected_once;
"""

DOWNGRADE = """
CREATE UNIQUE INDEX manual_result_corrected_once ON manual_result (payment_id) WHERE correction AND state = 'CONFIRMED';
ALTER TABLE ledger_transfer
    DROP CONSTRAINT transfer_repeated,
    DROP CONSTRAINT transfer_once,
    ADD CONSTRAINT transfer_once UNIQUE (payment_id, kind),
    DROP COLUMN round;
"""


def upgrade() -> None:
    """Count the rounds of what may be repeated."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Not once a payment came back or was corrected twice: the ledger is not rewritten for a release that knows no second time."""
    op.execute(DOWNGRADE)
