"""Allocations and the guard row per person, line and month: paid + committed never grows beyond what is due.

Paid is what the person holds: what came back (`repaid`) is taken off, so that a month that was repaid and is due again is payable.

Position rows are always touched in key order, so that two lists cannot wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.db import Tx

__all__ = ["commit", "lines_short", "planned", "release", "uncommit"]

_KEY: Final = "beneficiary_id, programme, funding_source, benefit_line, month"

# The due of today, not of the day the list was computed. ON CONFLICT locks the row and sees what others committed.
_COMMIT: Final = f"""
INSERT INTO due_month_position AS p ({_KEY}, committed, due_at_commit)
SELECT a.beneficiary_id, a.programme, a.funding_source, a.benefit_line, a.month, a.amount, i.amount
FROM allocation a
JOIN due_interval i USING (beneficiary_id, programme, funding_source, benefit_line)
WHERE a.list_id = :list_id AND a.state = 'PLANNED' AND i.status = 'DUE' AND i.from_month <= a.month
  AND coalesce(i.to_month, 'infinity') >= a.month AND a.amount <= i.amount
ORDER BY a.beneficiary_id, a.programme, a.funding_source, a.benefit_line, a.month
ON CONFLICT ({_KEY}) DO UPDATE SET committed = p.committed + excluded.committed, due_at_commit = excluded.due_at_commit
WHERE p.paid - p.repaid + p.committed + excluded.committed <= excluded.due_at_commit
"""

_SHORT: Final = """
SELECT DISTINCT l.file_code, l.line_id
FROM allocation a
JOIN list_line l USING (line_id)
LEFT JOIN due_interval i ON i.beneficiary_id = a.beneficiary_id AND i.programme = a.programme AND i.funding_source = a.funding_source
     AND i.benefit_line = a.benefit_line AND i.status = 'DUE' AND i.from_month <= a.month AND coalesce(i.to_month, 'infinity') >= a.month
LEFT JOIN due_month_position p ON p.beneficiary_id = a.beneficiary_id AND p.programme = a.programme AND p.funding_source = a.funding_source
     AND p.benefit_line = a.benefit_line AND p.month = a.month
WHERE a.list_id = :list_id AND a.state = 'PLANNED' AND coalesce(p.paid - p.repaid + p.committed, 0) + a.amount > coalesce(i.amount, 0)
ORDER BY l.line_id LIMIT 20
"""

# One statement: the allocations that are still committed move, and their sums leave the guard rows.
_LEAVE: Final = f"""
WITH moved AS (
    UPDATE allocation SET state = '{{state}}' WHERE {{chosen}} AND state = 'COMMITTED'
    RETURNING {_KEY}, amount
), sums AS (
    SELECT {_KEY}, sum(amount) AS amount FROM moved GROUP BY {_KEY}
), locked AS (
    SELECT p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month, s.amount
    FROM due_month_position p JOIN sums s USING ({_KEY})
    ORDER BY p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month FOR UPDATE OF p
), changed AS (
    UPDATE due_month_position p SET committed = p.committed - l.amount
    FROM locked l
    WHERE (p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month)
        = (l.beneficiary_id, l.programme, l.funding_source, l.benefit_line, l.month)
)
SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM moved
"""


async def planned(tx: Tx, list_id: UUID) -> int:
    """Number of allocations of a list that are not committed."""
    return int(await tx.value("SELECT count(*) FROM allocation WHERE list_id = :list_id AND state = 'PLANNED'", list_id=list_id))


async def commit(tx: Tx, list_id: UUID) -> int:
    """Commit a list's allocations where due still covers them; the number committed.

    Fewer than :func:`planned` means that something changed: the caller rolls back, nothing is committed by halves.
    """
    done = await tx.execute(_COMMIT, list_id=list_id)
    await tx.execute("UPDATE allocation SET state = 'COMMITTED' WHERE list_id = :list_id AND state = 'PLANNED'", list_id=list_id)
    return done


async def lines_short(tx: Tx, list_id: UUID) -> list[str]:
    """Up to 20 lines (dossier codes, else ids) whose allocations no longer fit what is due."""
    return [row["file_code"] or str(row["line_id"]) for row in await tx.rows(_SHORT, list_id=list_id)]


async def uncommit(tx: Tx, list_id: UUID) -> int:
    """Take a rejected list's allocations back to planned; the đồng that became free."""
    return int(await tx.value(_LEAVE.format(state="PLANNED", chosen="list_id = :list_id"), list_id=list_id))


async def release(tx: Tx, line_ids: Sequence[UUID]) -> int:
    """Release lines that will certainly not be paid by this list; the đồng released. A second time releases nothing."""
    chosen = "line_id = ANY(CAST(:line_ids AS uuid[]))"
    return int(await tx.value(_LEAVE.format(state="RELEASED", chosen=chosen), line_ids=list(line_ids)))
