"""Months of a person that wait beside others which are paid (or held as a whole): left out of the list, and said so month by month."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from common.contracts.disbursement_v1 import HoldReason
from common.db import Tx
from disbursement.domain.holds import HOLDS

__all__ = ["FINDING", "WAITING", "drop", "keep", "leave_out"]

_LEFT_OUT: Final = """
CREATE TEMP TABLE left_out (beneficiary_id uuid, benefit_line text, month date, amount bigint, reason text) ON COMMIT DROP
"""

# Whose other allowances go on is paid those; what is suspended waits for its decision.
_SUSPENDED: Final = f"""
WITH gone AS (
    DELETE FROM due_now d WHERE d.suspended AND EXISTS (SELECT FROM due_now o WHERE o.beneficiary_id = d.beneficiary_id AND NOT o.suspended)
    RETURNING d.beneficiary_id, d.benefit_line, d.month, d.amount
) INSERT INTO left_out SELECT beneficiary_id, benefit_line, month, coalesce(amount, 0), '{HoldReason.SUSPENDED}' FROM gone
"""

# Who has other months is paid those; what may have arrived already waits for the partner's answer.
_DISPUTED: Final = f"""
WITH doubtful AS (
    SELECT d.beneficiary_id, d.benefit_line, d.month FROM due_now d JOIN disputed x USING (beneficiary_id, benefit_line, month)
), gone AS (
    DELETE FROM due_now d USING doubtful x
    WHERE (d.beneficiary_id, d.benefit_line, d.month) = (x.beneficiary_id, x.benefit_line, x.month) AND EXISTS (
        SELECT FROM due_now o WHERE o.beneficiary_id = d.beneficiary_id
        AND NOT EXISTS (
            SELECT FROM doubtful y WHERE (y.beneficiary_id, y.benefit_line, y.month) = (o.beneficiary_id, o.benefit_line, o.month)))
    RETURNING d.beneficiary_id, d.benefit_line, d.month, d.amount
) INSERT INTO left_out SELECT beneficiary_id, benefit_line, month, coalesce(amount, 0), '{HoldReason.PAYMENT_DISPUTED}' FROM gone
"""

WAITING: Final = """
(SELECT jsonb_agg(jsonb_build_object('month', to_char(m.month, 'YYYY-MM'), 'benefit_line', m.benefit_line, 'amount', m.amount,
                                     'reason', m.reason) ORDER BY m.month, m.benefit_line)
 FROM waiting_month m WHERE m.list_id = t.list_id AND m.beneficiary_id = t.beneficiary_id) AS waiting
"""
"""Beside a line or a hold (`t`): its person's months that wait."""

_WHY: Final = " ".join(f"WHEN '{reason}' THEN '{HOLDS[reason].vi}'" for reason in (HoldReason.SUSPENDED, HoldReason.PAYMENT_DISPUTED))
FINDING: Final = f"""
SELECT :list_id, 'MONTHS_WAIT', m.beneficiary_id, p.file_code, p.beneficiary_name, p.unit_code, p.unit_path, NULL,
       CAST(sum(m.amount) AS bigint),
       string_agg(to_char(m.month, 'MM/YYYY') || ' ' || m.benefit_line || ': ' || CASE m.reason {_WHY} END, '; '
                  ORDER BY m.month, m.benefit_line)
FROM waiting_month m
JOIN (SELECT beneficiary_id, file_code, beneficiary_name, unit_code, unit_path FROM list_line WHERE list_id = :list_id
      UNION ALL SELECT beneficiary_id, file_code, beneficiary_name, unit_code, unit_path FROM hold WHERE list_id = :list_id) p
     USING (beneficiary_id)
WHERE m.list_id = :list_id GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY p.unit_path, m.beneficiary_id
"""
"""Columns of a finding of the pre-check: one row a person with such months."""


async def leave_out(tx: Tx) -> None:
    """Take such months out of the temporary table `due_now`; needs `disputed`."""
    await tx.execute(_LEFT_OUT)
    await tx.execute(_SUSPENDED)
    await tx.execute(_DISPUTED)


async def keep(tx: Tx, list_id: UUID) -> None:
    """Store what was left out with the list."""
    await tx.execute(
        "INSERT INTO waiting_month (list_id, beneficiary_id, benefit_line, month, amount, reason)"
        " SELECT :list_id, beneficiary_id, benefit_line, month, amount, reason FROM left_out",
        list_id=list_id,
    )


async def drop(tx: Tx, list_id: UUID) -> None:
    """The list is computed anew."""
    await tx.execute("DELETE FROM waiting_month WHERE list_id = :list_id", list_id=list_id)
