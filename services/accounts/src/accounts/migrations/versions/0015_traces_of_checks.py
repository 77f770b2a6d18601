"""Checks keep the trace context of what asked for them."""

from __future__ import annotations

from alembic import op

from common.schema import trace_ddl, trace_removal

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(trace_ddl("account", "import_file", mechanisms=False))


def downgrade() -> None:
    op.execute(trace_removal("account", "import_file", mechanisms=False))
