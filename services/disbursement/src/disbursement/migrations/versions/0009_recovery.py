"""Recovery cases (truy thu): what was paid beyond what is due, from the first look to the last đồng."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
-- Whose dues changed after something was paid or committed: to be looked at, again later while a payment is on its way.
CREATE TABLE recovery_check (
    beneficiary_id uuid PRIMARY KEY,
    business_date date NOT NULL,
    next_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recovery_check_next ON recovery_check (next_at);

CREATE TABLE recovery_case (
    recovery_id uuid PRIMARY KEY DEFAULT uuidv7(),
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    recovered bigint NOT NULL DEFAULT 0 CHECK (recovered >= 0),
    months date[] NOT NULL,
    state text NOT NULL DEFAULT 'OPEN'
        CHECK (state IN ('OPEN', 'NOTIFIED', 'REPAYING', 'WAIVER_PROPOSED', 'REPAID', 'WAIVED', 'CANCELLED')),
    opened_on date NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    waiver_proposed_by text,
    waiver_decided_by text CHECK (waiver_decided_by <> waiver_proposed_by),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX recovery_case_living ON recovery_case (beneficiary_id, programme, funding_source)
    WHERE state IN ('OPEN', 'NOTIFIED', 'REPAYING', 'WAIVER_PROPOSED');
CREATE INDEX recovery_case_unit ON recovery_case (unit_path text_pattern_ops, recovery_id);

-- Which month of which line was paid too much; rewritten whenever the dues change while the case lives.
CREATE TABLE recovery_item (
    recovery_id uuid NOT NULL REFERENCES recovery_case,
    benefit_line text NOT NULL,
    month date NOT NULL,
    paid bigint NOT NULL,
    due bigint NOT NULL,
    PRIMARY KEY (recovery_id, benefit_line, month),
    CHECK (paid > due)
);

CREATE TABLE recovery_step (
    step_id uuid PRIMARY KEY,
    recovery_id uuid NOT NULL REFERENCES recovery_case,
    version bigint NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    recovered bigint NOT NULL,
    note text,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (recovery_id, version)
);

CREATE TABLE repayment (
    repayment_id uuid PRIMARY KEY DEFAULT uuidv7(),
    recovery_id uuid NOT NULL REFERENCES recovery_case,
    amount bigint NOT NULL CHECK (amount > 0),
    document_number text NOT NULL,
    document_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    UNIQUE (recovery_id, document_number),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)
    append_only(op, "recovery_step")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE repayment, recovery_step, recovery_item, recovery_case, recovery_check")
