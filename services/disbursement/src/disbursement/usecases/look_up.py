"""The counter: one search, audited, with the one answer an officer needs per programme."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database
from common.masking import mask_name, mask_national_number
from common.names import folded
from common.problems import InvalidInput
from disbursement.domain.counter import answer
from disbursement.domain.months import month_text
from disbursement.domain.reasons import text_of
from disbursement.storage import counter

__all__ = ["Wanted", "at_the_counter"]

PEOPLE: Final = 20
PAYMENTS: Final = 12
_LEAST_LETTERS: Final = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of code, number or name; a birth year narrows a name."""

    file_code: str | None = None
    number: str | None = None
    name: str | None = None
    birth_year: str | None = None


async def at_the_counter(db: Database, actor: Actor, wanted: Wanted, month: date) -> list[dict[str, Any]]:
    """People found in the actor's units, at most :data:`PEOPLE`; who looked for whom is audited, a number masked. Raises InvalidInput."""
    search = _search(db, wanted)
    async with db.transaction(actor) as tx:
        people = await counter.find_people(tx, actor, search, PEOPLE)
        ids: list[UUID] = [row["beneficiary_id"] for row in people]
        due = await counter.due_of(tx, ids, month) if ids else []
        paid = await counter.payments_of(tx, ids, PAYMENTS) if ids else []
        held = await counter.holds_of(tx, ids) if ids else []
        owed = await counter.months_of(tx, ids, month) if ids else []
        by = {"file_code": wanted.file_code, "number": mask_national_number(wanted.number), "name": mask_name(wanted.name)}
        what = audit.Noted({**{name: value for name, value in by.items() if value}, "found": len(ids)})
        await audit.record(tx, "counter.search", "beneficiary", ids[0] if len(ids) == 1 else "several" if ids else "none", what)
    return [_person(row, month, _of(due, row), _of(paid, row), _of(held, row), _of(owed, row)) for row in people]


def _search(db: Database, wanted: Wanted) -> dict[str, Any]:
    """What storage looks for. A national number becomes an index at once and is stored nowhere here."""
    if sum(value is not None for value in (wanted.file_code, wanted.number, wanted.name)) != 1:
        raise InvalidInput(errors=[{"field": "name", "detail": "give one of file_code, number, name"}])
    if wanted.number is not None:
        if db.keyring is None:
            raise RuntimeError("disbursement needs its keyring")
        return {"indexes": db.keyring.lookups("national_number", wanted.number)}
    if wanted.name is not None:
        name = folded(wanted.name)
        if len(name) < _LEAST_LETTERS:
            raise InvalidInput(errors=[{"field": "name", "detail": f"at least {_LEAST_LETTERS} letters"}])
        return {"name": name, "birth_year": wanted.birth_year}
    return {"file_code": wanted.file_code}


def _of(rows: Any, person: Any) -> list[Any]:
    return [row for row in rows if row["beneficiary_id"] == person["beneficiary_id"]]


def _person(row: Any, month: date, due: list[Any], paid: list[Any], held: list[Any], owed: list[Any]) -> dict[str, Any]:
    last: dict[tuple[str, str], Any] = {}
    for payment in paid:  # newest first
        if month_text(month) in payment["months"]:
            last.setdefault((payment["programme"], payment["funding_source"]), payment)
    holds: dict[tuple[str, str], Any] = {}
    for hold in held:
        if month in hold["months"] or not hold["months"]:
            holds.setdefault((hold["programme"], hold["funding_source"]), hold)
    earlier: dict[tuple[str, str], int] = defaultdict(int, {(item["programme"], item["funding_source"]): item["owed"] for item in owed})
    known = {(item["programme"], item["funding_source"]): item for item in due}
    lines = []
    for key in sorted({*known, *last, *holds, *earlier}):
        item = known.get(key)
        said = answer(
            item["due"] if item else 0, rate_missing=bool(item and item["rate_missing"]), payment=last.get(key), hold=holds.get(key),
            cycle_state=item["cycle_state"] if item else None, before_take_over=bool(item and item["before_take_over"]),
        )  # fmt: skip
        lines.append(
            {
                "programme": key[0], "funding_source": key[1], "due": item["due"] if item else 0, "paid": item["paid"] if item else 0,
                "committed": item["committed"] if item else 0, "owed_earlier": earlier[key], "answer": asdict(said),
            }
        )  # fmt: skip
    return {**row, "months_lines": lines, "payments": [{**payment, "reason": text_of(payment["reason"])} for payment in paid]}
