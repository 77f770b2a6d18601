"""What one account of a provider may receive, as the accounts' directory says; and what an account is to receive, found by the account."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE provider_limit (provider_code text PRIMARY KEY, version bigint NOT NULL,"
        " per_payment bigint CHECK (per_payment > 0), per_month bigint CHECK (per_month > 0))"
    )
    op.execute("COMMENT ON TABLE provider_limit IS 'Copy of accounts: both null where a limit was lifted'")
    op.execute("CREATE INDEX list_line_account ON list_line (account_id) WHERE account_id IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP TABLE provider_limit; DROP INDEX list_line_account")
