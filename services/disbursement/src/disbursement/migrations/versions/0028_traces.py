"""Rows keep the trace context of the transaction that wrote them."""

from __future__ import annotations

from alembic import op

from common.schema import trace_ddl, trace_removal

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(trace_ddl("payment_batch", "partner_notice"))


def downgrade() -> None:
    op.execute(trace_removal("payment_batch", "partner_notice"))
