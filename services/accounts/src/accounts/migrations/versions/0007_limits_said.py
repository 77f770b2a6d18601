"""What was said to the payer of each provider's limits, so that every change of them is said once."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE provider ADD COLUMN limits_version bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN said_per_payment bigint, ADD COLUMN said_per_month bigint"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE provider DROP COLUMN limits_version, DROP COLUMN said_per_payment, DROP COLUMN said_per_month")
