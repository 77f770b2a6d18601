"""Lists read by the shared mechanism, rows with dependants and attributes, and lists that travel from the commune upwards."""

from __future__ import annotations

from alembic import op

from common.lists.schema import lists_downgrade, lists_upgrade

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROWS = """
ALTER TABLE import_row DROP CONSTRAINT import_row_verdict_check;
ALTER TABLE import_row ADD CONSTRAINT import_row_verdict_check CHECK (verdict IN ('GOOD', 'REFUSED', 'WAITING', 'APPLIED', 'UNCHANGED'));
ALTER TABLE import_row
    ADD COLUMN dep_name text,
    ADD COLUMN dep_name_folded text,
    ADD COLUMN dep_birth_date text,
    ADD COLUMN dependant_id uuid,
    ADD COLUMN second_number bytea,
    ADD COLUMN second_blind bytea,
    ADD COLUMN masked_second_number text,
    ADD COLUMN phone bytea,
    ADD COLUMN masked_phone text,
    ADD COLUMN ethnicity bytea,
    ADD COLUMN hamlet text;
"""

TRAVEL = """
CREATE TABLE submitted_list (
    list_id uuid PRIMARY KEY,
    import_id uuid NOT NULL REFERENCES import_file,
    number text NOT NULL CHECK (number <> ''),
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    to_unit_code text NOT NULL,
    to_unit_path text NOT NULL,
    state text NOT NULL DEFAULT 'SUBMITTED' CHECK (state IN ('SUBMITTED', 'RECEIVED', 'RETURNED', 'ACCEPTED', 'WITHDRAWN')),
    round integer NOT NULL DEFAULT 1,
    note text,
    due_on date NOT NULL,
    submitted_on date NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    received_by text,
    received_at timestamptz,
    returned_by text,
    returned_at timestamptz,
    return_reasons jsonb,
    accepted_by text,
    accepted_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    CHECK (received_by IS NULL OR received_by <> submitted_by),
    CHECK (accepted_by IS NULL OR accepted_by <> submitted_by),
    CHECK ((state = 'RETURNED') <= (return_reasons IS NOT NULL)),
    CHECK (unit_path <> to_unit_path AND starts_with(unit_path, to_unit_path || '/'))
);
COMMENT ON TABLE submitted_list IS 'A registration list on its way from the commune to the district or the department';
CREATE UNIQUE INDEX submitted_list_import ON submitted_list (import_id) WHERE state <> 'WITHDRAWN';
CREATE INDEX submitted_list_from ON submitted_list (unit_path text_pattern_ops, list_id);
CREATE INDEX submitted_list_to ON submitted_list (to_unit_path text_pattern_ops, list_id);
"""


def upgrade() -> None:
    """Add columns and tables."""
    lists_upgrade(op, "sha256, unit_code, programme")
    op.execute(ROWS)
    op.execute(
        "UPDATE import_file f SET rows_applied = c.applied, rows_unchanged = c.same FROM (SELECT import_id,"
        " count(*) FILTER (WHERE verdict = 'APPLIED') AS applied, count(*) FILTER (WHERE verdict = 'UNCHANGED') AS same"
        " FROM import_row GROUP BY import_id) c WHERE c.import_id = f.import_id"
    )
    op.execute(TRAVEL)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE submitted_list")
    op.execute(
        "ALTER TABLE import_row DROP COLUMN dep_name, DROP COLUMN dep_name_folded, DROP COLUMN dep_birth_date, DROP COLUMN dependant_id,"
        " DROP COLUMN second_number, DROP COLUMN second_blind, DROP COLUMN masked_second_number, DROP COLUMN phone,"
        " DROP COLUMN masked_phone, DROP COLUMN ethnicity, DROP COLUMN hamlet"
    )
    op.execute(
        "ALTER TABLE import_row DROP CONSTRAINT import_row_verdict_check;"
        "ALTER TABLE import_row ADD CONSTRAINT import_row_verdict_check CHECK (verdict IN ('GOOD', 'REFUSED', 'APPLIED', 'UNCHANGED'))"
    )
    lists_downgrade(op, "sha256")
