"""Money that moves to and from partners, their fees, and the settlement statement of a cycle."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
-- What a partner is paid for its work: a share of the sums paid (Circular 44/2022/TT-BTC; Circular 76/2021/TT-BTC Art. 3).
CREATE TABLE fee_agreement (
    fee_id uuid PRIMARY KEY DEFAULT uuidv7(),
    partner text NOT NULL,
    programme text NOT NULL,
    basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 1000),
    from_date date NOT NULL,
    to_date date,
    contract_number text NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    CHECK (to_date >= from_date),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);

-- Prefunding before the 25th, money given back, fees paid: each with its paper, by two people, posted to the ledger once approved.
CREATE TABLE money_movement (
    movement_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('PREFUND', 'MONEY_BACK', 'FEE_PAID')),
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    partner text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    document_number text NOT NULL,
    document_date date NOT NULL,
    note text,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    UNIQUE (kind, cycle_id, partner, document_number),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE INDEX money_movement_cycle ON money_movement (cycle_id, partner);

-- Quyết toán: what a partner did with one cycle. The figures are frozen when it is proposed.
CREATE TABLE settlement (
    settlement_id uuid PRIMARY KEY DEFAULT uuidv7(),
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    partner text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    unit_path text NOT NULL,
    number text NOT NULL,
    business_date date NOT NULL,
    listed_payments integer NOT NULL, listed_amount bigint NOT NULL,
    paid_payments integer NOT NULL, paid_amount bigint NOT NULL,
    failed_payments integer NOT NULL, failed_amount bigint NOT NULL,
    returned_payments integer NOT NULL, returned_amount bigint NOT NULL,
    uncollected_payments integer NOT NULL, uncollected_amount bigint NOT NULL,
    withdrawn_payments integer NOT NULL, withdrawn_amount bigint NOT NULL,
    prefunded bigint NOT NULL,
    to_be_returned bigint NOT NULL,
    fee_basis_points integer NOT NULL,
    fee bigint NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL)),
    CONSTRAINT everything_is_accounted_for CHECK (
        listed_amount = paid_amount + failed_amount + returned_amount + uncollected_amount + withdrawn_amount
        AND listed_payments = paid_payments + failed_payments + returned_payments + uncollected_payments + withdrawn_payments)
);
CREATE UNIQUE INDEX settlement_once ON settlement (cycle_id, partner) WHERE state <> 'REJECTED';
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE settlement, money_movement, fee_agreement")
