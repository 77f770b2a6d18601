"""At which unit what was written down at a unit that ended goes on (`now_path`, since `moved_on`). The place it was written at stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW

__all__ = ["ALSO_AFTER", "FOLLOWED", "MILESTONES", "OBSTACLES", "ON_THE_DAY", "TARGETS", "entries", "places", "put"]

FOLLOWED: Final = {"obstacle": "obstacle_id", "milestone": "milestone_id", "target": "target_id"}
"""Tables and their keys."""

_SINCE: Final = {"obstacle": "raised_on", "milestone": "make_date(year, 1, 1)", "target": "make_date(year, 1, 1)"}
"""The day whose unit a path means."""

ALSO_AFTER: Final = f"({BELOW} OR {BELOW.replace('unit_path', 'now_path')})"
"""SQL: at a unit or below it, or at one that it came after. Parameters: those of `lines.below`."""

ON_THE_DAY: Final = "CASE WHEN moved_on <= :day THEN now_path ELSE unit_path END"
"""SQL: the one unit at which something counts on a day."""


def entries(table: str) -> str:
    """SQL: a table of entries with `now_path` and `moved_on` of each, in the place of its name; may be locked."""
    of_it = f"FROM went_on AS f WHERE f.entry_id = e.{FOLLOWED[table]}"
    return f"(SELECT e.*, (SELECT f.now_path {of_it}) AS now_path, (SELECT f.moved_on {of_it}) AS moved_on FROM {table} AS e)"


OBSTACLES: Final = f"{entries('obstacle')} AS w"
MILESTONES: Final = f"{entries('milestone')} AS w"
TARGETS: Final = f"{entries('target')} AS w"
"""SQL: each table with where its entries go on now, under the name `w`."""

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
            WITH told AS (
                SELECT t.{key} AS entry_id, f.now_path, f.moved_on
                FROM {table} AS t
                JOIN unnest(CAST(:paths AS text[]), CAST(:since AS date[]), CAST(:now AS text[]), CAST(:moved AS date[]))
                     AS f (unit_path, since, now_path, moved_on) ON t.unit_path = f.unit_path AND {_SINCE[table]} = f.since
            ),
            back AS (
                DELETE FROM went_on AS w USING told AS f WHERE w.entry_id = f.entry_id AND f.now_path IS NULL RETURNING w.entry_id
            ),
            on_they_go AS (
                INSERT INTO went_on SELECT * FROM told WHERE now_path IS NOT NULL
                ON CONFLICT (entry_id) DO UPDATE SET now_path = excluded.now_path, moved_on = excluded.moved_on
                WHERE (went_on.now_path, went_on.moved_on) <> (excluded.now_path, excluded.moved_on)
                RETURNING entry_id
            )
            SELECT entry_id FROM back UNION ALL SELECT entry_id FROM on_they_go
            """,
            paths=paths, since=since, now=now, moved=moved,
        )  # fmt: skip
        changed += [row["entry_id"] for row in rows]
    return changed
