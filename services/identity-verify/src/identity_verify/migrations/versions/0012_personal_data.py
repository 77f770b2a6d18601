"""Requests to erase personal data, and dated terms of retention."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import personal_data_migration, personal_data_removal

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    personal_data_migration(op)
    role = op.get_context().config.attributes["app_role"]  # type: ignore[union-attr]
    op.execute(f'GRANT UPDATE (side_by_side_cipher) ON evidence TO "{role}"')  # all else of evidence stays append-only


def downgrade() -> None:
    role = op.get_context().config.attributes["app_role"]  # type: ignore[union-attr]
    op.execute(f'REVOKE UPDATE (side_by_side_cipher) ON evidence FROM "{role}"')
    personal_data_removal(op)
