"""What waits for people is found without reading what does not: unclear verdicts on which nobody has decided, and whose they are."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX verification_unclear ON verification (beneficiary_id, subject_id) INCLUDE (version, verdict, checked_on, fingerprint)
        WHERE verdict IN ('REVIEW', 'SUSPECTED_IDENTITY', 'NOT_FOUND') AND decided IS NULL
    """)
    op.execute("CREATE INDEX subject_place ON subject (beneficiary_id, subject_id) INCLUDE (fingerprint, active, unit_path)")


def downgrade() -> None:
    op.execute("DROP INDEX verification_unclear; DROP INDEX subject_place")
