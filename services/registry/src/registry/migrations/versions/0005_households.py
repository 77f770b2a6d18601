"""Person attributes, the name index, relatives of merit people, households, groups by approved list, institutions, preference survey."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PEOPLE = """
ALTER TABLE person
    ADD COLUMN second_number bytea,
    ADD COLUMN second_blind bytea,
    ADD COLUMN masked_second_number text,
    ADD COLUMN no_number_reason text CHECK (no_number_reason IN ('NO_ID', 'NOT_IN_POPULATION_DB')),
    ADD COLUMN ethnicity bytea,
    ADD COLUMN phone bytea,
    ADD COLUMN masked_phone text,
    ADD COLUMN hamlet text,
    ADD CHECK ((second_number IS NULL) = (second_blind IS NULL)),
    ADD CHECK (no_number_reason IS NULL OR no_number_reason <> 'NO_ID' OR number_blind IS NULL);
CREATE INDEX person_second_number ON person (second_blind) WHERE second_blind IS NOT NULL;
CREATE INDEX person_without_number ON person (unit_path text_pattern_ops, person_id) WHERE number_blind IS NULL AND is_beneficiary;

-- Whoever gives somebody a number (a correction, a merge) thereby ends "has no ID card".
CREATE FUNCTION person_has_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.no_number_reason := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER person_has_number BEFORE UPDATE OF number_blind ON person FOR EACH ROW
    WHEN (NEW.number_blind IS NOT NULL AND NEW.no_number_reason = 'NO_ID') EXECUTE FUNCTION person_has_number();

-- Every tail of a folded name (NGUYEN THI HOA, THI HOA, HOA), so that the beginning of any part of any name is one range of one index.
-- Order within equal tails is by hash: ids grow with time, lists come unit by unit, and a search within one unit must not first walk
-- past the namesakes of all units before it. No foreign key: its check would cost an import more than the rows.
CREATE TABLE name_tail (
    tail text COLLATE "C" NOT NULL,
    person_id uuid NOT NULL
);
CREATE INDEX name_tail_range ON name_tail (tail, uuid_hash(person_id), person_id);
CREATE INDEX name_tail_person ON name_tail USING hash (person_id);
CREATE FUNCTION name_tails(name text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 3 AS $$
    SELECT array_to_string(words[n:], ' ')
    FROM (SELECT string_to_array(name, ' ') AS words) w, generate_series(1, least(cardinality(words), 12)) n
$$;
CREATE FUNCTION name_tail_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_tail (tail, person_id) SELECT DISTINCT t, p.person_id FROM added p, name_tails(p.name_folded) t;
    RETURN NULL;
END $$;
CREATE FUNCTION name_tail_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM name_tail WHERE person_id = OLD.person_id;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO name_tail (tail, person_id) SELECT DISTINCT t, NEW.person_id FROM name_tails(NEW.name_folded) t;
    END IF;
    RETURN NULL;
END $$;
INSERT INTO name_tail (tail, person_id) SELECT DISTINCT t, p.person_id FROM person p, name_tails(p.name_folded) t;
CREATE TRIGGER name_tail_add AFTER INSERT ON person REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION name_tail_add();
CREATE TRIGGER name_tail_follow AFTER UPDATE ON person FOR EACH ROW
    WHEN (OLD.name_folded IS DISTINCT FROM NEW.name_folded) EXECUTE FUNCTION name_tail_follow();
CREATE TRIGGER name_tail_remove AFTER DELETE ON person FOR EACH ROW EXECUTE FUNCTION name_tail_follow();

-- A relative of a person with merit is a person of the register, linked to the merit person and to the decision (R02).
CREATE TABLE merit_relation (
    relation_id uuid PRIMARY KEY DEFAULT uuidv7(),
    merit_person_id uuid NOT NULL REFERENCES person,
    relative_id uuid NOT NULL REFERENCES person,
    relation text NOT NULL CHECK (relation IN ('PARENT', 'SPOUSE', 'CHILD', 'FOSTER_PARENT', 'WORSHIPPER', 'OTHER')),
    entitlement_id uuid REFERENCES entitlement,
    decision_number text NOT NULL CHECK (decision_number <> ''),
    decision_date date NOT NULL,
    from_date date NOT NULL,
    to_date date,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (merit_person_id <> relative_id),
    CHECK (to_date >= from_date)
);
CREATE UNIQUE INDEX merit_relation_once ON merit_relation (merit_person_id, relative_id, relation, decision_number) WHERE to_date IS NULL;
CREATE INDEX merit_relation_relative ON merit_relation (relative_id);
"""

HOUSEHOLDS = """
ALTER TABLE household ADD COLUMN hamlet text, ADD COLUMN split_from uuid REFERENCES household, ADD COLUMN closed_on date;
CREATE INDEX household_member_person ON household_member (person_id, from_date);

-- Groups that exclude each other share a set: a household is poor or near-poor, never both on one day.
ALTER TABLE beneficiary_group ADD COLUMN exclusive_set text, ADD COLUMN legal_basis text,
    ADD COLUMN created_by text, ADD COLUMN approved_by text, ADD CHECK (approved_by IS NULL OR approved_by <> created_by);
UPDATE beneficiary_group SET exclusive_set = 'POVERTY', legal_basis = 'Nghị định 07/2021/NĐ-CP' WHERE code IN ('POOR', 'NEAR_POOR');
CREATE TABLE group_request (
    request_id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL CHECK (code ~ '^[A-Z][A-Z0-9_]*$'),
    name_vi text NOT NULL,
    name_en text NOT NULL,
    exclusive_set text,
    legal_basis text NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK (decided_by <> created_by),
    CHECK ((state = 'PENDING') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX group_request_open ON group_request (code) WHERE state = 'PENDING';

-- The result of a review (poor, near-poor …) or a single change: rows wait for a second person, then apply together with the dues.
CREATE TABLE group_list (
    list_id uuid PRIMARY KEY DEFAULT uuidv7(),
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('CHANGES', 'FULL_REVIEW')),
    groups text[] NOT NULL DEFAULT '{}',
    from_date date NOT NULL,
    decision_number text NOT NULL CHECK (decision_number <> ''),
    business_date date NOT NULL,
    file_name text,
    sha256 bytea,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED')),
    rows_good integer NOT NULL DEFAULT 0,
    rows_refused integer NOT NULL DEFAULT 0,
    started integer NOT NULL DEFAULT 0,
    ended integer NOT NULL DEFAULT 0,
    people_affected integer NOT NULL DEFAULT 0,
    dues_changed integer NOT NULL DEFAULT 0,
    rejection text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK (decided_by <> created_by),
    CHECK ((state = 'PENDING') = (decided_by IS NULL)),
    CHECK (mode = 'CHANGES' OR groups <> '{}')
);
CREATE UNIQUE INDEX group_list_once ON group_list (sha256) WHERE sha256 IS NOT NULL AND state <> 'REJECTED';
CREATE INDEX group_list_unit ON group_list (unit_path text_pattern_ops, list_id);
CREATE TABLE group_list_row (
    list_id uuid NOT NULL REFERENCES group_list,
    row_number integer NOT NULL,
    code text NOT NULL,
    subject text NOT NULL CHECK (subject IN ('HOUSEHOLD', 'PERSON')),
    group_code text NOT NULL,
    action text NOT NULL CHECK (action IN ('START', 'END')),
    household_id uuid,
    person_id uuid,
    verdict text NOT NULL CHECK (verdict IN ('GOOD', 'REFUSED', 'APPLIED', 'UNCHANGED')),
    reasons jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (list_id, row_number)
);
CREATE INDEX group_list_row_household ON group_list_row (household_id, list_id) WHERE household_id IS NOT NULL;
ALTER TABLE group_membership ADD COLUMN list_id uuid REFERENCES group_list, ADD COLUMN end_decision_number text;
CREATE UNIQUE INDEX group_membership_household_once ON group_membership (household_id, group_code)
    WHERE household_id IS NOT NULL AND to_date IS NULL;
CREATE UNIQUE INDEX group_membership_person_once ON group_membership (person_id, group_code)
    WHERE person_id IS NOT NULL AND to_date IS NULL;

ALTER TABLE institution ADD COLUMN version bigint NOT NULL DEFAULT 1, ADD COLUMN created_by text, ADD CHECK (valid_to >= valid_from),
    ADD CHECK (code ~ '^[A-Z0-9][A-Z0-9._-]*$');
CREATE INDEX institution_unit ON institution (unit_path text_pattern_ops, institution_id);
ALTER TABLE institution_stay ADD COLUMN decision_number text, ADD COLUMN created_by text;
CREATE UNIQUE INDEX institution_stay_once ON institution_stay (person_id) WHERE to_date IS NULL;
"""

SURVEY = """
ALTER TABLE preference
    ADD COLUMN source text NOT NULL DEFAULT 'LIST' CHECK (source IN ('LIST', 'OFFICE', 'SURVEY')), ADD COLUMN recorded_by text;
-- What somebody had answered before; written by the database, whoever changes the answer.
CREATE TABLE preference_past (
    person_id uuid NOT NULL REFERENCES person,
    version bigint NOT NULL,
    preference text NOT NULL,
    recorded_on date NOT NULL,
    evidence text,
    source text NOT NULL,
    recorded_by text,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, version)
);
CREATE FUNCTION preference_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO preference_past (person_id, version, preference, recorded_on, evidence, source, recorded_by)
    VALUES (OLD.person_id, OLD.version, OLD.preference, OLD.recorded_on, OLD.evidence, OLD.source, OLD.recorded_by);
    RETURN NULL;
END $$;
CREATE TRIGGER preference_keep AFTER UPDATE ON preference FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION preference_keep();

CREATE TABLE survey (
    survey_id uuid PRIMARY KEY DEFAULT uuidv7(),
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    title text NOT NULL CHECK (title <> ''),
    started_on date NOT NULL,
    due_on date NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (due_on >= started_on)
);
CREATE INDEX survey_unit ON survey (unit_path text_pattern_ops, survey_id);
CREATE TABLE survey_task (
    task_id uuid PRIMARY KEY DEFAULT uuidv7(),
    survey_id uuid NOT NULL REFERENCES survey,
    household_id uuid REFERENCES household,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    hamlet text,
    address text,
    label text NOT NULL,
    assigned_to text,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'DONE')),
    version bigint NOT NULL DEFAULT 1,
    done_on date
);
CREATE INDEX survey_task_list ON survey_task (survey_id, task_id);
CREATE INDEX survey_task_officer ON survey_task (assigned_to, state, task_id) WHERE assigned_to IS NOT NULL;
CREATE TABLE survey_task_person (
    task_id uuid NOT NULL REFERENCES survey_task,
    person_id uuid NOT NULL REFERENCES person,
    preference text CHECK (preference IN ('WANTS_ACCOUNT', 'DECLINES', 'FORCE_MAJEURE')),
    evidence text,
    answered_on date,
    answered_by text,
    PRIMARY KEY (task_id, person_id),
    CHECK ((preference IS NULL) = (answered_on IS NULL))
);
-- Nobody is asked twice: one unanswered question per person.
CREATE UNIQUE INDEX survey_question_once ON survey_task_person (person_id) WHERE preference IS NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(PEOPLE)
    op.execute(HOUSEHOLDS)
    op.execute(SURVEY)
    append_only(op, "preference_past")


def downgrade() -> None:
    """Drop them and take the added columns away."""
    op.execute(
        "DROP TABLE survey_task_person, survey_task, survey;"
        "DROP TRIGGER preference_keep ON preference; DROP FUNCTION preference_keep();"
        "DROP TABLE preference_past; ALTER TABLE preference DROP COLUMN source, DROP COLUMN recorded_by;"
        "DROP INDEX institution_stay_once, institution_unit, group_membership_person_once, group_membership_household_once;"
        "ALTER TABLE institution_stay DROP COLUMN decision_number, DROP COLUMN created_by;"
        "ALTER TABLE institution DROP COLUMN version, DROP COLUMN created_by, DROP CONSTRAINT institution_check,"
        " DROP CONSTRAINT institution_code_check;"
        "ALTER TABLE group_membership DROP COLUMN list_id, DROP COLUMN end_decision_number;"
        "DROP TABLE group_list_row, group_list, group_request;"
        "ALTER TABLE beneficiary_group DROP COLUMN exclusive_set, DROP COLUMN legal_basis, DROP COLUMN created_by, DROP COLUMN approved_by;"
        "DROP INDEX household_member_person; ALTER TABLE household DROP COLUMN hamlet, DROP COLUMN split_from, DROP COLUMN closed_on;"
        "DROP TABLE merit_relation; DROP INDEX person_without_number;"
        "DROP TRIGGER name_tail_add ON person; DROP TRIGGER name_tail_follow ON person; DROP TRIGGER name_tail_remove ON person;"
        "DROP FUNCTION name_tail_add(); DROP FUNCTION name_tail_follow(); DROP TABLE name_tail; DROP FUNCTION name_tails(text);"
        "DROP TRIGGER person_has_number ON person; DROP FUNCTION person_has_number();"
        "ALTER TABLE person DROP COLUMN second_number, DROP COLUMN second_blind, DROP COLUMN masked_second_number,"
        " DROP COLUMN no_number_reason, DROP COLUMN ethnicity, DROP COLUMN phone, DROP COLUMN masked_phone, DROP COLUMN hamlet;"
    )
