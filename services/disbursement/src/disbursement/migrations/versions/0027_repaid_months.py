"""What came back from people, month by month: a month that was repaid and is due again is payable again."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
contract = "a constraint that refused months which came back gives way to one that allows them; no column or table goes"

UPGRADE = """
-- The person holds paid - repaid. `waived` was paid beyond due and is not asked for again: the person keeps it.
ALTER TABLE due_month_position
    ADD COLUMN repaid bigint NOT NULL DEFAULT 0,
    ADD COLUMN waived bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT position_came_back CHECK (repaid >= 0 AND waived >= 0 AND repaid + waived <= paid);

-- Which months a step of a case gave back or waived; their sums stand in the months' positions.
CREATE TABLE recovery_share (
    recovery_id uuid NOT NULL REFERENCES recovery_case,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('REPAID', 'WAIVED')),
    benefit_line text NOT NULL,
    month date NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (recovery_id, version, kind, benefit_line, month)
);

-- A month of a case may have come back by now, and be due again.
ALTER TABLE recovery_item
    DROP CONSTRAINT recovery_item_check,
    ADD COLUMN repaid bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT recovery_item_reason CHECK (paid > due OR repaid > 0);

-- What came back or was waived before this release: the oldest months first.
INSERT INTO recovery_share
SELECT recovery_id, version, 'REPAID', benefit_line, month, least(extra, recovered - before)
FROM (
    SELECT c.recovery_id, c.version, c.recovered, i.benefit_line, i.month, i.paid - i.due AS extra,
           sum(i.paid - i.due) OVER (PARTITION BY c.recovery_id ORDER BY i.month, i.benefit_line) - (i.paid - i.due) AS before
    FROM recovery_case c JOIN recovery_item i USING (recovery_id)
) m WHERE before < recovered;
INSERT INTO recovery_share
SELECT c.recovery_id, c.version, 'WAIVED', i.benefit_line, i.month, i.paid - i.due - coalesce(s.amount, 0)
FROM recovery_case c JOIN recovery_item i USING (recovery_id)
LEFT JOIN recovery_share s ON s.recovery_id = i.recovery_id AND s.benefit_line = i.benefit_line AND s.month = i.month
WHERE c.state = 'WAIVED' AND i.paid - i.due > coalesce(s.amount, 0);
UPDATE recovery_item i SET repaid = s.amount FROM recovery_share s
WHERE s.kind = 'REPAID' AND s.recovery_id = i.recovery_id AND s.benefit_line = i.benefit_line AND s.month = i.month;
UPDATE due_month_position p SET repaid = least(s.repaid, p.paid), waived = least(s.waived, p.paid - least(s.repaid, p.paid))
FROM (
    SELECT c.beneficiary_id, c.programme, c.funding_source, s.benefit_line, s.month,
           coalesce(sum(s.amount) FILTER (WHERE s.kind = 'REPAID'), 0) AS repaid,
           coalesce(sum(s.amount) FILTER (WHERE s.kind = 'WAIVED'), 0) AS waived
    FROM recovery_share s JOIN recovery_case c USING (recovery_id) GROUP BY 1, 2, 3, 4, 5
) s
WHERE (p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month)
    = (s.beneficiary_id, s.programme, s.funding_source, s.benefit_line, s.month);
"""

DOWNGRADE = """
DELETE FROM recovery_item WHERE paid <= due;
ALTER TABLE recovery_item
    DROP CONSTRAINT recovery_item_reason, DROP COLUMN repaid, ADD CONSTRAINT recovery_item_check CHECK (paid > due);
DROP TABLE recovery_share;
ALTER TABLE due_month_position DROP CONSTRAINT position_came_back, DROP COLUMN repaid, DROP COLUMN waived;
"""


def upgrade() -> None:
    """Add what came back to the months; shares can only be added."""
    op.execute(UPGRADE)
    append_only(op, "recovery_share")


def downgrade() -> None:
    """Forget of which months it was."""
    op.execute(DOWNGRADE)
