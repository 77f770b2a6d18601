"""Targets, milestones, obstacles, outreach and inspectors' samples."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from common.schema import append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "sample_case",
    "sample_stratum",
    "inspection_sample",
    "target_past",
    "target",
    "milestone",
    "outreach",
    "obstacle_step",
    "obstacle",
)


def upgrade() -> None:
    op.execute((files("reporting") / "migrations" / "sql" / "follow_up.sql").read_text(encoding="utf-8"))
    for table in ("obstacle_step", "target_past", "sample_stratum"):
        append_only(op, table)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
