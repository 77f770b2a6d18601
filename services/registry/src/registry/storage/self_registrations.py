"""What citizens registered themselves, waiting for an officer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["accept", "add", "by_receipt", "count_failure", "find", "page", "refuse"]

# Beside each: whether the number is registered already, or waits in another registration.
_VIEW: Final = (
    "s.registration_id, s.receipt_number, s.programme, s.unit_code, s.unit_path, s.full_name, s.birth_date, s.masked_number, s.by_proxy,"
    " s.state, s.answer, s.person_id AS beneficiary_id, s.business_date, s.received_by, s.received_at, s.decided_by, s.decided_on,"
    " s.content, s.number_blind IS NOT NULL AND EXISTS (SELECT FROM person p WHERE p.number_blind = s.number_blind AND p.is_beneficiary)"
    " AS number_registered,"
    " (SELECT count(*) FROM self_registration o WHERE o.number_blind = s.number_blind AND o.state = 'PENDING'"
    "   AND o.registration_id <> s.registration_id) AS same_number_waiting"
)


async def add(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a registration."""
    names = list(values)
    await tx.execute(f"INSERT INTO self_registration ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", **values)


async def find(tx: Tx, registration_id: UUID, *, lock: bool = False) -> Any | None:
    """One registration; with `lock` for a decision."""
    return await tx.row(
        f"SELECT {_VIEW} FROM self_registration s WHERE s.registration_id = :id" + (" FOR UPDATE OF s" if lock else ""), id=registration_id
    )


async def page(tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None) -> Sequence[Any]:
    """Registrations of the actor's area, by id."""
    scope, params = actor.scope_sql("s.unit_path")
    return await tx.rows(
        f"SELECT {_VIEW} FROM self_registration s WHERE {scope} AND (CAST(:state AS text) IS NULL OR s.state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR s.registration_id > :after) ORDER BY s.registration_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **params,
    )


async def by_receipt(tx: Tx, receipt: str) -> Any | None:
    """What a look-up needs of the registration with this receipt number, locked."""
    return await tx.row(
        "SELECT receipt_number, digits_blind, failed_lookups, state, answer, received_at, decided_on, unit_code FROM self_registration"
        " WHERE receipt_number = :receipt FOR UPDATE",
        receipt=receipt,
    )


async def count_failure(tx: Tx, receipt: str, failures: int) -> None:
    """Note failed look-ups in a row."""
    await tx.execute("UPDATE self_registration SET failed_lookups = :n WHERE receipt_number = :receipt", n=failures, receipt=receipt)


async def accept(tx: Tx, registration_id: UUID, person_id: UUID, by: str, on: Any) -> None:
    """The registration became a person of the register."""
    await tx.execute(
        "UPDATE self_registration SET state = 'ACCEPTED', person_id = :person, decided_by = :by, decided_on = :day"
        " WHERE registration_id = :id",
        id=registration_id,
        person=person_id,
        by=by,
        day=on,
    )


async def refuse(tx: Tx, registration_id: UUID, answer: str, by: str, on: Any) -> None:
    """The registration was refused, with the reason the citizen is told."""
    await tx.execute(
        "UPDATE self_registration SET state = 'REFUSED', answer = :answer, decided_by = :by, decided_on = :day WHERE registration_id = :id",
        id=registration_id,
        answer=answer,
        by=by,
        day=on,
    )
