"""Social-protection institutions, a kind of unit below the commune they stand in, and who lives there when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import search

__all__ = ["add_stay", "close", "end_stay", "find", "insert", "last_stay", "page", "path_of", "residents", "residents_after", "stays_of"]

# An institution's own path hangs below its commune, so that somebody may be given it as their area.
_PATH: Final = "(i.unit_path || '/' || i.code)"
_VIEW: Final = (
    f"i.institution_id, i.code, i.name, i.unit_code, i.unit_path, {_PATH} AS path, i.valid_from, i.valid_to, i.version,"
    " (SELECT count(*) FROM institution_stay s WHERE s.institution_id = i.institution_id AND s.to_date IS NULL) AS residents"
)


def path_of(row: Any) -> str:
    """The institution's own path."""
    return f"{row['unit_path']}/{row['code']}"


async def insert(tx: Tx, code: str, name: str, unit: Any, valid_from: date, by: str) -> UUID | None:
    """Add an institution; None when the code is taken."""
    found = await tx.value(
        "INSERT INTO institution (code, name, unit_code, unit_path, valid_from, created_by) VALUES (:code, :name, :unit, :path, :day, :by)"
        " ON CONFLICT (code) DO NOTHING RETURNING institution_id",
        code=code, name=name, unit=unit["code"], path=unit["path"], day=valid_from, by=by,
    )  # fmt: skip
    return None if found is None else UUID(str(found))


async def find(tx: Tx, institution_id: UUID, *, lock: bool = False) -> Any | None:
    """One institution."""
    return await tx.row(
        f"SELECT {_VIEW} FROM institution i WHERE i.institution_id = :id" + (" FOR UPDATE" if lock else ""), id=institution_id
    )


async def page(tx: Tx, actor: Actor, unit_path: str | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Institutions in the actor's scope."""
    conditions, params = search.inside(search.areas(actor, unit_path), _PATH)
    if after is not None:
        conditions.append("i.institution_id > :after")
        params["after"] = after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return await tx.rows(f"SELECT {_VIEW} FROM institution i{where} ORDER BY i.institution_id LIMIT :limit", limit=limit, **params)


async def close(tx: Tx, institution_id: UUID, name: str | None, valid_to: date | None) -> None:
    """Rename or close, and count the version up."""
    await tx.execute(
        "UPDATE institution SET name = coalesce(:name, name), valid_to = coalesce(CAST(:day AS date), valid_to), version = version + 1"
        " WHERE institution_id = :id",
        id=institution_id,
        name=name,
        day=valid_to,
    )


async def last_stay(tx: Tx, person_id: UUID) -> Any | None:
    """The latest stay of a person in any institution."""
    return await tx.row(
        "SELECT institution_id, from_date, to_date FROM institution_stay WHERE person_id = :id ORDER BY from_date DESC LIMIT 1",
        id=person_id,
    )


async def add_stay(tx: Tx, institution_id: UUID, person_id: UUID, from_date: date, decision: str, by: str) -> None:
    """Somebody comes to live there."""
    await tx.execute(
        "INSERT INTO institution_stay (institution_id, person_id, from_date, decision_number, created_by)"
        " VALUES (:id, :person, :day, :decision, :by)",
        id=institution_id, person=person_id, day=from_date, decision=decision, by=by,
    )  # fmt: skip


async def residents_after(tx: Tx, institution_id: UUID, day: date) -> int:
    """How many live there after a day, or are entered to."""
    return int(
        await tx.value(
            "SELECT count(*) FROM institution_stay WHERE institution_id = :id AND coalesce(to_date, 'infinity') > :day",
            id=institution_id,
            day=day,
        )
    )


async def end_stay(tx: Tx, institution_id: UUID, person_id: UUID, from_date: date, last_day: date) -> None:
    """Somebody leaves."""
    await tx.execute(
        "UPDATE institution_stay SET to_date = :day WHERE institution_id = :id AND person_id = :person AND from_date = :from_date",
        id=institution_id,
        person=person_id,
        from_date=from_date,
        day=last_day,
    )


async def residents(tx: Tx, institution_id: UUID, on: date, after: UUID | None, limit: int) -> Sequence[Any]:
    """Who lives there on a date."""
    return await tx.rows(
        "SELECT s.person_id, p.full_name, p.birth_date, p.masked_number, p.no_number_reason, p.unit_path, s.from_date, s.to_date,"
        " s.decision_number FROM institution_stay s JOIN person p USING (person_id)"
        " WHERE s.institution_id = :id AND s.from_date <= :on AND coalesce(s.to_date, 'infinity') >= :on"
        " AND (CAST(:after AS uuid) IS NULL OR s.person_id > :after) ORDER BY s.person_id LIMIT :limit",
        id=institution_id,
        on=on,
        after=after,
        limit=limit,
    )


async def stays_of(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """Every stay of a person."""
    return await tx.rows(
        "SELECT s.institution_id, i.code, i.name, s.from_date, s.to_date, s.decision_number FROM institution_stay s"
        " JOIN institution i USING (institution_id) WHERE s.person_id = :id ORDER BY s.from_date",
        id=person_id,
    )
