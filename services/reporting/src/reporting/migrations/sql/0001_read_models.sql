-- Read models: the latest version of each part. `version` decides; a repeat or an older event changes nothing.
-- unit_path is compared by bytes, so that "everything below 60/593" is one index range.
CREATE TABLE unit (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    level text NOT NULL,
    parent_code text,
    path text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    valid_to date
);
CREATE INDEX unit_by_path ON unit (path);

CREATE TABLE beneficiary (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    file_code text,
    full_name text NOT NULL,
    unit_code text NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    programmes text[] NOT NULL,
    status text NOT NULL,
    death_date date
) WITH (fillfactor = 90);
CREATE INDEX beneficiary_by_unit ON beneficiary (unit_path);

CREATE TABLE preference (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    preference text NOT NULL,
    recorded_on date NOT NULL,
    unit_path text COLLATE "C" NOT NULL
);

CREATE TABLE verification (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    subject_kind text NOT NULL,
    verdict text NOT NULL,
    source_status text NOT NULL,
    checked_on date NOT NULL,
    valid_until date NOT NULL,
    death_date date,
    unit_path text COLLATE "C" NOT NULL,
    PRIMARY KEY (beneficiary_id, subject_id)
);

CREATE TABLE account (
    account_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    kind text NOT NULL,
    provider_code text NOT NULL,
    partner text NOT NULL,
    masked_number text NOT NULL,
    status text NOT NULL,
    reason text,
    unit_path text COLLATE "C" NOT NULL
);
CREATE INDEX account_by_payee ON account (payee_id);

CREATE TABLE payout_method (
    beneficiary_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    method text NOT NULL,
    account_id uuid,
    reason text,
    unit_path text COLLATE "C" NOT NULL
);

CREATE TABLE cycle (
    cycle_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    state text NOT NULL,
    month date NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    unit_code text NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    list_id uuid,
    list_hash text,
    lines bigint NOT NULL,
    held bigint NOT NULL,
    total_amount bigint NOT NULL
);

CREATE TABLE payment (
    payment_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    cycle_id uuid NOT NULL,
    beneficiary_id uuid NOT NULL,
    payee_id uuid NOT NULL,
    payee_kind text NOT NULL,
    status text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    month date NOT NULL,
    months text[] NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    channel text NOT NULL,
    partner text NOT NULL,
    cash_reason text,
    reason text,
    unit_code text NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    business_date date NOT NULL,
    occurred_at timestamptz NOT NULL
) WITH (fillfactor = 70);  -- a payment changes its status several times; none of the indexed columns change
CREATE INDEX payment_lines ON payment (month, unit_path, beneficiary_id, programme, cycle_id);
CREATE INDEX payment_by_person ON payment (beneficiary_id, cycle_id);

CREATE TABLE hold (
    hold_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    cycle_id uuid NOT NULL,
    beneficiary_id uuid NOT NULL,
    month date NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    reason text NOT NULL,
    actor text NOT NULL,
    released boolean NOT NULL,
    unit_code text NOT NULL,
    unit_path text COLLATE "C" NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX hold_lines ON hold (month, unit_path, beneficiary_id, programme, cycle_id);
CREATE INDEX hold_by_person ON hold (beneficiary_id, cycle_id);

CREATE TABLE recovery (
    recovery_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    beneficiary_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    status text NOT NULL,
    unit_path text COLLATE "C" NOT NULL
);
