"""Heirs, suspended allowances, lists that re-issue what failed, two months together, and who did not collect three months long."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE representative
    ADD COLUMN programmes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN basis text NOT NULL DEFAULT 'STANDING';

-- Only allowances that something happened to after they were granted.
CREATE TABLE entitlement_state (
    entitlement_id uuid PRIMARY KEY,
    beneficiary_id uuid NOT NULL,
    version bigint NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    status text NOT NULL
);
CREATE INDEX entitlement_state_suspended ON entitlement_state (beneficiary_id) WHERE status = 'SUSPENDED';

ALTER TABLE payment_cycle
    DROP CONSTRAINT payment_cycle_kind_check,
    ADD CONSTRAINT payment_cycle_kind_check CHECK (kind IN ('MAIN', 'SUPPLEMENTARY', 'REISSUE')),
    ADD COLUMN selection jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN covers_to date,
    ADD COLUMN two_months_basis text;
UPDATE payment_cycle SET covers_to = month;
ALTER TABLE payment_cycle
    ALTER COLUMN covers_to SET NOT NULL,
    ADD CONSTRAINT one_or_two_months CHECK (covers_to = month OR (covers_to = month + interval '1 month' AND two_months_basis IS NOT NULL));
CREATE FUNCTION cycle_covers_its_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.covers_to := coalesce(NEW.covers_to, NEW.month);
    RETURN NEW;
END $$;
CREATE TRIGGER payment_cycle_covers BEFORE INSERT ON payment_cycle FOR EACH ROW EXECUTE FUNCTION cycle_covers_its_month();

ALTER TABLE list_line ADD COLUMN route text NOT NULL DEFAULT 'PAYMENT_ORG' CHECK (route IN ('PAYMENT_ORG', 'TREASURY_DIRECT'));

-- What two people settle for a time: settings the law leaves open, routes, who approves what, who stands in for whom, days off, budgets.
CREATE TABLE ruling (
    ruling_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('SETTING', 'ROUTE', 'APPROVAL_POLICY', 'DELEGATION', 'CALENDAR_DAY', 'BUDGET')),
    key text NOT NULL,
    unit_path text,
    programme text,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    body jsonb NOT NULL,
    legal_ref text,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    reason text,
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE INDEX ruling_in_force ON ruling (kind, key, valid_from) WHERE state = 'APPROVED';

-- Decree 20/2021 and Circular 02/2021 Art. 2: three months in a row not collected may suspend the allowance. A person decides that in
-- the register; here stands only whom to look at.
CREATE TABLE suspension_proposal (
    proposal_id uuid PRIMARY KEY DEFAULT uuidv7(),
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    months text[] NOT NULL,
    amount bigint NOT NULL,
    payment_id uuid NOT NULL REFERENCES payment,
    business_date date NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'TAKEN_UP', 'DISMISSED')),
    decision_number text,
    note text,
    closed_by text,
    closed_on date,
    closed_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'OPEN') = (closed_by IS NULL)),
    CHECK (state <> 'TAKEN_UP' OR decision_number IS NOT NULL)
);
CREATE UNIQUE INDEX suspension_proposal_open ON suspension_proposal (beneficiary_id, programme) WHERE state = 'OPEN';
CREATE INDEX suspension_proposal_unit ON suspension_proposal (unit_path text_pattern_ops, proposal_id);
"""

DOWNGRADE = """
DROP TABLE suspension_proposal;
DROP TABLE ruling;
ALTER TABLE list_line DROP COLUMN route;
DROP TRIGGER payment_cycle_covers ON payment_cycle;
DROP FUNCTION cycle_covers_its_month();
UPDATE payment_cycle SET kind = 'SUPPLEMENTARY' WHERE kind = 'REISSUE';
ALTER TABLE payment_cycle
    DROP CONSTRAINT one_or_two_months, DROP COLUMN selection, DROP COLUMN covers_to, DROP COLUMN two_months_basis,
    DROP CONSTRAINT payment_cycle_kind_check, ADD CONSTRAINT payment_cycle_kind_check CHECK (kind IN ('MAIN', 'SUPPLEMENTARY'));
DROP TABLE entitlement_state;
ALTER TABLE representative DROP COLUMN programmes, DROP COLUMN basis;
"""


def upgrade() -> None:
    """Add the columns and tables; standing representatives stay what they are until the registry says more."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take them away; a re-issue is then a supplementary list like any other."""
    op.execute(DOWNGRADE)
