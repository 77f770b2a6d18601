"""The law as data: age steps, conditions, exclusions, top-ups, stacking, one-off sums, open questions; drafts beside what is in force."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A month as a number (year × 12 + month − 1): the engine cuts and subtracts ranges of months, and 99999 is "no end".
MONTHS = """
CREATE FUNCTION month_no(d date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN d = 'infinity' THEN 99999
                ELSE CAST(date_part('year', d) AS integer) * 12 + CAST(date_part('month', d) AS integer) - 1 END
$$;
CREATE FUNCTION month_of(n integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN n >= 99999 THEN 'infinity'::date ELSE make_date(n / 12, n % 12 + 1, 1) END
$$;
CREATE FUNCTION birth_month_no(born text, unknown_month integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CAST(substr(born, 1, 4) AS integer) * 12 + coalesce(CAST(nullif(substr(born, 6, 2), '') AS integer), unknown_month) - 1
$$;
"""

CHANGES = """
-- A change of the law: its rows are drafts that nothing but a what-if reads until a second person has approved it.
CREATE TABLE law_change (
    change_id uuid PRIMARY KEY DEFAULT uuidv7(),
    title_vi text NOT NULL CHECK (title_vi <> ''),
    title_en text NOT NULL CHECK (title_en <> ''),
    legal_basis text NOT NULL CHECK (legal_basis <> ''),
    state text NOT NULL DEFAULT 'DRAFT' CHECK (state IN ('DRAFT', 'APPROVED', 'WITHDRAWN')),
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    approved_by text,
    approved_at timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> created_by),
    CHECK ((state = 'APPROVED') = (approved_by IS NOT NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
CREATE FUNCTION law_counts(row_change uuid, asked uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT row_change IS NULL OR row_change = asked
        OR EXISTS (SELECT FROM law_change l WHERE l.change_id = row_change AND l.state = 'APPROVED')
$$;

ALTER TABLE benefit_standard DROP CONSTRAINT benefit_standard_pkey, ADD COLUMN change_id uuid REFERENCES law_change,
    ADD COLUMN row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
ALTER TABLE category_coefficient DROP CONSTRAINT category_coefficient_pkey, ADD COLUMN change_id uuid REFERENCES law_change,
    ADD COLUMN row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
ALTER TABLE category_amount DROP CONSTRAINT category_amount_pkey, ADD COLUMN change_id uuid REFERENCES law_change,
    ADD COLUMN row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE UNIQUE INDEX benefit_standard_once ON benefit_standard (standard, applies_from, known_from, change_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX category_coefficient_once ON category_coefficient (category, applies_from, known_from, change_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX category_amount_once ON category_amount (category, percent, applies_from, known_from, change_id) NULLS NOT DISTINCT;
"""

LAW = """
CREATE TABLE policy_setting (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9_]*$'),
    value text NOT NULL,
    allowed text[] NOT NULL,
    question_vi text NOT NULL,
    question_en text NOT NULL,
    legal_ref text NOT NULL,
    decided_by text,
    decided_on date,
    version bigint NOT NULL DEFAULT 1,
    CHECK (value = ANY(allowed)),
    CHECK ((decided_by IS NULL) = (decided_on IS NULL))
);

-- What one person may hold at once: HIGHEST keeps one, LIMIT keeps `keep` of them (the highest), ADD keeps all.
CREATE TABLE stacking_rule (
    stack_group text PRIMARY KEY,
    rule text NOT NULL CHECK (rule IN ('ADD', 'HIGHEST', 'LIMIT')),
    keep smallint CHECK (keep > 0),
    name_vi text NOT NULL,
    name_en text NOT NULL,
    legal_basis text NOT NULL,
    CHECK ((rule = 'ADD') = (keep IS NULL)),
    CHECK (rule <> 'HIGHEST' OR keep = 1)
);

ALTER TABLE benefit_category DROP CONSTRAINT benefit_category_stack_rule_check;
ALTER TABLE benefit_category
    ADD CONSTRAINT benefit_category_stack_rule_check CHECK (stack_rule IN ('ADD', 'HIGHEST', 'LIMIT')),
    ADD COLUMN name_en text NOT NULL DEFAULT '',
    ADD COLUMN frequency text NOT NULL DEFAULT 'MONTHLY' CHECK (frequency IN ('MONTHLY', 'YEARLY')),
    ADD COLUMN per_quantity boolean NOT NULL DEFAULT false,
    ADD COLUMN concerns text NOT NULL DEFAULT 'PERSON' CHECK (concerns IN ('PERSON', 'DEPENDANT')),
    ADD COLUMN min_age_months integer CHECK (min_age_months > 0),
    ADD COLUMN start_rule text NOT NULL DEFAULT 'DECISION_MONTH'
        CHECK (start_rule IN ('DECISION_MONTH', 'CERTIFICATE_MONTH', 'AGE_MONTH')),
    ADD COLUMN start_basis text NOT NULL DEFAULT '',
    ADD COLUMN arrears_apart boolean NOT NULL DEFAULT true;

-- In the month of a birthday (age in months) the category becomes another one; without a next category the allowance stops.
CREATE TABLE category_step (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text NOT NULL REFERENCES benefit_category,
    age_months integer NOT NULL CHECK (age_months > 0),
    next_category text REFERENCES benefit_category CHECK (next_category <> category),
    legal_basis text NOT NULL,
    change_id uuid REFERENCES law_change
);
CREATE UNIQUE INDEX category_step_once ON category_step (category, age_months, change_id) NULLS NOT DISTINCT;

-- Groups of which a holder must be in one (poor, near-poor); several rows of a category are alternatives.
CREATE TABLE category_group_condition (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text NOT NULL REFERENCES benefit_category,
    group_code text NOT NULL REFERENCES beneficiary_group,
    legal_basis text NOT NULL,
    change_id uuid REFERENCES law_change
);
CREATE UNIQUE INDEX category_group_condition_once ON category_group_condition (category, group_code, change_id) NULLS NOT DISTINCT;

-- Facts beside which an allowance is not due. OTHER_BENEFIT: ANY excludes always, NOT_LOWER unless it is lower than the allowance.
CREATE TABLE category_exclusion (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text NOT NULL REFERENCES benefit_category,
    fact text NOT NULL CHECK (fact IN ('INSTITUTION', 'OTHER_BENEFIT')),
    rule text NOT NULL CHECK (rule IN ('ANY', 'NOT_LOWER')),
    kinds text[],
    legal_basis text NOT NULL,
    change_id uuid REFERENCES law_change,
    CHECK (fact = 'OTHER_BENEFIT' OR (rule = 'ANY' AND kinds IS NULL))
);
CREATE UNIQUE INDEX category_exclusion_once ON category_exclusion (category, fact, change_id) NULLS NOT DISTINCT;

-- What a province adds from its own budget. DIFFERENCE: up to a higher level; BESIDE: on top; INSTEAD: in place of the national sum.
-- The level is an amount of one category, or a standard of the province that takes the national coefficients.
CREATE TABLE provincial_top_up (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL CHECK (code ~ '^[A-Z][A-Z0-9_]*$'),
    unit_prefixes text[],
    mode text NOT NULL CHECK (mode IN ('DIFFERENCE', 'BESIDE', 'INSTEAD')),
    standard text,
    category text REFERENCES benefit_category,
    amount_vnd bigint NOT NULL CHECK (amount_vnd > 0),
    funding_source text NOT NULL DEFAULT 'PROVINCIAL_BUDGET',
    applies_from date NOT NULL,
    applies_to date CHECK (applies_to >= applies_from),
    known_from date NOT NULL,
    legal_basis text NOT NULL,
    change_id uuid REFERENCES law_change,
    CHECK ((standard IS NULL) <> (category IS NULL))
);
CREATE UNIQUE INDEX provincial_top_up_once ON provincial_top_up (code, applies_from, known_from, change_id) NULLS NOT DISTINCT;

-- Sums due once: a fixed amount, a multiple of a standard on a date, or a multiple of the monthly sum the person had.
CREATE TABLE one_off_rule (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL CHECK (code ~ '^[A-Z][A-Z0-9_]*$'),
    kind text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    standard text,
    multiple integer CHECK (multiple > 0),
    amount_vnd bigint CHECK (amount_vnd > 0),
    for_programmes text[],
    exclusive_group text,
    applies_from date NOT NULL,
    applies_to date,
    known_from date NOT NULL,
    name_vi text NOT NULL,
    name_en text NOT NULL,
    legal_basis text NOT NULL,
    change_id uuid REFERENCES law_change,
    CHECK ((amount_vnd IS NULL) = (multiple IS NOT NULL)),
    CHECK (standard IS NULL OR multiple IS NOT NULL)
);
CREATE UNIQUE INDEX one_off_rule_once ON one_off_rule (code, applies_from, known_from, change_id) NULLS NOT DISTINCT;

ALTER TABLE entitlement
    ADD COLUMN quantity smallint NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 100),
    ADD COLUMN dependant_id uuid REFERENCES person CHECK (dependant_id <> person_id),
    ADD COLUMN dependant_birth_date text CHECK (dependant_birth_date ~ '^\\d{4}(-\\d{2}(-\\d{2})?)?$');
CREATE INDEX entitlement_dependant ON entitlement (dependant_id) WHERE dependant_id IS NOT NULL;
CREATE INDEX entitlement_person ON entitlement (person_id);
"""

RATES = """
DROP FUNCTION rate_piece(date);
DROP VIEW category_rate;
CREATE FUNCTION category_rate(as_of date, asked uuid DEFAULT NULL)
RETURNS TABLE (category text, percent smallint, from_month date, until date, known_from date, amount bigint, basis text)
LANGUAGE sql STABLE ROWS 500 AS $$
    WITH amounts AS (
        SELECT a.* FROM category_amount a WHERE law_counts(a.change_id, asked) AND (a.known_from <= as_of OR a.change_id = asked)
    ), factors AS (
        SELECT k.* FROM category_coefficient k WHERE law_counts(k.change_id, asked) AND (k.known_from <= as_of OR k.change_id = asked)
    ), standards AS (
        SELECT s.* FROM benefit_standard s WHERE law_counts(s.change_id, asked) AND (s.known_from <= as_of OR s.change_id = asked)
    )
    SELECT a.category, a.percent, date_trunc('month', a.applies_from)::date,
           CASE WHEN a.applies_to IS NULL THEN 'infinity'::date
                ELSE (date_trunc('month', a.applies_to) + interval '1 month')::date END,
           a.known_from, a.amount_vnd, c.public_basis
    FROM amounts a JOIN benefit_category c ON c.code = a.category
    UNION ALL
    SELECT k.category, 0::smallint, date_trunc('month', greatest(k.applies_from, s.applies_from))::date,
           CASE WHEN least(k.applies_to, s.applies_to) IS NULL THEN 'infinity'::date
                ELSE (date_trunc('month', least(k.applies_to, s.applies_to)) + interval '1 month')::date END,
           greatest(k.known_from, s.known_from), s.amount_vnd * k.coefficient_hundredths / 100,
           c.public_basis || CASE WHEN c.public_basis = s.legal_basis THEN '' ELSE '; ' || s.legal_basis END
    FROM factors k
    JOIN standards s ON s.standard = k.standard AND s.applies_from <= coalesce(k.applies_to, 'infinity'::date)
         AND k.applies_from <= coalesce(s.applies_to, 'infinity'::date)
    JOIN benefit_category c ON c.code = k.category
$$;

-- The whole time line of each category as known on a date, cut into pieces without gaps: a piece without a loaded rate has no amount.
-- Rows of a change that is not approved count only when that change is asked for.
CREATE FUNCTION rate_piece(as_of date, asked uuid DEFAULT NULL)
RETURNS TABLE (category text, percent smallint, from_month date, until date, amount bigint, basis text)
LANGUAGE sql STABLE ROWS 500 AS $$
    WITH known AS MATERIALIZED (SELECT r.* FROM category_rate(as_of, asked) r),
    bounds AS (
        SELECT k.category, k.percent, k.from_month AS b FROM known k
        UNION SELECT k.category, k.percent, k.until FROM known k WHERE k.until < 'infinity'
        UNION SELECT a.category, a.percent, DATE '1900-01-01' FROM category_amount a WHERE law_counts(a.change_id, asked)
        UNION SELECT k.category, 0::smallint, DATE '1900-01-01' FROM category_coefficient k WHERE law_counts(k.change_id, asked)
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

-- Where a category leads by age. A holder whose age at the start (in months) lies in [start_from, start_to) goes through the rows of
-- that variant: `stage` from age_from to before age_to. Steps that lie before the start do not count: the decision was taken after them.
-- With `late_stop` an allowance that stops by age is due for the month of the birthday and stops the month after.
CREATE FUNCTION age_path(late_stop boolean, asked uuid DEFAULT NULL)
RETURNS TABLE (category text, start_from integer, start_to integer, stage text, age_from integer, age_to integer, ends_by text)
LANGUAGE sql STABLE ROWS 200 AS $$
    WITH RECURSIVE step AS MATERIALIZED (
        SELECT s.category, s.age_months, s.next_category, s.legal_basis FROM category_step s WHERE law_counts(s.change_id, asked)
    ), variant AS (
        SELECT c.code AS category, coalesce(lag(s.age_months) OVER w, -1) + 1 AS start_from, coalesce(s.age_months + 1, 99999) AS start_to
        FROM benefit_category c
        LEFT JOIN LATERAL (SELECT t.age_months FROM step t WHERE t.category = c.code UNION ALL SELECT NULL) s ON true
        WINDOW w AS (PARTITION BY c.code ORDER BY s.age_months NULLS LAST)
    ), walk AS (
        SELECT v.category, v.start_from, v.start_to, v.category AS stage, -1 AS age_from, v.start_from AS after FROM variant v
        UNION ALL
        SELECT w.category, w.start_from, w.start_to, s.next_category, s.age_months, s.age_months + 1
        FROM walk w
        CROSS JOIN LATERAL (SELECT t.* FROM step t WHERE t.category = w.stage AND t.age_months >= w.after ORDER BY t.age_months LIMIT 1) s
        WHERE s.next_category IS NOT NULL
    )
    SELECT w.category, w.start_from, w.start_to, w.stage, w.age_from,
           coalesce(s.age_months + CASE WHEN late_stop AND s.next_category IS NULL THEN 1 ELSE 0 END, 99999), s.legal_basis
    FROM walk w
    LEFT JOIN LATERAL (
        SELECT t.* FROM step t WHERE t.category = w.stage AND t.age_months >= w.after ORDER BY t.age_months LIMIT 1
    ) s ON true
$$;
"""

# The application writes drafts only: rows of a change that is still a draft. What is in force came with a release or an approval.
GUARD = """
CREATE FUNCTION only_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = TG_ARGV[0] AND NOT EXISTS (
        SELECT FROM law_change l WHERE l.state = 'DRAFT'
           AND l.change_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.change_id ELSE NEW.change_id END)
    THEN
        RAISE EXCEPTION 'permission denied: only rows of a draft change may be written' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""

_DRAFTED = (
    "benefit_standard", "category_coefficient", "category_amount", "category_step", "category_group_condition", "category_exclusion",
    "provincial_top_up", "one_off_rule",
)  # fmt: skip


def upgrade() -> None:
    """Create the tables and functions; the rows are loaded from files by the `migrate` command after this."""
    for part in (MONTHS, CHANGES, LAW, RATES, GUARD):
        op.execute(part)
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    for table in _DRAFTED:
        op.execute(f'REVOKE UPDATE, TRUNCATE ON {table} FROM "{role}"; GRANT INSERT, DELETE ON {table} TO "{role}"')
        op.execute(f"CREATE TRIGGER only_drafts BEFORE INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION only_drafts('{role}')")
    op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON stacking_rule FROM "{role}"')
    op.execute(f'REVOKE INSERT, DELETE, TRUNCATE ON policy_setting FROM "{role}"')


def downgrade() -> None:
    """Drop them; drafts and approved changes go with them."""
    for table in _DRAFTED[:3]:
        op.execute(f"DROP TRIGGER only_drafts ON {table}; DELETE FROM {table} WHERE change_id IS NOT NULL")
    op.execute(
        "DROP FUNCTION age_path(boolean, uuid); DROP FUNCTION rate_piece(date, uuid); DROP FUNCTION category_rate(date, uuid);"
        "DROP INDEX entitlement_person;"
        "ALTER TABLE entitlement DROP COLUMN quantity, DROP COLUMN dependant_id, DROP COLUMN dependant_birth_date;"
        "DROP TABLE one_off_rule, provincial_top_up, category_exclusion, category_group_condition, category_step, stacking_rule,"
        " policy_setting;"
        "ALTER TABLE benefit_category DROP COLUMN name_en, DROP COLUMN frequency, DROP COLUMN per_quantity, DROP COLUMN concerns,"
        " DROP COLUMN min_age_months, DROP COLUMN start_rule, DROP COLUMN start_basis, DROP COLUMN arrears_apart;"
        "UPDATE benefit_category SET stack_rule = 'ADD' WHERE stack_rule = 'LIMIT';"
        "ALTER TABLE benefit_category DROP CONSTRAINT benefit_category_stack_rule_check,"
        " ADD CONSTRAINT benefit_category_stack_rule_check CHECK (stack_rule IN ('ADD', 'HIGHEST'));"
        "ALTER TABLE benefit_standard DROP COLUMN change_id, DROP COLUMN row_id, ADD PRIMARY KEY (standard, applies_from, known_from);"
        "ALTER TABLE category_coefficient DROP COLUMN change_id, DROP COLUMN row_id, ADD PRIMARY KEY (category, applies_from, known_from);"
        "ALTER TABLE category_amount DROP COLUMN change_id, DROP COLUMN row_id,"
        " ADD PRIMARY KEY (category, percent, applies_from, known_from);"
        "DROP FUNCTION only_drafts(); DROP FUNCTION law_counts(uuid, uuid); DROP TABLE law_change;"
        "DROP FUNCTION month_no(date); DROP FUNCTION month_of(integer); DROP FUNCTION birth_month_no(text, integer)"
    )
    op.execute(OLD_RATES)
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    op.execute(f'REVOKE INSERT, DELETE ON {", ".join(_DRAFTED[:3])} FROM "{config.attributes["app_role"]}"')


OLD_RATES = """
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
