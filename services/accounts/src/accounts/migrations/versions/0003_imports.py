"""Account lists read by the shared mechanism of lists: reasons in both languages, rows that wait until corrected, saved columns."""

from __future__ import annotations

from alembic import op

from common.lists.schema import lists_downgrade, lists_upgrade

revision = "0003"
down_revision = "0002"

_UP = """
ALTER TABLE import_file ALTER COLUMN refusal TYPE jsonb USING CASE WHEN refusal IS NOT NULL THEN jsonb_build_object('detail', refusal) END;
ALTER TABLE import_file
    ADD COLUMN applied_at timestamptz,
    ADD COLUMN rows_total integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_good integer NOT NULL DEFAULT 0,
    ADD COLUMN rows_refused integer NOT NULL DEFAULT 0;
CREATE INDEX import_file_unit ON import_file (unit_path text_pattern_ops, import_id);
ALTER TABLE import_row ADD COLUMN reasons jsonb NOT NULL DEFAULT '[]', ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
UPDATE import_row SET reasons = jsonb_build_array(jsonb_build_object('code', reason, 'field', '', 'detail', reason, 'detail_vi', reason))
WHERE reason IS NOT NULL;
ALTER TABLE import_row DROP COLUMN reason;
"""
_COUNTS = """
UPDATE import_file f SET rows_total = c.total, rows_refused = c.refused, rows_waiting = c.waiting, rows_applied = c.applied,
    rows_unchanged = c.same, rows_good = c.total - c.refused - c.waiting
FROM (SELECT import_id, count(*) AS total, count(*) FILTER (WHERE verdict = 'REFUSED') AS refused,
          count(*) FILTER (WHERE verdict = 'WAITING') AS waiting, count(*) FILTER (WHERE verdict = 'APPLIED') AS applied,
          count(*) FILTER (WHERE verdict = 'UNCHANGED') AS same FROM import_row GROUP BY import_id) c
WHERE c.import_id = f.import_id;
"""
_DOWN = """
ALTER TABLE import_row ADD COLUMN reason text;
UPDATE import_row SET reason = reasons->0->>'code';
ALTER TABLE import_row DROP COLUMN reasons, DROP COLUMN warnings;
DROP INDEX import_file_unit;
ALTER TABLE import_file DROP COLUMN applied_at, DROP COLUMN rows_total, DROP COLUMN rows_good, DROP COLUMN rows_refused;
ALTER TABLE import_file ALTER COLUMN refusal TYPE text USING refusal->>'detail';
"""


def upgrade() -> None:
    op.execute(_UP)
    lists_upgrade(op, "sha256, unit_code")
    op.execute(_COUNTS)


def downgrade() -> None:
    lists_downgrade(op, "sha256, unit_code")
    op.execute(_DOWN)
