"""What leaves its batch because it could not be withdrawn stays one of those that the batch's one debit may have paid."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE payment_batch ADD COLUMN split_from uuid REFERENCES payment_batch;
        CREATE INDEX payment_batch_split ON payment_batch (split_from) WHERE split_from IS NOT NULL;
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE payment_batch DROP COLUMN split_from")
