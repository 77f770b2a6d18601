"""Requests to erase personal data, and dated terms of retention."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import personal_data_migration, personal_data_removal

revision = "0014"
down_revision = "0013"

# The event log is append-only for the service; this is the one change it may cause: fields that no law keeps, in one person's own events.
_ERASE = """
CREATE FUNCTION erase_in_events(person uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone jsonb := '{"phone": {}}';
    done bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM erasure_request r WHERE r.person_id = person AND r.state = 'PROPOSED') THEN
        RAISE EXCEPTION 'nobody asked to erase %', person;
    END IF;
    IF NOT EXISTS (SELECT FROM payment p WHERE p.beneficiary_id = person OR p.payee_id = person) THEN
        gone := gone || '{"full_name": "[đã xoá]", "birth_date": null, "file_code": null, "national_number": {}, "number_index": {}}';
    END IF;
    UPDATE event_log SET body = body || gone
    WHERE key = person AND body ? 'full_name' AND body ? 'birth_date' AND body || gone <> body;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$
"""


def upgrade() -> None:
    personal_data_migration(op)
    op.execute(_ERASE)
    role = op.get_context().config.attributes["app_role"]  # type: ignore[union-attr]
    op.execute(f'REVOKE ALL ON FUNCTION erase_in_events(uuid) FROM PUBLIC; GRANT EXECUTE ON FUNCTION erase_in_events(uuid) TO "{role}"')


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_in_events(uuid)")
    personal_data_removal(op)
