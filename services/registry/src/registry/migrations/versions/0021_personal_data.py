"""Requests to erase personal data, and dated terms of retention."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import eraser_migration, personal_data_migration, personal_data_removal

revision = "0021"
down_revision = "0020"

# The history is append-only for the service; this is the one change it may cause: fields that no law keeps, in one person's own records.
_GONE = '{"phone": null, "masked_phone": null, "ethnicity": null}'
_WORK = """\
    IF EXISTS (SELECT FROM person p WHERE p.person_id = person AND p.full_name = '[đã xoá]') THEN
        gone := gone || '{"full_name": "[đã xoá]", "name_folded": "", "birth_date": null, "national_number": null, "number_blind": null,
            "masked_number": null, "address": null, "hamlet": null, "second_number": null, "second_blind": null,
            "masked_second_number": null, "file_code": null, "identity_fingerprint": "", "sex": "UNKNOWN"}';
    END IF;
    UPDATE record_history SET before = before || gone
    WHERE kind = 'person' AND record_key = CAST(person AS text) AND before IS NOT NULL AND before || gone <> before;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF gone ? 'full_name' THEN
        UPDATE record_history SET before = before || '{"full_name": null, "birth_date": null, "national_number": null,
            "masked_number": null, "before": {}}'
        WHERE kind = 'change_request' AND subject_id = person AND before IS NOT NULL;
    END IF;
"""


def upgrade() -> None:
    personal_data_migration(op)
    eraser_migration(op, "erase_in_history", _GONE, _WORK)


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_in_history(uuid)")
    personal_data_removal(op)
