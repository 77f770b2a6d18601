"""Obstacles: their steps, and counts by unit, category, level and age. See `storage.entries` for the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.followed import ALSO_AFTER, OBSTACLES, ON_THE_DAY
from reporting.storage.lines import BELOW, below

__all__ = ["WAITING", "filtered", "step", "steps", "summary"]

WAITING: Final = "state <> 'CLOSED'"

# Days open end with the closing; days at the level, with the answer.
_SUMMARY: Final = f"""
SELECT category, level, state, count(*) AS obstacles, sum(coalesce(people, 0))::bigint AS people,
       count(*) FILTER (WHERE state = 'OPEN' AND due_on < :day) AS overdue,
       count(*) FILTER (WHERE days BETWEEN 0 AND 7) AS days_7, count(*) FILTER (WHERE days BETWEEN 8 AND 30) AS days_30,
       count(*) FILTER (WHERE days BETWEEN 31 AND 90) AS days_90, count(*) FILTER (WHERE days > 90) AS days_more, max(days) AS oldest_days
FROM (
    SELECT *, least(coalesce(closed_on, :day), :day) - raised_on AS days
    FROM {OBSTACLES} WHERE {BELOW.replace("unit_path", f"({ON_THE_DAY})")} AND raised_on <= :day
) AS o
GROUP BY category, level, state ORDER BY category, level, state
"""


def filtered(unit_path: str, *, day: date, overdue: bool, chosen: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The condition of a list of obstacles and its parameters."""
    given = {name: value for name, value in chosen.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in given)
    late = " AND state = 'OPEN' AND due_on < :day" if overdue else ""
    return f"{ALSO_AFTER}{where}{late}", {**below(unit_path), **given, **({"day": day} if overdue else {})}


async def step(tx: Tx, obstacle_id: UUID, action: str, note: str, day: date) -> None:
    """Keep what was done, append-only."""
    await tx.execute(
        "INSERT INTO obstacle_step (obstacle_id, version, action, level, state, note, on_day, actor)"
        " SELECT obstacle_id, version, :action, level, state, :note, :day, :actor FROM obstacle WHERE obstacle_id = :obstacle_id",
        obstacle_id=obstacle_id, action=action, note=note, day=day, actor=tx.actor.subject if tx.actor else "system",
    )  # fmt: skip


async def steps(tx: Tx, obstacle_id: UUID) -> Sequence[RowMapping]:
    """What was done, oldest first."""
    return await tx.rows("SELECT * FROM obstacle_step WHERE obstacle_id = :id ORDER BY version", id=obstacle_id)


async def summary(tx: Tx, unit_path: str, day: date) -> Sequence[RowMapping]:
    """Counts of a unit and everything below it, as of a day."""
    return await tx.rows(_SUMMARY, day=day, **below(unit_path))
