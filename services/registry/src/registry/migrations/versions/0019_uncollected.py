"""Who did not collect three months in a row, as disbursement proposes: whether the allowance is suspended is decided here."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE suspension_proposal (proposal_id uuid PRIMARY KEY, version bigint NOT NULL, beneficiary_id uuid NOT NULL,"
        " programme text NOT NULL, months text[] NOT NULL, amount bigint NOT NULL, business_date date NOT NULL, unit_path text NOT NULL,"
        " state text NOT NULL CHECK (state IN ('OPEN', 'TAKEN_UP', 'DISMISSED')))"
    )
    op.execute("CREATE INDEX suspension_proposal_open ON suspension_proposal (beneficiary_id) WHERE state = 'OPEN'")


def downgrade() -> None:
    op.execute("DROP TABLE suspension_proposal")
