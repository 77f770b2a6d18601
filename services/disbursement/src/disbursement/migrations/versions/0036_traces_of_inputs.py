"""Rows that a list is made from keep the trace context of the event that formed them, lists that of their forming; lines keep which
traces led to them."""

from __future__ import annotations

from alembic import op

from common.schema import trace_ddl, trace_removal

revision = "0036"
down_revision = "0035"

_TABLES = ("beneficiary", "dues", "verification", "payout_account", "payout_method", "payment_list")


def upgrade() -> None:
    op.execute(trace_ddl(*_TABLES, mechanisms=False))
    op.execute("ALTER TABLE list_line ADD COLUMN led_by text[]")


def downgrade() -> None:
    op.execute("ALTER TABLE list_line DROP COLUMN led_by")
    op.execute(trace_removal(*_TABLES, mechanisms=False))
