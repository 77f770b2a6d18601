"""An obstacle is closed by somebody else than who answered it; what was closed before stays as it is."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
contract = "an obstacle that one person answered and closed is refused from now on; rows of before are left alone"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE obstacle ADD CONSTRAINT obstacle_closed_by_another CHECK (closed_by IS NULL OR closed_by <> answered_by) NOT VALID"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE obstacle DROP CONSTRAINT obstacle_closed_by_another")
