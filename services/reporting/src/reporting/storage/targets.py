"""Targets with their earlier values, and units whose cycle is late. See `storage.entries` for the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW, below

__all__ = ["keep_past", "late_cycles", "late_milestones", "late_obstacles", "of_units", "past"]

_OF_UNITS: Final = f"""
SELECT * FROM target
WHERE {BELOW} AND year = :year AND NOT withdrawn AND (CAST(:indicator AS text) IS NULL OR indicator = :indicator)
  AND (CAST(:programme AS text) IS NULL OR programme = :programme)
ORDER BY unit_path, indicator, programme
"""

# List and money are due before the 25th of the month before (Decree 20/2021 Art. 34): the 24th is the last day.
_LATE_CYCLES: Final = f"""
SELECT unit_path, programme, month, state, (month - interval '1 month' + interval '23 days')::date AS due_on
FROM cycle WHERE {BELOW} AND state IN ('OPEN', 'COMPUTED', 'SUBMITTED')
  AND month - interval '1 month' + interval '23 days' <= CAST(:until AS date)
ORDER BY unit_path, month, programme
"""


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


async def late_cycles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Cycles without an approved list that were due on a day or before."""
    return await tx.rows(_LATE_CYCLES, until=until, **below(unit_path))


async def late_milestones(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Milestones not reached, planned for a day or before."""
    sql = f"SELECT * FROM milestone WHERE {BELOW} AND actual_on IS NULL AND planned_on <= :until ORDER BY planned_on, unit_path"
    return await tx.rows(sql, until=until, **below(unit_path))


async def late_obstacles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Obstacles without an answer that is due on a day or before."""
    sql = f"SELECT * FROM obstacle WHERE {BELOW} AND state = 'OPEN' AND due_on <= :until ORDER BY due_on, obstacle_id"
    return await tx.rows(sql, until=until, **below(unit_path))
