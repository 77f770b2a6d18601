"""Months that wait beside others which are paid: which of them, how much and why, as the list was computed."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_KINDS = "'NEW', 'GONE', 'AMOUNT_CHANGED', 'ACCOUNT_CHANGED', 'SHARED_ACCOUNT', 'UNUSUAL_AMOUNT', 'UNUSUAL_TOTAL'"
_SWAP = (
    "ALTER TABLE precheck_finding DROP CONSTRAINT precheck_finding_kind_check,"
    " ADD CONSTRAINT precheck_finding_kind_check CHECK (kind IN ({}))"
)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE waiting_month (
            list_id uuid NOT NULL REFERENCES payment_list,
            beneficiary_id uuid NOT NULL,
            benefit_line text NOT NULL,
            month date NOT NULL,
            amount bigint NOT NULL CHECK (amount >= 0),
            reason text NOT NULL CHECK (reason IN ('SUSPENDED', 'PAYMENT_DISPUTED')),
            PRIMARY KEY (list_id, beneficiary_id, benefit_line, month)
        )
        """
    )
    op.execute(_SWAP.format(f"{_KINDS}, 'MONTHS_WAIT'"))


def downgrade() -> None:
    op.execute("DELETE FROM precheck_finding WHERE kind = 'MONTHS_WAIT'")
    op.execute(_SWAP.format(_KINDS))
    op.execute("DROP TABLE waiting_month")
