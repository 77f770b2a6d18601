"""Provider directory, settings, history and alerts, reviews, account openings, re-checks, fee complaints."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0004"
down_revision = "0003"

_DIRECTORY = """
CREATE TABLE provider_type (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9_]{1,39}$'),
    name_vi text NOT NULL,
    name_en text NOT NULL,
    account_kind text CHECK (account_kind IN ('BANK', 'WALLET', 'MOBILE_MONEY'))
);
COMMENT ON TABLE provider_type IS 'Open list; account_kind null: pays no accounts (the post)';

CREATE TABLE provider (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z0-9_]{2,40}$'),
    type_code text NOT NULL REFERENCES provider_type,
    partner text,
    channels text[] NOT NULL DEFAULT '{}'
        CHECK (channels <@ ARRAY['BANK', 'WALLET', 'MOBILE_MONEY', 'CASH_POST', 'CASH_HOME']),
    name_inquiry boolean NOT NULL DEFAULT false,
    holder_id_check boolean NOT NULL DEFAULT false,
    opens_accounts boolean NOT NULL DEFAULT false,
    inquiries_per_second numeric CHECK (inquiries_per_second > 0),
    limit_per_payment bigint CHECK (limit_per_payment > 0),
    limit_per_month bigint CHECK (limit_per_month > 0),
    succeeded_by text REFERENCES provider DEFERRABLE INITIALLY DEFERRED,
    source text,
    changed boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN provider.changed IS 'By people: loading the files again leaves it alone';

CREATE TABLE provider_name (
    provider_code text NOT NULL REFERENCES provider,
    name text NOT NULL,
    short_name text NOT NULL,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_to date,
    PRIMARY KEY (provider_code, valid_from),
    CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE TABLE provider_bin (
    provider_code text NOT NULL REFERENCES provider,
    bin text NOT NULL CHECK (bin ~ '^[0-9]{6}$'),
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_to date,
    PRIMARY KEY (provider_code, bin, valid_from)
);
COMMENT ON TABLE provider_bin IS 'Not unique: renamed and merged banks share one';
CREATE TABLE provider_alias (
    alias_key text PRIMARY KEY,
    alias text NOT NULL,
    provider_code text NOT NULL REFERENCES provider
);
CREATE TABLE provider_fee_offer (
    offer_id uuid PRIMARY KEY DEFAULT uuidv7(),
    provider_code text NOT NULL REFERENCES provider,
    kind text NOT NULL CHECK (kind IN ('OPENING', 'MAINTENANCE', 'WITHDRAWAL')),
    amount bigint NOT NULL CHECK (amount >= 0),
    terms text,
    source text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from)
);
CREATE INDEX provider_fee_offer_provider ON provider_fee_offer (provider_code, kind, valid_from);
CREATE TABLE provider_contract (
    contract_id uuid PRIMARY KEY DEFAULT uuidv7(),
    number text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    provider_code text NOT NULL REFERENCES provider,
    programme text CHECK (programme IN ('MERIT', 'SOCIAL_ASSISTANCE', 'SOCIAL_PENSION')),
    scope text NOT NULL,
    fee_basis_points integer NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    UNIQUE (provider_code, number)
);
COMMENT ON COLUMN provider_contract.fee_basis_points IS 'Of paid amounts, borne by the agency; 1 basis point = 0.01 percent';
CREATE INDEX provider_contract_unit ON provider_contract (unit_path);

CREATE TABLE policy_setting (
    code text PRIMARY KEY,
    value text NOT NULL,
    question_vi text NOT NULL,
    question_en text NOT NULL,
    legal_ref text,
    decided_by text,
    decided_on date
);

CREATE TABLE change_request (
    request_id uuid PRIMARY KEY,
    kind text NOT NULL,
    body jsonb NOT NULL,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REFUSED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    note text,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
"""

_PEOPLE = """
ALTER TABLE beneficiary ADD COLUMN birth_date text, ADD COLUMN programmes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN status text NOT NULL DEFAULT 'ACTIVE';
CREATE INDEX beneficiary_unit_path ON beneficiary (unit_path text_pattern_ops);
ALTER TABLE representative ADD COLUMN birth_date text, ADD COLUMN valid_from date, ADD COLUMN valid_to date;
CREATE INDEX representative_person ON representative (representative_id);
CREATE INDEX representative_fingerprint ON representative (fingerprint);
CREATE TABLE preference (
    beneficiary_id uuid PRIMARY KEY,
    version integer NOT NULL,
    preference text NOT NULL,
    recorded_on date NOT NULL,
    evidence text
);
CREATE TABLE paid_by_account (
    payment_id uuid PRIMARY KEY,
    beneficiary_id uuid NOT NULL,
    version integer NOT NULL,
    month text NOT NULL,
    paid boolean NOT NULL
);
COMMENT ON TABLE paid_by_account IS 'Payments into accounts as disbursement told last; paid: settled and not come back';
CREATE INDEX paid_by_account_person ON paid_by_account (beneficiary_id) WHERE paid;
"""

_ACCOUNTS = """
ALTER TABLE account
    ADD COLUMN priority smallint NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 99),
    ADD COLUMN source text NOT NULL DEFAULT 'IMPORT' CHECK (source IN ('FORM', 'IMPORT', 'BANK_LIST', 'VNEID', 'OPENING')),
    ADD COLUMN consent_on date,
    ADD COLUMN consent_evidence text,
    ADD COLUMN checked_on date,
    ADD COLUMN active_since date,
    ADD COLUMN recheck_on date,
    ADD COLUMN accepted_reason text,
    ADD COLUMN accepted_holder text,
    ADD COLUMN accepted_fingerprint text,
    ADD COLUMN ask_officer text CHECK (ask_officer IN ('PAYMENT_FAILED'));
COMMENT ON COLUMN account.recheck_on IS 'To be asked about for this business date on the rolling plan; usable meanwhile, delays no cut-off';
COMMENT ON COLUMN account.accepted_holder IS 'Accepted by two people for this identity: the same answer again needs no review';
CREATE INDEX account_payee ON account (payee_id, priority);
CREATE INDEX account_recheck ON account (partner, next_try_at) WHERE recheck_on IS NOT NULL AND NOT check_due;
CREATE INDEX account_to_review ON account (account_id) WHERE status = 'NEEDS_REVIEW' OR ask_officer IS NOT NULL;

ALTER TABLE payout_method
    ADD COLUMN trusted_account_id uuid REFERENCES account,
    ADD COLUMN account_from date,
    ADD COLUMN fraud_suspected boolean NOT NULL DEFAULT false,
    ADD CHECK (account_from IS NULL OR method = 'ACCOUNT');
COMMENT ON COLUMN payout_method.trusted_account_id IS 'The last account in use before the present one, kept through times of cash';
CREATE INDEX payout_method_payee ON payout_method (payee_id) WHERE payee_kind <> 'SELF';

CREATE TABLE account_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    business_date date NOT NULL,
    what text NOT NULL CHECK (what IN ('METHOD', 'STATUS')),
    beneficiary_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    account_id uuid,
    version integer NOT NULL,
    state text NOT NULL,
    reason text,
    subject text NOT NULL,
    in_bulk boolean NOT NULL
);
COMMENT ON COLUMN account_change.state IS 'METHOD: ACCOUNT, CASH_POST or CASH_HOME; STATUS: the status of the account';
CREATE INDEX account_change_person ON account_change (beneficiary_id, change_id);
CREATE INDEX account_change_subject ON account_change (subject, business_date) WHERE what = 'METHOD';

CREATE TABLE account_review (
    review_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account,
    account_version integer NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('ACCEPT', 'REJECT', 'ASK_AGAIN')),
    reason text NOT NULL,
    evidence text,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'AGREED', 'DISAGREED', 'OVERTAKEN')),
    decided_by text,
    decided_at timestamptz,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX account_review_open ON account_review (account_id) WHERE state = 'PROPOSED';

CREATE TABLE alert (
    alert_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('SHARED_ACCOUNT', 'ONE_REPRESENTATIVE', 'BULK_CHANGES')),
    key text NOT NULL,
    shown text NOT NULL,
    people integer NOT NULL,
    threshold integer NOT NULL,
    unit_paths text[] NOT NULL,
    opened_on date NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'SUSPECTED', 'CLEARED', 'CONFIRMED')),
    subject text,
    suspected_by text,
    decided_by text,
    decided_on date,
    reason text,
    CHECK (decided_by IS NULL OR suspected_by IS NULL OR decided_by <> suspected_by),
    CHECK (subject IS NULL OR (decided_by IS DISTINCT FROM subject AND suspected_by IS DISTINCT FROM subject))
);
COMMENT ON COLUMN alert.shown IS 'What it is about, masked: provider and last digits, a representative, a user';
CREATE UNIQUE INDEX alert_open ON alert (kind, key) WHERE state IN ('OPEN', 'SUSPECTED');
CREATE TABLE alert_person (
    alert_id uuid NOT NULL REFERENCES alert,
    beneficiary_id uuid NOT NULL,
    PRIMARY KEY (alert_id, beneficiary_id)
);
CREATE INDEX alert_person_person ON alert_person (beneficiary_id);
"""

_OPENINGS = """
CREATE TABLE opening_batch (
    batch_id uuid PRIMARY KEY,
    provider_code text NOT NULL REFERENCES provider,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    people integer NOT NULL,
    business_date date NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE opening_request (
    request_id uuid PRIMARY KEY DEFAULT uuidv7(),
    batch_id uuid REFERENCES opening_batch,
    beneficiary_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL CHECK (payee_kind IN ('SELF', 'GUARDIAN')),
    provider_code text NOT NULL REFERENCES provider,
    version integer NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'REQUESTED' CHECK (status IN ('REQUESTED', 'SENT', 'OPENED', 'REFUSED', 'WITHDRAWN')),
    reason text,
    consent_on date NOT NULL,
    consent_evidence text,
    account_id uuid REFERENCES account,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    requested_by text NOT NULL
);
CREATE UNIQUE INDEX opening_request_open ON opening_request (beneficiary_id) WHERE status IN ('REQUESTED', 'SENT');
CREATE INDEX opening_request_batch ON opening_request (batch_id);
CREATE INDEX opening_request_provider ON opening_request (provider_code, status);
CREATE TABLE opening_result (
    result_id uuid PRIMARY KEY DEFAULT uuidv7(),
    provider_code text NOT NULL,
    origin text NOT NULL,
    content_cipher bytea NOT NULL,
    rows integer NOT NULL,
    state text NOT NULL CHECK (state IN ('PROPOSED', 'APPLIED', 'REFUSED')),
    outcome jsonb,
    business_date date NOT NULL,
    sent_by text NOT NULL,
    decided_by text,
    received_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider_code, origin),
    CHECK (decided_by IS NULL OR decided_by <> sent_by)
);
COMMENT ON COLUMN opening_result.origin IS 'webhook:<webhook-id> or file:<sha256>: the same notice or file twice has one effect';
"""

_RECHECKS = """
CREATE TABLE recheck_plan (
    plan_id uuid PRIMARY KEY,
    month text NOT NULL UNIQUE CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    business_date date NOT NULL,
    urgent integer NOT NULL,
    rolling integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE inquiry_pace (
    partner text PRIMARY KEY,
    next_free_at timestamptz NOT NULL
);

CREATE TABLE fee_complaint (
    complaint_id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    beneficiary_id uuid NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    provider_code text NOT NULL REFERENCES provider,
    kind text NOT NULL CHECK (kind IN ('OPENING', 'MAINTENANCE', 'WITHDRAWAL', 'OTHER')),
    amount bigint NOT NULL CHECK (amount > 0),
    charged_on date NOT NULL,
    details_cipher bytea,
    state text NOT NULL DEFAULT 'RECEIVED' CHECK (state IN ('RECEIVED', 'WITH_PROVIDER', 'UPHELD', 'REFUSED', 'WITHDRAWN')),
    refunded bigint CHECK (refunded >= 0 AND refunded <= amount),
    answer text,
    offered bigint,
    business_date date NOT NULL,
    created_by text NOT NULL,
    changed_by text
);
COMMENT ON COLUMN fee_complaint.offered IS 'What the provider''s fee offer says of such a fee on that day; null: no offer';
CREATE INDEX fee_complaint_unit ON fee_complaint (unit_path);
"""

_TABLES = (
    "fee_complaint, inquiry_pace, recheck_plan, opening_result, opening_request, opening_batch, alert_person, alert, account_review,"
    " account_change, paid_by_account, preference, change_request, policy_setting, provider_contract, provider_fee_offer,"
    " provider_alias, provider_bin, provider_name, provider, provider_type"
)


def upgrade() -> None:
    for part in (_DIRECTORY, _PEOPLE, _ACCOUNTS, _OPENINGS, _RECHECKS):
        op.execute(part)
    append_only(op, "account_change")


def downgrade() -> None:
    op.execute("ALTER TABLE payout_method DROP COLUMN trusted_account_id, DROP COLUMN account_from, DROP COLUMN fraud_suspected")
    op.execute("DROP INDEX payout_method_payee, account_payee, beneficiary_unit_path, representative_person, representative_fingerprint")
    op.execute(f"DROP TABLE {_TABLES}")
    names = (
        "priority, source, consent_on, consent_evidence, checked_on, active_since,"
        " recheck_on, accepted_reason, accepted_holder, accepted_fingerprint,"
        " ask_officer"
    )
    op.execute("ALTER TABLE account " + ", ".join(f"DROP COLUMN {name.strip()}" for name in names.split(",")))
    op.execute("ALTER TABLE beneficiary DROP COLUMN birth_date, DROP COLUMN programmes, DROP COLUMN status")
    op.execute("ALTER TABLE representative DROP COLUMN birth_date, DROP COLUMN valid_from, DROP COLUMN valid_to")
