"""Copies of other services' facts, cut-off markers, take-overs, budgets, cycles, lists and allocations."""

from __future__ import annotations

from alembic import op

from common.schema import append_only, mechanism_migration

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROJECTIONS = """
CREATE TABLE administrative_unit (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    level text NOT NULL,
    path text NOT NULL,
    valid_from date NOT NULL,
    valid_to date
);
CREATE INDEX administrative_unit_code ON administrative_unit (code);

CREATE TABLE beneficiary (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    file_code text,
    full_name text NOT NULL,
    birth_date text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    status text NOT NULL,
    death_date date,
    identity_fingerprint text NOT NULL
);

CREATE TABLE representative (
    beneficiary_id uuid NOT NULL,
    representative_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    full_name text NOT NULL,
    identity_fingerprint text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    revoked_on date,
    PRIMARY KEY (beneficiary_id, representative_id)
);

-- One row per person says which version of the dues stands; the intervals of that version are beside it.
CREATE TABLE dues (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL
);
CREATE TABLE due_interval (
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
    to_month date CHECK (extract(day FROM to_month) = 1 AND to_month >= from_month),
    amount bigint NOT NULL CHECK (amount >= 0),
    status text NOT NULL CHECK (status IN ('DUE', 'RATE_MISSING')),
    basis text NOT NULL,
    decision_number text,
    explicit_arrears boolean NOT NULL,
    PRIMARY KEY (beneficiary_id, programme, funding_source, benefit_line, from_month)
);

CREATE TABLE verification (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    subject_kind text NOT NULL,
    version bigint NOT NULL,
    verdict text NOT NULL,
    source_status text NOT NULL,
    identity_fingerprint text NOT NULL,
    checked_on date NOT NULL,
    valid_until date NOT NULL,
    death_date date,
    PRIMARY KEY (beneficiary_id, subject_id)
);

-- account_number_token is the sealed number for this service: only the channel opens it, in memory.
CREATE TABLE payout_account (
    account_id uuid PRIMARY KEY,
    payee_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('BANK', 'WALLET', 'MOBILE_MONEY')),
    provider_code text NOT NULL,
    partner text NOT NULL,
    account_number_token text,
    masked_number text NOT NULL,
    holder_name text,
    status text NOT NULL,
    reason text
);
CREATE TABLE payout_method (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    method text NOT NULL CHECK (method IN ('ACCOUNT', 'CASH_POST', 'CASH_HOME')),
    account_id uuid,
    reason text
);

-- What a producer counted when it wrote its marker, and what our copy held when we reached it.
CREATE TABLE cut_off_marker (
    cut_off_id uuid NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    cycle_id uuid NOT NULL,
    producer text NOT NULL,
    month date NOT NULL,
    programme text NOT NULL,
    their_counts jsonb NOT NULL,
    our_counts jsonb NOT NULL,
    unanswered integer NOT NULL,
    reached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cut_off_id, topic, partition)
);
"""

CONTROL = """
CREATE TABLE take_over (
    take_over_id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    programme text NOT NULL,
    first_month date NOT NULL CHECK (extract(day FROM first_month) = 1),
    state text NOT NULL CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    business_date date NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    decided_at timestamptz,
    reason text,
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX take_over_one_per_unit ON take_over (unit_path, programme) WHERE state <> 'REJECTED';

CREATE TABLE budget (
    budget_id uuid PRIMARY KEY,
    programme text NOT NULL,
    funding_source text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    year integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    amount bigint NOT NULL CHECK (amount >= 0),
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (programme, funding_source, unit_path, year),
    CONSTRAINT budget_not_exceeded CHECK (reserved + spent <= amount)
);
-- Append only: every change of a budget's three figures, and who made it.
CREATE TABLE budget_movement (
    movement_id uuid PRIMARY KEY DEFAULT uuidv7(),
    budget_id uuid NOT NULL REFERENCES budget,
    cycle_id uuid,
    kind text NOT NULL CHECK (kind IN ('ALLOT', 'RESERVE', 'RELEASE', 'SPEND')),
    amount bigint NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX budget_movement_cycle ON budget_movement (cycle_id);

CREATE TABLE payment_cycle (
    cycle_id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    programme text NOT NULL,
    funding_source text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('MAIN', 'SUPPLEMENTARY')),
    sequence integer NOT NULL CHECK (sequence >= 1),
    state text NOT NULL CHECK (state IN ('OPEN', 'COMPUTED', 'SUBMITTED', 'APPROVED', 'DISBURSING', 'SETTLING', 'CLOSED')),
    business_date date NOT NULL,
    cut_off_id uuid NOT NULL,
    list_id uuid,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_by text,
    closed_at timestamptz,
    UNIQUE (month, programme, funding_source, unit_path, sequence)
);

-- A list and the people who answered for it. Lines of a list that was never submitted go when it is computed anew.
CREATE TABLE payment_list (
    list_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    number integer NOT NULL,
    state text NOT NULL CHECK (state IN ('COMPUTED', 'SUPERSEDED', 'SUBMITTED', 'REJECTED', 'APPROVED')),
    cut_off_id uuid NOT NULL,
    list_hash text NOT NULL,
    lines bigint NOT NULL,
    held bigint NOT NULL,
    withdrawn bigint NOT NULL DEFAULT 0,
    total_amount bigint NOT NULL,
    held_amount bigint NOT NULL,
    business_date date NOT NULL,
    computed_by text NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    submitted_by text,
    submitted_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    reason text,
    UNIQUE (cycle_id, number),
    CONSTRAINT four_eyes CHECK (decided_by IS NULL OR decided_by <> submitted_by)
);
"""

LISTS = """
CREATE TABLE list_line (
    line_id uuid PRIMARY KEY,
    list_id uuid NOT NULL REFERENCES payment_list,
    cycle_id uuid NOT NULL,
    beneficiary_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('BANK', 'WALLET', 'MOBILE_MONEY', 'CASH_POST', 'CASH_HOME')),
    partner text NOT NULL,
    account_id uuid,
    account_version bigint,
    account_number_token text,
    account_masked text,
    provider_code text,
    payee_name text NOT NULL,
    beneficiary_name text NOT NULL,
    file_code text,
    cash_reason text,
    amount bigint NOT NULL CHECK (amount > 0),
    months date[] NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    evidence_note text,
    state text NOT NULL DEFAULT 'LISTED' CHECK (state IN ('LISTED', 'HELD')),
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    UNIQUE (list_id, beneficiary_id),
    CHECK ((channel IN ('CASH_POST', 'CASH_HOME')) = (account_id IS NULL)),
    CHECK ((account_id IS NULL) = (account_version IS NULL))
);

-- What a line pays of which month. PLANNED until the list is submitted; PAID and RELEASED are final.
CREATE TABLE allocation (
    line_id uuid NOT NULL REFERENCES list_line ON DELETE CASCADE,
    list_id uuid NOT NULL,
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    month date NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    state text NOT NULL DEFAULT 'PLANNED' CHECK (state IN ('PLANNED', 'COMMITTED', 'PAID', 'RELEASED')),
    PRIMARY KEY (line_id, benefit_line, month)
);
CREATE INDEX allocation_list ON allocation (list_id);

-- The guard: paid + committed never grows beyond what is due (due_at_commit keeps what was due then, for the auditor).
CREATE TABLE due_month_position (
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    month date NOT NULL,
    committed bigint NOT NULL DEFAULT 0,
    paid bigint NOT NULL DEFAULT 0,
    due_at_commit bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (beneficiary_id, programme, funding_source, benefit_line, month),
    CONSTRAINT position_not_negative CHECK (committed >= 0 AND paid >= 0)
) WITH (fillfactor = 80);

CREATE TABLE hold (
    hold_id uuid PRIMARY KEY DEFAULT uuidv7(),
    cycle_id uuid NOT NULL,
    list_id uuid NOT NULL REFERENCES payment_list,
    line_id uuid,
    beneficiary_id uuid NOT NULL,
    file_code text,
    beneficiary_name text,
    programme text NOT NULL,
    funding_source text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    months date[] NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    detail text,
    stage text NOT NULL CHECK (stage IN ('COMPUTE', 'APPROVAL', 'SENDING')),
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    released_at timestamptz,
    UNIQUE (list_id, beneficiary_id)
);
CREATE INDEX hold_open ON hold (beneficiary_id) WHERE released_at IS NULL;
"""


def upgrade() -> None:
    """Create everything in one transaction."""
    mechanism_migration(op)
    for ddl in (PROJECTIONS, CONTROL, LISTS):
        op.execute(ddl)
    append_only(op, "budget_movement")


def downgrade() -> None:
    op.execute(
        "DROP TABLE administrative_unit, beneficiary, representative, dues, due_interval, verification, payout_account, "
        "payout_method, cut_off_marker, take_over, budget, budget_movement, payment_cycle, payment_list, list_line, "
        "allocation, due_month_position, hold, job, idempotency_key, audit_log, consumer_position, parked_event, inbox, "
        "outbox"
    )
