"""Outreach counted, and milestones with their delay. See `storage.entries` for the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.followed import ALSO_AFTER, MILESTONES
from reporting.storage.lines import BELOW, below

__all__ = ["by_unit", "milestone_plan"]

_BY_UNIT: Final = f"""
SELECT segment, kind, count(*) AS entries, coalesce(sum(sessions), 0)::bigint AS sessions, coalesce(sum(people), 0)::bigint AS people,
       coalesce(sum(households), 0)::bigint AS households, coalesce(sum(registered), 0)::bigint AS registered,
       count(DISTINCT unit_path) AS units, grouping(segment) AS all_units, grouping(kind) AS all_kinds
FROM (SELECT *, split_part(unit_path, '/', :depth) AS segment FROM outreach
      WHERE {BELOW} AND withdrawn_by IS NULL AND held_on BETWEEN :first AND :last) AS o
GROUP BY GROUPING SETS ((segment, kind), (segment), (kind), ())
ORDER BY all_units, segment, all_kinds, kind
"""

_PLAN: Final = f"""
SELECT * FROM {MILESTONES}
WHERE {ALSO_AFTER} AND year = :year AND (CAST(:code AS text) IS NULL OR code = :code)
ORDER BY unit_path, planned_on, code, programme
"""


async def by_unit(tx: Tx, unit_path: str, first: date, last: date) -> Sequence[RowMapping]:
    """Sessions and people by next lower unit and kind, with totals (`all_units`, `all_kinds`)."""
    return await tx.rows(_BY_UNIT, first=first, last=last, depth=unit_path.count("/") + 2, **below(unit_path))


async def milestone_plan(tx: Tx, unit_path: str, year: int, code: str | None) -> Sequence[RowMapping]:
    """The milestones of a unit and everything below it, in the order of the unit tree."""
    return await tx.rows(_PLAN, year=year, code=code, **below(unit_path))
