"""A word that says a payment was paid, and is not believed for its amount, currency or channel, says so of money that may have gone."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE quarantine ADD COLUMN says_paid boolean NOT NULL DEFAULT false;
        UPDATE quarantine SET says_paid = true
        WHERE state = 'OPEN' AND payment_id IS NOT NULL AND reason IN ('AMOUNT_DIFFERS', 'CURRENCY_DIFFERS', 'WRONG_CHANNEL')
          AND said ->> 'status' IN ('SETTLED', 'COLLECTED');
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE quarantine DROP COLUMN says_paid")
