"""People, decisions, catalogue, dues, imports, and the shared mechanisms."""

from __future__ import annotations

from alembic import op

from common.schema import append_only, mechanism_migration

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNITS_AND_CATALOGUE = """
CREATE TABLE administrative_unit (
    unit_id uuid PRIMARY KEY,
    code text NOT NULL,
    name text NOT NULL,
    short_name text NOT NULL,
    level text NOT NULL CHECK (level IN ('province', 'district', 'commune')),
    type text NOT NULL,
    parent_code text,
    path text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (code, valid_from)
);
CREATE INDEX administrative_unit_path ON administrative_unit (path text_pattern_ops, valid_from);

CREATE TABLE benefit_standard (
    standard text NOT NULL,
    applies_from date NOT NULL,
    applies_to date,
    known_from date NOT NULL,
    amount_vnd bigint NOT NULL CHECK (amount_vnd > 0),
    legal_basis text NOT NULL,
    confidence text NOT NULL,
    PRIMARY KEY (standard, applies_from, known_from)
);
CREATE TABLE benefit_category (
    code text PRIMARY KEY,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    stack_group text NOT NULL,
    stack_rule text NOT NULL CHECK (stack_rule IN ('ADD', 'HIGHEST')),
    per_dependant boolean NOT NULL,
    excludes_single_parent boolean NOT NULL,
    needs_percent boolean NOT NULL,
    applies_from date,
    applies_to date,
    name_vi text NOT NULL,
    legal_basis text NOT NULL,
    public_basis text NOT NULL
);
CREATE TABLE category_coefficient (
    category text NOT NULL REFERENCES benefit_category,
    standard text NOT NULL,
    coefficient_hundredths integer NOT NULL CHECK (coefficient_hundredths > 0),
    applies_from date NOT NULL,
    applies_to date,
    known_from date NOT NULL,
    legal_basis text NOT NULL,
    PRIMARY KEY (category, applies_from, known_from)
);
CREATE TABLE category_amount (
    category text NOT NULL REFERENCES benefit_category,
    percent smallint NOT NULL DEFAULT 0,
    amount_vnd bigint NOT NULL CHECK (amount_vnd > 0),
    applies_from date NOT NULL,
    applies_to date,
    known_from date NOT NULL,
    legal_basis text NOT NULL,
    PRIMARY KEY (category, percent, applies_from, known_from)
);

CREATE VIEW category_rate AS
SELECT a.category, a.percent, date_trunc('month', a.applies_from)::date AS from_month,
       CASE WHEN a.applies_to IS NULL THEN 'infinity'::date
            ELSE (date_trunc('month', a.applies_to) + interval '1 month')::date END AS until,
       a.known_from, a.amount_vnd AS amount, c.public_basis AS basis
FROM category_amount a JOIN benefit_category c ON c.code = a.category
UNION ALL
SELECT k.category, 0::smallint, date_trunc('month', greatest(k.applies_from, s.applies_from))::date,
       CASE WHEN least(k.applies_to, s.applies_to) IS NULL THEN 'infinity'::date
            ELSE (date_trunc('month', least(k.applies_to, s.applies_to)) + interval '1 month')::date END,
       greatest(k.known_from, s.known_from), s.amount_vnd * k.coefficient_hundredths / 100,
       c.public_basis || CASE WHEN c.public_basis = s.legal_basis THEN '' ELSE '; ' || s.legal_basis END
FROM category_coefficient k
JOIN benefit_standard s ON s.standard = k.standard AND s.applies_from <= coalesce(k.applies_to, 'infinity'::date)
JOIN benefit_category c ON c.code = k.category;

-- The whole time line of each category as known on a date, cut into pieces without gaps: a piece without a loaded rate has no amount.
CREATE FUNCTION rate_piece(as_of date)
RETURNS TABLE (category text, percent smallint, from_month date, until date, amount bigint, basis text)
LANGUAGE sql STABLE ROWS 500 AS $$
    WITH known AS MATERIALIZED (SELECT r.* FROM category_rate r WHERE r.known_from <= as_of),
    bounds AS (
        SELECT k.category, k.percent, k.from_month AS b FROM known k
        UNION SELECT k.category, k.percent, k.until FROM known k WHERE k.until < 'infinity'
        UNION SELECT r.category, r.percent, DATE '1900-01-01' FROM category_rate r
    ),
    segments AS (
        SELECT s.category, s.percent, s.b,
               coalesce(lead(s.b) OVER (PARTITION BY s.category, s.percent ORDER BY s.b), 'infinity'::date) AS until
        FROM bounds s
    )
    SELECT DISTINCT ON (s.category, s.percent, s.b) s.category, s.percent, s.b, s.until, k.amount, k.basis
    FROM segments s
    LEFT JOIN known k ON k.category = s.category AND k.percent = s.percent AND k.from_month <= s.b AND k.until > s.b
    ORDER BY s.category, s.percent, s.b, k.from_month DESC NULLS LAST, k.known_from DESC
$$;
"""

PEOPLE = """
CREATE TABLE person (
    person_id uuid PRIMARY KEY DEFAULT uuidv7(),
    file_code text UNIQUE,
    is_beneficiary boolean NOT NULL,
    full_name text NOT NULL CHECK (full_name <> ''),
    name_folded text NOT NULL,
    birth_date text CHECK (birth_date ~ '^\\d{4}(-\\d{2}(-\\d{2})?)?$'),
    sex text NOT NULL CHECK (sex IN ('M', 'F', 'UNKNOWN')),
    national_number bytea,
    number_blind bytea UNIQUE,
    masked_number text,
    address text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    programmes text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DECEASED', 'MISSING', 'LEFT')),
    death_date date,
    identity_fingerprint text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((national_number IS NULL) = (number_blind IS NULL)),
    CHECK ((status = 'DECEASED') = (death_date IS NOT NULL))
);
CREATE INDEX person_unit ON person (unit_path text_pattern_ops, person_id);
CREATE INDEX person_name ON person (name_folded text_pattern_ops);

CREATE TABLE representative (
    beneficiary_id uuid NOT NULL REFERENCES person,
    representative_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('AUTHORISED', 'GUARDIAN', 'CARER')),
    certificate_number text,
    valid_from date NOT NULL,
    valid_to date,
    revoked_on date,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (beneficiary_id, representative_id),
    CHECK (beneficiary_id <> representative_id)
);
CREATE INDEX representative_person ON representative (representative_id);

CREATE TABLE entitlement (
    entitlement_id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    programme text NOT NULL,
    funding_source text NOT NULL,
    category text NOT NULL REFERENCES benefit_category,
    percent smallint NOT NULL DEFAULT 0 CHECK (percent = 0 OR percent BETWEEN 21 AND 100),
    per_dependant boolean NOT NULL,
    ordinal smallint NOT NULL DEFAULT 1,
    benefit_line text NOT NULL,
    decision_number text NOT NULL,
    decision_date date NOT NULL,
    from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
    arrears_from date CHECK (extract(day FROM arrears_from) = 1),
    until date NOT NULL DEFAULT 'infinity',
    status text NOT NULL DEFAULT 'GRANTED' CHECK (status IN ('GRANTED', 'SUSPENDED', 'ENDED')),
    version bigint NOT NULL DEFAULT 1,
    import_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (person_id, category, decision_number, ordinal)
);
-- An allowance that is not paid per dependant is held once: two live decisions of one category would be paid twice.
CREATE UNIQUE INDEX entitlement_once ON entitlement (person_id, category) WHERE NOT per_dependant AND until = 'infinity';

CREATE TABLE preference (
    person_id uuid PRIMARY KEY REFERENCES person,
    preference text NOT NULL CHECK (preference IN ('UNKNOWN', 'WANTS_ACCOUNT', 'DECLINES', 'FORCE_MAJEURE')),
    recorded_on date NOT NULL,
    evidence text,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE due_interval (
    person_id uuid NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    from_month date NOT NULL,
    until date NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    status text NOT NULL CHECK (status IN ('DUE', 'RATE_MISSING')),
    basis text NOT NULL,
    decision_number text,
    explicit_arrears boolean NOT NULL,
    PRIMARY KEY (person_id, programme, funding_source, benefit_line, from_month),
    CHECK (until > from_month),
    CHECK (status = 'DUE' OR amount = 0)
);
CREATE TABLE dues_state (
    person_id uuid PRIMARY KEY REFERENCES person,
    version bigint NOT NULL DEFAULT 1,
    lines_md5 text NOT NULL,
    computed_on date NOT NULL
);
CREATE TABLE cut_off (
    cut_off_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL,
    month date NOT NULL,
    programme text NOT NULL,
    counts jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
"""

IMPORTS = """
CREATE TABLE import_file (
    import_id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    job_id uuid NOT NULL,
    programme text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    file_name text NOT NULL,
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    business_date date NOT NULL,
    dry_run boolean NOT NULL,
    state text NOT NULL DEFAULT 'RECEIVED'
        CHECK (state IN ('RECEIVED', 'CHECKED', 'REFUSED', 'APPROVED', 'APPLIED')),
    refusal jsonb,
    rows_total integer NOT NULL DEFAULT 0,
    rows_good integer NOT NULL DEFAULT 0,
    rows_refused integer NOT NULL DEFAULT 0,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    approved_by text,
    approved_at timestamptz,
    applied_at timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> created_by)
);
-- The same bytes are taken once; a dry run or a refused file may be sent again.
CREATE UNIQUE INDEX import_file_once ON import_file (sha256) WHERE NOT dry_run AND state <> 'REFUSED';
CREATE INDEX import_file_unit ON import_file (unit_path text_pattern_ops, import_id);

CREATE TABLE import_row (
    import_id uuid NOT NULL REFERENCES import_file,
    row_number integer NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('GOOD', 'REFUSED', 'APPLIED', 'UNCHANGED')),
    reasons jsonb NOT NULL DEFAULT '[]',
    warnings jsonb NOT NULL DEFAULT '[]',
    file_code text,
    full_name text,
    name_folded text,
    birth_date text,
    sex text,
    national_number bytea,
    number_blind bytea,
    masked_number text,
    identity_fingerprint text,
    address text,
    unit_code text,
    unit_path text,
    category text,
    percent smallint,
    ordinal smallint NOT NULL DEFAULT 1,
    decision_number text,
    decision_date date,
    from_month date,
    arrears_from date,
    preference text,
    rep_kind text,
    rep_full_name text,
    rep_name_folded text,
    rep_birth_date text,
    rep_sex text,
    rep_national_number bytea,
    rep_number_blind bytea,
    rep_masked_number text,
    rep_fingerprint text,
    rep_certificate text,
    rep_from date,
    rep_to date,
    person_id uuid,
    rep_person_id uuid,
    PRIMARY KEY (import_id, row_number)
);
CREATE INDEX import_row_number ON import_row (number_blind) WHERE verdict = 'GOOD';
"""


def upgrade() -> None:
    """Create everything; the catalogue's rows are loaded from files by the `migrate` command after this."""
    mechanism_migration(op)
    op.execute(UNITS_AND_CATALOGUE)
    op.execute(PEOPLE)
    op.execute(IMPORTS)
    append_only(op, "cut_off")
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    for table in ("administrative_unit", "benefit_standard", "benefit_category", "category_coefficient", "category_amount"):
        # The law changes by a release of the catalogue, loaded by the owner role; the service only reads it.
        op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}"')


def downgrade() -> None:
    """Drop everything (development only)."""
    op.execute(
        "DROP TABLE import_row, import_file, cut_off, dues_state, due_interval, preference, entitlement, representative, person CASCADE;"
        "DROP FUNCTION rate_piece(date); DROP VIEW category_rate;"
        "DROP TABLE category_amount, category_coefficient, benefit_category, benefit_standard, administrative_unit;"
        "DROP TABLE job, idempotency_key, audit_log, consumer_position, parked_event, inbox, outbox"
    )
