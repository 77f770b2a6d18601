"""At which unit what was written down at a unit that ended goes on (`now_path`, since `moved_on`). The place it was written at stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW

__all__ = ["ALSO_AFTER", "FOLLOWED", "ON_THE_DAY", "places", "put"]

FOLLOWED: Final = {"obstacle": "obstacle_id", "milestone": "milestone_id", "target": "target_id"}
"""Tables and their keys."""

_SINCE: Final = {"obstacle": "raised_on", "milestone": "make_date(year, 1, 1)", "target": "make_date(year, 1, 1)"}
"""The day whose unit a path means."""

ALSO_AFTER: Final = f"({BELOW} OR {BELOW.replace('unit_path', 'now_path')})"
"""SQL: at a unit or below it, or at one that it came after. Parameters: those of `lines.below`."""

ON_THE_DAY: Final = "CASE WHEN moved_on <= :day THEN now_path ELSE unit_path END"
"""SQL: the one unit at which something counts on a day."""

_PLACES: Final = " UNION ".join(f"SELECT unit_path, {since} AS since FROM {table}" for table, since in _SINCE.items())


async def places(tx: Tx) -> Sequence[RowMapping]:
    """The paths at which something was written down, each with the days whose units are meant."""
    return await tx.rows(f"{_PLACES} ORDER BY unit_path, since")


async def put(tx: Tx, found: Sequence[tuple[str, date, str | None, date | None]]) -> list[UUID]:
    """Keep where each (path, day) goes on and since when; what changed by it."""
    paths, since, now, moved = ([one[n] for one in found] for n in range(4))
    changed: list[UUID] = []
    for table, key in FOLLOWED.items():
        rows = await tx.rows(
            f"""
            UPDATE {table} AS t SET now_path = f.now_path, moved_on = f.moved_on
            FROM unnest(CAST(:paths AS text[]), CAST(:since AS date[]), CAST(:now AS text[]), CAST(:moved AS date[]))
                 AS f (unit_path, since, now_path, moved_on)
            WHERE t.unit_path = f.unit_path AND {_SINCE[table]} = f.since
              AND (t.now_path, t.moved_on) IS DISTINCT FROM (f.now_path, f.moved_on)
            RETURNING t.{key} AS id
            """,
            paths=paths, since=since, now=now, moved=moved,
        )  # fmt: skip
        changed += [row["id"] for row in rows]
    return changed
