"""People to be paid, account lists, accounts, payout methods, the partners' state and cut-offs."""

from alembic import op

from common.schema import breaker_ddl, cut_off_ddl, mechanism_migration

revision = "0001"
down_revision = None

_PEOPLE = """
CREATE TABLE administrative_unit (
    unit_id uuid PRIMARY KEY,
    version integer NOT NULL,
    code text NOT NULL,
    path text NOT NULL,
    valid_from date NOT NULL,
    valid_to date
);
CREATE INDEX administrative_unit_code ON administrative_unit (code, valid_from);

CREATE TABLE beneficiary (
    beneficiary_id uuid PRIMARY KEY,
    version integer NOT NULL,
    file_code text,
    full_name text NOT NULL,
    name_key text NOT NULL,
    name_folded text NOT NULL,
    number_token text,
    fingerprint text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    business_date date NOT NULL
);
COMMENT ON COLUMN beneficiary.number_token IS 'AES-GCM token as received; null when the person has no number';
CREATE INDEX beneficiary_file_code ON beneficiary (file_code);
CREATE INDEX beneficiary_unit_code ON beneficiary (unit_code);

CREATE TABLE representative (
    beneficiary_id uuid NOT NULL,
    representative_id uuid NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('AUTHORISED', 'GUARDIAN', 'CARER')),
    full_name text NOT NULL,
    name_key text NOT NULL,
    name_folded text NOT NULL,
    number_token text,
    fingerprint text NOT NULL,
    revoked_on date,
    PRIMARY KEY (beneficiary_id, representative_id)
);
"""

_IMPORTS = """
CREATE TABLE import_file (
    import_id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    job_id uuid NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    file_name text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    business_date date NOT NULL,
    dry_run boolean NOT NULL,
    state text NOT NULL DEFAULT 'RECEIVED' CHECK (state IN ('RECEIVED', 'CHECKED', 'REFUSED', 'APPROVED', 'APPLIED')),
    refusal text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    approved_by text,
    approved_at timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> created_by)
);
COMMENT ON COLUMN import_file.content IS 'The file as sent, encrypted';
CREATE UNIQUE INDEX import_file_once ON import_file (sha256, unit_code) WHERE NOT dry_run AND state <> 'REFUSED';

CREATE TABLE import_row (
    import_id uuid NOT NULL REFERENCES import_file,
    row_number integer NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('REFUSED', 'WAITING', 'GOOD', 'APPLIED', 'UNCHANGED')),
    reason text,
    retry boolean NOT NULL DEFAULT false,
    file_code text NOT NULL,
    beneficiary_name text NOT NULL,
    name_folded text NOT NULL,
    payee_name text,
    payee_key text,
    payee_folded text,
    method text,
    kind text,
    provider_code text,
    partner text,
    number_cipher bytea,
    number_blind bytea,
    masked_number text,
    claimed_holder text,
    home_reason_cipher bytea,
    beneficiary_id uuid,
    payee_id uuid,
    payee_kind text,
    account_id uuid,
    PRIMARY KEY (import_id, row_number)
);
COMMENT ON COLUMN import_row.home_reason_cipher IS 'May tell of an illness: encrypted, never published';
CREATE INDEX import_row_waiting ON import_row (file_code) WHERE verdict = 'WAITING';
CREATE INDEX import_row_retry ON import_row (import_id) WHERE retry;
"""

_ACCOUNTS = """
CREATE TABLE account (
    account_id uuid PRIMARY KEY DEFAULT uuidv7(),
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    via_beneficiary_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('BANK', 'WALLET', 'MOBILE_MONEY')),
    provider_code text NOT NULL,
    partner text NOT NULL,
    number_cipher bytea NOT NULL,
    number_blind bytea NOT NULL,
    masked_number text NOT NULL,
    holder_name text,
    status text NOT NULL DEFAULT 'PENDING_CHECK'
        CHECK (status IN ('PENDING_CHECK', 'ACTIVE', 'NEEDS_REVIEW', 'REJECTED', 'CLOSED', 'DORMANT', 'NOT_UPGRADED')),
    reason text,
    version integer NOT NULL DEFAULT 0,
    said jsonb,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    check_due boolean NOT NULL DEFAULT true,
    due_since timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    lease_owner text,
    lease_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (payee_id, provider_code, number_blind)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN account.version IS '0 until the first event';
COMMENT ON COLUMN account.said IS 'What the last event said, to publish changes only';
CREATE INDEX account_number ON account (provider_code, number_blind);
CREATE INDEX account_via ON account (via_beneficiary_id);
CREATE INDEX account_due ON account (partner, next_try_at) WHERE check_due;

CREATE TABLE payout_method (
    beneficiary_id uuid PRIMARY KEY,
    version integer NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL CHECK (payee_kind IN ('SELF', 'AUTHORISED', 'GUARDIAN', 'CARER')),
    method text NOT NULL CHECK (method IN ('ACCOUNT', 'CASH_POST', 'CASH_HOME')),
    account_id uuid REFERENCES account,
    reason text,
    home_reason_cipher bytea,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    CHECK ((method = 'ACCOUNT') = (account_id IS NOT NULL))
);
CREATE INDEX payout_method_account ON payout_method (account_id) WHERE account_id IS NOT NULL;
"""


def upgrade() -> None:
    mechanism_migration(op)
    for part in (_PEOPLE, _IMPORTS, _ACCOUNTS, breaker_ddl("partner_state", "partner"), cut_off_ddl()):
        op.execute(part)


def downgrade() -> None:
    op.execute(
        "DROP TABLE cut_off_partition, cut_off, partner_state, payout_method, account, import_row, import_file, representative,"
        " beneficiary, administrative_unit, job, idempotency_key, audit_log, consumer_position, parked_event, inbox, outbox"
    )
