"""Payments, their batches and history, partner notices, quarantine, and the append-only ledger."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PAYMENTS = """
-- One batch = one request to one partner. `request` is the exact bytes, encrypted, stored before the first send.
CREATE TABLE payment_batch (
    batch_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    list_id uuid NOT NULL REFERENCES payment_list,
    partner text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    number integer NOT NULL,
    reference text NOT NULL UNIQUE CHECK (reference ~ '^[A-Z0-9]{1,35}$'),
    payments integer NOT NULL CHECK (payments BETWEEN 1 AND 1000),
    amount bigint NOT NULL CHECK (amount > 0),
    state text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'SENDING', 'UNCERTAIN', 'RESEND', 'SENT', 'WITHDRAWN')),
    request bytea,
    request_digest bytea,
    sends integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_until timestamptz,
    next_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    CONSTRAINT bytes_before_send CHECK (state IN ('READY', 'WITHDRAWN') OR request IS NOT NULL),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX payment_batch_to_send ON payment_batch (partner, next_at) WHERE state IN ('READY', 'RESEND', 'SENDING');
CREATE INDEX payment_batch_cycle ON payment_batch (cycle_id);

CREATE TABLE payment (
    payment_id uuid PRIMARY KEY,
    line_id uuid NOT NULL REFERENCES list_line,
    attempt integer NOT NULL CHECK (attempt BETWEEN 1 AND 999),
    reference text NOT NULL UNIQUE CHECK (reference ~ '^[A-Z0-9]{1,35}$'),
    batch_id uuid NOT NULL REFERENCES payment_batch,
    cycle_id uuid NOT NULL,
    list_id uuid NOT NULL,
    beneficiary_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('BANK', 'WALLET', 'MOBILE_MONEY', 'CASH_POST', 'CASH_HOME')),
    partner text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    month text NOT NULL,
    months text[] NOT NULL,
    cash_reason text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    status text NOT NULL CHECK (status IN ('APPROVED', 'SUBMITTING', 'SUBMITTED', 'SETTLED', 'FAILED', 'UNKNOWN',
                                           'RETURNED', 'COLLECTED', 'UNCOLLECTED', 'CANCELLED')),
    version integer NOT NULL DEFAULT 1,
    reason text,
    partner_reference text,
    occurred_at timestamptz NOT NULL,
    inquire_at timestamptz,
    inquiries integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (line_id, attempt)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);
-- A line has at most one attempt that is alive or paid, whatever the code believes.
CREATE UNIQUE INDEX payment_one_living_attempt ON payment (line_id) WHERE status NOT IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED');
CREATE INDEX payment_cycle_payments ON payment (cycle_id, payment_id);
CREATE INDEX payment_beneficiary ON payment (beneficiary_id);
CREATE INDEX payment_batch_payments ON payment (batch_id);
CREATE INDEX payment_to_inquire ON payment (partner, inquire_at) WHERE inquire_at IS NOT NULL;

-- Append only: every state a payment was in, who said so and when.
CREATE TABLE payment_history (
    payment_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    reason text,
    partner_reference text,
    source text NOT NULL CHECK (source IN ('LIST', 'GATE', 'CLAIM', 'ANSWER', 'NOTICE', 'INQUIRY', 'TAKE_OVER')),
    source_id text NOT NULL,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (payment_id, version)
);
"""

NOTICES = """
-- What partners told us, raw and encrypted, kept for ever under the partner's own id.
CREATE TABLE partner_notice (
    notice_id uuid PRIMARY KEY,
    partner text NOT NULL,
    webhook_id text NOT NULL,
    sent_at timestamptz NOT NULL,
    body bytea NOT NULL,
    body_digest bytea NOT NULL,
    state text NOT NULL DEFAULT 'RECEIVED' CHECK (state IN ('RECEIVED', 'APPLIED', 'REFUSED')),
    results integer,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_at timestamptz,
    UNIQUE (partner, webhook_id)
);
CREATE INDEX partner_notice_waiting ON partner_notice (received_at) WHERE state = 'RECEIVED';

-- A partner's word that was not believed: a person looks.
CREATE TABLE quarantine (
    quarantine_id uuid PRIMARY KEY DEFAULT uuidv7(),
    partner text NOT NULL,
    reason text NOT NULL,
    source text NOT NULL CHECK (source IN ('ANSWER', 'NOTICE', 'INQUIRY')),
    source_id text NOT NULL,
    reference text,
    payment_id uuid,
    unit_path text,
    said jsonb NOT NULL,
    raw bytea,
    fingerprint text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'RESOLVED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (partner, fingerprint)
);
CREATE INDEX quarantine_payment ON quarantine (payment_id) WHERE state = 'OPEN';
"""

LEDGER = """
CREATE TABLE ledger_journal (
    journal_id uuid PRIMARY KEY,
    source text NOT NULL,
    source_id text NOT NULL,
    actor text NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now()
);

-- One row moves one amount from one account to another: debits equal credits in every row, so in every sum.
CREATE TABLE ledger_transfer (
    transfer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id uuid NOT NULL REFERENCES ledger_journal,
    kind text NOT NULL CHECK (kind IN ('RESERVE', 'SETTLE', 'RELEASE', 'RETURN')),
    debit_account text NOT NULL CHECK (debit_account IN ('EXPENDITURE', 'PAYABLE', 'PARTNER')),
    credit_account text NOT NULL CHECK (credit_account IN ('EXPENDITURE', 'PAYABLE', 'PARTNER')),
    amount bigint NOT NULL CHECK (amount > 0),
    payment_id uuid NOT NULL REFERENCES payment,
    cycle_id uuid NOT NULL,
    partner text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    business_date date NOT NULL,
    CHECK (debit_account <> credit_account),
    CONSTRAINT transfer_once UNIQUE (payment_id, kind)
);
CREATE INDEX ledger_transfer_cycle ON ledger_transfer (cycle_id);
-- A payment is settled or released, never both.
CREATE UNIQUE INDEX transfer_one_end ON ledger_transfer (payment_id) WHERE kind IN ('SETTLE', 'RELEASE');

CREATE VIEW ledger_entry AS
    SELECT transfer_id, journal_id, kind, 'DEBIT' AS side, debit_account AS account, amount,
           payment_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer
    UNION ALL
    SELECT transfer_id, journal_id, kind, 'CREDIT', credit_account, amount,
           payment_id, cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journal EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_history EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Create everything in one transaction; ledger and history can only grow."""
    for ddl in (PAYMENTS, NOTICES, LEDGER):
        op.execute(ddl)
    for table in ("ledger_journal", "ledger_transfer", "payment_history"):
        append_only(op, table)


def downgrade() -> None:
    """Drop what :func:`upgrade` made; for an empty database only."""
    op.execute("DROP VIEW ledger_entry; DROP TABLE ledger_transfer, ledger_journal; DROP TABLE quarantine, partner_notice")
    op.execute("DROP TABLE payment_history, payment, payment_batch; DROP FUNCTION refuse_change()")
