"""The ledger's full chart: appropriation, money at partners, fees, recovery; uncollected money waits for its roll-over."""

from __future__ import annotations

from alembic import op

from disbursement.domain.ledger import LedgerAccount, TransferKind

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ACCOUNTS = ", ".join(f"'{account}'" for account in LedgerAccount)
_KINDS = ", ".join(f"'{kind}'" for kind in TransferKind)

DROP = """
DROP VIEW ledger_entry;
DROP INDEX transfer_one_end;
ALTER TABLE ledger_transfer
    DROP CONSTRAINT ledger_transfer_kind_check,
    DROP CONSTRAINT ledger_transfer_debit_account_check,
    DROP CONSTRAINT ledger_transfer_credit_account_check;
"""

UPGRADE = f"""
ALTER TABLE ledger_transfer
    ALTER COLUMN payment_id DROP NOT NULL, ALTER COLUMN cycle_id DROP NOT NULL, ALTER COLUMN partner DROP NOT NULL,
    ADD COLUMN subject_id uuid;
UPDATE ledger_transfer t SET kind = n.kind, debit_account = n.debit, credit_account = n.credit
FROM payment p, (VALUES
    ('RESERVE', '', 'RESERVE', 'RESERVED', 'BUDGET'), ('SETTLE', '', 'SETTLE', 'SETTLED', 'IN_TRANSIT'),
    ('RETURN', '', 'RETURN', 'BUDGET', 'SETTLED'), ('RELEASE', 'CANCELLED', 'CANCEL', 'BUDGET', 'RESERVED'),
    ('RELEASE', 'UNCOLLECTED', 'UNCOLLECT', 'UNCOLLECTED', 'IN_TRANSIT'), ('RELEASE', 'FAILED', 'FAIL', 'BUDGET', 'IN_TRANSIT')
) AS n (was, status, kind, debit, credit)
WHERE p.payment_id = t.payment_id AND n.was = t.kind AND n.status IN ('', p.status);
-- What was handed to a partner before this release; and what was not collected was free again at once.
INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, payment_id, cycle_id, partner, programme,
                             funding_source, business_date)
SELECT t.journal_id, n.kind, n.debit, n.credit, t.amount, t.payment_id, t.cycle_id, t.partner, t.programme, t.funding_source,
       t.business_date
FROM ledger_transfer t
JOIN (VALUES
    ('RESERVE', 'SEND', 'IN_TRANSIT', 'RESERVED'), ('UNCOLLECT', 'ROLL_OVER', 'BUDGET', 'UNCOLLECTED')
) AS n (was, kind, debit, credit) ON n.was = t.kind
JOIN payment p ON p.payment_id = t.payment_id AND p.status NOT IN ('APPROVED', 'CANCELLED');
ALTER TABLE ledger_transfer
    ADD CONSTRAINT ledger_transfer_kind_check CHECK (kind IN ({_KINDS})),
    ADD CONSTRAINT ledger_transfer_debit_account_check CHECK (debit_account IN ({_ACCOUNTS})),
    ADD CONSTRAINT ledger_transfer_credit_account_check CHECK (credit_account IN ({_ACCOUNTS})),
    -- What follows no payment names what it follows (a budget, a movement of money, a case), and follows it once.
    ADD CONSTRAINT transfer_has_a_subject CHECK ((payment_id IS NULL) = (subject_id IS NOT NULL));
CREATE UNIQUE INDEX transfer_once_of_subject
    ON ledger_transfer (subject_id, kind, partner, programme, funding_source, cycle_id) NULLS NOT DISTINCT WHERE payment_id IS NULL;
-- A payment ends once: with the person, or not.
CREATE UNIQUE INDEX transfer_one_end ON ledger_transfer (payment_id) WHERE kind IN ('SETTLE', 'FAIL', 'CANCEL', 'UNCOLLECT');
CREATE UNIQUE INDEX transfer_freed_once ON ledger_transfer (payment_id) WHERE kind IN ('ROLL_OVER', 'TAKE_BACK');
CREATE INDEX ledger_transfer_partner ON ledger_transfer (partner) WHERE payment_id IS NULL;
CREATE VIEW ledger_entry AS
    SELECT transfer_id, journal_id, kind, 'DEBIT' AS side, debit_account AS account, amount,
           payment_id, subject_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer
    UNION ALL
    SELECT transfer_id, journal_id, kind, 'CREDIT', credit_account, amount,
           payment_id, subject_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer;
"""

DOWNGRADE = """
DROP INDEX transfer_freed_once;
DROP INDEX ledger_transfer_partner;
DROP INDEX transfer_once_of_subject;
ALTER TABLE ledger_transfer DROP CONSTRAINT transfer_has_a_subject;
DELETE FROM ledger_transfer WHERE payment_id IS NULL OR kind IN ('SEND', 'ROLL_OVER', 'TAKE_BACK');
UPDATE ledger_transfer t SET kind = n.kind, debit_account = n.debit, credit_account = n.credit
FROM (VALUES
    ('RESERVE', 'RESERVE', 'EXPENDITURE', 'PAYABLE'), ('SETTLE', 'SETTLE', 'PAYABLE', 'PARTNER'),
    ('RETURN', 'RETURN', 'PARTNER', 'EXPENDITURE'), ('CANCEL', 'RELEASE', 'PAYABLE', 'EXPENDITURE'),
    ('UNCOLLECT', 'RELEASE', 'PAYABLE', 'EXPENDITURE'), ('FAIL', 'RELEASE', 'PAYABLE', 'EXPENDITURE')
) AS n (was, kind, debit, credit) WHERE n.was = t.kind;
ALTER TABLE ledger_transfer
    DROP COLUMN subject_id,
    ALTER COLUMN payment_id SET NOT NULL, ALTER COLUMN cycle_id SET NOT NULL, ALTER COLUMN partner SET NOT NULL,
    ADD CONSTRAINT ledger_transfer_kind_check CHECK (kind IN ('RESERVE', 'SETTLE', 'RELEASE', 'RETURN')),
    ADD CONSTRAINT ledger_transfer_debit_account_check CHECK (debit_account IN ('EXPENDITURE', 'PAYABLE', 'PARTNER')),
    ADD CONSTRAINT ledger_transfer_credit_account_check CHECK (credit_account IN ('EXPENDITURE', 'PAYABLE', 'PARTNER'));
CREATE UNIQUE INDEX transfer_one_end ON ledger_transfer (payment_id) WHERE kind IN ('SETTLE', 'RELEASE');
CREATE VIEW ledger_entry AS
    SELECT transfer_id, journal_id, kind, 'DEBIT' AS side, debit_account AS account, amount,
           payment_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer
    UNION ALL
    SELECT transfer_id, journal_id, kind, 'CREDIT', credit_account, amount,
           payment_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer;
"""


def _rewrite(*steps: str) -> None:
    """Change what lies in the ledger: only the owner may, and only here, where its words change."""
    op.execute("ALTER TABLE ledger_transfer DISABLE TRIGGER ledger_transfer_append_only")
    for step in steps:
        op.execute(step)
    op.execute("ALTER TABLE ledger_transfer ENABLE TRIGGER ledger_transfer_append_only")


def upgrade() -> None:
    """Rename the accounts of what was posted and open the new ones."""
    _rewrite(DROP, UPGRADE)


def downgrade() -> None:
    """Back to three accounts; postings that only the full chart knows go."""
    _rewrite(DROP, DOWNGRADE)
