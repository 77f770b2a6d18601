"""Cut-off markers: how many people were parked when a marker arrived, and which differences they explain."""

from alembic import op

from common.schema import cut_off_parked_ddl

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(cut_off_parked_ddl())


def downgrade() -> None:
    op.execute("ALTER TABLE cut_off_partition DROP COLUMN parked, DROP COLUMN lagging")
