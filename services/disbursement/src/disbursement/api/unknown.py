"""Payments nobody knows about, and what two people say of a payment."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import etags
from common.auth import Actor, Role, require
from common.contracts.disbursement_v1 import Channel
from common.db import Database
from common.problems import InvalidInput
from disbursement.api.common import Limit
from disbursement.api.payments import ReasonView
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import REASONS, text_of
from disbursement.storage import manual
from disbursement.usecases import manual_results

__all__ = ["ManualView", "Witnessed", "manual_view", "routers"]

router = APIRouter(prefix="/v1", tags=["unknown payments"])
Viewer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Proposer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Confirmer = Annotated[Actor, Depends(require(Role.APPROVER, Role.DEPARTMENT_OFFICER))]


class UnknownView(BaseModel):
    """A payment nobody knows about: what we heard last, when we ask next, and whether a person must act."""

    payment_id: UUID
    reference: str
    batch_reference: str
    batch_state: str
    partner: str
    channel: Channel
    amount: int
    month: str
    programme: str
    beneficiary_id: UUID
    unit_code: str
    reason: ReasonView | None
    last_error: str | None
    unknown_since: datetime
    seconds: int = Field(description="How long it has been UNKNOWN")
    for_person: bool = Field(description="Longer than its partner's limit: ask the partner yourself, open a case, or propose a result")
    inquiries: int
    next_inquiry_at: datetime | None
    manual_id: UUID | None = Field(description="A result that waits for a second person")
    case_id: UUID | None = Field(description="A living investigation")


class UnknownPage(BaseModel):
    """Payments nobody knows about, in stable order."""

    items: list[UnknownView]
    next_cursor: UUID | None


class Witnessed(BaseModel):
    """What became of a payment, and the paper that shows it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "result": "SETTLED", "happened_on": "2024-09-05", "note": "Ngân hàng xác nhận đã ghi có ngày 05/9",
                "evidence": "CV 214/NHNo-KT ngày 10/9/2024, sao kê kèm theo",
            }
        },
    )  # fmt: skip

    result: Literal["SETTLED", "COLLECTED", "FAILED", "UNCOLLECTED", "RETURNED"]
    reason: str | None = Field(default=None, max_length=40, description="Reason code of FAILED or RETURNED, as in GET /v1/payment-reasons")
    happened_on: date
    note: str = Field(min_length=5, max_length=1000)
    evidence: str = Field(min_length=5, max_length=1000, description="The paper or file that shows it")

    def values(self) -> dict[str, Any]:
        """For the use case. Raises InvalidInput for a reason code that does not exist."""
        if self.reason is not None and self.reason not in REASONS:
            raise InvalidInput("No such reason", errors=[{"field": "reason", "detail": "a code of GET /v1/payment-reasons"}])
        return {**self.model_dump(), "result": ResultStatus(self.result), "reason": self.reason or _DEFAULT_REASON.get(self.result)}


_DEFAULT_REASON: Final = {"FAILED": "PARTNER_REFUSED", "UNCOLLECTED": "NOT_COLLECTED", "RETURNED": "RETURNED_BY_PROVIDER"}


class CaseResult(Witnessed):
    """A result, and the case whose end it is."""

    case_id: UUID | None = None


class ManualView(BaseModel):
    """A result by two people."""

    manual_id: UUID
    payment_id: UUID
    reference: str
    partner: str
    amount: int
    payment_status: str
    quarantine_id: UUID | None
    case_id: UUID | None
    result: str
    reason: ReasonView | None
    happened_on: date
    note: str
    evidence: str
    state: str = Field(description="PROPOSED, CONFIRMED or REFUSED")
    proposed_by: str
    decided_by: str | None
    decision_note: str | None
    correction: bool = Field(description="It puts right what we held dead: wrongly told of, or withdrawn and paid")
    beyond_due: int | None = Field(
        description="Correction: what its months hold, or would hold, beyond what is due, because they were paid again meanwhile: a"
        " recovery case follows"
    )


class ManualPage(BaseModel):
    """Results by people, oldest first."""

    items: list[ManualView]
    next_cursor: UUID | None


class Decision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"confirm": True, "note": "Đã xem công văn gốc"}})

    confirm: bool
    note: str = Field(min_length=5, max_length=1000)


def manual_view(row: Any) -> ManualView:
    """From a stored row."""
    return ManualView.model_validate({**row, "reason": text_of(row["reason"])})


@router.get(
    "/unknown-payments",
    summary="Payments nobody knows about",
    description="Khoản chi chưa rõ kết quả. They stay committed and are inquired on the partner's schedule; those past the partner's limit"
    " wait for a person.",
)
async def unknown_payments(
    request: Request,
    actor: Viewer,
    partner: Annotated[str | None, Query(max_length=40)] = None,
    for_person: Annotated[bool, Query(description="Only those past their partner's limit")] = True,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> UnknownPage:
    """A page of UNKNOWN payments."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await manual.unknown_page(tx, actor, partner=partner, for_person=for_person, after=cursor, limit=limit + 1)
    items = [
        UnknownView.model_validate({**row, "reason": text_of(row["reason"]), "next_inquiry_at": row["inquire_at"]}) for row in rows[:limit]
    ]
    return UnknownPage(items=items, next_cursor=items[-1].payment_id if len(rows) > limit else None)


@router.post(
    "/payments/{payment_id}/manual-results",
    status_code=201,
    summary="Say what became of a payment",
    description="Đề xuất kết quả khoản chi, kèm chứng cứ. A second person confirms; until then nothing changes.",
)
async def propose(request: Request, actor: Proposer, payment_id: UUID, body: CaseResult) -> ManualView:
    """The first person's word."""
    return manual_view(await manual_results.propose_result(request.app.state.db, actor, payment_id, **body.values()))


class Correction(BaseModel):
    """That a payment held unpaid was paid, and the paper that shows it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "happened_on": "2024-09-05", "note": "Ngân hàng báo nhầm: đã ghi có ngày 05/9",
                "evidence": "CV 230/NHNo-KT ngày 20/9/2024, sao kê tài khoản kèm theo",
            }
        },
    )  # fmt: skip

    happened_on: date = Field(description="The day on which it was credited or collected")
    note: str = Field(min_length=5, max_length=1000)
    evidence: str = Field(min_length=5, max_length=1000, description="The paper or file that shows it")
    case_id: UUID | None = Field(default=None, description="The investigation whose end it is")


@router.post(
    "/payments/{payment_id}/corrections",
    status_code=201,
    summary="Correct what was held unpaid",
    description="Đề xuất đính chính khoản chi mà đối tác báo nhầm là không chi được, bị hoàn trả hoặc chưa đến nhận (thực tế đã chi), hoặc"
    " đã rút lại mà đối tác vẫn chi, kèm chứng cứ. FAILED, RETURNED or CANCELLED becomes SETTLED (cash that was FAILED, UNCOLLECTED or"
    " CANCELLED: COLLECTED) only so: a second person decides at"
    " POST /v1/manual-results/{manual_id}/decision. `beyond_due` says what was paid again meanwhile: it becomes a recovery case.",
)
async def correct(request: Request, actor: Proposer, payment_id: UUID, body: Correction) -> ManualView:
    """The first person's word."""
    return manual_view(await manual_results.propose_correction(request.app.state.db, actor, payment_id, **body.model_dump()))


@router.get(
    "/manual-results", summary="Results by people", description="Kết quả do người đề xuất và xác nhận. With who said so and on what."
)
async def listing(
    request: Request,
    actor: Viewer,
    state: Literal["PROPOSED", "CONFIRMED", "REFUSED"] | None = "PROPOSED",
    payment_id: UUID | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> ManualPage:
    """A page of results by people."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await manual.page(tx, actor, state=state, payment_id=payment_id, after=cursor, limit=limit + 1)
    items = [manual_view(row) for row in rows[:limit]]
    return ManualPage(items=items, next_cursor=items[-1].manual_id if len(rows) > limit else None)


@router.post(
    "/manual-results/{manual_id}/decision",
    summary="Confirm or refuse a result",
    description="Người thứ hai xác nhận hoặc từ chối. A confirmed result then counts like a partner's word.",
)
async def decide(request: Request, actor: Confirmer, manual_id: UUID, body: Decision) -> ManualView:
    """The second person's word."""
    return manual_view(await manual_results.decide_result(request.app.state.db, actor, manual_id, body.note, confirm=body.confirm))


class ReasonRow(ReasonView):
    """A reason code: who must act and what comes next."""

    account_becomes: str | None = Field(description="What accounts makes of the account the payment was for")


@router.get(
    "/payment-reasons",
    summary="Reason codes",
    description="Danh mục mã lý do: nội dung, ai xử lý, bước tiếp theo. Every code that payments, holds at sending and quarantine carry.",
)
async def reasons(_actor: Annotated[Actor, Depends(require(*Role))], response: Response) -> list[ReasonRow]:
    """All reason codes."""
    return etags.versioned(response, [ReasonRow.model_validate(vars_of(reason)) for reason in REASONS.values()])


def vars_of(reason: Any) -> dict[str, Any]:
    """A reason's fields."""
    return {name: getattr(reason, name) for name in ReasonRow.model_fields}


routers: tuple[APIRouter, ...] = (router,)
