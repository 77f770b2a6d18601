"""Households and who belongs to them when; institutions and who lives there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import search

__all__ = [
    "close",
    "code_taken",
    "end_memberships",
    "find",
    "groups_of",
    "insert",
    "join",
    "members_of",
    "of_person",
    "open_of",
    "page",
    "people",
    "update",
]

_VIEW: Final = (
    "h.household_id, h.code, h.head_id, h.address, h.hamlet, h.unit_code, h.unit_path, h.split_from, h.closed_on, h.version"
)  # fmt: skip


async def people(tx: Tx, ids: Sequence[UUID]) -> Sequence[Any]:
    """Id, unit, status and name of people of the register."""
    return await tx.rows(
        "SELECT person_id, unit_path, status, full_name FROM person WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=list(ids)
    )


async def find(tx: Tx, household_id: UUID, *, lock: bool = False) -> Any | None:
    """One household, or None."""
    return await tx.row(f"SELECT {_VIEW} FROM household h WHERE h.household_id = :id" + (" FOR UPDATE" if lock else ""), id=household_id)


async def code_taken(tx: Tx, code: str) -> bool:
    """Whether a household has this code."""
    return bool(await tx.value("SELECT 1 FROM household WHERE code = :code", code=code))


async def insert(tx: Tx, values: dict[str, Any]) -> UUID:
    """Add a household (column names are ours)."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    household_id = await tx.value(f"INSERT INTO household ({names}) VALUES ({marks}) RETURNING household_id", **values)
    return UUID(str(household_id))


async def update(tx: Tx, household_id: UUID, values: dict[str, Any]) -> None:
    """Set columns (names are ours) and count the version up."""
    sets = "".join(f"{name} = :{name}, " for name in values)
    await tx.execute(
        f"UPDATE household SET {sets}version = version + 1 WHERE household_id = :household_id", household_id=household_id, **values
    )


async def close(tx: Tx, household_id: UUID, last_day: date) -> None:
    """Close a household that nobody belongs to any more."""
    await tx.execute("UPDATE household SET closed_on = :day, head_id = NULL WHERE household_id = :id", id=household_id, day=last_day)


async def join(tx: Tx, household_id: UUID, ids: Sequence[UUID], relations: Sequence[str], from_date: date) -> None:
    """Open memberships."""
    await tx.execute(
        "INSERT INTO household_member (household_id, person_id, relation, from_date) SELECT :household, x.person_id, x.relation, :day"
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:relations AS text[])) AS x(person_id, relation)",
        household=household_id,
        ids=list(ids),
        relations=list(relations),
        day=from_date,
    )


async def open_of(tx: Tx, ids: Sequence[UUID]) -> Sequence[Any]:
    """The open memberships of these people."""
    return await tx.rows(
        "SELECT m.household_id, m.person_id, m.relation, m.from_date, h.unit_path"
        " FROM household_member m JOIN household h USING (household_id)"
        " WHERE m.person_id = ANY(CAST(:ids AS uuid[])) AND m.to_date IS NULL",
        ids=list(ids),
    )


async def end_memberships(tx: Tx, ids: Sequence[UUID], to_date: date) -> list[UUID]:
    """Close the open memberships of these people; the households they leave (their versions count up)."""
    rows = await tx.rows(
        "UPDATE household_member SET to_date = :day WHERE person_id = ANY(CAST(:ids AS uuid[])) AND to_date IS NULL RETURNING household_id",
        ids=list(ids),
        day=to_date,
    )
    left = list({row["household_id"] for row in rows})
    await tx.execute(
        "UPDATE household SET version = version + 1, head_id = CASE WHEN head_id = ANY(CAST(:ids AS uuid[])) THEN NULL ELSE head_id END"
        " WHERE household_id = ANY(CAST(:left AS uuid[]))",
        ids=list(ids),
        left=left,
    )
    return left


async def members_of(tx: Tx, household_id: UUID, on: date | None) -> Sequence[Any]:
    """Members: on a date, or everybody who ever was."""
    return await tx.rows(
        "SELECT m.person_id, p.full_name, p.birth_date, p.status, m.relation, m.from_date, m.to_date, m.person_id = h.head_id AS is_head"
        " FROM household_member m JOIN person p USING (person_id) JOIN household h USING (household_id)"
        " WHERE m.household_id = :id AND (CAST(:day AS date) IS NULL OR m.from_date <= :day AND coalesce(m.to_date, 'infinity') >= :day)"
        " ORDER BY is_head DESC NULLS LAST, m.from_date, m.person_id",
        id=household_id,
        day=on,
    )


async def groups_of(tx: Tx, household_id: UUID) -> Sequence[Any]:
    """The groups a household was or is counted in."""
    return await tx.rows(
        "SELECT group_code, from_date, to_date, decision_number, end_decision_number FROM group_membership WHERE household_id = :id"
        " ORDER BY from_date, group_code",
        id=household_id,
    )


async def of_person(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """The households a person belonged to, the latest first."""
    return await tx.rows(
        "SELECT m.household_id, h.code, m.relation, m.from_date, m.to_date, m.person_id = h.head_id AS is_head"
        " FROM household_member m JOIN household h USING (household_id) WHERE m.person_id = :id ORDER BY m.from_date DESC",
        id=person_id,
    )


async def page(
    tx: Tx, actor: Actor, *, unit_path: str | None, code: str | None, group: str | None, on: date | None, after: Sequence[str] | None,
    limit: int,
) -> Sequence[Any]:  # fmt: skip
    """Open households in the actor's scope by unit and id; with `group`, those counted in it on `on`."""
    conditions, params = search.inside(search.areas(actor, unit_path), "h.unit_path")
    conditions.append("h.closed_on IS NULL")
    if code is not None:
        conditions.append("h.code = :code")
        params["code"] = code
    if group is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM group_membership g WHERE g.household_id = h.household_id AND g.group_code = :group"
            " AND g.from_date <= :on AND coalesce(g.to_date, 'infinity') >= :on)"
        )
        params |= {"group": group, "on": on}
    if after is not None:
        conditions += ["h.unit_path ~>=~ :after_unit", "(h.unit_path ~>~ :after_unit OR h.household_id > :after_id)"]
        params |= {"after_unit": after[0], "after_id": UUID(after[1])}
    return await tx.rows(
        f"SELECT {_VIEW}, p.full_name AS head_name,"
        " (SELECT count(*) FROM household_member m WHERE m.household_id = h.household_id AND m.to_date IS NULL) AS members"
        " FROM household h LEFT JOIN person p ON p.person_id = h.head_id"
        f" WHERE {' AND '.join(conditions)} ORDER BY h.unit_path USING ~<~, h.household_id LIMIT :limit",
        limit=limit,
        **params,
    )
