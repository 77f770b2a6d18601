"""Routes of the lists offices send on: plan 152's four lists, and people without an identity number."""

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
from common.purposes import GivenPurpose
from common.sheets import RESPONSES
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.storage import plan_lists as storage
from registry.usecases import plan_lists

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.COMMUNE_POLICE))]
_Group = Literal["MERIT", "ASSISTANCE"]
_Receiver = Literal["SELF", "REPRESENTATIVE"]
_Format = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
_Unit = Annotated[str | None, Query(description="This unit and all below; without it, your area", examples=["60/593"])]
_On = Annotated[date, Query(description="As of this date", examples=["2024-08-20"])]
_Whole = Annotated[bool, Query(description="Whole national numbers: needs the right and `purpose`; audited")]
_KIND: Final = {"AUTHORISED": "Ủy quyền", "GUARDIAN": "Giám hộ", "CARER": "Chăm sóc"}
_SEX: Final = {"M": "Nam", "F": "Nữ"}
_TITLE: Final = {
    ("MERIT", "SELF"): "Danh sách đối tượng đăng ký nhận trợ cấp ưu đãi người có công qua tài khoản",
    ("MERIT", "REPRESENTATIVE"): "Danh sách người được ủy quyền, người giám hộ đăng ký nhận trợ cấp ưu đãi người có công qua tài khoản",
    ("ASSISTANCE", "SELF"): "Danh sách đối tượng đăng ký nhận trợ giúp xã hội qua tài khoản",
    ("ASSISTANCE", "REPRESENTATIVE"): "Danh sách người được ủy quyền, người giám hộ đăng ký nhận trợ giúp xã hội qua tài khoản",
}
_HEADER: Final = ("STT", "Mã hồ sơ", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/định danh", "Địa chỉ", "Mã đơn vị", "Mã khoản chi")
_REP_HEADER: Final = (
    "Họ tên người nhận thay", "Ngày sinh người nhận thay", "CCCD người nhận thay", "Hình thức nhận thay", "Số giấy ủy quyền", "Từ ngày",
    "Đến ngày",
)  # fmt: skip
_REASON: Final = {
    "NO_ID": "Chưa được cấp CCCD/số định danh", "NOT_IN_POPULATION_DB": "Chưa có trong CSDL quốc gia về dân cư",
    "NOT_STATED": "Chưa nêu lý do",
}  # fmt: skip


class RepresentativeOnList(BaseModel):
    """Who collects."""

    kind: str
    full_name: str
    birth_date: str | None
    masked_number: str | None
    certificate_number: str | None
    valid_from: date
    valid_to: date | None


class PersonOnList(BaseModel):
    """One person of a list."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    birth_date: str | None
    sex: str
    masked_number: str | None
    address: str | None
    unit_code: str
    unit_path: str
    programmes: list[str]
    benefit_lines: list[str] = Field(description="Neutral codes; never a health fact")
    representative: RepresentativeOnList | None


class PlanListPage(BaseModel):
    """A page of one of the four lists."""

    items: list[PersonOnList]
    next_cursor: str | None


class PersonWithoutId(BaseModel):
    """Somebody without a usable identity number."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    birth_date: str | None
    sex: str
    masked_second_number: str | None
    masked_number: str | None
    address: str | None
    unit_code: str
    unit_path: str
    programmes: list[str]
    reason: Literal["NO_ID", "NOT_IN_POPULATION_DB", "NOT_STATED"]
    institution: str | None


class NoIdPage(BaseModel):
    """A page of people without an identity number."""

    items: list[PersonWithoutId]
    next_cursor: str | None


def _person(row: Any) -> PersonOnList:
    plain = {name: row[name] for name in PersonOnList.model_fields if name in row}
    rep = None
    if row["representative_id"] is not None:
        rep = RepresentativeOnList(
            kind=row["rep_kind"], full_name=row["rep_full_name"], birth_date=row["rep_birth_date"], masked_number=row["rep_masked_number"],
            certificate_number=row["rep_certificate"], valid_from=row["rep_from"], valid_to=row["rep_to"],
        )  # fmt: skip
    return PersonOnList(beneficiary_id=row["person_id"], representative=rep, **plain)


def _day(value: str | date | None) -> str:
    """dd/mm/yyyy, mm/yyyy or yyyy: at the precision known."""
    return "/".join(reversed(str(value).split("-"))) if value else ""


def make_router(db: Database) -> APIRouter:
    """`/v1/lists`."""
    router = APIRouter(prefix="/v1/lists", tags=["lists"])
    _plan(router, db)
    _no_id(router, db)
    return router


def _plan(router: APIRouter, db: Database) -> None:
    @router.get(
        "/plan-152/{group}/{receiver}",
        summary="One of the four lists of plan 152",
        description="Bốn danh sách đăng ký nhận qua tài khoản: người có công hoặc trợ giúp xã hội, tự nhận hoặc nhận thay. People whose"
        " answer to the survey is an account; `registered_only=false` lists all.",
    )
    async def plan(
        actor: _Reader, group: _Group, receiver: _Receiver, on: _On, unit_path: _Unit = None, registered_only: bool = True,
        cursor: Cursor = None, limit: Limit = 100,
    ) -> PlanListPage:  # fmt: skip
        question = storage.Question(group, receiver, on, unit_path, registered_only)
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, question, cursors.decode_id(cursor), limit)
        last = [str(rows[-1]["person_id"])] if len(rows) == limit else None
        return PlanListPage(items=[_person(row) for row in rows], next_cursor=cursors.encode(last))

    @router.get(
        "/plan-152/{group}/{receiver}/file",
        summary="The same list as a file",
        description="Tệp CSV hoặc XLSX theo xã rồi theo tên. Numbers are masked unless `whole_numbers` with a purpose.",
        response_class=Response,
        responses=RESPONSES,
    )
    async def plan_file(
        actor: _Reader, group: _Group, receiver: _Receiver, on: _On, kind: _Format = "xlsx", unit_path: _Unit = None,
        registered_only: bool = True, whole_numbers: _Whole = False, purpose: GivenPurpose = None,
    ) -> Response:  # fmt: skip
        name = f"plan-152-{group}-{receiver}-{on}".lower()
        if whole_numbers:
            await plan_lists.allow_whole_numbers(db, actor, name, unit_path, purpose)
        question = storage.Question(group, receiver, on, unit_path, registered_only)
        header = [*_HEADER, *(_REP_HEADER if receiver == "REPRESENTATIVE" else ())]
        rows = _plan_rows(db, actor, question, whole=whole_numbers)
        return sheets.download(kind, name, sheets.Sheet(header, [f"{_TITLE[group, receiver]} (ngày {_day(on)})"]), rows)


async def _plan_rows(db: Database, actor: Actor, question: storage.Question, *, whole: bool) -> AsyncIterator[list[sheets.Cell]]:
    async with db.read(actor) as tx:
        number = 0
        async for row in storage.stream(tx, actor, question):
            number += 1
            cells: list[sheets.Cell] = [
                number, row["file_code"], row["full_name"], _day(row["birth_date"]), _SEX.get(row["sex"], ""), _number(db, row, "", whole),
                row["address"], row["unit_code"], ", ".join(row["benefit_lines"]),
            ]  # fmt: skip
            if question.receiver == "REPRESENTATIVE":
                cells += [
                    row["rep_full_name"], _day(row["rep_birth_date"]), _number(db, row, "rep_", whole), _KIND[row["rep_kind"]],
                    row["rep_certificate"], _day(row["rep_from"]), _day(row["rep_to"]),
                ]  # fmt: skip
            yield cells


def _number(db: Database, row: Any, part: str, whole: bool) -> str | None:
    kept = row[f"{part}national_number"]
    if whole and kept is not None and db.keyring is not None:
        return db.keyring.decrypt("national_number", kept)
    return None if row[f"{part}masked_number"] is None else str(row[f"{part}masked_number"])


def _no_id(router: APIRouter, db: Database) -> None:
    @router.get(
        "/no-id",
        summary="People without an identity number",
        description="Danh sách đối tượng chưa có CCCD/số định danh hoặc chưa có trong CSDL quốc gia về dân cư, kèm lý do. They are"
        " registered and paid all the same; the list goes to the police so that they get a card.",
    )
    async def no_id(
        actor: _Reader, on: _On, unit_path: _Unit = None,
        reason: Annotated[str | None, Query(examples=["NO_ID"])] = None, cursor: Cursor = None, limit: Limit = 100,
    ) -> NoIdPage:  # fmt: skip
        async with db.read(actor) as tx:
            rows = await storage.no_id_page(tx, actor, on, unit_path, reason, cursors.decode_id(cursor), limit)
        last = [str(rows[-1]["person_id"])] if len(rows) == limit else None
        items = [
            PersonWithoutId(beneficiary_id=row["person_id"], **{n: row[n] for n in PersonWithoutId.model_fields if n in row})
            for row in rows
        ]
        return NoIdPage(items=items, next_cursor=cursors.encode(last))

    @router.get(
        "/no-id/file",
        summary="The same list as a file",
        description="Tệp CSV hoặc XLSX gửi Công an cấp CCCD. The same list for the police, who issue the cards.",
        response_class=Response,
        responses=RESPONSES,
    )
    async def no_id_file(
        actor: _Reader, on: _On, kind: _Format = "xlsx", unit_path: _Unit = None, reason: Annotated[str | None, Query()] = None
    ) -> Response:
        header = [*_HEADER[:5], "Số CMND cũ", "Địa chỉ", "Mã đơn vị", "Lý do", "Cơ sở trợ giúp xã hội"]
        title = f"Danh sách đối tượng chưa có CCCD/số định danh (ngày {_day(on)})"
        return sheets.download(kind, f"no-id-{on}", sheets.Sheet(header, [title]), _no_id_rows(db, actor, on, unit_path, reason))


async def _no_id_rows(db: Database, actor: Actor, on: date, unit_path: str | None, reason: str | None) -> AsyncIterator[list[sheets.Cell]]:
    async with db.read(actor) as tx:
        number = 0
        async for row in storage.no_id_stream(tx, actor, on, unit_path, reason):
            number += 1
            yield [
                number, row["file_code"], row["full_name"], _day(row["birth_date"]), _SEX.get(row["sex"], ""), row["masked_second_number"],
                row["address"], row["unit_code"], _REASON[row["reason"]], row["institution"],
            ]  # fmt: skip
