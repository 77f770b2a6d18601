"""What keeps the sending side in hand: each partner's lane, pauses, manual results, cases of investigation and recall."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LANES = """
-- How we deal with one partner; read by every worker on this database's clock. NULL: no such limit (concurrency: the partners file's).
CREATE TABLE partner_lane (
    partner text PRIMARY KEY CHECK (partner ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    batch_payments integer NOT NULL DEFAULT 1000 CHECK (batch_payments BETWEEN 1 AND 1000),
    first_batch_payments integer DEFAULT 50 CHECK (first_batch_payments BETWEEN 1 AND 1000),
    first_batch_wait_seconds integer NOT NULL DEFAULT 0 CHECK (first_batch_wait_seconds BETWEEN 0 AND 864000),
    concurrency integer CHECK (concurrency BETWEEN 1 AND 16),
    requests_per_minute integer CHECK (requests_per_minute BETWEEN 1 AND 60000),
    daily_payments integer CHECK (daily_payments > 0),
    daily_amount bigint CHECK (daily_amount > 0),
    stop_percent integer DEFAULT 30 CHECK (stop_percent BETWEEN 1 AND 100),
    stop_from_payments integer NOT NULL DEFAULT 20 CHECK (stop_from_payments BETWEEN 1 AND 100000),
    stop_unknown_seconds integer NOT NULL DEFAULT 300 CHECK (stop_unknown_seconds BETWEEN 0 AND 864000),
    inquiry_seconds integer[] NOT NULL DEFAULT '{2,5,15,60,300,900,3600}'
        CHECK (array_ndims(inquiry_seconds) = 1 AND cardinality(inquiry_seconds) BETWEEN 1 AND 20
               AND 1 <= ALL (inquiry_seconds) AND 864000 >= ALL (inquiry_seconds)),
    person_after_seconds integer NOT NULL DEFAULT 3600 CHECK (person_after_seconds BETWEEN 0 AND 8640000),
    next_turn_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    open_until timestamptz,
    last_error text,
    version integer NOT NULL DEFAULT 1,
    changed_by text,
    changed_at timestamptz
);

-- Nothing new is sent while one of these stands over it: NULL partner, programme and cycle is everything.
CREATE TABLE lane_pause (
    pause_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('MANUAL', 'ABNORMAL')),
    partner text,
    programme text,
    cycle_id uuid REFERENCES payment_cycle,
    reason text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'RESUME_PROPOSED', 'RESUMED')),
    resume_proposed_by text,
    resume_note text,
    resumed_by text,
    resumed_at timestamptz,
    CONSTRAINT resumed_by_two CHECK (resumed_by IS NULL OR resumed_by <> resume_proposed_by),
    CHECK ((state = 'RESUMED') = (resumed_by IS NOT NULL)),
    CHECK ((state = 'RESUMED') = (resumed_at IS NOT NULL)),
    CHECK ((state = 'ACTIVE') = (resume_proposed_by IS NULL)),
    CHECK (kind <> 'ABNORMAL' OR (partner IS NOT NULL AND cycle_id IS NOT NULL))
);
CREATE UNIQUE INDEX lane_pause_one_stop ON lane_pause (partner, cycle_id) WHERE kind = 'ABNORMAL' AND state <> 'RESUMED';
CREATE INDEX lane_pause_standing ON lane_pause (pause_id) WHERE state <> 'RESUMED';

-- `started_at`: when the batch was first taken to be sent; daily caps count by it.
ALTER TABLE payment_batch ADD COLUMN started_at timestamptz;
UPDATE payment_batch SET started_at = created_at WHERE sends > 0;
CREATE INDEX payment_batch_started ON payment_batch (partner, started_at) INCLUDE (payments, amount) WHERE state <> 'WITHDRAWN';
CREATE INDEX payment_batch_under_way ON payment_batch (partner) WHERE lease_until IS NOT NULL;
CREATE INDEX payment_abnormal ON payment (partner, cycle_id, batch_id) WHERE status IN ('FAILED', 'UNKNOWN');
"""

MANUAL = """
-- Investigation (tra soát) and recall of a payment: letters to the partner with deadlines, and what came of them.
CREATE TABLE payment_case (
    case_id uuid PRIMARY KEY DEFAULT uuidv7(),
    payment_id uuid NOT NULL REFERENCES payment,
    kind text NOT NULL CHECK (kind IN ('INVESTIGATION', 'RECALL')),
    partner text NOT NULL,
    unit_path text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'SENT', 'ANSWERED', 'CLOSED', 'CANCELLED')),
    opened_by text NOT NULL,
    opened_on date NOT NULL,
    letter_number text,
    letter_date date,
    due_on date,
    reminders integer NOT NULL DEFAULT 0,
    answer text,
    answer_number text,
    answered_on date,
    outcome text CHECK (outcome IN ('PAID', 'NOT_PAID', 'RETURNED', 'CREDITED_ELSEWHERE', 'REFUSED', 'NO_FUNDS')),
    closed_by text,
    closed_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CHECK (state <> 'SENT' OR (letter_number IS NOT NULL AND letter_date IS NOT NULL AND due_on >= letter_date)),
    CHECK ((state = 'CLOSED') = (outcome IS NOT NULL)),
    CHECK ((state IN ('CLOSED', 'CANCELLED')) = (closed_by IS NOT NULL))
);
CREATE UNIQUE INDEX payment_case_one_living ON payment_case (payment_id, kind) WHERE state NOT IN ('CLOSED', 'CANCELLED');
CREATE INDEX payment_case_payment ON payment_case (payment_id);

CREATE TABLE payment_case_step (
    case_id uuid NOT NULL REFERENCES payment_case,
    version integer NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    note text,
    actor text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (case_id, version)
);

-- What became of a payment, said by two people with evidence.
CREATE TABLE manual_result (
    manual_id uuid PRIMARY KEY DEFAULT uuidv7(),
    payment_id uuid NOT NULL REFERENCES payment,
    quarantine_id uuid REFERENCES quarantine,
    case_id uuid REFERENCES payment_case,
    result text NOT NULL CHECK (result IN ('SETTLED', 'COLLECTED', 'FAILED', 'UNCOLLECTED', 'RETURNED')),
    reason text,
    happened_on date NOT NULL,
    note text NOT NULL,
    evidence text NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'CONFIRMED', 'REFUSED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    decision_note text,
    CONSTRAINT manual_by_two CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX manual_result_one_open ON manual_result (payment_id) WHERE state = 'PROPOSED';
CREATE INDEX manual_result_quarantine ON manual_result (quarantine_id) WHERE quarantine_id IS NOT NULL;

-- How a word that was set aside ended: dismissed by a person, or accepted as a result by two.
ALTER TABLE quarantine ADD COLUMN outcome text CHECK (outcome IN ('DISMISSED', 'ACCEPTED')), ADD COLUMN note text,
    ADD COLUMN resolved_by text, ADD COLUMN resolved_at timestamptz;
UPDATE quarantine SET outcome = 'DISMISSED', resolved_by = 'unknown', resolved_at = now() WHERE state = 'RESOLVED';
ALTER TABLE quarantine ADD CONSTRAINT quarantine_outcome
    CHECK ((state = 'RESOLVED') = (outcome IS NOT NULL) AND (outcome IS NULL) = (resolved_by IS NULL));
"""


def upgrade() -> None:
    """Create the tables; batches already sent count on the day they were made."""
    op.execute(LANES)
    op.execute(MANUAL)
    append_only(op, "payment_case_step")


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE quarantine DROP COLUMN outcome, DROP COLUMN note, DROP COLUMN resolved_by, DROP COLUMN resolved_at")
    op.execute("DROP TABLE manual_result, payment_case_step, payment_case, lane_pause, partner_lane")
    op.execute("DROP INDEX payment_abnormal, payment_batch_under_way, payment_batch_started")
    op.execute("ALTER TABLE payment_batch DROP COLUMN started_at")
