"""What people said of a pause stays, word by word; a name is folded in the database as it is folded in a search."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
contract = "nothing was released with resume_note: its words are steps now; the folded name is computed anew under its old name"

STEPS = """
CREATE TABLE lane_pause_step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pause_id uuid NOT NULL REFERENCES lane_pause,
    kind text NOT NULL CHECK (kind IN ('RESUME_PROPOSED', 'RESUMED', 'KEPT')),
    actor text NOT NULL,
    note text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX lane_pause_step_pause ON lane_pause_step (pause_id, step_id);

-- What was said before this release stands in the audit log.
INSERT INTO lane_pause_step (pause_id, kind, actor, note, at)
SELECT p.pause_id, CASE a.action WHEN 'pause.resume_proposed' THEN 'RESUME_PROPOSED' WHEN 'pause.resumed' THEN 'RESUMED' ELSE 'KEPT' END,
       a.subject, coalesce(a.detail ->> 'note', ''), a.at
FROM audit_log a JOIN lane_pause p ON CAST(p.pause_id AS text) = a.object_id
WHERE a.object_type = 'pause' AND a.action IN ('pause.resume_proposed', 'pause.resumed', 'pause.kept') ORDER BY a.id;
ALTER TABLE lane_pause DROP COLUMN resume_note;
"""

# As `common.names.folded`: marks and apostrophes go, what is no letter is a space.
FOLDED = """
ALTER TABLE beneficiary DROP COLUMN name_folded;
ALTER TABLE beneficiary ADD COLUMN name_folded text GENERATED ALWAYS AS (upper(btrim(regexp_replace(regexp_replace(
    translate(normalize(full_name, NFD), U&'\\0111\\0110\\00F0\\00D0', 'dDdD'),
    U&'[\\0300-\\036F\\0027\\0060\\00B4\\02BC\\2018\\2019\\2032]', '', 'g'), '[^A-Za-z]+', ' ', 'g')))) STORED;
CREATE INDEX beneficiary_name_folded ON beneficiary (name_folded text_pattern_ops);
"""

UNFOLDED = """
ALTER TABLE beneficiary DROP COLUMN name_folded;
ALTER TABLE beneficiary ADD COLUMN name_folded text GENERATED ALWAYS AS (upper(translate(normalize(full_name, NFD),
    U&'\\0111\\0110\\0300\\0301\\0303\\0309\\0323\\0302\\0306\\031B', 'dD'))) STORED;
CREATE INDEX beneficiary_name_folded ON beneficiary (name_folded text_pattern_ops);
"""


def upgrade() -> None:
    op.execute(STEPS)
    append_only(op, "lane_pause_step")
    op.execute(FOLDED)


def downgrade() -> None:
    op.execute(UNFOLDED)
    op.execute("ALTER TABLE lane_pause ADD COLUMN resume_note text")
    op.execute(
        "UPDATE lane_pause p SET resume_note = s.note FROM lane_pause_step s"
        " WHERE s.step_id = (SELECT max(step_id) FROM lane_pause_step l WHERE l.pause_id = p.pause_id)"
    )
    op.execute("DROP TABLE lane_pause_step")
