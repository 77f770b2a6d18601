"""Systems of other agencies: registrations, call counts and access log."""

from __future__ import annotations

from alembic import op

from common.schema import clients_migration, clients_removal

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    clients_migration(op)


def downgrade() -> None:
    clients_removal(op)
