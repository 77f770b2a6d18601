"""What a service holds about one person: given to the person, erased where no law keeps it, kept and named where one does.

A service declares its tables once (:class:`Holding`): which rows are about a person, which may be erased, which a law keeps and for how
long. A test reads the schema of every service and fails on a table that points at people and is neither a part nor an exception with its
reason, and on a column nobody has named in Vietnamese.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.clock import VIETNAM
from common.db import Tx
from common.personal_words import MECHANICAL, WORDS
from common.problems import NotFound
from common.retention import Keep
from common.sealing import Keyring

__all__ = ["ERASED", "Erasure", "Given", "Holding", "Kept", "Part", "collect", "erase", "kept_of", "label", "preview", "units_of"]

ERASED: Final = "[đã xoá]"
"""Stands where a text was that must not be empty."""

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
_INDEX: Final = re.compile(r".*(_blind|_digest|sha256)")
_AUDIT: Final = (
    "SELECT row_to_json(x) AS record FROM (SELECT t.at, t.action, t.roles, t.units, t.purpose FROM audit_log t"
    " WHERE t.object_type = ANY(CAST(:types AS text[])) AND t.object_id = CAST(:id AS text) ORDER BY t.id) x"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that are about a person: `of` is a condition on `t` with `:id`.

    `opens`: column → field it lies sealed under at rest; `tokens`: columns sealed for this service in events. `without`: columns that
    are somebody else's or only a machine's. `columns`: SQL in place of `t.*`.
    """

    table: str
    title_vi: str
    title_en: str
    of: str
    opens: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    columns: str = "t.*"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What goes on request: `sets` (SQL per column) in the rows of `table` that satisfy `of` and still hold it (`holds`);
    without `sets` the rows are deleted.

    `call`: a function of the database that does it where the service's role may not; it takes the person and gives the number of rows.
    """

    table: str
    says_vi: str
    says_en: str
    of: str
    holds: str
    sets: Mapping[str, str] = field(default_factory=dict)
    call: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a law keeps: `last` gives the latest day among the person's rows (`:id`), NULL when there are none; `years` None: no end."""

    says_vi: str
    says_en: str
    law: str
    last: str
    years: int | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything a service declares about personal data. `home`: SQL that gives the unit path of `:id` where the person has one of his own;
    `units`: SQL that gives the units of what ties somebody without one to us (those he collects for), all of which must be the officer's.

    `begin` and `end` run around an erasure (a lock; telling other services what the state is now).
    """

    service: str
    home: str
    units: str
    parts: Sequence[Part]
    exceptions: Mapping[str, str]
    words: Mapping[str, str]
    erasures: Sequence[Erasure]
    kept: Sequence[Kept]
    retention: Sequence[Keep]
    audit_types: Sequence[str] = ("beneficiary", "person")
    begin: Callable[[Tx], Awaitable[None]] | None = None
    end: Callable[[Tx, UUID], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One part as it is given out: labels by column, rows opened."""

    table: str
    title_vi: str
    title_en: str
    labels: dict[str, str]
    rows: list[dict[str, Any]]


def label(holding: Holding, column: str) -> str | None:
    """The Vietnamese name of a column; None when nobody gave it one."""
    return holding.words.get(column) or WORDS.get(column)


async def units_of(tx: Tx, holding: Holding, person_id: UUID) -> list[str]:
    """Unit paths that answer for this person: the own one, else those of everybody he collects for. NotFound when they are not the actor's,
    or when nothing is held: who collects for one neighbour does not show that neighbour's commune what he himself is paid elsewhere."""
    actor = tx.actor
    if not isinstance(actor, Actor):
        raise RuntimeError("this use case needs an actor")
    for sql in (holding.home, holding.units):
        paths = sorted({row["unit_path"] for row in await tx.rows(sql, id=person_id) if row["unit_path"] is not None})
        if paths:
            break
    if not paths or not all(actor.sees(path) for path in paths):
        raise NotFound("Nothing is held about this person")
    return paths


def _value(value: Any) -> Any:
    """As PostgreSQL writes it in JSON; moments in Vietnamese time, no end as nothing."""
    if isinstance(value, str):
        if value in ("infinity", "-infinity"):
            return None
        if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(VIETNAM).isoformat(timespec="seconds")
    return value


def _opened(part: Part, keyring: Keyring, row: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for column, value in row.items():
        if column in part.without or column in MECHANICAL or _INDEX.fullmatch(column):
            continue
        if column in part.opens:
            shown[column] = keyring.decrypt(part.opens[column], bytes.fromhex(value[2:])) if value not in (None, "\\x") else None
        elif column in part.tokens:
            shown[column] = keyring.open(value) if value else None
        elif not (isinstance(value, str) and value.startswith("\\x")):  # bytes that nobody opens: indexes, digests
            shown[column] = _value(value)
    return shown


async def collect(tx: Tx, holding: Holding, person_id: UUID) -> list[Given]:
    """Every part that has rows, in the order declared, then who looked at or changed the person's data (by role, not by name)."""
    keyring = tx.db.keyring
    if keyring is None:
        raise RuntimeError("this needs a keyring")
    found = []
    for part in holding.parts:
        selected = f"SELECT {part.columns} FROM {part.table} t WHERE {part.of}"
        rows = [
            _opened(part, keyring, row["record"])
            for row in await tx.rows(f"SELECT row_to_json(x) AS record FROM ({selected}) x", id=person_id)
        ]
        if rows:
            found.append(_given(holding, part.table, part.title_vi, part.title_en, rows))
    looked = [
        {name: _value(value) for name, value in row["record"].items()}
        for row in await tx.rows(_AUDIT, types=list(holding.audit_types), id=person_id)
    ]
    if looked:
        found.append(_given(holding, "audit_log", "Ai đã xem hoặc thay đổi dữ liệu (theo vai trò)", "Who saw or changed the data", looked))
    return found


def _given(holding: Holding, table: str, title_vi: str, title_en: str, rows: list[dict[str, Any]]) -> Given:
    return Given(table, title_vi, title_en, {column: label(holding, column) or column for row in rows for column in row}, rows)


async def preview(tx: Tx, holding: Holding, person_id: UUID) -> list[dict[str, Any]]:
    """What would be erased now, with the number of rows; nothing is changed."""
    told = []
    for one in holding.erasures:
        rows = await tx.value(f"SELECT count(*) FROM {one.table} t WHERE ({one.of}) AND ({one.holds})", id=person_id)
        if rows:
            told.append({"table": one.table, "what_vi": one.says_vi, "what_en": one.says_en, "rows": int(rows)})
    return told


async def erase(tx: Tx, holding: Holding, person_id: UUID) -> list[dict[str, Any]]:
    """Erase in the order declared; what went, with the number of rows."""
    told = []
    if holding.begin is not None:
        await holding.begin(tx)
    for one in holding.erasures:
        if one.call:
            rows = int(await tx.value(f"SELECT {one.call}(:id)", id=person_id))
        elif not one.sets:
            rows = await tx.execute(f"DELETE FROM {one.table} t WHERE ({one.of}) AND ({one.holds})", id=person_id)
        else:
            sets = ", ".join(f"{column} = {value}" for column, value in one.sets.items())
            rows = await tx.execute(f"UPDATE {one.table} t SET {sets} WHERE ({one.of}) AND ({one.holds})", id=person_id)
        if rows:
            told.append({"table": one.table, "what_vi": one.says_vi, "what_en": one.says_en, "rows": rows})
    if holding.end is not None and told:
        await holding.end(tx, person_id)
    return told


async def kept_of(tx: Tx, holding: Holding, person_id: UUID) -> list[dict[str, Any]]:
    """What stays, by which law, and until which day (None: no end is set)."""
    told = []
    for one in holding.kept:
        last: date | None = await tx.value(one.last, id=person_id)
        if last is not None:
            until = None if one.years is None else _years_later(last, one.years)
            told.append({"what_vi": one.says_vi, "what_en": one.says_en, "law": one.law, "until": until and until.isoformat()})
    return told


def _years_later(day: date, years: int) -> date:
    """Terms of accounting law run from the end of the accounting year: 31 December, `years` later."""
    return date(day.year + years, 12, 31)
