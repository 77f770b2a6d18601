"""Targets with their earlier values, and units whose cycle is late. See `storage.entries` for the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW, below

__all__ = ["LATE_LISTS", "due_between", "keep_past", "late_cycles", "late_milestones", "late_obstacles", "of_units", "past"]

_OF_UNITS: Final = f"""
SELECT * FROM target
WHERE {BELOW} AND year = :year AND NOT withdrawn AND (CAST(:indicator AS text) IS NULL OR indicator = :indicator)
  AND (CAST(:programme AS text) IS NULL OR programme = :programme)
ORDER BY unit_path, indicator, programme
"""

LATE_LISTS: Final = """
(
    SELECT unit_path, programme, month, state, (month - interval '1 month' + interval '23 days')::date AS due_on
    FROM cycle AS c
    WHERE state IN ('OPEN', 'COMPUTED', 'SUBMITTED') AND NOT EXISTS (
        SELECT FROM cycle AS o
        WHERE o.month = c.month AND o.programme = c.programme AND o.funding_source = c.funding_source AND o.unit_path = c.unit_path
          AND o.cycle_id < c.cycle_id
    )
)
"""
"""Main lists that are not approved, by the day they are due. List and money of a month are due before the 25th of the month before
(Decree 20/2021 Art. 34): the 24th is the last day. Supplementary lists and re-issues have no such day. The main list is the first that
is opened of a month, programme, funding source and unit (disbursement opens no other before it), and numbers of cycles are ordered by
the time they were opened."""

_LATE_CYCLES: Final = (
    f"SELECT * FROM {LATE_LISTS} AS w WHERE {BELOW} AND due_on <= CAST(:until AS date) ORDER BY unit_path, month, programme"
)


async def keep_past(tx: Tx, target_id: UUID) -> None:
    """Keep the value as it stands, before it changes."""
    await tx.execute(
        "INSERT INTO target_past (target_id, version, value, due_on, legal_ref, set_by, withdrawn)"
        " SELECT target_id, version, value, due_on, legal_ref, set_by, withdrawn FROM target WHERE target_id = :id",
        id=target_id,
    )


async def past(tx: Tx, target_id: UUID) -> Sequence[RowMapping]:
    """Earlier values, latest first."""
    return await tx.rows("SELECT * FROM target_past WHERE target_id = :id ORDER BY version DESC", id=target_id)


async def of_units(tx: Tx, unit_path: str, year: int, indicator: str | None, programme: str | None) -> Sequence[RowMapping]:
    """The targets of a unit and everything below it."""
    return await tx.rows(_OF_UNITS, year=year, indicator=indicator, programme=programme, **below(unit_path))


async def due_between(tx: Tx, unit_path: str, first: date, last: date) -> Sequence[RowMapping]:
    """The targets of a unit and everything below it that are due on one day of these, whatever year they are of."""
    sql = (
        f"SELECT * FROM target WHERE {BELOW} AND due_on BETWEEN :first AND :last AND NOT withdrawn ORDER BY unit_path, indicator, programme"
    )
    return await tx.rows(sql, first=first, last=last, **below(unit_path))


async def late_cycles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Main cycles without an approved list that were due on a day or before."""
    return await tx.rows(_LATE_CYCLES, until=until, **below(unit_path))


async def late_milestones(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Milestones not reached, planned for a day or before."""
    sql = f"SELECT * FROM milestone WHERE {BELOW} AND actual_on IS NULL AND planned_on <= :until ORDER BY planned_on, unit_path"
    return await tx.rows(sql, until=until, **below(unit_path))


async def late_obstacles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Obstacles without an answer that is due on a day or before."""
    sql = f"SELECT * FROM obstacle WHERE {BELOW} AND state = 'OPEN' AND due_on <= :until ORDER BY due_on, obstacle_id"
    return await tx.rows(sql, until=until, **below(unit_path))
