"""Heads of group lists and requests for new groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import search

__all__ = ["ask", "asked", "by_digest", "close_request", "decided", "find", "group_request", "insert", "page", "requests"]

_VIEW: Final = (
    "list_id, unit_code, unit_path, mode, groups, from_date, decision_number, business_date, file_name, state, rows_good, rows_refused,"
    " started, ended, people_affected, dues_changed, rejection, created_by, created_at, decided_by, decided_at"
)
_REQUEST: Final = "request_id, code, name_vi, name_en, exclusive_set, legal_basis, state, created_by, created_at, decided_by, decided_at"


async def insert(tx: Tx, list_id: UUID, head: Any, unit: Any, by: str) -> None:
    """Add a pending list."""
    await tx.execute(
        "INSERT INTO group_list (list_id, unit_code, unit_path, mode, groups, from_date, decision_number, business_date, file_name, sha256,"
        " created_by) VALUES (:id, :unit, :path, :mode, CAST(:groups AS text[]), :from_date, :number, :day, :file, :sha, :by)",
        id=list_id, unit=unit["code"], path=unit["path"], mode=head.mode, groups=list(head.groups), from_date=head.from_date,
        number=head.decision_number, day=head.business_date, file=head.file_name, sha=head.sha256, by=by,
    )  # fmt: skip


async def by_digest(tx: Tx, digest: bytes) -> UUID | None:
    """The list that took the same file before, unless it was rejected."""
    found = await tx.value("SELECT list_id FROM group_list WHERE sha256 = :sha AND state <> 'REJECTED'", sha=digest)
    return None if found is None else UUID(str(found))


async def find(tx: Tx, list_id: UUID, *, lock: bool = False) -> Any | None:
    """One list."""
    return await tx.row(f"SELECT {_VIEW} FROM group_list WHERE list_id = :id" + (" FOR UPDATE" if lock else ""), id=list_id)


async def page(tx: Tx, actor: Actor, state: str | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Lists in the actor's scope, oldest first."""
    conditions, params = search.inside(search.areas(actor, None), "unit_path")
    if state is not None:
        conditions.append("state = :state")
        params["state"] = state
    if after is not None:
        conditions.append("list_id > :after")
        params["after"] = after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return await tx.rows(f"SELECT {_VIEW} FROM group_list{where} ORDER BY list_id LIMIT :limit", limit=limit, **params)


async def decided(tx: Tx, list_id: UUID, state: str, by: str, values: dict[str, Any]) -> None:
    """Close a list with what came of it (column names are ours)."""
    sets = "".join(f", {name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE group_list SET state = :state, decided_by = :by, decided_at = now(){sets} WHERE list_id = :id",
        id=list_id,
        state=state,
        by=by,
        **values,
    )


async def asked(tx: Tx, code: str) -> bool:
    """Whether a request for this code is open."""
    return bool(await tx.value("SELECT 1 FROM group_request WHERE code = :code AND state = 'PENDING'", code=code))


async def ask(tx: Tx, group: Any, by: str) -> UUID:
    """Add a request for a group."""
    found = await tx.value(
        "INSERT INTO group_request (code, name_vi, name_en, exclusive_set, legal_basis, created_by)"
        " VALUES (:code, :vi, :en, :set, :basis, :by) RETURNING request_id",
        code=group.code, vi=group.name_vi, en=group.name_en, set=group.exclusive_set, basis=group.legal_basis, by=by,
    )  # fmt: skip
    return UUID(str(found))


async def requests(tx: Tx) -> Sequence[Any]:
    """Requests for groups, open ones first."""
    return await tx.rows(f"SELECT {_REQUEST} FROM group_request ORDER BY (state = 'PENDING') DESC, request_id DESC LIMIT 200")


async def group_request(tx: Tx, request_id: UUID) -> Any | None:
    """One request, for a decision."""
    return await tx.row(f"SELECT {_REQUEST} FROM group_request WHERE request_id = :id FOR UPDATE", id=request_id)


async def close_request(tx: Tx, request_id: UUID, state: str, by: str) -> None:
    """Decide a request."""
    await tx.execute(
        "UPDATE group_request SET state = :state, decided_by = :by, decided_at = now() WHERE request_id = :id",
        id=request_id,
        state=state,
        by=by,
    )
