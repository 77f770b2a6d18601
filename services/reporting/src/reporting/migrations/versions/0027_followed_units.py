"""What was written down at a unit that ended names the unit that goes on with it, and since when."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A table of its own: the release before reads whole rows of obstacles, milestones and targets, and knows their columns.
    op.execute(
        """
        CREATE TABLE went_on (
            entry_id uuid PRIMARY KEY,
            now_path text COLLATE "C" NOT NULL,
            moved_on date NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE went_on")
