"""Changes of the law by two people, what they would cost, and campaigns with a list taken on a day."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE law_change DROP CONSTRAINT law_change_state_check;
ALTER TABLE law_change
    ADD CONSTRAINT law_change_state_check CHECK (state IN ('DRAFT', 'PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    ADD COLUMN applies_from date,
    ADD COLUMN known_from date,
    ADD COLUMN authors text[] NOT NULL DEFAULT '{}',
    ADD COLUMN business_date date,
    ADD COLUMN job_id uuid,
    ADD COLUMN closed_by text,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN reason text,
    ADD CONSTRAINT law_change_second_person CHECK (approved_by IS NULL OR NOT approved_by = ANY(authors)),
    ADD CONSTRAINT law_change_closed CHECK ((state IN ('REJECTED', 'WITHDRAWN')) = (closed_by IS NOT NULL)
                                            AND (closed_by IS NULL) = (closed_at IS NULL));

-- The record of a change stays: only forward, never back to a draft, and what is closed is closed.
CREATE FUNCTION law_change_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = TG_ARGV[0] AND NOT (
        TG_OP = 'INSERT' AND NEW.state = 'DRAFT'
        OR TG_OP = 'UPDATE' AND (OLD.state, NEW.state) IN (('DRAFT', 'DRAFT'), ('DRAFT', 'PROPOSED'), ('DRAFT', 'WITHDRAWN'),
             ('PROPOSED', 'APPROVED'), ('PROPOSED', 'REJECTED'), ('PROPOSED', 'WITHDRAWN'), ('PROPOSED', 'DRAFT')))
    THEN
        RAISE EXCEPTION 'permission denied: a change of the law goes forward only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- A category that a draft brings counts for nobody until the change is approved, like every other row.
ALTER TABLE benefit_category ADD COLUMN change_id uuid REFERENCES law_change;

-- From when and until when a category is paid, where a change says so; the latest known holds before the dates of the category itself.
CREATE TABLE category_term (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text NOT NULL REFERENCES benefit_category,
    applies_from date,
    applies_to date,
    known_from date NOT NULL,
    legal_basis text NOT NULL,
    change_id uuid NOT NULL REFERENCES law_change,
    CHECK (applies_to >= applies_from),
    UNIQUE (category, change_id)
);

-- Answers to open questions of the law that a change gives; in force on approval.
CREATE TABLE law_change_setting (
    change_id uuid NOT NULL REFERENCES law_change,
    code text NOT NULL REFERENCES policy_setting,
    value text NOT NULL,
    value_before text NOT NULL,
    legal_basis text NOT NULL,
    PRIMARY KEY (change_id, code)
);

-- What a draft would change: sums by unit, programme, funding source, line and month. `run` fences a worker that was taken over.
CREATE TABLE law_what_if (
    what_if_id uuid PRIMARY KEY,
    change_id uuid NOT NULL REFERENCES law_change,
    change_version bigint NOT NULL,
    business_date date NOT NULL,
    until_month date NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    run integer,
    people bigint,
    out_of_date bigint,
    finished_at timestamptz
);
CREATE INDEX law_what_if_change ON law_what_if (change_id, requested_at);
CREATE TABLE law_what_if_line (
    what_if_id uuid NOT NULL REFERENCES law_what_if,
    run integer NOT NULL,
    unit_path text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    month date NOT NULL,
    people integer NOT NULL,
    amount_before bigint NOT NULL,
    amount_after bigint NOT NULL,
    missing_before integer NOT NULL,
    missing_after integer NOT NULL,
    PRIMARY KEY (what_if_id, run, unit_path, programme, funding_source, benefit_line, month)
);
-- How many people, each counted once: of a line, of a programme (line empty), of all (programme empty).
CREATE TABLE law_what_if_people (
    what_if_id uuid NOT NULL REFERENCES law_what_if,
    run integer NOT NULL,
    unit_path text NOT NULL,
    programme text NOT NULL,
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    people integer NOT NULL,
    gaining integer NOT NULL,
    losing integer NOT NULL,
    PRIMARY KEY (what_if_id, run, unit_path, programme, funding_source, benefit_line)
);
"""

# An answer to an open question comes into force with an approved change only; a release (the owner role) ships first answers.
ANSWERS = """
CREATE FUNCTION only_approved_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = TG_ARGV[0] AND NOT EXISTS (
        SELECT FROM law_change_setting s JOIN law_change l USING (change_id)
        WHERE s.code = NEW.code AND s.value = NEW.value AND l.state = 'APPROVED')
    THEN
        RAISE EXCEPTION 'permission denied: an answer needs an approved change of the law' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""

CAMPAIGNS = """
CREATE TABLE campaign (
    campaign_id uuid PRIMARY KEY DEFAULT uuidv7(),
    rule_code text NOT NULL,
    title_vi text NOT NULL CHECK (title_vi <> ''),
    title_en text NOT NULL CHECK (title_en <> ''),
    legal_basis text NOT NULL,
    snapshot_on date NOT NULL,
    late_until date NOT NULL,
    payee text NOT NULL CHECK (payee IN ('PERSON', 'HOUSEHOLD_HEAD')),
    amount_vnd bigint NOT NULL CHECK (amount_vnd > 0),
    funding_source text NOT NULL,
    benefit_line text NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    for_programmes text[],
    unit_path text NOT NULL,
    state text NOT NULL DEFAULT 'LISTING' CHECK (state IN ('LISTING', 'LISTED', 'APPROVED', 'GIVEN', 'REJECTED', 'WITHDRAWN')),
    listed_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    business_date date NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    reason text,
    CHECK (late_until >= snapshot_on),
    CHECK (state NOT IN ('APPROVED', 'GIVEN', 'REJECTED') OR decided_by <> created_by),
    CHECK ((state IN ('LISTING', 'LISTED')) = (decided_by IS NULL))
);
-- One resolution is one campaign in an area, unless it was refused or taken back.
CREATE UNIQUE INDEX campaign_once ON campaign (rule_code, unit_path) WHERE state NOT IN ('REJECTED', 'WITHDRAWN');
CREATE TABLE campaign_person (
    campaign_id uuid NOT NULL REFERENCES campaign,
    person_id uuid NOT NULL REFERENCES person,
    rule_code text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    household_id uuid REFERENCES household,
    payee_id uuid NOT NULL REFERENCES person,
    state text NOT NULL CHECK (state IN ('LISTED', 'PROPOSED', 'GIVEN', 'LEFT_OUT')),
    left_out text CHECK (left_out IN ('HAS_IT', 'DECEASED', 'REFUSED', 'OTHER_FILE')),
    late boolean NOT NULL DEFAULT false,
    added_by text NOT NULL,
    added_on date NOT NULL,
    reason text,
    approved_by text,
    given_at timestamptz,
    PRIMARY KEY (campaign_id, person_id),
    CHECK ((state = 'LEFT_OUT') = (left_out IS NOT NULL)),
    CHECK (late = (reason IS NOT NULL)),
    CHECK (NOT late OR approved_by <> added_by),
    CHECK (NOT late OR state = 'PROPOSED' OR approved_by IS NOT NULL)
);
CREATE UNIQUE INDEX campaign_person_once ON campaign_person (rule_code, person_id) WHERE state = 'GIVEN';
CREATE INDEX campaign_person_unit ON campaign_person (campaign_id, unit_path text_pattern_ops, person_id);
"""

_DRAFTED = ("benefit_category", "category_term", "law_change_setting")
_KEPT = ("category_term", "law_change_setting", "campaign", "campaign_person")


def _role() -> str:
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    return str(config.attributes["app_role"])


def upgrade() -> None:
    """Create the tables; the application writes rows of drafts only, and moves a change forward only."""
    op.execute(CHANGES)
    op.execute(ANSWERS)
    op.execute(CAMPAIGNS)
    for table in _KEPT:
        op.execute(f"SELECT keep_history('{table}')")
    role = _role()
    for table in _DRAFTED:
        op.execute(f'REVOKE UPDATE, TRUNCATE ON {table} FROM "{role}"; GRANT INSERT, DELETE ON {table} TO "{role}"')
        op.execute(f"CREATE TRIGGER only_drafts BEFORE INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION only_drafts('{role}')")
    op.execute(f'REVOKE DELETE, TRUNCATE ON law_change FROM "{role}"; REVOKE DELETE, TRUNCATE ON campaign, campaign_person FROM "{role}"')
    op.execute(
        f"CREATE TRIGGER only_approved_answers BEFORE UPDATE ON policy_setting FOR EACH ROW"
        f" EXECUTE FUNCTION only_approved_answers('{role}')"
    )
    op.execute(
        f"CREATE TRIGGER law_change_forward BEFORE INSERT OR UPDATE ON law_change FOR EACH ROW"
        f" EXECUTE FUNCTION law_change_forward('{role}')"
    )


def downgrade() -> None:
    """Drop them; categories of changes go with them."""
    role = _role()
    op.execute(
        "DELETE FROM history_table WHERE kind IN ('category_term', 'law_change_setting', 'campaign', 'campaign_person');"
        "DROP TABLE campaign_person, campaign, law_what_if_people, law_what_if_line, law_what_if, law_change_setting, category_term;"
        "DROP TRIGGER only_approved_answers ON policy_setting; DROP FUNCTION only_approved_answers();"
        "DROP TRIGGER only_drafts ON benefit_category; DROP TRIGGER law_change_forward ON law_change; DROP FUNCTION law_change_forward();"
        "DELETE FROM benefit_category WHERE change_id IS NOT NULL; ALTER TABLE benefit_category DROP COLUMN change_id;"
        "DELETE FROM law_change WHERE state IN ('PROPOSED', 'REJECTED');"
        "ALTER TABLE law_change DROP CONSTRAINT law_change_state_check, DROP CONSTRAINT law_change_second_person,"
        " DROP CONSTRAINT law_change_closed, DROP COLUMN applies_from, DROP COLUMN known_from, DROP COLUMN authors,"
        " DROP COLUMN business_date, DROP COLUMN job_id, DROP COLUMN closed_by, DROP COLUMN closed_at, DROP COLUMN reason;"
        "ALTER TABLE law_change ADD CONSTRAINT law_change_state_check CHECK (state IN ('DRAFT', 'APPROVED', 'WITHDRAWN'));"
    )
    op.execute(f'REVOKE INSERT, DELETE ON benefit_category FROM "{role}"; GRANT DELETE ON law_change TO "{role}"')
