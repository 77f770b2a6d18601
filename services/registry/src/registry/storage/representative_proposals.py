"""Proposals of who collects for a beneficiary: added by one person, answered by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["add", "answer", "find", "page"]

_SELECT: Final = (
    "SELECT q.proposal_id, q.action, q.beneficiary_id, q.representative_id, q.kind, q.basis, q.programmes, q.certificate_number,"
    " q.attachment_id, q.valid_from, q.valid_to, q.of_version, q.business_date, q.state, q.answer_reason, q.maker, q.made_at, q.checker,"
    " q.checked_at, b.full_name AS beneficiary_name, b.file_code, b.unit_code, b.unit_path, p.full_name, p.birth_date, p.masked_number"
    " FROM representative_proposal q JOIN person b ON b.person_id = q.beneficiary_id JOIN person p ON p.person_id = q.representative_id"
)


async def add(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Keep a proposal; None when another one about the same two people is open."""
    names = list(values)
    row = await tx.row(
        f"INSERT INTO representative_proposal ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
        " ON CONFLICT (beneficiary_id, representative_id) WHERE state = 'PROPOSED' DO NOTHING RETURNING proposal_id",
        **values,
    )
    return None if row is None else UUID(str(row["proposal_id"]))


async def find(tx: Tx, proposal_id: UUID, *, lock: bool = False) -> Any | None:
    """One proposal with the names of both people, or None."""
    return await tx.row(f"{_SELECT} WHERE q.proposal_id = :id" + (" FOR UPDATE OF q" if lock else ""), id=proposal_id)


async def answer(tx: Tx, proposal_id: UUID, state: str, checker: str | None, why: str | None) -> None:
    """Write what became of a proposal."""
    await tx.execute(
        "UPDATE representative_proposal SET state = :state, checker = :checker, answer_reason = :why, checked_at = now()"
        " WHERE proposal_id = :id",
        id=proposal_id, state=state, checker=checker, why=why,
    )  # fmt: skip


async def page(tx: Tx, actor: Actor, *, state: str | None, beneficiary_id: UUID | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Proposals about people of the actor's area, in the order made."""
    scope, params = actor.scope_sql("b.unit_path")
    return await tx.rows(
        f"{_SELECT} WHERE {scope} AND (CAST(:state AS text) IS NULL OR q.state = :state)"
        " AND (CAST(:person AS uuid) IS NULL OR q.beneficiary_id = :person)"
        " AND (CAST(:after AS uuid) IS NULL OR q.proposal_id > :after) ORDER BY q.proposal_id LIMIT :limit",
        state=state, person=beneficiary_id, after=after, limit=limit, **params,
    )  # fmt: skip
