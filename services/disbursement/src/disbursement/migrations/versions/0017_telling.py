"""Telling people of their payments, complaints about payments, and shadow months before a unit goes live."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PEOPLE = """
-- The phone is sealed (only the SMS channel opens it), the number is an index by which a person is found and which tells nothing.
-- The name without accents, for the counter: combining marks of Vietnamese go, Đ is D.
ALTER TABLE beneficiary
    ADD COLUMN phone_token text,
    ADD COLUMN number_index text,
    ADD COLUMN name_folded text GENERATED ALWAYS AS (upper(translate(normalize(full_name, NFD),
        U&'\\0111\\0110\\0300\\0301\\0303\\0309\\0323\\0302\\0306\\031B', 'dD'))) STORED;
CREATE INDEX beneficiary_name_folded ON beneficiary (name_folded text_pattern_ops);
CREATE INDEX beneficiary_number_index ON beneficiary (number_index) WHERE number_index IS NOT NULL;
CREATE INDEX beneficiary_file_code ON beneficiary (file_code) WHERE file_code IS NOT NULL;
CREATE INDEX beneficiary_unit ON beneficiary (unit_path text_pattern_ops);
-- One payment's whole story, and one person's, are read at the counter.
CREATE INDEX hold_beneficiary ON hold (beneficiary_id);
CREATE INDEX quarantine_of_payment ON quarantine (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX reconciliation_break_payment ON reconciliation_break (payment_id) WHERE payment_id IS NOT NULL;
"""

TELLING = """
-- A commune's printed list of people to be told; handed over when the signed copy is filed.
CREATE TABLE telling_sheet (
    sheet_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    number integer NOT NULL,
    rows integer NOT NULL,
    digest text NOT NULL,
    state text NOT NULL DEFAULT 'PRINTED' CHECK (state IN ('PRINTED', 'HANDED_OVER')),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    business_date date NOT NULL,
    handed_over_on date,
    handed_over_by text,
    proof bytea,
    proof_name text,
    proof_sha256 bytea,
    UNIQUE (cycle_id, unit_path, number),
    CHECK ((state = 'HANDED_OVER') = (proof IS NOT NULL AND handed_over_on IS NOT NULL AND handed_over_by IS NOT NULL))
);
CREATE INDEX telling_sheet_unit ON telling_sheet (unit_path text_pattern_ops, sheet_id);

-- One row: one person to be told of one thing, by SMS or on the commune's list.
CREATE TABLE telling (
    telling_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL REFERENCES payment_cycle,
    beneficiary_id uuid NOT NULL,
    payment_id uuid REFERENCES payment,
    hold_id uuid,
    occasion text NOT NULL CHECK (occasion IN ('PAID', 'COLLECTED', 'FAILED', 'RETURNED', 'UNCOLLECTED', 'HELD')),
    route text NOT NULL CHECK (route IN ('SMS', 'LIST')),
    state text NOT NULL CHECK (state IN ('READY', 'SENDING', 'UNKNOWN', 'SENT', 'DELIVERED', 'TO_PRINT', 'PRINTED', 'HANDED_OVER')),
    beneficiary_name text NOT NULL,
    file_code text,
    payee_name text,
    other_payee boolean NOT NULL,
    channel text,
    month text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    reference text NOT NULL UNIQUE,
    text text,
    sends integer NOT NULL DEFAULT 0,
    asks integer NOT NULL DEFAULT 0,
    error text,
    next_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    told_at timestamptz,
    sheet_id uuid REFERENCES telling_sheet,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((payment_id IS NULL) = (hold_id IS NOT NULL)),
    CHECK ((payee_name IS NULL) = NOT other_payee),
    CHECK ((route = 'SMS') = (state IN ('READY', 'SENDING', 'UNKNOWN', 'SENT', 'DELIVERED'))),
    CHECK ((sheet_id IS NOT NULL) = (state IN ('PRINTED', 'HANDED_OVER'))),
    CONSTRAINT text_before_send CHECK (text IS NOT NULL OR state NOT IN ('SENDING', 'UNKNOWN', 'SENT', 'DELIVERED')),
    CONSTRAINT told_with_proof CHECK ((told_at IS NOT NULL) = (state IN ('DELIVERED', 'HANDED_OVER')))
);
CREATE UNIQUE INDEX telling_payment ON telling (payment_id, occasion) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX telling_hold ON telling (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX telling_to_send ON telling (next_at) WHERE state IN ('READY', 'SENDING', 'UNKNOWN', 'SENT');
CREATE INDEX telling_to_print ON telling (cycle_id, unit_path text_pattern_ops) WHERE state = 'TO_PRINT';
CREATE INDEX telling_cycle ON telling (cycle_id, telling_id);
CREATE INDEX telling_beneficiary ON telling (beneficiary_id);
CREATE INDEX telling_of_sheet ON telling (sheet_id) WHERE sheet_id IS NOT NULL;

-- When a cycle is looked through next for people to be told.
CREATE TABLE telling_round (
    cycle_id uuid PRIMARY KEY REFERENCES payment_cycle,
    next_at timestamptz NOT NULL DEFAULT now()
);
"""

COMPLAINTS = """
-- "I did not get it": a case about one payment, with a deadline; its outcome is the word of two people.
CREATE TABLE complaint (
    complaint_id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payment,
    beneficiary_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('NOT_RECEIVED', 'LESS_RECEIVED', 'TAKEN_BY_OTHER')),
    told_by text NOT NULL CHECK (told_by IN ('SELF', 'RELATIVE', 'NEIGHBOUR', 'OFFICER', 'OTHER')),
    note text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'INVESTIGATING', 'OUTCOME_PROPOSED', 'CLOSED', 'WITHDRAWN')),
    opened_on date NOT NULL,
    due_on date NOT NULL CHECK (due_on >= opened_on),
    investigation text,
    outcome text CHECK (outcome IN ('RECEIVED', 'KEPT_BY_PAYEE', 'NOT_RECEIVED', 'WRONG_PERSON')),
    evidence text,
    proposed_by text,
    decided_by text,
    closed_on date,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    opened_by text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT two_people CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state IN ('OUTCOME_PROPOSED', 'CLOSED')) = (outcome IS NOT NULL)),
    CHECK ((outcome IS NULL) = (evidence IS NULL) AND (outcome IS NULL) = (proposed_by IS NULL)),
    CHECK ((state = 'CLOSED') = (decided_by IS NOT NULL)),
    CHECK ((state IN ('CLOSED', 'WITHDRAWN')) = (closed_on IS NOT NULL))
);
CREATE UNIQUE INDEX complaint_living ON complaint (payment_id) WHERE state IN ('OPEN', 'INVESTIGATING', 'OUTCOME_PROPOSED');
CREATE INDEX complaint_beneficiary ON complaint (beneficiary_id);
CREATE INDEX complaint_unit ON complaint (unit_path text_pattern_ops, complaint_id);

CREATE TABLE complaint_step (
    complaint_id uuid NOT NULL REFERENCES complaint,
    version bigint NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    note text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (complaint_id, version)
);
"""

SHADOW = """
-- The office's own list of a month beside what we would pay, before a unit goes live. Nothing of it can be paid.
CREATE TABLE shadow_month (
    shadow_id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    business_date date NOT NULL,
    file_name text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    list_hash text NOT NULL DEFAULT '',
    figures jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'COMPARED' CHECK (state IN ('COMPARED', 'PROPOSED', 'SIGNED', 'REFUSED')),
    compared_by text NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now(),
    first_month date CHECK (extract(day FROM first_month) = 1),
    take_over_id uuid REFERENCES take_over,
    note text,
    proposed_by text,
    decided_by text,
    decided_at timestamptz,
    decision_note text,
    CONSTRAINT two_people CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state = 'COMPARED') = (take_over_id IS NULL)),
    CHECK ((take_over_id IS NULL) = (proposed_by IS NULL) AND (take_over_id IS NULL) = (first_month IS NULL)),
    CHECK ((state IN ('SIGNED', 'REFUSED')) = (decided_by IS NOT NULL))
);
CREATE INDEX shadow_month_unit ON shadow_month (unit_path text_pattern_ops, shadow_id);

CREATE TABLE shadow_row (
    shadow_id uuid NOT NULL REFERENCES shadow_month,
    row_no integer NOT NULL,
    file_code text,
    full_name text NOT NULL,
    name_folded text NOT NULL,
    birth_year text,
    amount bigint,
    method text CHECK (method IN ('ACCOUNT', 'CASH')),
    last4 text,
    fault text CHECK (fault IN ('AMOUNT_UNREADABLE')),
    beneficiary_id uuid,
    matched_by text CHECK (matched_by IN ('CODE', 'NAME', 'CODE_ELSEWHERE')),
    PRIMARY KEY (shadow_id, row_no),
    CHECK ((amount IS NULL) = (fault IS NOT NULL))
);

CREATE TABLE shadow_difference (
    shadow_id uuid NOT NULL REFERENCES shadow_month,
    number integer NOT NULL,
    kind text NOT NULL,
    why text NOT NULL,
    beneficiary_id uuid,
    row_no integer,
    file_code text,
    full_name text NOT NULL,
    theirs_name text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    ours_amount bigint,
    theirs_amount bigint,
    ours_method text,
    theirs_method text,
    ours_last4 text,
    theirs_last4 text,
    months date[],
    basis text,
    PRIMARY KEY (shadow_id, number)
);
"""


def upgrade() -> None:
    """Create the tables."""
    for ddl in (PEOPLE, TELLING, COMPLAINTS, SHADOW):
        op.execute(ddl)
    append_only(op, "complaint_step")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE shadow_difference, shadow_row, shadow_month, complaint_step, complaint, telling_round, telling, telling_sheet")
    op.execute("DROP INDEX reconciliation_break_payment, quarantine_of_payment, hold_beneficiary")
    op.execute("DROP INDEX beneficiary_unit, beneficiary_file_code, beneficiary_number_index, beneficiary_name_folded")
    op.execute("ALTER TABLE beneficiary DROP COLUMN name_folded, DROP COLUMN number_index, DROP COLUMN phone_token")
