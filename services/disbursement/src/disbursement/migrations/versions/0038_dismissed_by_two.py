"""A word that keeps months closed is dismissed by two people: dismissed, its months are paid again."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE quarantine ADD COLUMN dismissal_by text, ADD COLUMN dismissal_note text, ADD COLUMN dismissal_at timestamptz,
            ADD CONSTRAINT dismissed_by_two CHECK (outcome <> 'DISMISSED' OR dismissal_by IS NULL OR resolved_by <> dismissal_by) NOT VALID;
        ALTER TABLE quarantine VALIDATE CONSTRAINT dismissed_by_two;
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE quarantine DROP COLUMN dismissal_by, DROP COLUMN dismissal_note, DROP COLUMN dismissal_at")
