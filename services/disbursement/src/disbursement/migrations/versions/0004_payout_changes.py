"""How people are paid: a changed account waits its cool-down, and nobody is paid while a person suspects fraud."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the payout method says about its account."""
    op.execute(
        "ALTER TABLE payout_method ADD COLUMN account_from date, ADD COLUMN meanwhile_account_id uuid,"
        " ADD COLUMN fraud_suspected boolean NOT NULL DEFAULT false"
    )


def downgrade() -> None:
    """Take the columns away."""
    op.execute("ALTER TABLE payout_method DROP COLUMN account_from, DROP COLUMN meanwhile_account_id, DROP COLUMN fraud_suspected")
