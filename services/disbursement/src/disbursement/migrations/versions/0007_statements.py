"""Partners' statements, their lines, and the differences a person works off."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
-- A partner's own account of a period, as it came (encrypted), signed by the partner or uploaded by a named person.
CREATE TABLE statement (
    statement_id uuid PRIMARY KEY,
    job_id uuid NOT NULL,
    partner text NOT NULL,
    source text NOT NULL CHECK (source IN ('SIGNED', 'UPLOAD')),
    form text CHECK (form IN ('CAMT053', 'CAMT054', 'CSV', 'XLSX')),
    message_id text,
    file_name text NOT NULL,
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    from_date date,
    to_date date,
    opening bigint,
    closing bigint,
    state text NOT NULL DEFAULT 'RECEIVED' CHECK (state IN ('RECEIVED', 'READ', 'RECONCILED', 'REFUSED')),
    refusal text,
    lines integer NOT NULL DEFAULT 0,
    done integer NOT NULL DEFAULT 0,
    business_date date NOT NULL,
    received_by text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    reconciled_at timestamptz,
    CHECK (to_date >= from_date),
    CHECK ((state = 'REFUSED') = (refusal IS NOT NULL))
);
CREATE UNIQUE INDEX statement_once ON statement (partner, sha256) WHERE state <> 'REFUSED';

CREATE TABLE statement_line (
    statement_id uuid NOT NULL REFERENCES statement,
    line_no integer NOT NULL,
    booked_on date NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('OUT', 'IN')),
    reference text,
    partner_reference text,
    payment_id uuid REFERENCES payment,
    batch_id uuid REFERENCES payment_batch,
    verdict text CHECK (verdict IN ('MATCHED', 'REVERSED', 'EXTRA', 'AMOUNT_DIFFERS', 'DUPLICATE', 'STATUS_DIFFERS')),
    PRIMARY KEY (statement_id, line_no)
);
CREATE INDEX statement_line_payment ON statement_line (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX statement_line_batch ON statement_line (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE reconciliation_break (
    break_id uuid PRIMARY KEY DEFAULT uuidv7(),
    statement_id uuid NOT NULL REFERENCES statement,
    line_no integer,
    payment_id uuid REFERENCES payment,
    partner text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('MISSING', 'EXTRA', 'AMOUNT_DIFFERS', 'DUPLICATE', 'STATUS_DIFFERS')),
    reference text,
    ours bigint,
    theirs bigint,
    unit_path text,
    opened_on date NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'PROPOSED', 'RESOLVED')),
    resolution text,
    note text,
    evidence text,
    proposed_by text,
    decided_by text,
    decided_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    CHECK ((kind = 'MISSING') = (line_no IS NULL)),
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    FOREIGN KEY (statement_id, line_no) REFERENCES statement_line,
    CHECK (state <> 'PROPOSED' OR (proposed_by IS NOT NULL AND resolution IS NOT NULL AND evidence IS NOT NULL))
);
CREATE UNIQUE INDEX reconciliation_break_line ON reconciliation_break (statement_id, line_no) WHERE line_no IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_break_missing ON reconciliation_break (payment_id) WHERE kind = 'MISSING' AND state <> 'RESOLVED';
CREATE INDEX reconciliation_break_open ON reconciliation_break (partner, break_id) WHERE state <> 'RESOLVED';

-- Statements and people's decisions speak of payments too.
ALTER TABLE payment_history DROP CONSTRAINT payment_history_source_check;
ALTER TABLE payment_history ADD CONSTRAINT payment_history_source_check
    CHECK (source IN ('LIST', 'GATE', 'CLAIM', 'ANSWER', 'NOTICE', 'INQUIRY', 'TAKE_OVER', 'STATEMENT', 'MANUAL'));
ALTER TABLE quarantine DROP CONSTRAINT quarantine_source_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_source_check
    CHECK (source IN ('ANSWER', 'NOTICE', 'INQUIRY', 'BATCH', 'STATEMENT', 'MANUAL'));
CREATE INDEX payment_partner_ended ON payment (partner, occurred_at) WHERE status IN ('SETTLED', 'COLLECTED');
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them; history that only statements explain stays under the nearest word the schema before knows."""
    op.execute("DROP INDEX payment_partner_ended; DROP TABLE reconciliation_break, statement_line, statement")
    op.execute(
        "DELETE FROM quarantine WHERE source IN ('STATEMENT', 'MANUAL'); ALTER TABLE quarantine DROP CONSTRAINT quarantine_source_check"
    )
    op.execute("ALTER TABLE quarantine ADD CONSTRAINT quarantine_source_check CHECK (source IN ('ANSWER', 'NOTICE', 'INQUIRY', 'BATCH'))")
    op.execute("ALTER TABLE payment_history DISABLE TRIGGER payment_history_append_only")
    op.execute("ALTER TABLE payment_history DROP CONSTRAINT payment_history_source_check")
    op.execute("UPDATE payment_history SET source = 'INQUIRY' WHERE source IN ('STATEMENT', 'MANUAL')")
    op.execute(
        "ALTER TABLE payment_history ADD CONSTRAINT payment_history_source_check"
        " CHECK (source IN ('LIST', 'GATE', 'CLAIM', 'ANSWER', 'NOTICE', 'INQUIRY', 'TAKE_OVER'))"
    )
    op.execute("ALTER TABLE payment_history ENABLE TRIGGER payment_history_append_only")
