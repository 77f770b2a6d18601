"""Exchange with other systems: change requests, self-registration, the Social Insurance's answers, data sets for a ministry."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REQUESTS = """
-- Name, number, birth date and death are changed by two people. `before` is what the requester saw (numbers masked).
CREATE TABLE change_request (
    request_id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('IDENTITY', 'DEATH')),
    full_name text,
    birth_date text,
    national_number bytea,
    masked_number text,
    death_date date,
    before jsonb NOT NULL,
    ground text NOT NULL CHECK (ground <> ''),
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'APPROVED', 'REFUSED', 'WITHDRAWN')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    answer text,
    version bigint NOT NULL DEFAULT 1,
    CHECK ((kind = 'DEATH') = (death_date IS NOT NULL)),
    CHECK (kind = 'DEATH' OR num_nonnulls(full_name, birth_date, national_number) > 0),
    CHECK (kind = 'IDENTITY' OR num_nonnulls(full_name, birth_date, national_number) = 0),
    CHECK ((national_number IS NULL) = (masked_number IS NULL)),
    CHECK ((state = 'PENDING') = (decided_by IS NULL)),
    CHECK (state NOT IN ('APPROVED', 'REFUSED') OR decided_by <> requested_by),
    CHECK (state <> 'WITHDRAWN' OR decided_by = requested_by)
);
CREATE UNIQUE INDEX change_request_one_open ON change_request (person_id) WHERE state = 'PENDING';
CREATE INDEX change_request_state ON change_request (state, request_id);

-- What a citizen, or somebody for them, registers at a public counter: nothing of the register until an officer accepts it.
CREATE TABLE self_registration (
    registration_id uuid PRIMARY KEY DEFAULT uuidv7(),
    receipt_number text NOT NULL UNIQUE,
    programme text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    full_name text NOT NULL,
    birth_date text,
    masked_number text,
    number_blind bytea,
    by_proxy boolean NOT NULL,
    content bytea NOT NULL,
    digits_blind bytea NOT NULL,
    failed_lookups smallint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'ACCEPTED', 'REFUSED')),
    answer text,
    person_id uuid REFERENCES person,
    business_date date NOT NULL,
    received_by text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_on date,
    CHECK ((state = 'PENDING') = (decided_by IS NULL)),
    CHECK ((state = 'ACCEPTED') = (person_id IS NOT NULL)),
    CHECK (state <> 'REFUSED' OR answer IS NOT NULL),
    CHECK (decided_by <> received_by)
);
CREATE INDEX self_registration_unit ON self_registration (unit_path text_pattern_ops, registration_id);
CREATE INDEX self_registration_number ON self_registration (number_blind) WHERE state = 'PENDING';
"""

INSURANCE = """
-- A list of people sent to the Social Insurance: frozen, so that the answer to line 17 is about the person who stood there.
CREATE TABLE insurance_list (
    list_id uuid PRIMARY KEY DEFAULT uuidv7(),
    source text NOT NULL DEFAULT 'SOCIAL_INSURANCE',
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    programmes text[] NOT NULL,
    business_date date NOT NULL,
    people integer NOT NULL,
    sha256 text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE insurance_line (
    list_id uuid NOT NULL REFERENCES insurance_list,
    line integer NOT NULL,
    person_id uuid NOT NULL REFERENCES person,
    full_name text NOT NULL,
    birth_date text,
    sex text NOT NULL,
    masked_number text,
    national_number bytea,
    unit_code text NOT NULL,
    PRIMARY KEY (list_id, line),
    UNIQUE (list_id, person_id)
);
CREATE TABLE insurance_answer (
    answer_id uuid PRIMARY KEY DEFAULT uuidv7(),
    list_id uuid NOT NULL REFERENCES insurance_list,
    file_name text NOT NULL,
    sha256 bytea NOT NULL UNIQUE,
    content bytea NOT NULL,
    told_on date NOT NULL,
    rows_good integer NOT NULL,
    rows_refused integer NOT NULL,
    state text NOT NULL DEFAULT 'CHECKED' CHECK (state IN ('CHECKED', 'APPLIED', 'REFUSED')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK ((state = 'CHECKED') = (decided_by IS NULL)),
    CHECK (state <> 'APPLIED' OR decided_by <> created_by)
);
CREATE INDEX insurance_answer_list ON insurance_answer (list_id);
CREATE TABLE insurance_answer_row (
    answer_id uuid NOT NULL REFERENCES insurance_answer,
    row_number integer NOT NULL,
    line integer,
    verdict text CHECK (verdict IN ('NONE', 'DRAWS')),
    kind text,
    from_month date CHECK (extract(day FROM from_month) = 1),
    until date,
    monthly_amount bigint CHECK (monthly_amount >= 0),
    reasons jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (answer_id, row_number),
    CHECK (reasons <> '[]' OR line IS NOT NULL AND verdict IS NOT NULL),
    CHECK (verdict <> 'DRAWS' OR reasons <> '[]' OR kind IS NOT NULL AND from_month IS NOT NULL)
);
"""

DATA_SETS = """
-- A data set as given to a ministry: everything, or what changed after another one. `position` is where the next delta starts.
CREATE TABLE data_set (
    data_set_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('FULL', 'DELTA')),
    schema_version text NOT NULL,
    since_id uuid REFERENCES data_set,
    since_position bigint NOT NULL DEFAULT 0,
    position bigint,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    whole_numbers boolean NOT NULL,
    purpose text NOT NULL CHECK (purpose <> ''),
    business_date date NOT NULL,
    job_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'BUILDING' CHECK (state IN ('BUILDING', 'READY')),
    manifest jsonb,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'DELTA') = (since_id IS NOT NULL)),
    CHECK ((state = 'READY') = (manifest IS NOT NULL)),
    CHECK ((state = 'READY') <= (position IS NOT NULL))
);
CREATE INDEX data_set_unit ON data_set (unit_path text_pattern_ops, data_set_id);
CREATE TABLE data_set_part (
    data_set_id uuid NOT NULL REFERENCES data_set ON DELETE CASCADE,
    part integer NOT NULL,
    records integer NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (data_set_id, part)
);
"""


def upgrade() -> None:
    """Create the tables."""
    for part in (REQUESTS, INSURANCE, DATA_SETS):
        op.execute(part)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP TABLE data_set_part, data_set, insurance_answer_row, insurance_answer, insurance_line, insurance_list, self_registration,"
        " change_request"
    )
