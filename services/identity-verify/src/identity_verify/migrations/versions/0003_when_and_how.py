"""When and how people are checked: re-checks, the feed of deaths, exchange files, grace, numbers claimed twice, numbers to issue."""

from alembic import op

from common.schema import append_only, throttle_ddl

revision = "0003"
down_revision = "0002"

_CHECKS = """
ALTER TABLE subject ADD COLUMN number_blind bytea;
COMMENT ON COLUMN subject.number_blind IS 'Blind index of the national number: to find its owner, not to read it';
CREATE INDEX subject_number ON subject (number_blind) WHERE number_blind IS NOT NULL;
CREATE INDEX subject_business_date ON subject (business_date);

ALTER TABLE check_request
    ADD COLUMN reason text NOT NULL DEFAULT 'REGISTERED'
        CHECK (reason IN ('REGISTERED', 'CHANGED', 'RECHECK', 'DEATH_FEED', 'NUMBER_CLAIMED', 'NUMBER_FREED', 'REQUESTED')),
    ADD COLUMN priority smallint NOT NULL DEFAULT 0,
    ADD COLUMN business_date date,
    ADD COLUMN exchange_id uuid;
UPDATE check_request c SET business_date = s.business_date FROM subject s
WHERE s.beneficiary_id = c.beneficiary_id AND s.subject_id = c.subject_id;
ALTER TABLE check_request ALTER COLUMN business_date SET NOT NULL;
COMMENT ON COLUMN check_request.business_date IS 'The day of which the answer is evidence';
COMMENT ON COLUMN check_request.exchange_id IS 'On a list that is with the police: not asked online meanwhile';
DROP INDEX check_request_due;
CREATE INDEX check_request_due ON check_request (priority, next_try_at) WHERE state = 'PENDING' AND exchange_id IS NULL;
CREATE INDEX check_request_exchange ON check_request (exchange_id) WHERE exchange_id IS NOT NULL;

ALTER TABLE verification ADD COLUMN grace_until date, ADD COLUMN decided jsonb;
COMMENT ON COLUMN verification.decided IS 'What two people decided, on which data and which answer: stands while both stay the same';
CREATE INDEX verification_age ON verification (checked_on);

ALTER TABLE evidence ADD COLUMN side_by_side_cipher bytea, ADD COLUMN reason text;
COMMENT ON COLUMN evidence.side_by_side_cipher IS 'Registered values of an unclear answer, encrypted, for the officer who decides';
CREATE INDEX evidence_recorded ON evidence USING brin (recorded_at);

CREATE TABLE death_feed (
    source text PRIMARY KEY,
    cursor text,
    polled_at timestamptz,
    deaths bigint NOT NULL DEFAULT 0,
    ours bigint NOT NULL DEFAULT 0
);
INSERT INTO death_feed (source) VALUES ('population');

ALTER TABLE cut_off ADD COLUMN rechecked_at timestamptz;
COMMENT ON COLUMN cut_off.rechecked_at IS 'Since when everybody whose evidence is too old at this cut-off is being asked about';
"""

_GRACE = """
CREATE TABLE grace_period (
    grace_id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REFUSED', 'ENDED')),
    valid_from date NOT NULL,
    valid_until date NOT NULL,
    reason text NOT NULL,
    away_since timestamptz NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    people bigint NOT NULL DEFAULT 0,
    CHECK (valid_until >= valid_from),
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
COMMENT ON COLUMN grace_period.away_since IS 'Since when the population database did not answer, when the period was proposed';
"""

_CONFLICTS = """
CREATE TABLE number_conflict (
    conflict_id uuid PRIMARY KEY DEFAULT uuidv7(),
    number_blind bytea NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'RESOLVED')),
    seen_on date NOT NULL,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX number_conflict_open ON number_conflict (number_blind) WHERE state = 'OPEN';
CREATE TABLE number_conflict_member (
    conflict_id uuid NOT NULL REFERENCES number_conflict,
    beneficiary_id uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    left_at timestamptz,
    PRIMARY KEY (conflict_id, beneficiary_id)
);
CREATE INDEX number_conflict_member_of ON number_conflict_member (beneficiary_id) WHERE left_at IS NULL;
"""

_EXCHANGES = """
CREATE TABLE account_copy (
    account_id uuid PRIMARY KEY,
    payee_id uuid NOT NULL,
    version bigint NOT NULL,
    provider_code text NOT NULL,
    masked_number text NOT NULL,
    status text NOT NULL
);
CREATE INDEX account_copy_payee ON account_copy (payee_id);

CREATE TABLE exchange (
    exchange_id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    people integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CLOSED')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE TABLE exchange_row (
    exchange_id uuid NOT NULL REFERENCES exchange,
    place integer NOT NULL,
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    fingerprint text NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (exchange_id, place)
);
CREATE TABLE exchange_answer (
    answer_id uuid PRIMARY KEY,
    exchange_id uuid NOT NULL REFERENCES exchange,
    job_id uuid,
    file_name text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    state text NOT NULL DEFAULT 'CHECKED' CHECK (state IN ('CHECKED', 'APPROVED', 'APPLIED', 'REFUSED')),
    readable integer NOT NULL,
    unreadable jsonb NOT NULL,
    statuses jsonb NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK (decided_by IS NULL OR decided_by <> uploaded_by),
    UNIQUE (exchange_id, sha256)
);
COMMENT ON COLUMN exchange_answer.content IS 'The file as sent, encrypted: it holds national numbers';
"""

_ISSUING = """
CREATE TABLE issue_request (
    request_id uuid PRIMARY KEY,
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    note_cipher bytea,
    visit_on date,
    unit_path text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    business_date date NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN issue_request.note_cipher IS 'May tell of an illness: encrypted, never published';
CREATE UNIQUE INDEX issue_request_open ON issue_request (beneficiary_id, subject_id)
    WHERE state IN ('REQUESTED', 'ACCEPTED', 'VISITED', 'ISSUED');
CREATE TABLE issue_request_step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES issue_request,
    state text NOT NULL,
    business_date date NOT NULL,
    by_whom text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX issue_request_step_of ON issue_request_step (request_id, id);
"""


def upgrade() -> None:
    for part in (_CHECKS, throttle_ddl("source_state"), _GRACE, _CONFLICTS, _EXCHANGES, _ISSUING):
        op.execute(part)
    append_only(op, "issue_request_step")


def downgrade() -> None:
    op.execute(
        "DROP TABLE issue_request_step, issue_request, exchange_answer, exchange_row, exchange, account_copy, number_conflict_member,"
        " number_conflict, grace_period, death_feed"
    )
    op.execute("ALTER TABLE source_state DROP COLUMN next_turn_at")
    op.execute("ALTER TABLE cut_off DROP COLUMN rechecked_at")
    op.execute("DROP INDEX evidence_recorded, verification_age, check_request_exchange, check_request_due")
    op.execute("ALTER TABLE evidence DROP COLUMN side_by_side_cipher, DROP COLUMN reason")
    op.execute("ALTER TABLE verification DROP COLUMN grace_until, DROP COLUMN decided")
    op.execute("ALTER TABLE check_request DROP COLUMN reason, DROP COLUMN priority, DROP COLUMN business_date, DROP COLUMN exchange_id")
    op.execute("CREATE INDEX check_request_due ON check_request (next_try_at) WHERE state = 'PENDING'")
    op.execute("DROP INDEX subject_business_date")
    op.execute("ALTER TABLE subject DROP COLUMN number_blind")
