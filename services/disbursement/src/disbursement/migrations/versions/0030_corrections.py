"""A payment that its partner wrongly told to have failed is corrected by two people; nothing else makes a dead payment a paid one."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
contract = "lists of allowed words are made again, longer; nothing that is written today is refused"

_SOURCES = "'LIST', 'GATE', 'CLAIM', 'ANSWER', 'NOTICE', 'INQUIRY', 'TAKE_OVER', 'STATEMENT', 'MANUAL'"
_KINDS = (
    "'RESERVE', 'SEND', 'SETTLE', 'FAIL', 'CANCEL', 'UNCOLLECT', 'ROLL_OVER', 'TAKE_BACK', 'RETURN', 'ALLOT', 'PREFUND', 'PAY_OUT',"
    " 'SURPLUS', 'MONEY_BACK', 'FEE_DUE', 'FEE_PAID', 'RECOVERY_OPENED', 'RECOVERY_CANCELLED', 'RECOVERY_PAID'"
)

UPGRADE = f"""
ALTER TABLE payment_history DROP CONSTRAINT payment_history_source_check;
ALTER TABLE payment_history ADD CONSTRAINT payment_history_source_check CHECK (source IN ({_SOURCES}, 'CORRECTION'));
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_check;
ALTER TABLE ledger_transfer ADD CONSTRAINT ledger_transfer_kind_check CHECK (kind IN ({_KINDS}, 'CORRECT'));
-- A correction says of a failed payment that it was paid.
ALTER TABLE manual_result
    ADD COLUMN correction boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT correction_says_paid CHECK (NOT correction OR result IN ('SETTLED', 'COLLECTED'));
CREATE UNIQUE INDEX manual_result_corrected_once ON manual_result (payment_id) WHERE correction AND state = 'CONFIRMED';
"""

DOWNGRADE = f"""
ALTER TABLE manual_result DROP COLUMN correction;
ALTER TABLE payment_history DISABLE TRIGGER payment_history_append_only;
ALTER TABLE payment_history DROP CONSTRAINT payment_history_source_check;
UPDATE payment_history SET source = 'MANUAL' WHERE source = 'CORRECTION';
ALTER TABLE payment_history ADD CONSTRAINT payment_history_source_check CHECK (source IN ({_SOURCES}));
ALTER TABLE payment_history ENABLE TRIGGER payment_history_append_only;
"""


def upgrade() -> None:
    """Open the words of history and ledger, and the formal case."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """A corrected payment stays as the ledger has it: a transfer of kind CORRECT is not rewritten."""
    op.execute(DOWNGRADE)
