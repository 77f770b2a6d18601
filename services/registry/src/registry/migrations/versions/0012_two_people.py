"""Why a grant reaches back further than the law; who collects is proposed by one person and confirmed by another."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE decision ADD COLUMN arrears_reason text;
COMMENT ON COLUMN decision.arrears_reason IS 'Why the months before the law''s first month are granted';
CREATE TABLE representative_proposal (
    proposal_id uuid PRIMARY KEY DEFAULT uuidv7(),
    action text NOT NULL CHECK (action IN ('APPOINT', 'EXTEND')),
    beneficiary_id uuid NOT NULL REFERENCES person,
    representative_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('AUTHORISED', 'GUARDIAN', 'CARER')),
    basis text NOT NULL CHECK (basis IN ('STANDING', 'HEIR')),
    programmes text[] NOT NULL DEFAULT '{}',
    certificate_number text,
    attachment_id uuid REFERENCES attachment,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    of_version bigint,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'CONFIRMED', 'REJECTED', 'WITHDRAWN')),
    answer_reason text,
    maker text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    checker text,
    checked_at timestamptz,
    CHECK (beneficiary_id <> representative_id),
    CHECK ((action = 'EXTEND') = (of_version IS NOT NULL)),
    CHECK (kind <> 'AUTHORISED' OR certificate_number IS NOT NULL OR attachment_id IS NOT NULL),
    CHECK (state IN ('PROPOSED', 'WITHDRAWN') OR checker IS NOT NULL),
    CHECK (checker <> maker)
);
COMMENT ON COLUMN representative_proposal.of_version IS 'The version of the right an extension was asked at';
-- One open question about one right: a second person never confirms two that contradict each other.
CREATE UNIQUE INDEX representative_proposal_open ON representative_proposal (beneficiary_id, representative_id) WHERE state = 'PROPOSED';
CREATE INDEX representative_proposal_representative ON representative_proposal (representative_id);
"""


def upgrade() -> None:
    """Add column and table."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE representative_proposal; ALTER TABLE decision DROP COLUMN arrears_reason")
