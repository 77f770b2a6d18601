"""The exchange with the Social Insurance: send a list, load its answer, and what people draw there counts in their dues."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Conflict, InvalidInput, NotFound
from common.tabular import BrokenFile, read_rows
from registry.domain.errors import FileRefused, NotPossibleInState, SamePerson, UnknownUnit
from registry.domain.insurance import COLUMNS, check
from registry.storage import catalogue, dues, publishing
from registry.storage import insurance as storage

__all__ = ["Answer", "decide", "freeze", "load", "seen", "seen_answer"]


async def freeze(tx: Tx, unit_code: str, programmes: Sequence[str], business_date: date) -> UUID:
    """Freeze a list of people to be checked; its id. Raises UnknownUnit, NotFound, InvalidInput."""
    actor = _actor(tx)
    unit = await catalogue.unit_of(tx, unit_code, business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    list_id = new_id()
    people = await storage.freeze(tx, list_id, unit, sorted(set(programmes)), business_date, actor.subject)
    if not people:
        raise InvalidInput(errors=[{"field": "unit_code", "detail": "nobody of these programmes there"}])
    await audit.record(tx, "insurance.freeze", "insurance-list", list_id, audit.Created({"people": people, "unit": unit["path"]}))
    return list_id


async def seen(tx: Tx, list_id: UUID) -> Any:
    """The list, if its unit lies in the caller's area; else 404."""
    row = await storage.find(tx, list_id)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise NotFound("No such list")
    return row


async def seen_answer(tx: Tx, answer_id: UUID, *, lock: bool = False) -> Any:
    """The answer, if its list lies in the caller's area; else 404."""
    row = await storage.find_answer(tx, answer_id, lock=lock)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise NotFound("No such answer")
    return row


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer file as received."""

    content: bytes
    file_name: str
    told_on: date


async def load(tx: Tx, list_id: UUID, answer: Answer) -> UUID:
    """Check an answer row by row against the list sent; nothing counts before a second person approves. Raises FileRefused, Conflict."""
    actor, keyring = _actor(tx), tx.db.keyring
    if keyring is None:
        raise RuntimeError("the registry needs its keyring")
    row = await seen(tx, list_id)
    if answer.told_on < row["business_date"]:
        raise InvalidInput(errors=[{"field": "told_on", "detail": "before the list was sent"}])
    names, taken = await storage.names(tx, list_id), set[int]()
    try:
        rows = [check(item, names, taken) for item in read_rows(answer.content, answer.file_name, COLUMNS).rows]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error
    if not rows:
        raise FileRefused("danh sách không có dòng nào · the list has a header but no rows")
    refused = sum(1 for item in rows if item.reasons)
    digest = hashlib.sha256(list_id.bytes + answer.content).digest()
    answer_id = await storage.add_answer(
        tx,
        {
            "list_id": list_id, "file_name": answer.file_name[:200], "sha256": digest, "told_on": answer.told_on,
            "content": keyring.encrypt("insurance_answer", answer.content), "rows_good": len(rows) - refused, "rows_refused": refused,
            "created_by": actor.subject,
        },
    )  # fmt: skip
    if answer_id is None:
        raise Conflict("The same answer was loaded before")
    await storage.add_rows(tx, answer_id, rows)
    what = audit.Created({"good": len(rows) - refused, "refused": refused, "sha256": digest.hex(), "state": "CHECKED"})
    await audit.record(tx, "insurance.load", "insurance-answer", answer_id, what)
    return answer_id


async def decide(db: Database, actor: Actor, answer_id: UUID, *, approve: bool, business_date: date) -> Any:
    """Approve an answer: what it tells is known from now on and the dues are computed anew; or refuse it. Raises SamePerson."""
    async with db.transaction(actor) as tx:
        await publishing.take_people_lock(tx)
        row = await seen_answer(tx, answer_id, lock=True)
        if row["state"] != "CHECKED":
            raise NotPossibleInState(f"The answer is {row['state']}")
        if row["created_by"] == actor.subject:
            raise SamePerson("Who loaded an answer cannot decide it")
        changed: list[UUID] = []
        if approve:
            changed = await storage.apply(tx, row)
            if changed:
                await dues.recompute(tx, changed, business_date)
        state = "APPLIED" if approve else "REFUSED"
        await storage.decide(tx, answer_id, state, actor.subject)
        action = "insurance.apply" if approve else "insurance.refuse"
        what = audit.Changed({"state": row["state"]}, {"state": state}, {"people": len(changed), "digest": audit.digest(changed)})
        await audit.record(tx, action, "insurance-answer", answer_id, what)
        return await storage.find_answer(tx, answer_id)


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor
