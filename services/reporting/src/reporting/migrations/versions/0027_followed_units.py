"""What was written down at a unit that ended names the unit that goes on with it, and since when."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TABLES = ("obstacle", "milestone", "target")


def upgrade() -> None:
    for table in _TABLES:
        op.execute(
            f"""
            ALTER TABLE {table} ADD COLUMN now_path text COLLATE "C", ADD COLUMN moved_on date,
                ADD CONSTRAINT {table}_moved CHECK ((now_path IS NULL) = (moved_on IS NULL));
            CREATE INDEX {table}_by_unit_now ON {table} (now_path) WHERE now_path IS NOT NULL
            """
        )


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN now_path, DROP COLUMN moved_on")
