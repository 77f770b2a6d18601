"""What an inspector's sample was drawn from is kept with it, so that the draw can be proved after the month has changed."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE sample_line (
            sample_id uuid NOT NULL REFERENCES inspection_sample,
            beneficiary_id uuid NOT NULL,
            programme text NOT NULL,
            cycle_id uuid NOT NULL,
            stratum text COLLATE "C" NOT NULL,
            amount bigint NOT NULL,
            PRIMARY KEY (sample_id, beneficiary_id, programme, cycle_id)
        )
        """
    )
    append_only(op, "sample_line")


def downgrade() -> None:
    op.execute("DROP TABLE sample_line")
