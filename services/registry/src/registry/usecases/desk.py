"""An officer's desk: one person read, corrected, found. Each call is one transaction, committed before the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor, Role
from common.db import Database, Tx
from common.problems import Forbidden
from registry.storage import people as storage
from registry.usecases import people

__all__ = ["Found", "correct", "find_by_number", "read_one", "report_death"]

_WHOLE_NUMBER: Final = (
    Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.COMMUNE_POLICE, Role.AUDITOR,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A person with entitlements and representatives; `number` only where it was asked for with a purpose and allowed."""

    row: Any
    entitlements: Sequence[Any]
    representatives: Sequence[Any]
    number: str | None = None


async def _found(tx: Tx, row: Any, number: str | None = None) -> Found:
    person_id = row["person_id"]
    return Found(row, await storage.entitlements_of(tx, person_id), await storage.representatives_of(tx, person_id), number)


async def read_one(db: Database, actor: Actor, person_id: UUID, purpose: str | None) -> Found:
    """One person in the actor's area. With a purpose, the whole number, audited. Raises NotFound, Forbidden."""
    async with db.transaction(actor) as tx:
        row = await people.seen(tx, person_id)
        number = None
        if purpose is not None:
            if not actor.has(*_WHOLE_NUMBER):
                raise Forbidden("The whole number is not for this role")
            await audit.record(tx, "beneficiary.read-number", "beneficiary", person_id, {"masked": row["masked_number"]}, purpose=purpose)
            if row["national_number"] is not None and db.keyring is not None:
                number = db.keyring.decrypt("national_number", row["national_number"])
        return await _found(tx, row, number)


async def find_by_number(db: Database, actor: Actor, number: str) -> Sequence[Any]:
    """The person with exactly this national number, in the actor's area; the search is audited."""
    if db.keyring is None:
        raise RuntimeError("the registry needs its keyring")
    blind = db.keyring.blind("national_number", number)
    async with db.transaction(actor) as tx:
        rows = await storage.page(
            tx, actor, after=None, limit=1, unit_path=None, programme=None, status=None, file_code=None, name=None, number_blind=blind
        )
        found = rows[0]["person_id"] if rows else "none"
        await audit.record(tx, "beneficiary.search-number", "beneficiary", found, {"found": len(rows)})
    return rows


async def correct(db: Database, actor: Actor, person_id: UUID, version: int, changes: people.Changes, business_date: date) -> Found:
    """Change identity data, preference or unit at the version read. Raises NotFound, PreconditionFailed, InvalidInput."""
    async with db.transaction(actor) as tx:
        return await _found(tx, await people.change(tx, person_id, version, changes, business_date))


async def report_death(db: Database, actor: Actor, person_id: UUID, death_date: date, business_date: date) -> Found:
    """Record a death: the month of death stays due, later months end (Decree 20/2021 Art. 8)."""
    async with db.transaction(actor) as tx:
        return await _found(tx, await people.record_death(tx, person_id, death_date, business_date))
