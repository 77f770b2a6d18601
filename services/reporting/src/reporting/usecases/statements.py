"""A person's statement: what they are granted, why, what was owed, when and how it was paid. Each one made is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database
from common.problems import InvalidInput
from reporting.domain.errors import NoStatement
from reporting.domain.months import first_of, last_day
from reporting.storage import reports, statements

__all__ = ["Statement", "make"]

_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that is said to one person about their money."""

    person: RowMapping
    unit_name: str
    first: date
    last: date
    entitlements: Sequence[RowMapping]
    dues: Sequence[dict[str, Any]]
    payments: Sequence[RowMapping]
    holds: Sequence[RowMapping]

    @property
    def paid(self) -> int:
        """Đồng with the person."""
        return sum(row["amount"] for row in self.payments if row["status"] in ("SETTLED", "COLLECTED"))


async def make(db: Database, actor: Actor, beneficiary_id: UUID, since: str, until: str, purpose: str) -> Statement:
    """A statement over some months. Raises `NoStatement` for somebody of another unit, `InvalidInput` over more than three years."""
    first, last = first_of(since), first_of(until)
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < _MONTHS:
        raise InvalidInput("at most 36 months, the first before the last", errors=[{"field": "until", "detail": "YYYY-MM"}])
    async with db.transaction(actor) as tx:
        person = await statements.person(tx, actor, beneficiary_id)
        if person is None:
            raise NoStatement
        ids = await statements.files(tx, beneficiary_id)
        names = await reports.unit_names(tx, [person["unit_path"]], last_day(last))
        made = Statement(
            person, names.get(person["unit_path"], person["unit_path"]), first, last,
            await statements.entitlements(tx, ids), await statements.dues(tx, ids),
            await statements.payments(tx, ids, first, last), await statements.holds(tx, ids, first, last),
        )  # fmt: skip
        detail = {"since": since, "until": until, "payments": len(made.payments)}
        await audit.record(tx, "statement.made", "beneficiary", beneficiary_id, audit.Read(purpose, detail))
    return made
