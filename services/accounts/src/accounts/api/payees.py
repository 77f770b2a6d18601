"""Routes of payees' accounts: register, order, history, whole numbers, the review work list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from accounts.api.guards import Checker, Cursor, Limit, Officer, PersonId, Purpose, Reader, example, next_cursor
from accounts.api.schemas import AccountView
from accounts.domain.directory import Directory
from accounts.usecases import payee_accounts as uc
from accounts.usecases.directory import refresh
from common import idempotency
from common.contracts.accounts_v1 import AccountKind, AccountStatus
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.masking import FreeText

__all__ = ["payees_router"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"


class NewAccountBody(BaseModel):
    """An account to register: provider and number are enough (plan of Hương Khê), with consent."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "provider": "Agribank", "account_number": "4800205000123", "source": "FORM", "consent_on": "2024-08-20",
                    "consent_evidence": "Đơn đăng ký số 12", "business_date": "2024-08-20",
                }
            ]
        },
    )  # fmt: skip

    provider: str = Field(max_length=100, description="Code or any name offices write")
    account_number: str = Field(min_length=6, max_length=40, description="6–19 letters or digits; spaces and dots are left out")
    payee_id: UUID | None = Field(default=None, description="A representative; default: the beneficiary")
    source: Literal["FORM", "BANK_LIST", "VNEID"] = Field(description="Where the account is known from")
    consent_on: date = Field(description="When the payee agreed to its use")
    consent_evidence: FreeText | None = Field(default=None, max_length=200)
    priority: int | None = Field(default=None, ge=1, le=99)
    use_it: bool = Field(default=True, description="Pay into it as soon as it is verified")
    business_date: date


class Registered(BaseModel):
    """The account is known now; the provider is asked whose it is."""

    model_config = example(account_id=_ID, is_new=True)

    account_id: UUID
    is_new: bool


class Order(BaseModel):
    """The person's accounts, first to last."""

    model_config = ConfigDict(extra="forbid")

    account_ids: Annotated[list[UUID], Field(min_length=1, max_length=20)]


class HistoryItem(BaseModel):
    """One change."""

    change_id: int
    at: datetime
    business_date: date
    what: Literal["METHOD", "STATUS"]
    state: str
    reason: str | None
    payee_id: UUID
    account_id: UUID | None
    provider_code: str | None
    masked_number: str | None
    version: int
    subject: str = Field(description="Who")
    in_bulk: bool = Field(description="By a list that a second person approved")


class HistoryPage(BaseModel):
    """One page of changes, oldest first."""

    items: list[HistoryItem]
    next_cursor: int | None


class WholeNumber(BaseModel):
    """An account number in full."""

    account_number: str


class ReviewItem(BaseModel):
    """What the office knows and what the provider said, side by side."""

    model_config = example(
        account_id=_ID, version=1, beneficiary_id=_ID, file_code="BT-1", beneficiary_name="Trần Thị Hoa", payee_id=_ID, payee_kind="SELF",
        payee_name="Trần Thị Hoa", holder_name="TRAN HOA", kind="BANK", provider_code="AGRIBANK", masked_number="…1234",
        status="NEEDS_REVIEW", reason="NAME_REVIEW", ask_officer=None, source="IMPORT", unit_code="22924", business_date="2024-08-20",
        review_id=None, verdict=None, review_reason=None, evidence=None, proposed_by=None,
    )  # fmt: skip

    account_id: UUID
    version: int
    beneficiary_id: UUID
    file_code: str | None
    beneficiary_name: str
    payee_id: UUID
    payee_kind: str
    payee_name: str = Field(description="As registered")
    holder_name: str | None = Field(description="As the provider gave it: unaccented capitals")
    kind: AccountKind
    provider_code: str
    masked_number: str
    status: AccountStatus
    reason: str | None
    ask_officer: str | None = Field(description="PAYMENT_FAILED: a payment into it failed; ask the person for another way")
    police_answer: Literal["match", "mismatch"] | None = Field(
        default=None, description="What the police said of it on a list, as evidence"
    )
    police_on: date | None = Field(default=None, description="Of which check")
    source: str
    unit_code: str
    business_date: date
    review_id: UUID | None = Field(description="A proposal that waits for the second person")
    verdict: str | None
    review_reason: str | None
    evidence: str | None
    proposed_by: str | None


class ReviewPage(BaseModel):
    """One page of the work list."""

    items: list[ReviewItem]
    next_cursor: UUID | None


class Proposal(BaseModel):
    """What the first person proposes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"verdict": "ACCEPT", "reason": "Giấy xác nhận của ngân hàng", "evidence": "Số 45/XN"}]},
    )

    verdict: Literal["ACCEPT", "REJECT", "ASK_AGAIN"]
    reason: FreeText = Field(min_length=3, max_length=300)
    evidence: FreeText | None = Field(default=None, max_length=300)


class Proposed(BaseModel):
    """The proposal waits for a second person."""

    review_id: UUID


class ReviewDecision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"agree": True, "business_date": "2024-08-21"}]})

    agree: bool
    business_date: date


class ReviewDecided(BaseModel):
    """How it ended."""

    state: Literal["AGREED", "DISAGREED"]


def payees_router(db: Database, known: Directory) -> APIRouter:
    """Routes under a beneficiary, an account and the review work list."""
    router = APIRouter(prefix="/v1", tags=["payees"])
    _add_accounts(router, db, known)
    _add_history(router, db)
    _add_reviews(router, db)
    return router


def _add_accounts(router: APIRouter, db: Database, known: Directory) -> None:
    @router.get(
        "/beneficiaries/{beneficiary_id}/accounts",
        summary="A person's accounts",
        description="Các tài khoản của người hưởng và của người đang nhận thay, theo thứ tự ưu tiên (số được che)."
        " The ETag is needed to put them in another order.",
    )
    async def accounts(actor: Reader, beneficiary_id: PersonId, response: Response) -> list[AccountView]:
        rows = await uc.payee_accounts(db, actor, beneficiary_id)
        response.headers["ETag"] = etag(uc.order_version(rows, beneficiary_id))
        return [AccountView.model_validate(row) for row in rows]

    @router.post(
        "/beneficiaries/{beneficiary_id}/accounts",
        status_code=201,
        response_model=Registered,
        summary="Register one account",
        description="Đăng ký một tài khoản (ngân hàng, ví, tiền di động) kèm nguồn và sự đồng ý. It is checked with the provider;"
        " until it is"
        " verified, or while a changed account waits its time, the person is paid into the earlier account or in cash. Many accounts come"
        " by list, which a second person approves.",
    )
    async def register(actor: Officer, key: IdempotencyKey, beneficiary_id: PersonId, body: NewAccountBody) -> Response:
        new = uc.NewAccount(
            body.provider,
            body.account_number,
            body.payee_id,
            body.source,
            body.consent_on,
            body.consent_evidence,
            body.priority,
            body.use_it,
            body.business_date,
        )

        async def effect(tx: Tx) -> tuple[int, Registered]:
            return 201, Registered.model_validate(await uc.register(tx, known, beneficiary_id, new))

        await refresh(db, known)  # what another process's officers changed counts here too
        sent = orjson.dumps([str(beneficiary_id), body.model_dump(mode="json")])
        answer = await idempotency.run(db, actor, key, "POST /v1/beneficiaries/accounts", sent, effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.put(
        "/beneficiaries/{beneficiary_id}/account-order",
        status_code=204,
        summary="Order a person's accounts",
        description="Xếp thứ tự ưu tiên. When the account in use comes to its end, the next verified one is used. Send If-Match"
        " with the ETag of the list.",
    )
    async def order(
        actor: Officer,
        beneficiary_id: PersonId,
        body: Order,
        if_match: IfMatch = None,
    ) -> None:
        await uc.put_in_order(db, actor, beneficiary_id, body.account_ids, version_of(if_match))


def _add_history(router: APIRouter, db: Database) -> None:
    @router.get(
        "/beneficiaries/{beneficiary_id}/payout-history",
        summary="How a person was paid, over time",
        description="Lịch sử hình thức nhận và trạng thái tài khoản: ai, khi nào. Never changed afterwards. How somebody was"
        " paid and what became of the accounts: who changed it, and when.",
    )
    async def history(
        actor: Reader,
        beneficiary_id: PersonId,
        cursor: Annotated[int, Query(ge=0, description="`next_cursor` of the page before")] = 0,
        limit: Limit = 100,
    ) -> HistoryPage:
        rows = await uc.history_page(db, actor, beneficiary_id, after=cursor, limit=limit)
        last = rows[-1]["change_id"] if len(rows) == limit else None
        return HistoryPage(items=[HistoryItem.model_validate(row) for row in rows], next_cursor=last)

    @router.get(
        "/accounts/{account_id}/number",
        summary="A whole account number",
        description="Xem đầy đủ số tài khoản, phải nêu mục đích. Every read is kept in the audit log with its purpose.",
        responses={200: {"headers": {"Cache-Control": {"schema": {"type": "string"}, "description": "no-store"}}}},
    )
    async def number(actor: Reader, account_id: UUID, purpose: Purpose, response: Response) -> WholeNumber:
        response.headers["Cache-Control"] = "no-store"
        return WholeNumber(account_number=await uc.read_number(db, actor, account_id, purpose))


def _add_reviews(router: APIRouter, db: Database) -> None:
    @router.get(
        "/reviews",
        summary="Accounts that people must look at",
        description="Danh sách tài khoản cần xem xét: tên, số định danh không chắc chắn, dùng chung, hoặc chi trả không thành"
        " công; thông tin hai bên đặt cạnh nhau. Accounts somebody must look at: a name or number that is not"
        " certain, one account of several people, a failed payment; what both sides say stands side by side.",
    )
    async def reviews(
        actor: Reader,
        cause: Annotated[str | None, Query(max_length=40, examples=["NAME_REVIEW", "PAYMENT_FAILED"])] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ReviewPage:
        rows = await uc.review_page(db, actor, cause=cause, after=cursor, limit=limit)
        return ReviewPage(items=[ReviewItem.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "account_id"))

    @router.post(
        "/accounts/{account_id}/reviews",
        status_code=201,
        response_model=Proposed,
        summary="Propose what to do with an account",
        description="Đề xuất: chấp nhận, từ chối, hoặc hỏi lại tổ chức cung ứng. A second person decides.",
    )
    async def propose(actor: Officer, key: IdempotencyKey, account_id: UUID, body: Proposal) -> Response:
        async def effect(tx: Tx) -> tuple[int, Proposed]:
            review_id = await uc.propose(tx, account_id, verdict=body.verdict, reason=body.reason, evidence=body.evidence)
            return 201, Proposed(review_id=review_id)

        sent = orjson.dumps([str(account_id), body.model_dump(mode="json")])
        answer = await idempotency.run(db, actor, key, "POST /v1/accounts/reviews", sent, effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/reviews/{review_id}/decision",
        summary="Decide a proposal",
        description="Người thứ hai đồng ý hoặc không. Who proposed it may not decide it; an account that changed meanwhile is"
        " proposed again.",
    )
    async def decide(actor: Checker, review_id: UUID, body: ReviewDecision) -> ReviewDecided:
        state = await uc.decide(db, actor, review_id, agree=body.agree, business_date=body.business_date)
        return ReviewDecided.model_validate({"state": state})
