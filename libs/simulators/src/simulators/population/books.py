"""SQLite side of the population simulator: look-ups in world.sqlite, and its own books of who was asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from simulators.population.config import Correction
from simulators.sqlite_lane import WorldLink, transaction

__all__ = ["DDL", "WorldMissingError", "asked", "correct", "count_asked", "deaths", "look_up"]

DDL = """
CREATE TABLE IF NOT EXISTS asked(
    number TEXT NOT NULL, ref TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (number, ref)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS person(
    number TEXT PRIMARY KEY, full_name TEXT NOT NULL, birth_date TEXT NOT NULL, sex TEXT, status TEXT NOT NULL,
    death_date TEXT, multiple INTEGER NOT NULL, recorded_at TEXT NOT NULL) WITHOUT ROWID;
"""
_FIELDS = ("full_name", "birth_date", "sex", "status", "death_date", "multiple")
_COLUMNS = "number, " + ", ".join(_FIELDS)


class WorldMissingError(Exception):
    """world.sqlite is not there (yet)."""


def look_up(connection: sqlite3.Connection, world: WorldLink, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Records under these numbers, corrections first. WorldMissingError without a world."""
    if not world.ensure(connection):
        raise WorldMissingError
    wanted = orjson.dumps(list(numbers)).decode()
    found: dict[str, dict[str, Any]] = {}
    for schema in ("world", "main"):
        # CROSS JOIN fixes the order: the few numbers asked outside, an indexed look-up inside.
        sql = f"SELECT p.{_COLUMNS.replace(', ', ', p.')} FROM json_each(?) AS j CROSS JOIN {schema}.person AS p ON p.number = j.value"
        for row in connection.execute(sql, (wanted,)):
            found[row[0]] = dict(zip(("number", *_FIELDS), row, strict=True))
    return found


def count_asked(connection: sqlite3.Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Book that each (number, ref) was asked once more; kept over a restart."""
    with transaction(connection):
        connection.executemany(
            "INSERT INTO main.asked(number, ref, times) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1",
            pairs,
        )


def asked(connection: sqlite3.Connection, min_times: int, number: str | None, after: str, limit: int) -> dict[str, Any]:
    """Totals of the books and the rows asked at least `min_times` times, by number; `after` is the last number seen."""
    totals = connection.execute(
        "SELECT count(*), coalesce(sum(times), 0), coalesce(max(times), 0)"
        " FROM (SELECT sum(times) AS times FROM main.asked GROUP BY number)",
    ).fetchone()
    rows = connection.execute(
        "SELECT number, sum(times), json_group_object(ref, times) FROM main.asked WHERE number > ? AND (? IS NULL OR number = ?)"
        " GROUP BY number HAVING sum(times) >= ? ORDER BY number LIMIT ?",
        (after, number, number, min_times, limit),
    ).fetchall()
    return {
        "numbers": totals[0],
        "answers": totals[1],
        "max_times": totals[2],
        "rows": [{"number": row[0], "times": row[1], "refs": orjson.loads(row[2])} for row in rows],
        "next": rows[-1][0] if len(rows) == limit else None,
    }


def correct(connection: sqlite3.Connection, world: WorldLink, corrections: Sequence[Correction], recorded_at: str) -> int:
    """Record corrections over the world. ValueError names the first one that would make an incomplete person."""
    known = look_up(connection, world, [item.number for item in corrections])
    rows = []
    for item in corrections:
        person = known.setdefault(item.number, {"number": item.number, "sex": None, "status": "ALIVE", "death_date": None, "multiple": 0})
        person.update(item.model_dump(exclude_unset=True))
        if not person.get("full_name") or not person.get("birth_date"):
            raise ValueError("a person not known yet needs full_name and birth_date")
        if person["status"] == "ALIVE":
            person["death_date"] = None
        rows.append((item.number, *(person[field] for field in _FIELDS), recorded_at))
    with transaction(connection):
        connection.executemany(f"INSERT OR REPLACE INTO main.person({_COLUMNS}, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return len(rows)


def deaths(connection: sqlite3.Connection, world: WorldLink, since: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """Deaths recorded on or after `since` (YYYY-MM-DD), in the order they were recorded, after `cursor`.

    A death of the world counts as recorded on its day, a correction when it was made. The cursor never goes back, so that whoever keeps
    it misses none and reads none twice. ValueError for a cursor that is none of ours.
    """
    if not world.ensure(connection):
        raise WorldMissingError
    recorded, separator, number = (cursor or f"{since}|").partition("|")
    if not separator:
        raise ValueError("not a cursor of this feed")
    rows = connection.execute(
        "SELECT number, death_date, recorded FROM ("
        " SELECT number, death_date, recorded_at AS recorded FROM main.person WHERE status = 'DECEASED'"
        " UNION ALL SELECT number, death_date, death_date FROM world.person AS w WHERE w.status = 'DECEASED' AND w.death_date >= :day"
        "  AND NOT EXISTS (SELECT 1 FROM main.person AS m WHERE m.number = w.number))"
        " WHERE recorded >= :since AND (recorded, number) > (:recorded, :number) ORDER BY recorded, number LIMIT :limit + 1",
        {"since": since, "day": max(since, recorded[:10]), "recorded": recorded, "number": number, "limit": limit},
    ).fetchall()
    page = rows[:limit]
    return {
        "deaths": [{"number": row[0], "death_date": row[1], "recorded_at": row[2]} for row in page],
        "cursor": f"{page[-1][2]}|{page[-1][0]}" if page else cursor,
        "more": len(rows) > limit,
    }
