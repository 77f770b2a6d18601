"""Moves between units: the hand-over, its answer, and which unit pays which month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import history

__all__ = [
    "answer",
    "decisions_of",
    "find",
    "insert",
    "last_paid_from",
    "leave",
    "page",
    "paying_units",
    "said_again",
    "settle",
    "still_paying",
    "under_way",
]

_COLUMNS: Final = (
    "t.transfer_id, t.direction, t.person_id, t.from_unit_code, t.from_path, t.to_unit_code, t.to_path, t.other_province, t.number,"
    " t.decision_date, t.signer, t.dossier, t.sent_on, t.last_month, t.pays_from, t.attachment_id, t.state, t.answer_reason,"
    " t.answered_on, t.maker, t.made_at, t.checker, t.checked_at, t.version, p.full_name, p.file_code, p.masked_number"
)
_FROM: Final = "FROM transfer t JOIN person p USING (person_id)"


async def insert(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Store a hand-over; None when another one of this person is under way."""
    names = ", ".join(values)
    row = await tx.row(
        f"INSERT INTO transfer ({names}) VALUES ({', '.join(':' + name for name in values)})"
        " ON CONFLICT (person_id) WHERE state = 'SENT' DO NOTHING RETURNING transfer_id",
        **values,
    )
    return None if row is None else UUID(str(row["transfer_id"]))


async def find(tx: Tx, transfer_id: UUID, *, lock: bool = False) -> Any | None:
    """One hand-over, or None."""
    return await tx.row(f"SELECT {_COLUMNS} {_FROM} WHERE t.transfer_id = :id" + (" FOR UPDATE OF t" if lock else ""), id=transfer_id)


async def page(
    tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None, direction: str | None, person_id: UUID | None
) -> Sequence[Any]:
    """Hand-overs from or to the actor's area, in the order made."""
    sent, params = actor.scope_sql("t.from_path")
    received, _ = actor.scope_sql("t.to_path")
    return await tx.rows(
        f"SELECT {_COLUMNS} {_FROM} WHERE ({sent} OR {received}) AND (CAST(:state AS text) IS NULL OR t.state = :state)"
        " AND (CAST(:direction AS text) IS NULL OR t.direction = :direction)"
        " AND (CAST(:person AS uuid) IS NULL OR t.person_id = :person OR p.merged_into = :person)"
        " AND (CAST(:after AS uuid) IS NULL OR t.transfer_id > :after) ORDER BY t.transfer_id LIMIT :limit",
        state=state, direction=direction, person=person_id, after=after, limit=limit, **params,
    )  # fmt: skip


async def decisions_of(tx: Tx, transfer_id: UUID) -> list[UUID]:
    """The decisions a hand-over carries."""
    rows = await tx.rows("SELECT decision_id FROM decision WHERE transfer_id = :id ORDER BY decision_id", id=transfer_id)
    return [row["decision_id"] for row in rows]


async def answer(tx: Tx, transfer_id: UUID, state: str, by: str, day: date, why: str | None, pays_from: date | None) -> None:
    """Write what became of a hand-over; withdrawing is the sender's own and names no checker."""
    await tx.execute(
        "UPDATE transfer SET state = :state, answer_reason = :why, answered_on = :day, pays_from = :pays_from, checked_at = now(),"
        " checker = CASE WHEN :state <> 'WITHDRAWN' THEN CAST(:by AS text) END, version = version + 1 WHERE transfer_id = :id",
        id=transfer_id, state=state, why=why, day=day, pays_from=pays_from, by=by,
    )  # fmt: skip


async def settle(tx: Tx, person_id: UUID, unit_code: str, unit_path: str) -> None:
    """The person belongs to another unit from now on; dues carry the unit, so they are said again."""
    await tx.execute(
        "UPDATE person SET unit_code = :code, unit_path = :path, status = CASE status WHEN 'LEFT' THEN 'ACTIVE' ELSE status END,"
        " version = version + 1, updated_at = now() WHERE person_id = :id",
        id=person_id, code=unit_code, path=unit_path,
    )  # fmt: skip
    await tx.execute("UPDATE dues_state SET lines_md5 = '' WHERE person_id = :id", id=person_id)


async def leave(tx: Tx, person_id: UUID) -> None:
    """The person left the province; somebody who died meanwhile stays recorded as dead."""
    await tx.execute(
        "UPDATE person SET status = CASE status WHEN 'DECEASED' THEN status ELSE 'LEFT' END, version = version + 1, updated_at = now()"
        " WHERE person_id = :id",
        id=person_id,
    )


async def said_again(tx: Tx, beneficiary_id: UUID) -> list[tuple[UUID, UUID]]:
    """Raise the version of a beneficiary's representatives, whose events carry the beneficiary's unit; the pairs to publish."""
    rows = await tx.rows(
        "UPDATE representative SET version = version + 1 WHERE beneficiary_id = :id AND revoked_on IS NULL"
        " RETURNING beneficiary_id, representative_id",
        id=beneficiary_id,
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


async def under_way(tx: Tx, person_id: UUID) -> bool:
    """Whether a hand-over of the person waits for its answer."""
    return bool(await tx.value("SELECT 1 FROM transfer WHERE person_id = :id AND state = 'SENT'", id=person_id))


async def last_paid_from(tx: Tx, person_id: UUID) -> date | None:
    """First month of the unit that received the person last, None when they never moved."""
    found: date | None = await tx.value(
        "SELECT max(pays_from) FROM transfer WHERE person_id = :id AND state = 'RECEIVED' AND direction = 'WITHIN'", id=person_id
    )
    return found


async def paying_units(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """Which unit pays which months of a person: without overlap and without gap."""
    return await tx.rows(
        "SELECT nullif(from_month, '-infinity') AS from_month, nullif(until, 'infinity') AS until, unit_code, unit_path"
        " FROM paying_unit u WHERE u.person_id = :id ORDER BY u.from_month",
        id=person_id,
    )


async def still_paying(tx: Tx, person_id: UUID) -> list[str]:
    """Paths of the units that pay the person in the register's present month or later: the old one too, until it hands over."""
    day = await history.last_day(tx)
    rows = await tx.rows(
        "SELECT unit_path FROM paying_unit u WHERE u.person_id = :id AND u.until > date_trunc('month', CAST(:day AS date))",
        id=person_id,
        day=day,
    )
    return [row["unit_path"] for row in rows]
