"""How far a month's cycles are: their states, and a mark that changes when anything was heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["cycles", "heard"]

_CYCLES: Final = """
SELECT cycle_id, state, programme, funding_source, unit_path, lines, held, total_amount FROM cycle
WHERE month = :month AND (unit_path = :unit OR unit_path LIKE :below OR CAST(:unit AS text) LIKE unit_path || '/%')
ORDER BY programme, funding_source, unit_path, cycle_id
"""

# Every batch moves a position: nothing moved, nothing new.
_HEARD: Final = "SELECT coalesce(sum(position), 0) FROM consumer_position WHERE consumer = 'reporting'"


async def cycles(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Cycles of a month that pay people of a unit: of the unit, below it, or of a unit above it."""
    return await tx.rows(_CYCLES, month=month, unit=unit_path, below=unit_path + "/%")


async def heard(tx: Tx) -> int:
    """Grows with everything the read models take in."""
    return int(await tx.value(_HEARD))
