"""An officer's desk: one person read, corrected, found. Each call is one transaction, committed before the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor, Role
from common.db import Database, Tx
from common.problems import Forbidden
from common.sealing import Keyring
from registry.storage import people as storage
from registry.storage import search
from registry.usecases import attributes, people
from registry.usecases.reading import readable

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
    opened: Mapping[str, str | None] = field(default_factory=dict)
    """Second number, phone and ethnicity, on the same condition."""
    warnings: Sequence[dict[str, Any]] = ()


async def _found(tx: Tx, row: Any, number: str | None = None, opened: Mapping[str, str | None] | None = None) -> Found:
    person_id = row["person_id"]
    keyring = _keyring(tx.db)
    return Found(
        row, await storage.entitlements_of(tx, person_id), await storage.representatives_of(tx, person_id), number, opened or {},
        attributes.warnings(keyring, row),
    )  # fmt: skip


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("the registry needs its keyring")
    return db.keyring


async def read_one(db: Database, actor: Actor, person_id: UUID, purpose: str | None) -> Found:
    """One person the actor may read. With a purpose, the whole number, audited. Raises NotFound, Forbidden."""
    async with db.transaction(actor) as tx:
        row = await readable(tx, person_id)
        number, opened = None, None
        if purpose is not None:
            if not actor.has(*_WHOLE_NUMBER):
                raise Forbidden("The whole number is not for this role")
            what = audit.Read(purpose, {"masked": row["masked_number"]})
            await audit.record(tx, "beneficiary.read-number", "beneficiary", person_id, what)
            keyring = _keyring(db)
            number = keyring.decrypt("national_number", row["national_number"]) if row["national_number"] is not None else None
            opened = attributes.opened(keyring, row)
        return await _found(tx, row, number, opened)


async def find_by_number(db: Database, actor: Actor, number: str | None, second: str | None) -> Sequence[Any]:
    """The people with exactly this national number or old ID number, in the actor's area; the search is audited."""
    keyring = _keyring(db)
    wanted = search.Wanted(
        number_blind=keyring.blind("national_number", number) if number else None,
        second_blind=keyring.blind("second_number", second) if second else None,
    )
    async with db.transaction(actor) as tx:
        rows, _ = await search.page(tx, actor, wanted, after=None, limit=20)
        found = rows[0]["person_id"] if rows else "none"
        await audit.record(tx, "beneficiary.search-number", "beneficiary", found, audit.Noted({"found": len(rows)}))
    return rows


async def correct(db: Database, actor: Actor, person_id: UUID, version: int, changes: people.Changes, business_date: date) -> Found:
    """Change identity data, preference or unit at the version read. Raises NotFound, PreconditionFailed, InvalidInput."""
    async with db.transaction(actor) as tx:
        return await _found(tx, await people.change(tx, person_id, version, changes, business_date))


async def report_death(db: Database, actor: Actor, person_id: UUID, death_date: date, business_date: date) -> Found:
    """Record a death: the month of death stays due, later months end (Decree 20/2021 Art. 8)."""
    async with db.transaction(actor) as tx:
        return await _found(tx, await people.record_death(tx, person_id, death_date, business_date))
