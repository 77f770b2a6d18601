"""Routes of beneficiaries and their dues."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.months import Month
from common.names import comparison_key, folded
from common.problems import InvalidInput
from common.purposes import GivenPurpose
from registry.api import cells, cursors
from registry.api.cursors import Cursor, Limit
from registry.api.explain_models import DuesAnswer, explanation
from registry.api.models import (
    BeneficiaryDetail,
    BeneficiaryPage,
    BeneficiaryPatch,
    BeneficiarySearch,
    BeneficiaryView,
    DeathReport,
    NewBeneficiary,
    PersonAttributes,
    RegisteredView,
)
from registry.storage import dues as dues_storage
from registry.storage import search
from registry.usecases import desk, explaining, people
from registry.usecases.attributes import Attributes
from registry.usecases.reading import readable

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Writer = Annotated[Actor, Depends(require(*_OFFICERS, Role.INTEGRATOR))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.COMMUNE_POLICE, Role.INTEGRATOR))]


def _answer(found: desk.Found) -> Response:
    row = found.row
    more = {name: row[name] for name in ("address", "hamlet", "name_folded", "masked_second_number", "masked_phone")}
    detail = BeneficiaryDetail(
        **cells.person(row), **more, **found.opened, name_key=comparison_key(row["full_name"]), national_number=found.number,
        preference_on=row["preference_on"], preference_evidence=row["preference_evidence"], number_warnings=list(found.warnings),
        entitlements=[cells.entitlement(item) for item in found.entitlements],
        representatives=[cells.representative(item) for item in found.representatives],
    )  # fmt: skip
    links = f'</v1/history/person/{detail.beneficiary_id}/versions>; rel="version-history"'
    return JSONResponse(detail.model_dump(mode="json"), headers={"ETag": etag(detail.version), "Link": links})


def make_router(db: Database) -> APIRouter:
    """`/v1/beneficiaries`."""
    router = APIRouter(prefix="/v1/beneficiaries", tags=["beneficiaries"])
    _register_and_find(router, db)
    _read_and_change(router, db)
    return router


def _register_and_find(router: APIRouter, db: Database) -> None:

    @router.post(
        "",
        status_code=201,
        response_model=RegisteredView,
        summary="Register one person",
        description="Đăng ký một người hưởng: người được ghi ngay và bắt đầu xác minh, còn chế độ là đề xuất chờ người thứ hai duyệt"
        " (`/v1/decisions/approve`), người nhận thay chờ người thứ hai xác nhận. The same rules as a list: a batch of one. The person is"
        " registered at once; the allowances are proposed grants (`decision_ids`) and nothing is due before a second person, whose area"
        " covers the unit that decides, approves them."
        " 422 names each field at fault; 409 when the number is registered.",
    )
    async def register(request: Request, actor: _Writer, key: IdempotencyKey, body: NewBeneficiary) -> Response:
        async def effect(tx: Tx) -> tuple[int, RegisteredView]:
            more = Attributes(**body.model_dump(include=set(PersonAttributes.model_fields)))
            done = await people.register(tx, body.programme.value, body.unit_code, body.business_date, cells.rows_of(body), more)
            return 201, cells.registered(done, await people.warnings(tx, done.person_id))

        answer = await idempotency.run(db, actor, key, "POST /v1/beneficiaries", await request.body(), effect)
        headers = {"Location": f"/v1/beneficiaries/{answer.body['beneficiary_id']}"}
        return JSONResponse(answer.body, status_code=answer.status, headers=headers)

    @router.get(
        "",
        summary="Beneficiaries",
        description="Danh sách người hưởng trong phạm vi của bạn; bộ lọc kết hợp được. Filters combine."
        " With `name` in the order of names, else in the order of units.",
    )
    async def listing(
        actor: _Reader,
        unit_path: Annotated[str | None, Query(description="This unit and all below", examples=["60/593"], max_length=60)] = None,
        programme: Programme | None = None,
        status: Annotated[Literal["ACTIVE", "DECEASED", "MISSING", "LEFT"] | None, Query(examples=["ACTIVE"])] = None,
        preference: Annotated[Literal["UNKNOWN", "WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"] | None, Query()] = None,
        group: Annotated[str | None, Query(description="In this group on `group_on`", examples=["POOR"], max_length=40)] = None,
        group_on: Annotated[date | None, Query(description="The date `group` is asked for", examples=["2024-09-01"])] = None,
        has_number: Annotated[bool | None, Query(description="With or without a 12-digit number")] = None,
        no_number_reason: Annotated[Literal["NO_ID", "NOT_IN_POPULATION_DB"] | None, Query()] = None,
        hamlet: Annotated[str | None, Query(max_length=120)] = None,
        file_code: Annotated[str | None, Query(max_length=60)] = None,
        name: Annotated[
            str | None,
            Query(description="Beginning of any part of the name; accents do not matter", examples=["hoa"], max_length=100),
        ] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> BeneficiaryPage:
        if (group is None) != (group_on is None):
            raise InvalidInput(errors=[{"field": "group_on", "detail": "a group is asked for on a date"}])
        typed = folded(name) if name is not None else None
        if typed == "":
            raise InvalidInput(errors=[{"field": "name", "detail": "no letter in it"}])
        wanted = search.Wanted(
            unit_path=unit_path, programme=programme.value if programme else None, status=status, preference=preference, group=group,
            group_on=group_on, has_number=has_number, no_number_reason=no_number_reason, hamlet=hamlet, file_code=file_code, name=typed,
        )  # fmt: skip
        after = cursors.decode(cursor, 3 if typed else 2)
        async with db.read(actor) as tx:
            rows, more = await search.page(tx, actor, wanted, after=after, limit=limit)
        return BeneficiaryPage(items=[BeneficiaryView(**cells.person(row)) for row in rows], next_cursor=cursors.encode(more))

    @router.post(
        "/search",
        summary="Find by number",
        description="Tìm theo số định danh hoặc số CMND cũ. Exact, in your area; the search is audited.",
    )
    async def find(actor: _Reader, body: BeneficiarySearch) -> BeneficiaryPage:
        rows = await desk.find_by_number(db, actor, body.national_number, body.second_number)
        return BeneficiaryPage(items=[BeneficiaryView(**cells.person(row)) for row in rows], next_cursor=None)


def _read_and_change(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{beneficiary_id}",
        response_model=BeneficiaryDetail,
        summary="One beneficiary",
        description="Một người hưởng; số định danh được che. With `purpose`, roles with the right get the whole number,"
        " and the read is audited.",
    )
    async def one(
        actor: _Reader,
        beneficiary_id: UUID,
        purpose: GivenPurpose = None,
    ) -> Response:
        return _answer(await desk.read_one(db, actor, beneficiary_id, purpose))

    @router.patch(
        "/{beneficiary_id}",
        response_model=BeneficiaryDetail,
        summary="Correct a beneficiary",
        description="Sửa thông tin, nguyện vọng; họ tên, số định danh, ngày sinh sửa bằng yêu cầu có người duyệt; chuyển nơi chi trả qua"
        " `/v1/transfers`. Name, number and birth date need a change request; a unit recorded by mistake is corrected with `unit_reason`,"
        " a move is a hand-over (422 `move-by-transfer`). Needs `If-Match` with the ETag read; 412 when somebody changed it meanwhile.",
    )
    async def patch(actor: _Writer, beneficiary_id: UUID, body: BeneficiaryPatch, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        changes = people.Changes(**body.model_dump(exclude={"business_date"}))
        return _answer(await desk.correct(db, actor, beneficiary_id, version, changes, body.business_date))

    @router.post(
        "/{beneficiary_id}/death",
        response_model=BeneficiaryDetail,
        summary="Record a death",
        description="Ghi nhận qua đời. The month of death stays due, later months end (Decree 20/2021 Art. 8)."
        " Recording the same date again changes nothing.",
    )
    async def death(actor: _Writer, beneficiary_id: UUID, body: DeathReport) -> Response:
        return _answer(await desk.report_death(db, actor, beneficiary_id, body.death_date, body.business_date))

    @router.get(
        "/{beneficiary_id}/dues",
        summary="What is due",
        description="Các khoản phải chi; với `month` có lời giải thích từng quyết định, đọc được cho người dân. All months, or those of"
        " `month` with every decision in words: what counts, what is set aside by which rule, what changes next. RATE_MISSING months are"
        " shown with amount 0, never guessed.",
    )
    async def dues(actor: _Reader, beneficiary_id: UUID, month: Annotated[Month | None, Query(examples=["2024-09"])] = None) -> DuesAnswer:
        first = date.fromisoformat(month + "-01") if month else None
        async with db.read(actor) as tx:
            await readable(tx, beneficiary_id)
            rows = await dues_storage.intervals_of(tx, beneficiary_id, first)
            said = explanation(await explaining.explain(tx, beneficiary_id, first)) if first else None
        total = sum(row["amount"] for row in rows) if month else None
        intervals = [cells.due(row) for row in rows]
        return DuesAnswer(beneficiary_id=beneficiary_id, month=month, total=total, intervals=intervals, explanation=said)
