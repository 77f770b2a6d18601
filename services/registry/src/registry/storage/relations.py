"""Relatives of people with merit: who is related to whom by which decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = ["add_person", "close", "entitlement_of", "find", "insert", "of_person"]

_VIEW: Final = (
    "r.relation_id, r.merit_person_id, r.relative_id, r.relation, r.entitlement_id, r.decision_number, r.decision_date, r.from_date,"
    " r.to_date, r.version, m.full_name AS merit_name, m.status AS merit_status, m.death_date AS merit_death_date,"
    " m.is_beneficiary AS merit_is_beneficiary, m.unit_path AS merit_path, p.full_name AS relative_name, p.status AS relative_status,"
    " p.unit_path AS relative_path"
)
_FROM: Final = " FROM merit_relation r JOIN person m ON m.person_id = r.merit_person_id JOIN person p ON p.person_id = r.relative_id"


async def add_person(tx: Tx, values: dict[str, Any]) -> UUID:
    """Add the record of a merit person who receives nothing (a fallen soldier); column names are ours."""
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    return UUID(str(await tx.value(f"INSERT INTO person (is_beneficiary, {names}) VALUES (false, {marks}) RETURNING person_id", **values)))


async def entitlement_of(tx: Tx, person_id: UUID, decision_number: str) -> UUID | None:
    """The merit allowance a person holds by a decision."""
    found = await tx.value(
        "SELECT entitlement_id FROM entitlement WHERE person_id = :id AND decision_number = :number AND programme = 'MERIT'"
        " ORDER BY from_month LIMIT 1",
        id=person_id,
        number=decision_number,
    )
    return None if found is None else UUID(str(found))


async def insert(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Link two people; None when the same link is open."""
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    found = await tx.value(f"INSERT INTO merit_relation ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING RETURNING relation_id", **values)
    return None if found is None else UUID(str(found))


async def find(tx: Tx, relation_id: UUID, *, lock: bool = False) -> Any | None:
    """One link with both names."""
    return await tx.row(f"SELECT {_VIEW}{_FROM} WHERE r.relation_id = :id" + (" FOR UPDATE OF r" if lock else ""), id=relation_id)


async def of_person(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """Links of a person, from either side."""
    return await tx.rows(
        f"SELECT {_VIEW}{_FROM} WHERE :id IN (r.merit_person_id, r.relative_id) ORDER BY r.from_date, r.relation_id", id=person_id
    )


async def close(tx: Tx, relation_id: UUID, to_date: Any) -> None:
    """End a link."""
    await tx.execute("UPDATE merit_relation SET to_date = :day, version = version + 1 WHERE relation_id = :id", id=relation_id, day=to_date)
