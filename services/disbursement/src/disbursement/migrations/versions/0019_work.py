"""What waits for people is found without reading what does not: open holds by whose turn it is, people to be told on paper by unit."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX hold_waiting ON hold (actor, unit_path text_pattern_ops) INCLUDE (list_id) WHERE released_at IS NULL")
    op.execute("CREATE INDEX telling_waiting ON telling (unit_path text_pattern_ops) INCLUDE (created_at) WHERE state = 'TO_PRINT'")


def downgrade() -> None:
    op.execute("DROP INDEX hold_waiting; DROP INDEX telling_waiting")
