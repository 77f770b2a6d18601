"""Cash on its way: who holds it (custody log), and the proof that each person got it."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
-- Every hand that cash passes through, append-only: carried, handed on, given back, lost (R74).
CREATE TABLE custody_entry (
    entry_id uuid PRIMARY KEY DEFAULT uuidv7(),
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    partner text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('RECEIVED', 'GIVEN_BACK', 'LOST', 'FOUND')),
    holder text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    document_number text NOT NULL,
    witness text NOT NULL,
    on_date date NOT NULL,
    note text,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (cycle_id, partner, kind, document_number),
    CHECK (witness <> holder)
);
CREATE INDEX custody_entry_unit ON custody_entry (cycle_id, partner, unit_path);

-- Proof of collection: who took the money, how it is proven; the scan of the signed list or slip lies encrypted.
CREATE TABLE cash_evidence (
    evidence_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    unit_path text NOT NULL,
    stored_by text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (cycle_id, sha256)
);
CREATE TABLE cash_proof (
    payment_id uuid PRIMARY KEY REFERENCES payment,
    collected_on date NOT NULL,
    collected_by text NOT NULL CHECK (collected_by IN ('SELF', 'REPRESENTATIVE')),
    kind text NOT NULL CHECK (kind IN ('SIGNED_LIST', 'SIGNED_SLIP', 'FINGERPRINT', 'PHOTO')),
    paid_by text NOT NULL,
    evidence_id uuid REFERENCES cash_evidence,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""


def upgrade() -> None:
    """Create the tables; what is written about cash stays."""
    op.execute(TABLES)
    for table in ("custody_entry", "cash_evidence", "cash_proof"):
        append_only(op, table)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE cash_proof, cash_evidence, custody_entry")
