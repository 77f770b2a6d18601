"""Nobody left behind: each line of a month in the order of the unit tree, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW, LINES_OF_PAGE, OWED, below

__all__ = ["START", "Position", "page"]


@dataclass(frozen=True)
class Position:
    """Where a page ended: the order of the index payment_lines / hold_lines."""

    unit_path: str
    beneficiary_id: UUID
    programme: str
    cycle_id: UUID


START: Final = Position("", UUID(int=0), "", UUID(int=0))

_AFTER: Final = (
    '(unit_path, beneficiary_id, programme, cycle_id) > (CAST(:after_unit AS text) COLLATE "C", CAST(:after_beneficiary AS uuid),'
    " CAST(:after_programme AS text), CAST(:after_cycle AS uuid))"
)


def _keys(table: str, condition: str) -> str:
    # A person re-issued several times has several payments: DISTINCT reads the ordered index until the page is full.
    return (
        f"(SELECT DISTINCT unit_path, beneficiary_id, programme, cycle_id FROM {table}"
        f" WHERE month = :month AND {BELOW} AND {condition} AND {_AFTER}"
        " ORDER BY unit_path, beneficiary_id, programme, cycle_id LIMIT :limit)"
    )


_PAGE: Final = f"""
WITH page AS (
    SELECT * FROM ({_keys("payment", "TRUE")} UNION {_keys("hold", OWED)}) AS k
    ORDER BY unit_path, beneficiary_id, programme, cycle_id LIMIT :limit
), {LINES_OF_PAGE}
SELECT k.unit_path, k.beneficiary_id, k.programme, k.cycle_id, l.state, l.amount, l.channel, l.partner, l.reason, l.cash_reason, l.actor,
       l.occurred_at, b.file_code, b.full_name, v.verdict, f.preference
FROM page AS k
LEFT JOIN line AS l ON l.beneficiary_id = k.beneficiary_id AND l.cycle_id = k.cycle_id AND l.unit_path = k.unit_path
LEFT JOIN beneficiary AS b ON b.beneficiary_id = k.beneficiary_id
LEFT JOIN verification AS v ON v.beneficiary_id = k.beneficiary_id AND v.subject_id = k.beneficiary_id
LEFT JOIN preference AS f ON f.beneficiary_id = k.beneficiary_id
ORDER BY k.unit_path, k.beneficiary_id, k.programme, k.cycle_id
"""


async def page(tx: Tx, month: date, unit_path: str, after: Position, limit: int) -> Sequence[RowMapping]:
    """At most `limit` keys after a position. `state` is null at a unit the person left within the cycle: the other unit has the row."""
    return await tx.rows(
        _PAGE,
        month=month,
        limit=limit,
        after_unit=after.unit_path,
        after_beneficiary=after.beneficiary_id,
        after_programme=after.programme,
        after_cycle=after.cycle_id,
        **below(unit_path),
    )
