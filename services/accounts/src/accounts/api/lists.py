"""Routes of the four lists out, the five counters, the rolling re-check and fee complaints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from accounts.api.guards import Cursor, Limit, Officer, Reader, Senior, Watcher, example, next_cursor
from accounts.domain.complaints import ComplaintState
from accounts.usecases import complaints, lists_out, recheck_accounts
from common import clock, idempotency, sheets
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from common.purposes import GivenPurpose

__all__ = ["lists_router"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"
_HEADER: Final = (
    "STT", "Mã hồ sơ", "Họ và tên người hưởng", "Người nhận", "Hình thức nhận", "Ngân hàng / nhà cung cấp", "Số tài khoản",
    "Tên chủ tài khoản", "Lý do nhận tại nhà", "Mã đơn vị", "Trạng thái",
)  # fmt: skip
_TITLES: Final = {
    (Programme.MERIT, True): "Danh sách đối tượng đăng ký nhận trợ cấp ưu đãi người có công qua tài khoản thanh toán",
    (
        Programme.MERIT,
        False,
    ): "Danh sách người được ủy quyền/người giám hộ đăng ký nhận trợ cấp ưu đãi người có công qua tài khoản thanh toán",
    (Programme.SOCIAL_ASSISTANCE, True): "Danh sách đối tượng đăng ký nhận trợ giúp xã hội qua tài khoản thanh toán",
    (
        Programme.SOCIAL_ASSISTANCE,
        False,
    ): "Danh sách người được ủy quyền/người giám hộ đăng ký nhận trợ giúp xã hội qua tài khoản thanh toán",
}


class UnitCounters(BaseModel):
    """One commune: five states, each counted by itself; a person may be in several, and in a later one without an earlier one."""

    model_config = example(
        unit_code="22924",
        unit_path="60/593/22924",
        people=412,
        wanting=150,
        collected=380,
        opened=120,
        registered=118,
        verified=110,
        paid=108,
    )

    unit_code: str
    unit_path: str
    people: int
    wanting: int = Field(description="Want an account, by the survey")
    collected: int = Field(description="Information collected: answered the survey, or an account is on file")
    opened: int = Field(description="An account exists, by the provider's own word")
    registered: int = Field(description="Chose to be paid into an account")
    verified: int = Field(description="That account is verified as the payee's")
    paid: int = Field(description="Was paid into an account (in the month, where one is given)")


class RecheckRequest(BaseModel):
    """Which month, as of which business date."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"month": "2024-09", "business_date": "2024-09-01"}]})

    month: str = Field(pattern="^[12][0-9]{3}-(0[1-9]|1[0-2])$")
    business_date: date


class RecheckPlan(BaseModel):
    """What was planned for a month."""

    plan_id: UUID
    month: str
    business_date: date
    urgent: int = Field(description="Changed or failed accounts: asked about every month")
    rolling: int = Field(description="The part of the rest that is due this month")
    created_by: str


class RecheckWaiting(BaseModel):
    """One partner's queue."""

    model_config = example(
        partner="agribank", waiting=500000, per_second=2, failing_since=None, next_free_at=None, expected_end="2024-09-04T01:26:40Z"
    )

    partner: str
    waiting: int
    per_second: Decimal | None = Field(description="Its limit; null: none, asked as fast as it answers")
    failing_since: datetime | None
    next_free_at: datetime | None
    expected_end: datetime | None = Field(description="At this rate; 500,000 at 2 a second are 69 hours")


class RecheckOverview(BaseModel):
    """Plans and queues."""

    plans: list[RecheckPlan]
    waiting: list[RecheckWaiting]


class ComplaintBody(BaseModel):
    """A fee somebody was charged."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "beneficiary_id": _ID, "provider_code": "AGRIBANK", "kind": "WITHDRAWAL", "amount": 1100, "charged_on": "2024-09-05",
                    "details": "Rút tiền tại ATM bị trừ phí", "business_date": "2024-09-10",
                }
            ]
        },
    )  # fmt: skip

    beneficiary_id: UUID
    provider_code: str = Field(max_length=40)
    kind: Literal["OPENING", "MAINTENANCE", "WITHDRAWAL", "OTHER"]
    amount: int = Field(gt=0, le=100_000_000, description="Đồng")
    charged_on: date
    details: str | None = Field(default=None, max_length=1000, description="The person's words; kept encrypted")
    business_date: date


class ComplaintMade(BaseModel):
    """It is recorded."""

    complaint_id: UUID


class ComplaintView(BaseModel):
    """One complaint."""

    complaint_id: UUID
    version: int
    beneficiary_id: UUID
    unit_code: str
    provider_code: str
    kind: str
    amount: int
    offered: int | None = Field(description="What the provider's offer said on the day; null: no offer")
    charged_on: date
    state: ComplaintState
    answer: str | None
    refunded: int | None
    business_date: date
    created_by: str
    details: str | None = Field(default=None, description="Shown for one complaint only")


class ComplaintPage(BaseModel):
    """One page of complaints."""

    items: list[ComplaintView]
    next_cursor: UUID | None


class ComplaintMove(BaseModel):
    """Where it goes from here."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "UPHELD", "answer": "Hoàn phí", "refunded": 1100}]})

    state: Literal["WITH_PROVIDER", "UPHELD", "REFUSED", "WITHDRAWN"]
    answer: FreeText | None = Field(default=None, max_length=1000)
    refunded: int | None = Field(default=None, ge=0)


def lists_router(db: Database) -> APIRouter:
    """`/v1/lists`, `/v1/counters`, `/v1/rechecks`, `/v1/fee-complaints`."""
    router = APIRouter(prefix="/v1")
    _add_lists(router, db)
    _add_rechecks(router, db)
    _add_complaints(router, db)
    return router


def _add_lists(router: APIRouter, db: Database) -> None:
    @router.get(
        "/lists/{programme}/{payee}",
        tags=["lists"],
        summary="One of the four registration lists",
        description="Một trong bốn danh sách của kế hoạch 152 (người có công / trợ giúp xã hội × chính chủ / người nhận thay),"
        " đúng mẫu nhập lại"
        " được. Numbers are masked unless a purpose is stated, which is audited. Accounts known from VNeID are left out where the setting"
        " VNEID_LISTS forbids; `X-Rows-Withheld` says how many.",
        response_class=Response,
        responses=sheets.RESPONSES,
    )
    async def four(
        actor: Officer,
        programme: Literal[Programme.MERIT, Programme.SOCIAL_ASSISTANCE],
        payee: Literal["self", "representative"],
        unit_code: Annotated[str, Query(max_length=10, examples=["22924"])],
        format: Annotated[sheets.Form, Query()] = "xlsx",  # noqa: A002
        purpose: GivenPurpose = None,
        on: Annotated[date | None, Query(description="Day as of which the unit is meant")] = None,
    ) -> Response:
        own = payee == "self"
        wanted = await lists_out.prepare(
            db, actor, unit_code=unit_code, programme=programme.value, own=own, purpose=purpose, business_date=on or clock.today()
        )
        return sheets.download(
            format,
            f"{programme.value.lower()}-{payee}-{unit_code}",
            sheets.Sheet(_HEADER, [_TITLES[programme, own]]),
            _cells(lists_out.four_list(db, actor, wanted)),
            {"X-Rows-Withheld": str(wanted.withheld)},
        )

    @router.get(
        "/counters",
        tags=["lists"],
        summary="Five states, unit by unit",
        description="Năm trạng thái tách riêng theo xã: đã thu thập, đã mở, đã đăng ký, đã xác thực, đã chi trả qua tài khoản."
        " Five states counted apart by commune: collected, opened, registered, verified, paid by account.",
    )
    async def counters(
        actor: Watcher,
        unit_code: Annotated[str, Query(max_length=10, examples=["60"])],
        month: Annotated[str | None, Query(pattern="^[12][0-9]{3}-(0[1-9]|1[0-2])$", description="Paid in this month; else ever")] = None,
        on: Annotated[date | None, Query(description="Day as of which the unit is meant")] = None,
    ) -> list[UnitCounters]:
        rows = await lists_out.counters(db, actor, unit_code=unit_code, month=month, business_date=on or clock.today())
        return [UnitCounters.model_validate(row) for row in rows]


async def _cells(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Sequence[str]]:
    number = 0
    async for row in rows:
        number += 1
        yield (
            str(number), row["file_code"] or "", row["full_name"], row["payee_name"] or "", "Tài khoản", row["provider_code"],
            row["account_number"], row["holder_name"] or "", "", row["unit_code"], row["status"],
        )  # fmt: skip


def _add_rechecks(router: APIRouter, db: Database) -> None:
    @router.post(
        "/rechecks",
        status_code=201,
        response_model=RecheckPlan,
        tags=["rechecks"],
        summary="Plan a month's re-check",
        description="Lập kế hoạch kiểm tra lại tài khoản của tháng: tài khoản đổi hoặc lỗi, và một phần số còn lại. The same month again"
        " changes nothing; accounts stay usable while they wait.",
    )
    async def plan(actor: Senior, key: IdempotencyKey, body: RecheckRequest) -> Response:
        async def effect(tx: Tx) -> tuple[int, RecheckPlan]:
            return 201, RecheckPlan.model_validate(await recheck_accounts.plan_month(tx, body.month, body.business_date))

        answer = await idempotency.run(db, actor, key, "POST /v1/rechecks", orjson.dumps(body.model_dump(mode="json")), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/rechecks",
        tags=["rechecks"],
        summary="Plans, queues, expected end",
        description="Các kế hoạch kiểm tra lại; mỗi tổ chức còn bao nhiêu tài khoản, tốc độ cho phép, dự kiến xong. How many"
        " accounts are left with each provider, how fast it may be asked, and when it will be done.",
    )
    async def overview(actor: Watcher) -> RecheckOverview:
        return RecheckOverview.model_validate(await recheck_accounts.overview(db, actor))


def _add_complaints(router: APIRouter, db: Database) -> None:
    @router.post(
        "/fee-complaints",
        status_code=201,
        response_model=ComplaintMade,
        tags=["fee complaints"],
        summary="Record a fee complaint",
        description="Ghi nhận phản ánh bị thu phí mở, duy trì, rút tiền. Shown beside what the provider offered on that day.",
    )
    async def complain(actor: Officer, key: IdempotencyKey, body: ComplaintBody) -> Response:
        async def effect(tx: Tx) -> tuple[int, ComplaintMade]:
            return 201, ComplaintMade(complaint_id=await complaints.complain(tx, **body.model_dump()))

        answer = await idempotency.run(db, actor, key, "POST /v1/fee-complaints", orjson.dumps(body.model_dump(mode="json")), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/fee-complaints",
        tags=["fee complaints"],
        summary="Fee complaints",
        description="Các phản ánh về phí, trong phạm vi của bạn. The complaints about fees in your area.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[ComplaintState | None, Query()] = None,
        provider_code: Annotated[str | None, Query(max_length=40)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ComplaintPage:
        rows = await complaints.complaint_page(db, actor, state=state, provider=provider_code, after=cursor, limit=limit)
        return ComplaintPage(
            items=[ComplaintView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "complaint_id")
        )

    @router.get(
        "/fee-complaints/{complaint_id}",
        tags=["fee complaints"],
        summary="One fee complaint",
        description="Một phản ánh, kèm nội dung. The ETag is needed to move it.",
    )
    async def one(actor: Reader, complaint_id: UUID, response: Response) -> ComplaintView:
        return _with_etag(await complaints.complaint(db, actor, complaint_id), response)

    @router.put(
        "/fee-complaints/{complaint_id}",
        tags=["fee complaints"],
        summary="Move a fee complaint on",
        description="Chuyển tổ chức cung ứng, ghi trả lời và số tiền hoàn. Send If-Match with the ETag read.",
    )
    async def move(
        actor: Officer,
        complaint_id: UUID,
        body: ComplaintMove,
        response: Response,
        if_match: IfMatch = None,
    ) -> ComplaintView:
        found = await complaints.move(
            db,
            actor,
            complaint_id,
            state=ComplaintState(body.state),
            answer=body.answer,
            refunded=body.refunded,
            version=version_of(if_match),
        )
        return _with_etag(found, response)


def _with_etag(found: dict[str, Any], response: Response) -> ComplaintView:
    response.headers["ETag"] = etag(found["version"])
    return ComplaintView.model_validate(found)
