"""An unsigned file that declares payments dead waits for a second person; a word that was dismissed and is said again stands again."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
contract = "a list of states is made longer; a word set aside is unique while it is open, which every writer of this release expects"

UPGRADE = """
ALTER TABLE partner_notice
    DROP CONSTRAINT partner_notice_state_check,
    ADD CONSTRAINT partner_notice_state_check CHECK (state IN ('RECEIVED', 'WAITING', 'APPLIED', 'REFUSED')),
    ADD COLUMN brought_by text,
    ADD COLUMN batch_id uuid REFERENCES payment_batch,
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decision_note text,
    ADD CONSTRAINT notice_by_two CHECK (decided_by IS NULL OR decided_by <> brought_by),
    ADD CONSTRAINT notice_waits CHECK (state <> 'WAITING' OR (brought_by IS NOT NULL AND decided_by IS NULL));
CREATE INDEX partner_notice_batch ON partner_notice (batch_id) WHERE batch_id IS NOT NULL;

ALTER TABLE quarantine DROP CONSTRAINT quarantine_partner_fingerprint_key;
ALTER TABLE quarantine ADD COLUMN repeats integer NOT NULL DEFAULT 0, ADD COLUMN dismissed_before integer NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX quarantine_open_once ON quarantine (partner, fingerprint) WHERE state = 'OPEN';
CREATE INDEX quarantine_fingerprint ON quarantine (partner, fingerprint) WHERE state = 'RESOLVED';
"""

DOWNGRADE = """
DROP INDEX quarantine_fingerprint, quarantine_open_once;
DELETE FROM quarantine q WHERE EXISTS (SELECT FROM quarantine o WHERE o.partner = q.partner AND o.fingerprint = q.fingerprint
    AND o.quarantine_id > q.quarantine_id) AND NOT EXISTS (SELECT FROM manual_result m WHERE m.quarantine_id = q.quarantine_id);
ALTER TABLE quarantine DROP COLUMN repeats, DROP COLUMN dismissed_before,
    ADD CONSTRAINT quarantine_partner_fingerprint_key UNIQUE (partner, fingerprint);
DROP INDEX partner_notice_batch;
UPDATE partner_notice SET state = 'RECEIVED' WHERE state = 'WAITING';
ALTER TABLE partner_notice
    DROP CONSTRAINT notice_waits, DROP CONSTRAINT notice_by_two, DROP COLUMN brought_by, DROP COLUMN batch_id, DROP COLUMN decided_by,
    DROP COLUMN decided_at, DROP COLUMN decision_note, DROP CONSTRAINT partner_notice_state_check,
    ADD CONSTRAINT partner_notice_state_check CHECK (state IN ('RECEIVED', 'APPLIED', 'REFUSED'));
"""


def upgrade() -> None:
    """Who brought an unsigned file and who decided about it; open words are unique."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Back to files that one person brings; of a word that was said again the last stays."""
    op.execute(DOWNGRADE)
