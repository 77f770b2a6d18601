"""Requests to change a person's name, number, birth date, or to record a death."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["add", "close", "find", "page"]

_VIEW: Final = (
    "r.request_id, r.person_id AS beneficiary_id, r.kind, r.full_name, r.birth_date, r.masked_number, r.national_number, r.death_date,"
    " r.before, r.ground, r.business_date, r.state, r.requested_by, r.requested_at, r.decided_by, r.decided_at, r.answer, r.version,"
    " p.file_code, p.unit_code, p.unit_path, p.full_name AS now_full_name, p.birth_date AS now_birth_date,"
    " p.masked_number AS now_masked_number, p.status AS now_status, p.death_date AS now_death_date"
)


async def add(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Keep a request; None when another one for the same person waits."""
    names = list(values)
    found = await tx.value(
        f"INSERT INTO change_request ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
        " ON CONFLICT (person_id) WHERE state = 'PENDING' DO NOTHING RETURNING request_id",
        **values,
    )
    return None if found is None else UUID(str(found))


async def find(tx: Tx, request_id: UUID, *, lock: bool = False) -> Any | None:
    """One request beside what the register says now; with `lock` for a decision."""
    return await tx.row(
        f"SELECT {_VIEW} FROM change_request r JOIN person p USING (person_id) WHERE r.request_id = :id"
        + (" FOR UPDATE OF r" if lock else ""),
        id=request_id,
    )


async def page(
    tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None, kind: str | None, person_id: UUID | None
) -> Sequence[Any]:
    """Requests for people in the actor's area, by id."""
    scope, params = actor.scope_sql("p.unit_path")
    conditions, params = [scope], params | {"limit": limit}
    wanted: list[tuple[str, str, Any]] = [
        ("r.request_id > :after", "after", after),
        ("r.state = :state", "state", state),
        ("r.kind = :kind", "kind", kind),
        ("r.person_id = :person", "person", person_id),
    ]
    for condition, key, value in wanted:
        if value is not None:
            conditions.append(condition)
            params[key] = value
    return await tx.rows(
        f"SELECT {_VIEW} FROM change_request r JOIN person p USING (person_id) WHERE {' AND '.join(conditions)}"
        " ORDER BY r.request_id LIMIT :limit",
        **params,
    )


async def close(tx: Tx, request_id: UUID, state: str, by: str, answer: str | None) -> None:
    """End a request."""
    await tx.execute(
        "UPDATE change_request SET state = :state, decided_by = :by, decided_at = now(), answer = :answer, version = version + 1"
        " WHERE request_id = :id",
        id=request_id,
        state=state,
        by=by,
        answer=answer,
    )
