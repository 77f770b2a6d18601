"""Routes of account opening: requests, lists for banks, their answers by signed notice or file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from accounts.api.guards import Checker, Cursor, Limit, Officer, Purpose, Reader, example, next_cursor
from accounts.domain.errors import NoticeNotBelieved
from accounts.usecases import open_accounts as uc
from common import idempotency, sheets
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.masking import FreeText

__all__ = ["PUBLIC", "openings_router"]

PUBLIC: Final = ("/v1/webhooks/",)
"""A notice's signature is its own proof."""

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"
_HEADER: Final = (
    "Mã yêu cầu", "Mã hồ sơ", "Họ tên người hưởng", "Họ tên chủ tài khoản", "Ngày sinh chủ tài khoản", "Số định danh", "Tư cách",
    "Ngày đồng ý", "Mã đơn vị", "Kết quả", "Số tài khoản", "Lý do",
)  # fmt: skip


class Wanted(BaseModel):
    """For which unit, at which bank."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"unit_code": "22924", "provider_code": "AGRIBANK", "business_date": "2024-08-20"}]},
    )

    unit_code: str = Field(max_length=10)
    provider_code: str = Field(max_length=40)
    business_date: date


class Requested(BaseModel):
    """How many were asked for, and who could not be."""

    model_config = example(requested=120, wanting=130, without_guardian=6, without_consent=4)

    requested: int
    wanting: int = Field(description="Want an account and have none")
    without_guardian: int = Field(description="Under 15 without a guardian on file (Circular 17/2024/TT-NHNN)")
    without_consent: int = Field(description="No paper of consent, where the setting asks for one")


class Sent(BaseModel):
    """A list for the bank."""

    model_config = example(batch_id=_ID, people=120)

    batch_id: UUID
    people: int


class BatchView(BaseModel):
    """A list for a bank and how far it is."""

    batch_id: UUID
    provider_code: str
    unit_code: str
    people: int
    opened: int
    refused: int
    business_date: date
    created_by: str


class BatchPage(BaseModel):
    """One page of lists."""

    items: list[BatchView]
    next_cursor: UUID | None


class OpeningView(BaseModel):
    """One request."""

    request_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    payee_id: UUID
    payee_kind: str
    provider_code: str
    status: Literal["REQUESTED", "SENT", "OPENED", "REFUSED", "WITHDRAWN"]
    reason: str | None
    consent_on: date
    masked_number: str | None
    account_status: str | None
    unit_code: str
    business_date: date


class OpeningPage(BaseModel):
    """One page of requests."""

    items: list[OpeningView]
    next_cursor: UUID | None


class Withdrawal(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: FreeText = Field(min_length=3, max_length=200)


class Applied(BaseModel):
    """What a notice or file did."""

    model_config = example(opened=118, refused=2, left_aside=0, duplicate=False)

    opened: int
    refused: int
    left_aside: int = Field(description="Not a request of ours to this bank, answered before, or opened without a readable number")
    duplicate: bool = False


class RowError(BaseModel):
    """A row that cannot be read."""

    row: int
    field: str
    detail: str


class FileTaken(BaseModel):
    """A file of results waits for a second person."""

    result_id: UUID
    rows: int
    errors: list[RowError]


class FileDecision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid")

    approve: bool


def openings_router(db: Database, secrets: Mapping[str, Sequence[str]]) -> APIRouter:
    """`/v1/openings`, `/v1/opening-batches`, `/v1/opening-results`, `/v1/webhooks/openings`; `secrets`: by partner."""
    router = APIRouter(prefix="/v1", tags=["openings"])
    _add_requests(router, db)
    _add_batches(router, db)
    _add_files(router, db)
    _add_webhook(router, db, secrets)
    return router


def _add_requests(router: APIRouter, db: Database) -> None:
    @router.post(
        "/openings",
        status_code=201,
        response_model=Requested,
        summary="Ask a bank for accounts",
        description="Lập yêu cầu mở tài khoản cho người có nhu cầu mà chưa có tài khoản, theo đơn vị và ngân hàng. Children and"
        " people with a"
        " guardian are asked for through the guardian.",
    )
    async def request(actor: Officer, key: IdempotencyKey, body: Wanted) -> Response:
        async def effect(tx: Tx) -> tuple[int, Requested]:
            return 201, Requested.model_validate(await uc.request(tx, **body.model_dump()))

        answer = await idempotency.run(db, actor, key, "POST /v1/openings", orjson.dumps(body.model_dump(mode="json")), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/openings",
        summary="Requests to open accounts",
        description="Các yêu cầu mở tài khoản và trạng thái, trong phạm vi của bạn. The requests to open accounts in your"
        " area, and how far they are.",
    )
    async def listing(
        actor: Reader,
        status: Annotated[Literal["REQUESTED", "SENT", "OPENED", "REFUSED", "WITHDRAWN"] | None, Query()] = None,
        provider_code: Annotated[str | None, Query(max_length=40)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> OpeningPage:
        rows = await uc.page(db, actor, status=status, provider=provider_code, after=cursor, limit=limit)
        return OpeningPage(items=[OpeningView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "request_id"))

    @router.post(
        "/openings/{request_id}/withdraw",
        status_code=204,
        summary="Withdraw a request",
        description="Rút yêu cầu khi người dân không còn nhu cầu. When the person does not want the account any more.",
    )
    async def withdraw(actor: Officer, request_id: UUID, body: Withdrawal) -> None:
        await uc.withdraw(db, actor, request_id, body.reason)


def _add_batches(router: APIRouter, db: Database) -> None:
    @router.post(
        "/opening-batches",
        status_code=201,
        response_model=Sent,
        summary="Make the list for a bank",
        description="Chốt danh sách gửi ngân hàng: mọi yêu cầu chưa gửi của đơn vị. The requests are SENT from here on.",
    )
    async def send(actor: Officer, key: IdempotencyKey, body: Wanted) -> Response:
        async def effect(tx: Tx) -> tuple[int, Sent]:
            return 201, Sent.model_validate(await uc.send(tx, **body.model_dump()))

        answer = await idempotency.run(db, actor, key, "POST /v1/opening-batches", orjson.dumps(body.model_dump(mode="json")), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/opening-batches",
        summary="Lists for banks",
        description="Các danh sách đã gửi ngân hàng và kết quả. The lists sent to banks, and what came of them.",
    )
    async def listing(actor: Reader, cursor: Cursor = None, limit: Limit = 50) -> BatchPage:
        rows = await uc.batch_page(db, actor, after=cursor, limit=limit)
        return BatchPage(items=[BatchView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "batch_id"))

    @router.get(
        "/opening-batches/{batch_id}/file",
        summary="Download the list for a bank",
        description="Tải danh sách (CSV/XLSX) kèm số định danh đầy đủ; phải nêu mục đích, có ghi nhật ký. The bank fills in the last three"
        " columns and sends the file back.",
        response_class=Response,
        responses=sheets.RESPONSES,
    )
    async def file(actor: Officer, batch_id: UUID, purpose: Purpose, format: Annotated[sheets.Form, Query()] = "xlsx") -> Response:  # noqa: A002
        batch, rows = await uc.batch_file(db, actor, batch_id, purpose)
        title = f"Danh sách đề nghị mở tài khoản – {batch['provider_code']} – {batch['business_date']:%d/%m/%Y}"
        return sheets.download(format, f"mo-tai-khoan-{batch_id}", sheets.Sheet(_HEADER, [title]), _cells(rows))


async def _cells(rows: Sequence[Mapping[str, Any]]) -> AsyncIterator[Sequence[str]]:
    for row in rows:
        kind = "Chính chủ" if row["payee_kind"] == "SELF" else "Người giám hộ"
        yield (
            str(row["request_id"]), row["file_code"] or "", row["beneficiary_name"], row["holder_name"], row["holder_birth_date"] or "",
            row["national_number"], kind, f"{row['consent_on']:%d/%m/%Y}", row["unit_code"], "", "", "",
        )  # fmt: skip


def _add_files(router: APIRouter, db: Database) -> None:
    @router.post(
        "/opening-results",
        status_code=201,
        response_model=FileTaken,
        summary="Send a bank's file of results",
        description="Nhập tệp kết quả của ngân hàng (đã mở / từ chối, số tài khoản). Rows that cannot be read are named; the rest"
        " waits for a"
        " second person.",
    )
    async def receive(
        actor: Officer,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="The list that was sent, with results; CSV or XLSX")],
        provider_code: Annotated[str, Form(examples=["AGRIBANK"])],
        business_date: Annotated[date, Form(examples=["2024-08-28"])],
    ) -> Response:
        content = await file.read()

        async def effect(tx: Tx) -> tuple[int, FileTaken]:
            taken = await uc.receive_file(
                tx, provider_code=provider_code, content=content, file_name=file.filename or "list", business_date=business_date
            )
            return 201, FileTaken.model_validate(taken)

        answer = await idempotency.run(
            db, actor, key, "POST /v1/opening-results", f"{provider_code}|{business_date}|".encode() + content, effect
        )
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/opening-results/{result_id}/decision",
        summary="Let a file of results be applied",
        description="Người thứ hai duyệt tệp kết quả. Accounts opened are checked with the provider like any other.",
    )
    async def decide(actor: Checker, result_id: UUID, body: FileDecision) -> Applied:
        return Applied.model_validate(await uc.decide_file(db, actor, result_id, approve=body.approve))


def _add_webhook(router: APIRouter, db: Database, secrets: Mapping[str, Sequence[str]]) -> None:
    @router.post(
        "/webhooks/openings/{partner}/{provider_code}",
        summary="A provider's notice of opened accounts",
        description="Thông báo kết quả mở tài khoản của tổ chức cung ứng. Standard Webhooks (v1) over the raw body, ±5 minutes; the same"
        " webhook-id again has no further effect.",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "example": {
                            "business_date": "2024-08-28",
                            "results": [
                                {"request_id": _ID, "status": "OPENED", "account_number": "4800205000123"},
                                {"request_id": _ID, "status": "REFUSED", "reason": "Giấy tờ hết hạn"},
                            ],
                        }
                    }
                },
            }
        },
    )
    async def notice(request: Request, partner: str, provider_code: str) -> Applied:
        if not secrets.get(partner):
            raise NoticeNotBelieved("unknown sender")
        body = await request.body()
        return Applied.model_validate(await uc.receive_notice(db, secrets[partner], partner, provider_code, request.headers, body))
