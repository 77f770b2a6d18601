"""Cut-off markers: how many people were parked when a marker arrived, and which differences they explain."""

from alembic import op

revision = "0002"
down_revision = "0001"

_PARKED = """
ALTER TABLE cut_off_partition
    ADD COLUMN parked integer NOT NULL DEFAULT 0 CHECK (parked >= 0),
    ADD COLUMN lagging jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN cut_off_partition.parked IS 'People of this partition with parked events when the marker arrived';
COMMENT ON COLUMN cut_off_partition.lagging IS 'Announced minus found where the parked people explain it; the rest is in difference';
"""


def upgrade() -> None:
    op.execute(_PARKED)


def downgrade() -> None:
    op.execute("ALTER TABLE cut_off_partition DROP COLUMN parked, DROP COLUMN lagging")
