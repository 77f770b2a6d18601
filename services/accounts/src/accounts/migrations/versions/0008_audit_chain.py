"""The audit log is chained and anchored; auditors find its rows by person, action, request and time."""

from __future__ import annotations

from alembic import op

from common.schema import audit_chain_migration, audit_chain_removal

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    audit_chain_migration(op)


def downgrade() -> None:
    audit_chain_removal(op)
