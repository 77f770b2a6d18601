"""Requests to erase personal data, and dated terms of retention."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import eraser_migration, personal_data_migration, personal_data_removal

revision = "0014"
down_revision = "0013"

# The event log is append-only for the service; this is the one change it may cause: fields that no law keeps, in one person's own events.
_GONE = '{"phone": {}}'
_WORK = """\
    IF NOT EXISTS (SELECT FROM payment p WHERE p.beneficiary_id = person OR p.payee_id = person) THEN
        gone := gone || '{"full_name": "[đã xoá]", "birth_date": null, "file_code": null, "national_number": {}, "number_index": {}}';
    END IF;
    UPDATE event_log SET body = body || gone
    WHERE key = person AND body ? 'full_name' AND body ? 'birth_date' AND body || gone <> body;
    GET DIAGNOSTICS done = ROW_COUNT;
"""


def upgrade() -> None:
    personal_data_migration(op)
    eraser_migration(op, "erase_in_events", _GONE, _WORK)


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_in_events(uuid)")
    personal_data_removal(op)
