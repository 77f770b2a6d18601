"""Where the accounts of a list are known from, and the payees' consent to their use."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE import_file ADD COLUMN source text NOT NULL DEFAULT 'IMPORT' CHECK (source IN ('IMPORT', 'BANK_LIST', 'VNEID')),"
        " ADD COLUMN consent_on date, ADD COLUMN consent_evidence text,"
        " ADD CHECK (source = 'IMPORT' OR consent_on IS NOT NULL AND consent_evidence <> '')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE import_file DROP COLUMN source, DROP COLUMN consent_on, DROP COLUMN consent_evidence")
