"""What a service's migration adds to its tables `import_file` and `import_row`, and the saved column mappings."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["lists_downgrade", "lists_upgrade"]

_UP: Final = """
ALTER TABLE import_file
    ADD COLUMN sheet text NOT NULL DEFAULT '',
    ADD COLUMN layout jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN choice jsonb,
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN staged_to integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_left_out jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN rows_waiting integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_applied integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_unchanged integer NOT NULL DEFAULT 0,
    ADD COLUMN needs_second boolean NOT NULL DEFAULT true,
    ADD COLUMN checked_at timestamptz;
COMMENT ON COLUMN import_file.layout IS 'How the file was read: sheet, header, columns; headers only, no data';
COMMENT ON COLUMN import_file.choice IS 'Columns as an officer set them';
COMMENT ON COLUMN import_file.staged_to IS 'Last row of the file that is staged: a check that died goes on behind it';
ALTER TABLE import_file DROP CONSTRAINT import_file_check;
ALTER TABLE import_file ADD CONSTRAINT import_file_two_people CHECK (approved_by IS NULL OR approved_by <> created_by OR NOT needs_second);
DROP INDEX import_file_once;

ALTER TABLE import_row
    ADD COLUMN settled text CHECK (settled IN ('CORRECTED', 'DISMISSED')),
    ADD COLUMN settled_by text,
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_note text,
    ADD COLUMN settled_import uuid REFERENCES import_file,
    ADD CONSTRAINT import_row_dismissed CHECK (settled <> 'DISMISSED' OR settled_note <> '');
COMMENT ON COLUMN import_row.settled IS 'A refused row waits until a later list corrects it or somebody dismisses it with a reason';
CREATE INDEX import_row_unsettled ON import_row (file_code) WHERE verdict = 'REFUSED' AND settled IS NULL;

CREATE TABLE import_mapping (
    mapping_id uuid PRIMARY KEY DEFAULT uuidv7(),
    unit_path text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    fingerprint text NOT NULL,
    headers jsonb NOT NULL,
    columns jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    UNIQUE (unit_path, name),
    UNIQUE (unit_path, fingerprint)
);
COMMENT ON TABLE import_mapping IS 'Columns of an office''s own form, recognised again by its headers';
"""

_DOWN: Final = """
DROP TABLE import_mapping;
DROP INDEX import_row_unsettled;
ALTER TABLE import_row DROP COLUMN settled, DROP COLUMN settled_by, DROP COLUMN settled_at, DROP COLUMN settled_note,
    DROP COLUMN settled_import;
ALTER TABLE import_file DROP CONSTRAINT import_file_two_people;
ALTER TABLE import_file ADD CONSTRAINT import_file_check CHECK (approved_by IS NULL OR approved_by <> created_by);
ALTER TABLE import_file DROP COLUMN sheet, DROP COLUMN layout, DROP COLUMN choice, DROP COLUMN version, DROP COLUMN staged_to,
    DROP COLUMN rows_left_out, DROP COLUMN rows_waiting, DROP COLUMN rows_applied, DROP COLUMN rows_unchanged, DROP COLUMN needs_second,
    DROP COLUMN checked_at;
"""


def lists_upgrade(op: Any, once: str) -> None:
    """Add the mechanism's columns and tables. `once`: the columns that make a file the same list, e.g. `sha256, unit_code`."""
    op.execute(_UP)
    op.execute(f"CREATE UNIQUE INDEX import_file_once ON import_file ({once}, sheet) WHERE NOT dry_run AND state <> 'REFUSED'")


def lists_downgrade(op: Any, once: str) -> None:
    """Take them away again; `once` as the service's first migration had it."""
    op.execute("DROP INDEX import_file_once")
    op.execute(_DOWN)
    op.execute(f"CREATE UNIQUE INDEX import_file_once ON import_file ({once}) WHERE NOT dry_run AND state <> 'REFUSED'")
