"""Erasures note the keys that were alive, and the day the last of them was destroyed."""

from __future__ import annotations

from alembic import op

from common.personal_data_schema import erasure_keys_migration, erasure_keys_removal

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    erasure_keys_migration(op)


def downgrade() -> None:
    erasure_keys_removal(op)
