"""When a list was approved, stage by stage; the inputs it was made from; and the report that compares it with the month before."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE payment_list
    ADD COLUMN approved_on date,
    ADD COLUMN reasons text[] NOT NULL DEFAULT '{}',
    ADD COLUMN inputs_hash text,
    ADD COLUMN rules_hash text,
    ADD COLUMN made_with jsonb;

-- Who approved at which stage; the last stage makes the payments. A person counts once, for themselves or for whom they stand in.
CREATE TABLE list_approval (
    list_id uuid NOT NULL REFERENCES payment_list,
    stage integer NOT NULL CHECK (stage >= 1),
    role text NOT NULL,
    approved_by text NOT NULL,
    on_behalf_of text,
    principal text GENERATED ALWAYS AS (coalesce(on_behalf_of, approved_by)) STORED,
    list_hash text NOT NULL,
    approved_on date NOT NULL,
    approved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list_id, stage),
    CONSTRAINT one_stage_a_person UNIQUE (list_id, approved_by),
    CONSTRAINT one_stage_a_principal UNIQUE (list_id, principal)
);

-- What a list was made from, 500 people a part: dues, what was paid and committed, evidence, way of payment. No name, no number.
CREATE TABLE list_input (
    list_id uuid NOT NULL REFERENCES payment_list,
    part integer NOT NULL,
    people integer NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (list_id, part)
);

CREATE TABLE precheck (
    list_id uuid PRIMARY KEY REFERENCES payment_list,
    list_hash text NOT NULL,
    compared_list_id uuid REFERENCES payment_list,
    compared_month date,
    counts jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    read_by text,
    read_at timestamptz
);
CREATE TABLE precheck_finding (
    finding_id uuid PRIMARY KEY DEFAULT uuidv7(),
    list_id uuid NOT NULL REFERENCES precheck ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('NEW', 'GONE', 'AMOUNT_CHANGED', 'ACCOUNT_CHANGED', 'SHARED_ACCOUNT', 'UNUSUAL_AMOUNT',
                                       'UNUSUAL_TOTAL')),
    beneficiary_id uuid,
    file_code text,
    name text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    before bigint,
    now bigint,
    detail text
);
CREATE INDEX precheck_finding_list ON precheck_finding (list_id, finding_id);
"""

DOWNGRADE = """
DROP TABLE precheck_finding, precheck, list_input, list_approval;
ALTER TABLE payment_list DROP COLUMN approved_on, DROP COLUMN reasons, DROP COLUMN inputs_hash, DROP COLUMN rules_hash,
    DROP COLUMN made_with;
"""


def upgrade() -> None:
    """Add the tables; lists made before have no inputs kept and say so."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take them away."""
    op.execute(DOWNGRADE)
