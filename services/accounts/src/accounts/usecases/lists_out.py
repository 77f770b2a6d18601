"""The four registration lists out, and the five counters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.domain.errors import UnknownUnit
from accounts.domain.policy import VneidUse
from accounts.storage import lists, people, policy
from common import audit
from common.actor import Actor
from common.db import Database

__all__ = ["ListWanted", "counters", "four_list", "prepare"]


@dataclass(frozen=True, slots=True)
class ListWanted:
    """One of the four lists of a unit: programme × (people themselves, representatives). `purpose` set: with whole account numbers."""

    unit_path: str
    programme: str
    own: bool
    with_vneid: bool
    withheld: int
    purpose: str | None


async def prepare(
    db: Database, actor: Actor, *, unit_code: str, programme: str, own: bool, purpose: str | None, business_date: date
) -> ListWanted:
    """Check the unit, audit the export, and say how many rows are withheld because VNeID data may not go out. Raises UnknownUnit."""
    async with db.transaction(actor) as tx:
        path = await people.unit_path(tx, unit_code, business_date)
        if path is None or not actor.sees(path):
            raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
        allowed = await policy.text(tx, VneidUse.LISTS) == "ALLOW"
        withheld = 0 if allowed else await lists.withheld(tx, unit=path, programme=programme, own=own)
        detail = {"programme": programme, "own": own, "whole_numbers": purpose is not None, "withheld": withheld}
        what = audit.Noted(detail) if purpose is None else audit.Read(purpose, detail)
        await audit.record(tx, "list.export", "unit", unit_code, what)
    return ListWanted(path, programme, own, allowed, withheld, purpose)


async def four_list(db: Database, actor: Actor, wanted: ListWanted) -> AsyncIterator[dict[str, Any]]:
    """The rows, streamed; `account_number` whole only where a purpose was stated and audited."""
    keyring = db.keyring
    if keyring is None:
        raise RuntimeError("accounts needs its keyring")
    async with db.read(actor) as tx:
        async for row in lists.four_lists(
            tx, unit=wanted.unit_path, programme=wanted.programme, own=wanted.own, with_vneid=wanted.with_vneid
        ):
            number = keyring.decrypt("account_number", row["number_cipher"]) if wanted.purpose is not None else row["masked_number"]
            yield {**row, "account_number": number}


async def counters(db: Database, actor: Actor, *, unit_code: str, month: str | None, business_date: date) -> list[dict[str, Any]]:
    """Per commune: people, and of them collected, opened, registered, verified, paid, each by itself. Raises UnknownUnit."""
    async with db.read(actor) as tx:
        path = await people.unit_path(tx, unit_code, business_date)
        if path is None or not actor.sees(path):
            raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
        return [dict(row) for row in await lists.counters(tx, unit=path, month=month)]
