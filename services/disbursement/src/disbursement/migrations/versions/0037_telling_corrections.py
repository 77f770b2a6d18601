"""A filed copy of a signed list can be replaced by somebody else than who filed it; the one before stays with the reason."""

from __future__ import annotations

from typing import Any

from alembic import op

from common.schema import append_only

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE telling_sheet ADD COLUMN version integer NOT NULL DEFAULT 1;
        CREATE TABLE telling_proof_replaced (
            sheet_id uuid NOT NULL REFERENCES telling_sheet,
            version integer NOT NULL,
            handed_over_on date NOT NULL,
            handed_over_by text NOT NULL,
            proof bytea NOT NULL,
            proof_name text NOT NULL,
            proof_sha256 bytea NOT NULL,
            reason text NOT NULL,
            replaced_by text NOT NULL,
            replaced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (sheet_id, version),
            CONSTRAINT two_people CHECK (replaced_by <> handed_over_by)
        )
        """
    )
    append_only(op, "telling_proof_replaced")
    # The same bytes under a new key are the same copy.
    config: Any = op.get_context().config
    op.execute(f'GRANT UPDATE (proof) ON telling_proof_replaced TO "{config.attributes["app_role"]}"')


def downgrade() -> None:
    """What stands on the list is the newest copy; the ones before it go."""
    op.execute("DROP TABLE telling_proof_replaced")
    op.execute("ALTER TABLE telling_sheet DROP COLUMN version")
