"""Who waits, and since when: the day a hold's state began, and the payments not yet with the person, by status."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Rows from before have no day until the next rebuild.
    op.execute("ALTER TABLE hold ADD COLUMN business_date date")
    op.execute("""
        CREATE INDEX payment_open ON payment (month, status, unit_path, beneficiary_id, programme, cycle_id)
        WHERE status NOT IN ('SETTLED', 'COLLECTED')
    """)


def downgrade() -> None:
    op.execute("DROP INDEX payment_open; ALTER TABLE hold DROP COLUMN business_date")
