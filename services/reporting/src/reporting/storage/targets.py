"""Targets with their earlier values, and units whose cycle is late. See `storage.entries` for the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.contracts.registry_v1 import BeneficiaryStatus, Programme
from common.db import Tx
from reporting.storage.followed import ALSO_AFTER, MILESTONES, OBSTACLES, TARGETS
from reporting.storage.lines import BELOW, below

__all__ = ["LATE_LISTS", "due_between", "keep_past", "late_cycles", "late_milestones", "late_obstacles", "of_units", "past"]

_OF_UNITS: Final = f"""
SELECT * FROM {TARGETS}
WHERE {ALSO_AFTER} AND year = :year AND NOT withdrawn AND (CAST(:indicator AS text) IS NULL OR indicator = :indicator)
  AND (CAST(:programme AS text) IS NULL OR programme = :programme)
ORDER BY unit_path, indicator, programme
"""

_ITS_PEOPLE: Final = """
b.unit_path >= n.unit_path AND b.unit_path < n.unit_path || '0' AND (b.unit_path = n.unit_path OR b.unit_path LIKE n.unit_path || '/%')
AND n.programme = ANY(b.programmes)"""
_DUE_ON: Final = "(month - interval '1 month' + interval '23 days')::date AS due_on"
_AT_MOST: Final = 120  # months: whoever asks for a day in the far future makes no series without end
LATE_LISTS: Final = f"""
(
    SELECT unit_path, programme, month, state, {_DUE_ON}
    FROM cycle AS c
    WHERE state IN ('OPEN', 'COMPUTED', 'SUBMITTED') AND NOT EXISTS (
        SELECT FROM cycle AS o
        WHERE o.month = c.month AND o.programme = c.programme AND o.funding_source = c.funding_source AND o.unit_path = c.unit_path
          AND o.cycle_id < c.cycle_id
    )
    UNION ALL
    SELECT n.unit_path, n.programme, g.month, NULL, {_DUE_ON.replace("month -", "g.month -")}
    FROM (
        SELECT * FROM (
            SELECT unit_path, programme, funding_source, (max(month) + interval '1 month')::date AS month
            FROM cycle WHERE programme <> '{Programme.CAMPAIGN}' GROUP BY unit_path, programme, funding_source
        ) AS n
        WHERE EXISTS (SELECT FROM beneficiary AS b WHERE {_ITS_PEOPLE} AND b.status = '{BeneficiaryStatus.ACTIVE}')
           OR NOT EXISTS (SELECT FROM beneficiary AS b WHERE {_ITS_PEOPLE})
        OFFSET 0
    ) AS n
    CROSS JOIN LATERAL (
        SELECT CAST(n.month + make_interval(months => m) AS date) AS month FROM generate_series(0, least({_AT_MOST}, greatest(0,
            (extract(year FROM CAST(:day AS date)) - extract(year FROM n.month)) * 12
            + extract(month FROM CAST(:day AS date)) - extract(month FROM n.month) + 1
        ))::integer) AS m
    ) AS g
    WHERE NOT EXISTS (SELECT FROM unit AS u WHERE u.path = n.unit_path)
       OR EXISTS (
           SELECT FROM unit AS u
           WHERE u.path = n.unit_path AND u.valid_from <= g.month AND (u.valid_to IS NULL OR g.month <= u.valid_to)
       )
)
"""
"""Main lists that are not approved, and such as nobody opened (`state` is null), by the day they are due. List and money of a month are
due before the 25th of the month before (Decree 20/2021 Art. 34): the 24th is the last day. Supplementary lists and re-issues have no
such day. The main list is the first that is opened of a month, programme, funding source and unit (disbursement opens no other before
it), and numbers of cycles are ordered by the time they were opened.

Nobody says that a list is to come: a unit that had one is to have the next, of the same programme and source, as long as the unit stands
and has somebody alive and present of that programme. Each month since then without a list is told, up to the one after `:day`: what was not
opened stays late until a later list is there. A campaign pays once and has no next list."""

_LATE_CYCLES: Final = f"SELECT * FROM {LATE_LISTS} AS w WHERE {BELOW} AND due_on <= CAST(:day AS date) ORDER BY unit_path, month, programme"


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
    order = "ORDER BY unit_path, indicator, programme"
    sql = f"SELECT * FROM {TARGETS} WHERE {ALSO_AFTER} AND due_on BETWEEN :first AND :last AND NOT withdrawn {order}"
    return await tx.rows(sql, first=first, last=last, **below(unit_path))


async def late_cycles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Main lists that were due on a day or before and are not approved, or not even opened."""
    return await tx.rows(_LATE_CYCLES, day=until, **below(unit_path))


async def late_milestones(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Milestones not reached, planned for a day or before."""
    sql = f"SELECT * FROM {MILESTONES} WHERE {ALSO_AFTER} AND actual_on IS NULL AND planned_on <= :until ORDER BY planned_on, unit_path"
    return await tx.rows(sql, until=until, **below(unit_path))


async def late_obstacles(tx: Tx, unit_path: str, until: date) -> Sequence[RowMapping]:
    """Obstacles without an answer that is due on a day or before."""
    sql = f"SELECT * FROM {OBSTACLES} WHERE {ALSO_AFTER} AND state = 'OPEN' AND due_on <= :until ORDER BY due_on, obstacle_id"
    return await tx.rows(sql, until=until, **below(unit_path))
