"""A frozen report says of which later units its figures are: who may not see all of them may not read it.

What was frozen before stays readable as it was: nobody wrote down of which units it was made.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""ALTER TABLE frozen_report ADD COLUMN later_units text[] COLLATE "C" NOT NULL DEFAULT '{}'""")


def downgrade() -> None:
    op.execute("ALTER TABLE frozen_report DROP COLUMN later_units")
