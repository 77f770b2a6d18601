"""Requests to erase personal data, and dated terms of retention."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import personal_data_migration, personal_data_removal

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    personal_data_migration(op)


def downgrade() -> None:
    personal_data_removal(op)
