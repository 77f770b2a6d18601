"""Administrative units: one unit with its past and future, and later changes as files that a second person approves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Conflict, NotFound
from common.tabular import BrokenFile, ColumnSpec, read_rows
from registry.domain.errors import FileRefused, SamePerson, UnitChangeRefused
from registry.domain.units import ChangeRow, check_change, effects, parse_row
from registry.storage import history, units

__all__ = ["CHANGE_COLUMNS", "ChangeFile", "change_of", "decide", "one_unit", "propose"]

CHANGE_COLUMNS: Final = (
    ColumnSpec("code", ("Mã đơn vị", "Mã", "code"), required=True),
    ColumnSpec("name", ("Tên đơn vị", "Tên", "name"), required=True),
    ColumnSpec("level", ("Cấp", "level"), required=True),
    ColumnSpec("type", ("Loại", "Loại đơn vị", "type")),
    ColumnSpec("parent_code", ("Mã cấp trên", "parent_code")),
    ColumnSpec("from_codes", ("Hình thành từ mã", "Hình thành từ mã cũ", "from_codes")),
)
"""Columns of a file of changed units. Old codes are joined by `+`; a `*` after a code means a part of that unit."""


@dataclass(frozen=True, slots=True)
class ChangeFile:
    """A change of units as sent."""

    content: bytes
    file_name: str
    effective_on: date
    legal_basis: str
    business_date: date


async def one_unit(db: Database, actor: Actor, code: str, on: date) -> dict[str, Any]:
    """What a code stands for on a date, what it was made from, what became of it, and everything the code has stood for."""
    async with db.read(actor) as tx:
        versions = await units.versions(tx, code)
        unit = next((row for row in versions if row["valid_from"] <= on and (row["valid_to"] is None or row["valid_to"] >= on)), None)
        if unit is None:
            raise NotFound("No such unit on that date")
        return {
            "unit": unit, "versions": versions, "predecessors": await units.predecessors(tx, unit["unit_id"]),
            "successors": await units.successors(tx, unit["unit_id"]),
        }  # fmt: skip


def _rows_of(file: ChangeFile) -> tuple[list[ChangeRow], list[dict[str, Any]]]:
    try:
        table = read_rows(file.content, file.file_name, CHANGE_COLUMNS)
        parsed = [parse_row(source.number, source.values) for source in table.rows]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error
    if not parsed:
        raise FileRefused("tệp không có dòng nào · the file has no rows")
    return [row for row, _ in parsed], [fault for _, faults in parsed for fault in faults]


async def _faults(tx: Tx, rows: list[ChangeRow], effective_on: date) -> tuple[list[dict[str, Any]], dict[str, int]]:
    gone = [code for row in rows for code in (*row.whole, *row.part)] + [row.code for row in rows if row.ended]
    named = sorted({*gone, *(row.code for row in rows), *(row.parent_code for row in rows if row.parent_code)})
    before = await units.tree_before(tx, effective_on, named)
    faults = check_change(rows, before)
    if not faults:
        clash = await units.clashes(tx, sorted(set(gone)), [row.code for row in rows if not row.ended], effective_on)
        faults = [
            {
                "field": "code", "code": "ALREADY_CHANGED", "detail": f"{code} has been closed, or has a version on or after that day",
                "detail_vi": f"{code} đã kết thúc hoặc đã có phiên bản từ ngày này",
            }
            for code in clash
        ]  # fmt: skip
    return faults, effects(rows, before)


async def propose(tx: Tx, file: ChangeFile) -> UUID:
    """Check a change of units and keep it for a second person; nothing changes yet. Raises FileRefused, UnitChangeRefused."""
    if tx.actor is None:
        raise RuntimeError("a change needs an actor")
    rows, faults = _rows_of(file)
    if faults:
        raise UnitChangeRefused(errors=faults)
    faults, counted = await _faults(tx, rows, file.effective_on)
    if faults:
        raise UnitChangeRefused(errors=faults)
    change_id = new_id()
    await tx.execute(
        "INSERT INTO unit_change (change_id, effective_on, legal_basis, file_name, units, effects, business_date, created_by)"
        " VALUES (:id, :on, :basis, :name, CAST(:units AS jsonb), :effects, :day, :by)",
        id=change_id, on=file.effective_on, basis=file.legal_basis, name=file.file_name[:200],
        units=orjson.dumps([row.as_json() for row in rows]).decode(), effects=counted, day=file.business_date, by=tx.actor.subject,
    )  # fmt: skip
    await audit.record(tx, "units.propose", "unit-change", change_id, audit.Created(counted | {"effective_on": file.effective_on}))
    return change_id


async def change_of(tx: Tx, change_id: UUID, *, lock: bool = False) -> Any:
    """One proposed or decided change. Raises NotFound."""
    row = await tx.row("SELECT * FROM unit_change WHERE change_id = :id" + (" FOR UPDATE" if lock else ""), id=change_id)
    if row is None:
        raise NotFound("No such change of units")
    return row


async def decide(db: Database, actor: Actor, change_id: UUID, *, approve: bool, reason: str | None) -> Any:
    """Approve (a second person: applied and published at once) or refuse. Raises SamePerson, Conflict, UnitChangeRefused."""
    async with db.transaction(actor) as tx:
        await units.take_lock(tx)
        row = await change_of(tx, change_id, lock=True)
        if row["state"] != "PROPOSED":
            raise Conflict(f"the change is {row['state']}")
        if approve and row["created_by"] == actor.subject:
            raise SamePerson
        touched = 0
        if approve:
            rows = [ChangeRow(**item) for item in row["units"]]
            faults, _ = await _faults(tx, rows, row["effective_on"])  # another change may have been approved meanwhile
            if faults:
                raise UnitChangeRefused(errors=faults)
            await history.dated(tx, row["business_date"], row["effective_on"])
            touched = await units.apply_change(tx, change_id, rows, row["effective_on"], row["legal_basis"], row["business_date"])
        await tx.execute(
            "UPDATE unit_change SET state = :state, decided_by = :by, decided_at = now(), reason = :reason WHERE change_id = :id",
            state="APPROVED" if approve else "REFUSED", by=actor.subject, reason=reason, id=change_id,
        )  # fmt: skip
        now = await change_of(tx, change_id)
        what = audit.Changed.of(row, now, "state", "reason", units=touched, proposed_by=row["created_by"])
        await audit.record(tx, "units.approve" if approve else "units.refuse", "unit-change", change_id, what)
        return now
