"""Unclear verdicts of a unit are found by the unit the verification itself carries (it moves along with its subject)."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX verification_unclear_unit ON verification (unit_path text_pattern_ops)
            INCLUDE (beneficiary_id, subject_id, version, verdict, checked_on, fingerprint)
        WHERE verdict IN ('REVIEW', 'SUSPECTED_IDENTITY', 'NOT_FOUND') AND decided IS NULL
    """)


def downgrade() -> None:
    op.execute("DROP INDEX verification_unclear_unit")
