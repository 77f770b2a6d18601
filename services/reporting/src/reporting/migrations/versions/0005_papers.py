"""Frozen statutory reports, who handed them over, and what units were made from."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from common.schema import append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("report_handed_over", "frozen_report_row", "frozen_report")


def upgrade() -> None:
    op.execute((files("reporting") / "migrations" / "sql" / "papers.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        append_only(op, table)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE unit DROP COLUMN formed_from")
