"""A shadow month: the office's list is read, compared with what we would pay, and signed off by two people before a unit goes live."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.ids import new_id
from common.names import clean, folded
from common.problems import InvalidInput, NotFound
from common.tabular import BrokenFile, ColumnSpec, SourceRow, parse_amount_vi, parse_date_vi, read_rows
from disbursement.domain.errors import SamePerson, UnknownUnit
from disbursement.domain.months import month_text
from disbursement.domain.shadow import AlreadyLive, ShadowDecided, ShadowFileBroken, method_of
from disbursement.settings import Settings
from disbursement.storage import lists, shadows, units
from disbursement.usecases import propose_take_over

__all__ = ["FILE_FIELD", "MOST_ROWS", "Asked", "compare_month", "decide_go_live", "propose_go_live"]

FILE_FIELD: Final = "shadow_file"
_TREASURY: Final = "treasury"
"""Stands in for the State Treasury where no partner is set for it: a trial list is never paid."""
MOST_ROWS: Final = 60_000
"""Rows compared within one request; a larger unit is compared district by district."""

_COLUMNS: Final = (
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã đối tượng", "Mã số hồ sơ", "Số hồ sơ")),
    ColumnSpec("full_name", ("Họ và tên", "Họ tên", "Họ và tên đối tượng", "Tên đối tượng", "Người hưởng"), required=True),
    ColumnSpec("birth_date", ("Năm sinh", "Ngày sinh", "Ngày tháng năm sinh")),
    ColumnSpec(
        "amount", ("Số tiền", "Tổng số tiền", "Mức trợ cấp", "Mức hưởng", "Thực lĩnh", "Số tiền thực nhận", "Tổng cộng"), required=True
    ),
    ColumnSpec("method", ("Hình thức nhận", "Hình thức chi trả", "Hình thức", "Phương thức chi trả")),
    ColumnSpec("account", ("Số tài khoản", "STK", "Số TK", "Tài khoản"), secret=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which month of which unit."""

    unit_code: str
    programme: Programme
    funding_source: str
    month: date
    business_date: date


async def compare_month(db: Database, actor: Actor, settings: Settings, asked: Asked, file_name: str, content: bytes) -> UUID:
    """Read the file, make the trial list, store every difference; the comparison's id.

    Raises ShadowFileBroken, UnknownUnit, NotFound, AlreadyLive, InvalidInput (too many rows).
    """
    shadow_id = new_id()
    rows = await asyncio.to_thread(_read, shadow_id, content, file_name)
    if len(rows) > MOST_ROWS:
        raise InvalidInput(errors=[{"field": "file", "detail": f"more than {MOST_ROWS} rows: compare district by district"}])
    if db.keyring is None:
        raise RuntimeError("disbursement needs its keyring")
    async with db.transaction(actor, isolation="REPEATABLE READ") as tx:
        path = await _unit(tx, actor, asked)
        shadow: dict[str, Any] = {
            "shadow_id": shadow_id, "unit_code": asked.unit_code, "unit_path": path, "programme": asked.programme.value,
            "funding_source": asked.funding_source, "month": asked.month, "business_date": asked.business_date,
            "file_name": clean(file_name)[:200], "sha256": hashlib.sha256(content).digest(),
            "content": db.keyring.encrypt(FILE_FIELD, content), "compared_by": actor.subject,
        }  # fmt: skip
        await shadows.add(tx, shadow)
        await shadows.load(tx, rows)
        await lists.plan_for_size(tx)
        digest = await shadows.trial(
            tx, shadow, grace_days=settings.evidence_grace_days, cash_partner=settings.cash_partner,
            treasury_partner=settings.treasury_partner or _TREASURY,
        )  # fmt: skip
        await shadows.compare(tx, shadow)
        found = await shadows.figures(tx, shadow_id)
        await shadows.put(tx, shadow_id, {"list_hash": digest, "figures": found})
        about = {"unit_path": path, "month": month_text(asked.month), "programme": asked.programme.value, "list_hash": digest, **found}
        await audit.record(tx, "shadow.compare", "shadow_month", shadow_id, audit.Created(about))
    return shadow_id


async def _unit(tx: Tx, actor: Actor, asked: Asked) -> str:
    path = await units.path_of(tx, asked.unit_code, asked.business_date)
    if path is None:
        raise UnknownUnit(asked.unit_code, errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    live = await shadows.live_from(tx, path, asked.programme.value)
    if live is not None and live <= asked.month:
        raise AlreadyLive(f"{asked.programme} in {asked.unit_code} from {month_text(live)}")
    return path


def _read(shadow_id: UUID, content: bytes, file_name: str) -> list[tuple[Any, ...]]:
    """The office's rows as `shadows.ROW_COLUMNS`; of an account number the last four digits are kept, of the rest nothing."""
    try:
        table = read_rows(content, file_name, _COLUMNS)
        rows = [_row(shadow_id, row) for row in table.rows]
    except BrokenFile as error:
        raise ShadowFileBroken(str(error)) from error
    if not rows:
        raise ShadowFileBroken("không có dòng nào · the file has no rows")
    return rows


def _row(shadow_id: UUID, row: SourceRow) -> tuple[Any, ...]:
    amount = parse_amount_vi(row.get("amount"))
    born = parse_date_vi(row.get("birth_date"))
    digits = "".join(char for char in row.get("account") if char.isdigit())
    method = method_of(row.get("method")) or ("ACCOUNT" if len(digits) >= 4 else None)
    name = clean(row.get("full_name"))
    return (
        shadow_id, row.number, clean(row.get("file_code")) or None, name, folded(name), born[:4] if born else None, amount, method,
        digits[-4:] if len(digits) >= 4 else None, None if amount is not None else "AMOUNT_UNREADABLE",
    )  # fmt: skip


async def propose_go_live(tx: Tx, actor: Actor, shadow_id: UUID, first_month: date, note: str, business_date: date) -> None:
    """The first person: the differences are understood, the unit may go live. Raises NotFound, ShadowDecided, InvalidInput."""
    row = await shadows.by_id(tx, actor, shadow_id, lock=True)
    if row is None:
        raise NotFound("No such comparison")
    if row["state"] != "COMPARED":
        raise ShadowDecided(f"It is {row['state']}")
    if first_month < row["month"]:
        raise InvalidInput(errors=[{"field": "first_month", "detail": "before the month that was compared"}])
    made = await propose_take_over.propose(
        tx, actor, unit_code=row["unit_code"], programme=row["programme"], first_month=first_month, business_date=business_date
    )
    values = {
        "state": "PROPOSED",
        "first_month": first_month,
        "take_over_id": made.take_over_id,
        "note": note,
        "proposed_by": actor.subject,
    }
    await shadows.put(tx, shadow_id, values)
    what = audit.Changed.of(row, values, "state", "first_month", "take_over_id", list_hash=row["list_hash"])
    await audit.record(tx, "shadow.propose", "shadow_month", shadow_id, what)


async def decide_go_live(tx: Tx, actor: Actor, shadow_id: UUID, note: str, list_hash: str, *, approve: bool) -> None:
    """The second person signs what they looked at (its hash): the take-over is approved, or refused.

    Raises NotFound, ShadowDecided, SamePerson, InvalidInput (another hash).
    """
    row = await shadows.by_id(tx, actor, shadow_id, lock=True)
    if row is None:
        raise NotFound("No such comparison")
    if row["state"] != "PROPOSED":
        raise ShadowDecided(f"It is {row['state']}")
    if row["proposed_by"] == actor.subject:
        raise SamePerson("You proposed this go-live")
    if list_hash != row["list_hash"]:
        raise InvalidInput(errors=[{"field": "list_hash", "detail": "not the hash of this comparison"}])
    await propose_take_over.decide(tx, actor, row["take_over_id"], approve=approve, reason=note)
    state = {"state": "SIGNED" if approve else "REFUSED"}
    await shadows.decide(tx, shadow_id, state["state"], actor.subject, note)
    what = audit.Changed.of(row, state, "state", list_hash=list_hash, proposed_by=row["proposed_by"])
    await audit.record(tx, "shadow.sign" if approve else "shadow.refuse", "shadow_month", shadow_id, what)
