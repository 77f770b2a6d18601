"""Subjects, checks, verifications, evidence, decisions, the source's state and cut-offs."""

from alembic import op

from common.schema import append_only, breaker_ddl, cut_off_ddl, mechanism_migration

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE subject (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('BENEFICIARY', 'REPRESENTATIVE')),
    full_name text NOT NULL,
    birth_date text,
    sex text NOT NULL,
    number_token text,
    fingerprint text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    business_date date NOT NULL,
    PRIMARY KEY (beneficiary_id, subject_id)
);
COMMENT ON COLUMN subject.number_token IS 'AES-GCM token as received; null when the person has no number';
CREATE INDEX subject_subject ON subject (subject_id);

CREATE TABLE check_request (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    fingerprint text NOT NULL,
    state text NOT NULL CHECK (state IN ('PENDING', 'ANSWERED', 'CANCELLED')),
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    pending_since timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL DEFAULT now(),
    lease_owner text,
    lease_until timestamptz,
    PRIMARY KEY (beneficiary_id, subject_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN check_request.pending_since IS 'Since when the subject has been without an answer to its present data';
CREATE INDEX check_request_due ON check_request (next_try_at) WHERE state = 'PENDING';

CREATE TABLE verification (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version integer NOT NULL,
    verdict text NOT NULL,
    source_status text NOT NULL,
    fields jsonb NOT NULL,
    fingerprint text NOT NULL,
    checked_on date NOT NULL,
    valid_until date NOT NULL,
    reference text,
    death_date date,
    decided_by text,
    unit_path text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (beneficiary_id, subject_id)
);
CREATE INDEX verification_work_list ON verification (verdict, beneficiary_id, subject_id);

CREATE TABLE evidence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    verification_version integer NOT NULL,
    source text NOT NULL,
    source_status text NOT NULL,
    verdict text NOT NULL,
    fields jsonb NOT NULL,
    fingerprint text NOT NULL,
    reference text,
    death_date date,
    checked_on date NOT NULL,
    source_checked_at timestamptz,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evidence_subject ON evidence (beneficiary_id, subject_id, id);

CREATE TABLE decision (
    id uuid PRIMARY KEY,
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    verification_version integer NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('VERIFIED', 'SUSPECTED_IDENTITY')),
    note text NOT NULL,
    business_date date NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    confirmed_by text,
    confirmed_at timestamptz,
    CHECK (confirmed_by IS NULL OR confirmed_by <> proposed_by),
    UNIQUE (beneficiary_id, subject_id, verification_version, verdict)
);
"""


def upgrade() -> None:
    mechanism_migration(op)
    op.execute(_TABLES)
    op.execute(breaker_ddl("source_state", "source"))
    op.execute("INSERT INTO source_state (source) VALUES ('population')")
    op.execute(cut_off_ddl())
    append_only(op, "evidence")


def downgrade() -> None:
    op.execute(
        "DROP TABLE cut_off_partition, cut_off, source_state, decision, evidence, verification, check_request, subject, "
        "job, idempotency_key, audit_log, consumer_position, parked_event, inbox, outbox"
    )
