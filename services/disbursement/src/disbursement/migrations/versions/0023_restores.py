"""A database that was put back to the past sees it; what may have been paid since is asked for."""

from __future__ import annotations

from alembic import op

from common.schema import restore_ddl, restore_removal

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

QUESTIONS = """
ALTER TABLE lane_pause DROP CONSTRAINT lane_pause_kind_check;
ALTER TABLE lane_pause ADD CONSTRAINT lane_pause_kind_check CHECK (kind IN ('MANUAL', 'ABNORMAL', 'RESTORE'));

-- What partners are asked about after a restore; payment_id is null where only the log knows the payment.
CREATE TABLE restore_question (
    restore_id uuid NOT NULL REFERENCES database_restore,
    reference text NOT NULL,
    partner text NOT NULL,
    payment_id uuid REFERENCES payment,
    beneficiary_id uuid,
    programme text,
    funding_source text,
    months text[],
    amount bigint,
    unit_path text,
    said text,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_at timestamptz,
    answer text,
    answered_at timestamptz,
    PRIMARY KEY (restore_id, reference),
    CHECK (payment_id IS NOT NULL OR (beneficiary_id IS NOT NULL AND months IS NOT NULL))
);
CREATE INDEX restore_question_open ON restore_question (restore_id, partner) WHERE answer IS NULL;
CREATE INDEX restore_question_lost ON restore_question (beneficiary_id) WHERE payment_id IS NULL;
"""


def upgrade() -> None:
    op.execute(restore_ddl())
    op.execute(QUESTIONS)


def downgrade() -> None:
    op.execute("DROP TABLE restore_question")
    op.execute("DELETE FROM lane_pause WHERE kind = 'RESTORE'")
    op.execute("ALTER TABLE lane_pause DROP CONSTRAINT lane_pause_kind_check")
    op.execute("ALTER TABLE lane_pause ADD CONSTRAINT lane_pause_kind_check CHECK (kind IN ('MANUAL', 'ABNORMAL'))")
    op.execute(restore_removal())
