"""What a page's picker offers: months with cycles, the unit's ancestors and the units below it on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["children", "months", "roots"]

# Few cycles: one per programme, source and month.
_MONTHS: Final = """
SELECT DISTINCT to_char(month, 'YYYY-MM') AS month FROM cycle
WHERE CAST(:everywhere AS boolean)
   OR EXISTS (SELECT FROM unnest(CAST(:units AS text[])) AS scope (path)
              WHERE unit_path = path OR unit_path LIKE path || '/%' OR path LIKE unit_path || '/%')
ORDER BY month DESC LIMIT 120
"""

_CHILDREN: Final = """
SELECT path, name FROM unit
WHERE path > :below AND path < :end AND path NOT LIKE :deeper
  AND valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)
ORDER BY name COLLATE "C", path
"""

_ROOTS: Final = """
SELECT path, name FROM unit
WHERE level = 'province' AND valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)
ORDER BY name COLLATE "C", path
"""


async def months(tx: Tx, units: Sequence[str], *, everywhere: bool) -> list[str]:
    """Months of cycles that touch the units, latest first."""
    return [row["month"] for row in await tx.rows(_MONTHS, units=list(units), everywhere=everywhere)]


async def children(tx: Tx, unit_path: str, day: date) -> Sequence[RowMapping]:
    """The units directly below one, as they stood on a day."""
    return await tx.rows(_CHILDREN, below=unit_path + "/", end=unit_path + "0", deeper=unit_path + "/%/%", day=day)


async def roots(tx: Tx, day: date) -> Sequence[RowMapping]:
    """The provinces of a day: where a caller begins who sees everything."""
    return await tx.rows(_ROOTS, day=day)
