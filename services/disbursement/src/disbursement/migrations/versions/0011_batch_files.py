"""Batches that travel as files, what was done with them, and the budget codes that State Treasury files carry."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FILES = """
-- Under which name the stored bytes may be taken as a file; NULL: the batch goes to an API only.
ALTER TABLE payment_batch ADD COLUMN file_name text;

-- Append only: who did what with a batch's file. `sha256` is of the bytes at that time: they never change.
CREATE TABLE batch_file_step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id uuid NOT NULL REFERENCES payment_batch,
    kind text NOT NULL CHECK (kind IN ('READY', 'UPLOADED', 'DOWNLOADED', 'UPLOAD_ASKED', 'ACKNOWLEDGED')),
    actor text NOT NULL,
    note text,
    sha256 bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batch_file_step_batch ON batch_file_step (batch_id);
"""

CODES = """
-- Codes of the State budget's table of contents (Circular 324/2016/TT-BTC) that Treasury files carry, dated; two people set them.
CREATE TABLE budget_code (
    code_id uuid PRIMARY KEY DEFAULT uuidv7(),
    programme text NOT NULL,
    funding_source text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    level text NOT NULL CHECK (level ~ '^[0-9]{2}$' OR level ~ '^[0-9]$'),
    chapter text NOT NULL CHECK (chapter ~ '^[0-9]{3}$'),
    category text NOT NULL CHECK (category ~ '^[0-9]{3}$'),
    item text NOT NULL CHECK (item ~ '^[0-9]{3}$'),
    economic_item text CHECK (economic_item ~ '^[0-9]{4}$'),
    source_code text CHECK (source_code ~ '^[0-9]{2}$'),
    legal_ref text NOT NULL,
    question_vi text,
    question_en text,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED')),
    proposed_by text NOT NULL,
    decided_by text,
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX budget_code_once ON budget_code (programme, funding_source, valid_from) WHERE state <> 'REJECTED';
INSERT INTO budget_code (programme, funding_source, valid_from, valid_to, level, chapter, category, item, legal_ref, question_vi,
                         question_en, state, proposed_by, decided_by)
VALUES ('MERIT', 'CENTRAL_BUDGET', '2022-09-06', '2025-02-28', '01', '024', '370', '371', 'Thông tư 44/2022/TT-BTC; 324/2016/TT-BTC',
        'Từ 01/3/2025 Bộ Lao động - Thương binh và Xã hội kết thúc hoạt động: dùng mã chương nào?',
        'The ministry of chapter 024 ended on 1 March 2025: which chapter from then on?', 'APPROVED', 'law', 'release');
"""


def upgrade() -> None:
    """Add the column and the tables."""
    op.execute(FILES)
    append_only(op, "batch_file_step")
    op.execute(CODES)


def downgrade() -> None:
    """Take them away; the stored bytes of batches stay."""
    op.execute("DROP TABLE budget_code, batch_file_step; ALTER TABLE payment_batch DROP COLUMN file_name")
