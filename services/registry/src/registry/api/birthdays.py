"""Routes of the monthly forecast: whose allowance an age changes, and who reaches an age at which one may be claimed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from common import sheets
from common.auth import Actor, Role, require
from common.db import Database
from common.months import Month
from common.sheets import RESPONSES
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.storage import birthdays as storage

__all__ = ["make_router"]

_READERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR)
_Reader = Annotated[Actor, Depends(require(*_READERS))]
_Month = Annotated[Month, Query(description="The month of the birthdays", examples=["2025-03"])]
_Unit = Annotated[str | None, Query(description="This unit and all below; without it, your area", examples=["60/593"], max_length=60)]
_Format = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
_InGroup = Annotated[bool, Query(description="Where an allowance is for poor households, only people recorded in such a group")]
_CHANGES: Final = {
    "RISES": "Tăng", "FALLS": "Giảm", "STOPS": "Thôi hưởng", "SAME": "Không đổi (chế độ khác cao hơn)", "RATE_MISSING": "Chưa có mức",
}  # fmt: skip
_FILE: Final = RESPONSES


class AgeStep(BaseModel):
    """One allowance changed by an age."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_code: str
    unit_path: str
    programme: str
    benefit_line: str = Field(description="Neutral code; never a health fact")
    decision_number: str
    whose: Literal["SELF", "DEPENDANT"] = Field(description="Whose birthday it is")
    age_months: int = Field(examples=[960])
    effect_month: Month = Field(description="From which month: a stop counts from the month after the birthday")
    change: Literal["RISES", "FALLS", "STOPS", "SAME", "RATE_MISSING"]
    amount_before: int
    amount_after: int


class AgeSteps(BaseModel):
    """A page."""

    items: list[AgeStep]
    next_cursor: str | None


class Candidate(BaseModel):
    """Somebody who reaches an age at which an allowance may be claimed."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_code: str
    unit_path: str
    age_months: int
    programmes: list[str] = Field(description="Programmes of which something may be claimed")
    needs_group: bool = Field(description="Only people of certain groups (poor, near-poor) may claim one of them")
    in_group: bool
    has_pension: bool = Field(description="A pension or a monthly social-insurance benefit is known")


class Candidates(BaseModel):
    """A page."""

    items: list[Candidate]
    next_cursor: str | None


def _age(months: int) -> str:
    return f"{months // 12} tuổi" if months >= 48 else f"{months} tháng"


def make_router(db: Database) -> APIRouter:
    """`/v1/lists/birthdays` and `/v1/lists/age-candidates`."""
    router = APIRouter(prefix="/v1/lists", tags=["lists"])
    _steps(router, db)
    _candidates(router, db)
    return router


def _steps(router: APIRouter, db: Database) -> None:
    @router.get(
        "/birthdays",
        summary="Allowances that an age changes in a month",
        description="Danh sách đến mốc tuổi trong tháng (36 tháng, 4, 16, 22, 60, 75, 80 tuổi …): mức cũ, mức mới hoặc thôi hưởng."
        " Ages are those of the catalogue; amounts are the dues as they stand, stacking included.",
    )
    async def listing(actor: _Reader, month: _Month, unit_path: _Unit = None, cursor: Cursor = None, limit: Limit = 100) -> AgeSteps:
        first = date.fromisoformat(month + "-01")
        async with db.read(actor) as tx:
            rows = await storage.steps_page(tx, actor, first, unit_path, cursors.decode(cursor, 2), limit)
        end = [rows[-1]["unit_path"], str(rows[-1]["entitlement_id"])] if len(rows) == limit else None
        return AgeSteps(items=[_step(row) for row in rows], next_cursor=cursors.encode(end))

    @router.get(
        "/birthdays/file",
        summary="The same as a file",
        description="Tệp danh sách (CSV hoặc XLSX). The same list as a file.",
        response_class=Response,
        responses=_FILE,
    )
    async def file(actor: _Reader, month: _Month, kind: _Format = "xlsx", unit_path: _Unit = None) -> Response:
        header = ["STT", "Mã hồ sơ", "Họ và tên", "Mã đơn vị", "Chương trình", "Mã khoản chi", "Số quyết định", "Tuổi của", "Mốc tuổi",
                  "Từ tháng", "Biến động", "Mức cũ", "Mức mới"]  # fmt: skip
        rows = _step_rows(db, actor, date.fromisoformat(month + "-01"), unit_path)
        title = f"Danh sách đến mốc tuổi trong tháng {month[5:]}/{month[:4]}"
        return sheets.download(kind, f"moc-tuoi-{month}", sheets.Sheet(header, [title]), rows)


def _step(row: Any) -> AgeStep:
    plain = {name: row[name] for name in AgeStep.model_fields if name in row and name != "effect_month"}
    return AgeStep(beneficiary_id=row["person_id"], effect_month=f"{row['effect_month']:%Y-%m}", **plain)


async def _step_rows(db: Database, actor: Actor, month: date, unit_path: str | None) -> AsyncIterator[list[sheets.Cell]]:
    number = 0
    async with db.read(actor) as tx:
        async for row in storage.steps_stream(tx, actor, month, unit_path):
            number += 1
            yield [
                number, row["file_code"], row["full_name"], row["unit_code"], row["programme"], row["benefit_line"], row["decision_number"],
                "Người hưởng" if row["whose"] == "SELF" else "Người phụ thuộc", _age(row["age_months"]), f"{row['effect_month']:%m/%Y}",
                _CHANGES[row["change"]], row["amount_before"], row["amount_after"],
            ]  # fmt: skip


def _candidates(router: APIRouter, db: Database) -> None:
    @router.get(
        "/age-candidates",
        summary="People who reach an age at which an allowance may be claimed",
        description="Người đủ 60, 70, 75, 80 tuổi trong tháng và có thể làm hồ sơ hưởng mới (trợ cấp hưu trí xã hội, người cao tuổi)."
        " Nothing is granted by this list; whoever holds the allowance already is not on it.",
    )
    async def listing(
        actor: _Reader, month: _Month, unit_path: _Unit = None, in_group: _InGroup = True, cursor: Cursor = None, limit: Limit = 100
    ) -> Candidates:
        first = date.fromisoformat(month + "-01")
        async with db.read(actor) as tx:
            rows = await storage.candidates_page(tx, actor, first, unit_path, in_group, cursors.decode(cursor, 2), limit)
        end = [rows[-1]["unit_path"], str(rows[-1]["person_id"])] if len(rows) == limit else None
        items = [Candidate(beneficiary_id=row["person_id"], **{n: row[n] for n in Candidate.model_fields if n in row}) for row in rows]
        return Candidates(items=items, next_cursor=cursors.encode(end))

    @router.get(
        "/age-candidates/file", summary="The same as a file", description="Tệp danh sách (CSV hoặc XLSX). The same list as a file.",
        response_class=Response, responses=_FILE,
    )  # fmt: skip
    async def file(actor: _Reader, month: _Month, kind: _Format = "xlsx", unit_path: _Unit = None, in_group: _InGroup = True) -> Response:
        header = ["STT", "Mã hồ sơ", "Họ và tên", "Mã đơn vị", "Mốc tuổi", "Chương trình có thể hưởng", "Cần thuộc hộ nghèo/cận nghèo",
                  "Đã ghi nhận thuộc nhóm", "Có lương hưu/BHXH"]  # fmt: skip
        rows = _candidate_rows(db, actor, date.fromisoformat(month + "-01"), unit_path, in_group)
        return sheets.download(kind, f"du-tuoi-{month}", sheets.Sheet(header, [f"Người đủ tuổi trong tháng {month[5:]}/{month[:4]}"]), rows)


async def _candidate_rows(
    db: Database, actor: Actor, month: date, unit_path: str | None, in_group: bool
) -> AsyncIterator[list[sheets.Cell]]:
    number = 0
    async with db.read(actor) as tx:
        async for row in storage.candidates_stream(tx, actor, month, unit_path, in_group):
            number += 1
            yield [
                number, row["file_code"], row["full_name"], row["unit_code"], _age(row["age_months"]), ", ".join(row["programmes"]),
                *("có" if row[name] else "" for name in ("needs_group", "in_group", "has_pension")),
            ]  # fmt: skip
