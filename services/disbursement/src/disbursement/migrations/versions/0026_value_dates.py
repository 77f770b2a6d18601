"""On which day a partner is to pay a batch, and whether we were late for the day before."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payment_batch ADD COLUMN value_date date, ADD COLUMN after_cut_off boolean NOT NULL DEFAULT false")
    op.execute(
        "COMMENT ON COLUMN payment_batch.value_date IS"
        " 'Set when it is first taken to be sent, on the partner''s clock: that day, or the next day it works on'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE payment_batch DROP COLUMN value_date, DROP COLUMN after_cut_off")
