"""Dates of death that the population database tells otherwise than the register: each waits for a person's answer."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE death_difference (
    difference_id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    told_date date NOT NULL,
    told_on date NOT NULL,
    source text NOT NULL CHECK (source IN ('POPULATION_DATABASE')),
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'KEPT', 'CORRECTED', 'LAPSED')),
    kept_date date,
    answer text,
    answered_by text,
    answered_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (person_id, told_date),
    CHECK ((state = 'OPEN') = (answered_by IS NULL)),
    CHECK ((state = 'KEPT') = (kept_date IS NOT NULL)),
    CHECK (state <> 'KEPT' OR answer IS NOT NULL)
);
COMMENT ON COLUMN death_difference.told_on IS 'The business date it was last told on while nobody had answered it';
COMMENT ON COLUMN death_difference.kept_date IS 'The register''s date that was confirmed against this one';
CREATE INDEX death_difference_open ON death_difference (person_id) WHERE state = 'OPEN';
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("SELECT keep_history('death_difference')")


def downgrade() -> None:
    op.execute("DROP TABLE death_difference; DELETE FROM history_table WHERE kind = 'death_difference'")
