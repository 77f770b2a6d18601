"""The order of committed changes of people; duplicates ("trùng lĩnh"), decisions on them, merges that can be undone."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Every event about a person is also a row here. Ids are drawn under the people lock, which is held until the commit: whoever has read
# up to an id has missed nothing below it, and nothing can appear there later. A trigger, so that no writer can forget it; markers of a
# cut-off are left out before the lock is asked for (they are written under the outbox barrier, which writers of people wait for).
CHANGES = """
CREATE TABLE person_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id uuid NOT NULL,
    type text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX person_change_person ON person_change (person_id, id);
CREATE FUNCTION note_person_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE topic IN ('registry.beneficiary.v1', 'registry.dues.v1') AND type <> 'CutOffReached') THEN
        PERFORM pg_advisory_xact_lock(7210001);
        INSERT INTO person_change (person_id, type)
        SELECT key, type FROM fresh
        WHERE topic IN ('registry.beneficiary.v1', 'registry.dues.v1') AND type <> 'CutOffReached' ORDER BY id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_person_changes AFTER INSERT ON outbox REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_person_changes();
"""

DUPLICATES = """
-- First and last part of the name, i and y alike: spellings that name one person share it; a middle name left out does not matter.
CREATE FUNCTION duplicate_block(name_folded text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN translate(split_part(name_folded, ' ', 1) || ' ' || regexp_replace(name_folded, '^.* ', ''), 'Y', 'I');
CREATE INDEX person_duplicate_block ON person (duplicate_block(name_folded), (birth_date COLLATE "C")) WHERE is_beneficiary;
CREATE INDEX import_row_refused_number ON import_row (number_blind) WHERE verdict = 'REFUSED' AND number_blind IS NOT NULL;
ALTER TABLE person ADD COLUMN merged_into uuid REFERENCES person,
    ADD CONSTRAINT person_merged_is_gone CHECK (merged_into IS NULL OR status IN ('LEFT', 'DECEASED')),
    ADD CONSTRAINT person_not_merged_into_itself CHECK (merged_into <> person_id);
CREATE INDEX person_merged_into ON person (merged_into) WHERE merged_into IS NOT NULL;

-- Programmes that may not be drawn beside each other: the law as data.
CREATE TABLE programme_exclusion (
    programme text NOT NULL,
    other text NOT NULL,
    applies_from date NOT NULL,
    applies_to date,
    legal_basis text NOT NULL,
    PRIMARY KEY (programme, other, applies_from),
    CHECK (programme < other)
);
INSERT INTO programme_exclusion (programme, other, applies_from, legal_basis) VALUES
    ('SOCIAL_ASSISTANCE', 'SOCIAL_PENSION', '2025-07-01', 'Nghị định 176/2025/NĐ-CP: chỉ hưởng một chế độ có mức cao hơn');

CREATE TABLE duplicate_candidate (
    candidate_id uuid PRIMARY KEY DEFAULT uuidv7(),
    a_id uuid NOT NULL REFERENCES person,
    b_id uuid REFERENCES person,
    import_id uuid,
    import_row integer,
    score smallint NOT NULL CHECK (score > 0),
    strong boolean NOT NULL,
    reasons jsonb NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CONFIRMED', 'NOT_DUPLICATE', 'MERGED', 'UNDONE', 'LAPSED')),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (a_id, b_id),
    UNIQUE (import_id, import_row),
    FOREIGN KEY (import_id, import_row) REFERENCES import_row (import_id, row_number),
    CHECK ((b_id IS NULL) = (import_id IS NOT NULL)),
    CHECK ((import_id IS NULL) = (import_row IS NULL)),
    CHECK (a_id <> b_id),
    CHECK (b_id IS NOT NULL OR NOT strong)
);
COMMENT ON COLUMN duplicate_candidate.a_id IS 'The file registered first: it goes on being paid';
COMMENT ON COLUMN duplicate_candidate.b_id IS 'The file registered later: held while a strong candidate is unresolved';
CREATE INDEX duplicate_candidate_state ON duplicate_candidate (state, candidate_id);
CREATE INDEX duplicate_candidate_b ON duplicate_candidate (b_id);
CREATE INDEX duplicate_candidate_holds ON duplicate_candidate (b_id) WHERE strong AND state IN ('OPEN', 'CONFIRMED', 'UNDONE');

CREATE TABLE duplicate_decision (
    decision_id uuid PRIMARY KEY DEFAULT uuidv7(),
    candidate_id uuid NOT NULL REFERENCES duplicate_candidate,
    kind text NOT NULL CHECK (kind IN ('NOT_DUPLICATE', 'CONFIRM', 'MERGE', 'UNDO')),
    note text NOT NULL CHECK (note <> ''),
    survivor_id uuid REFERENCES person,
    effective_month date CHECK (extract(day FROM effective_month) = 1),
    take_fields text[] NOT NULL DEFAULT '{}',
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REFUSED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK ((kind = 'MERGE') = (survivor_id IS NOT NULL)),
    CHECK ((kind = 'MERGE') = (effective_month IS NOT NULL)),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL)),
    CHECK (state <> 'APPROVED' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX duplicate_decision_one_open ON duplicate_decision (candidate_id) WHERE state = 'PROPOSED';
CREATE INDEX duplicate_decision_candidate ON duplicate_decision (candidate_id);

-- What stood before a merge, row by row, so that it can be put back; `after` says what the merge left, so that nothing later is lost.
CREATE TABLE person_merge (
    merge_id uuid PRIMARY KEY DEFAULT uuidv7(),
    candidate_id uuid NOT NULL REFERENCES duplicate_candidate,
    decision_id uuid NOT NULL UNIQUE REFERENCES duplicate_decision,
    survivor_id uuid NOT NULL REFERENCES person,
    other_id uuid NOT NULL REFERENCES person,
    effective_month date NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now(),
    undone_at timestamptz
);
CREATE UNIQUE INDEX person_merge_standing ON person_merge (candidate_id) WHERE undone_at IS NULL;

CREATE TABLE duplicate_scan (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL DEFAULT 0,
    refused_rows bigint NOT NULL DEFAULT 0
);
INSERT INTO duplicate_scan DEFAULT VALUES;
COMMENT ON TABLE duplicate_scan IS 'Up to which change people, and how many refused rows, have been compared with the register';
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(CHANGES)
    op.execute(DUPLICATES)
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON programme_exclusion FROM "{role}"')
    op.execute(f'REVOKE UPDATE, TRUNCATE ON person_change FROM "{role}"')


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP TRIGGER outbox_person_changes ON outbox; DROP FUNCTION note_person_changes();"
        "DROP TABLE duplicate_scan, person_merge, duplicate_decision, duplicate_candidate, programme_exclusion, person_change;"
        "DROP INDEX import_row_refused_number, person_duplicate_block;"
        "ALTER TABLE person DROP COLUMN merged_into;"
        "DROP FUNCTION duplicate_block(text)"
    )
