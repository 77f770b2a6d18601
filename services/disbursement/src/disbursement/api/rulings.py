"""Routes of rulings: what two people settle for a time (settings, routes, approval policies, delegations, days off)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.envelope import Amount
from common.contracts.registry_v1 import Programme
from common.db import Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Checker, Cursor, Limit, Reader, answered, next_cursor
from disbursement.domain.rulings import RulingKind
from disbursement.usecases import rule
from disbursement.usecases.answers import RulingView
from disbursement.usecases.rule import Proposal

__all__ = ["router"]

router = APIRouter(prefix="/v1/rulings", tags=["rulings"])
Proposer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_UNIT = Field(default=None, min_length=2, max_length=8, pattern=r"^\d+$", description="Only this unit and those below; null: everybody")
_TWO = "Người thứ hai duyệt. Takes effect once another person approves it."


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    business_date: date = Field(examples=["2024-08-20"])
    valid_from: date = Field(examples=["2024-09-01"])
    legal_ref: str | None = Field(default=None, max_length=200, description="The paper it rests on")


class SettingForm(_Form):
    """An answer to a question the law leaves open."""

    code: str = Field(max_length=60, examples=["PREFUNDING_CHECK"])
    value: str = Field(max_length=60, examples=["REFUSE"])


class RouteForm(_Form):
    """How money reaches the people of a unit and programme from a day on."""

    unit_code: str = Field(min_length=2, max_length=8, pattern=r"^\d+$", examples=["60"])
    programme: Programme
    route: Literal["PAYMENT_ORG", "TREASURY_DIRECT"]


class PolicyForm(_Form):
    """From which amount or number of lines a list needs which stages of approval; the last stage makes the payments."""

    unit_code: str | None = _UNIT
    programme: Programme | None = None
    over_amount: Amount = Field(default=0, description="Lists of more đồng than this", examples=[10_000_000_000])
    over_lines: int = Field(default=0, ge=0, description="Or of more lines than this")
    stages: list[Literal["DEPARTMENT_OFFICER", "APPROVER"]] = Field(min_length=1, max_length=4, examples=[["APPROVER", "APPROVER"]])


class DelegationForm(_Form):
    """An approver hands the right to approve on to somebody, for a time."""

    delegate: str = Field(min_length=1, max_length=100, description="Who stands in (the user's subject)")
    valid_to: date = Field(description="Last day")
    reason: str = Field(min_length=3, max_length=200, examples=["Nghỉ phép"])


class DayForm(_Form):
    """A day off, or a working day in place of one; `valid_from` is the day."""

    day_kind: Literal["HOLIDAY", "WORKING"]
    name_vi: str = Field(min_length=2, max_length=100, examples=["Tết Nguyên đán"])


class Verdict(BaseModel):
    """A decision with an optional reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str | None = Field(default=None, max_length=500)


class RulingPage(BaseModel):
    """Rulings."""

    items: list[RulingView]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null at the end")


class SettingView(BaseModel):
    """A question, the answer in force, and who gave it."""

    code: str
    value: str
    allowed: str = Field(description="Pattern of possible answers")
    question_vi: str
    question_en: str
    legal_ref: str | None
    decided_by: str | None = Field(description="Null: nobody has decided, the default holds")
    valid_from: date | None


class SettingList(BaseModel):
    """All settings on a day."""

    items: list[SettingView]


async def _propose(request: Request, actor: Actor, key: str, name: str, proposal: Proposal) -> Response:
    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 201, RulingView.of(await rule.propose(tx, actor, proposal))

    db = request.app.state.db
    return answered(await idempotency.run(db, actor, key, f"POST /v1/rulings/{name}", await request.body(), effect))


@router.post(
    "/settings",
    status_code=201,
    response_model=RulingView,
    summary="Propose an answer to a setting",
    description=f"Đề xuất giá trị của một thiết lập mà luật để ngỏ. {_TWO}",
)
async def setting(form: SettingForm, request: Request, actor: Proposer, key: IdempotencyKey) -> Response:
    """Propose a setting."""
    proposal = Proposal(RulingKind.SETTING, form.code, form.business_date, form.valid_from, {"value": form.value}, legal_ref=form.legal_ref)
    return await _propose(request, actor, key, "settings", proposal)


@router.post(
    "/routes",
    status_code=201,
    response_model=RulingView,
    summary="Propose the route of a unit and programme",
    description=f"Đề xuất kênh chi trả: qua tổ chức chi trả (PAYMENT_ORG) hoặc Kho bạc chi thẳng (TREASURY_DIRECT). {_TWO}",
)
async def route(form: RouteForm, request: Request, actor: Proposer, key: IdempotencyKey) -> Response:
    """Propose a route."""
    proposal = Proposal(
        RulingKind.ROUTE, "ROUTE", form.business_date, form.valid_from, {"route": form.route}, unit_code=form.unit_code,
        programme=form.programme.value, legal_ref=form.legal_ref,
    )  # fmt: skip
    return await _propose(request, actor, key, "routes", proposal)


@router.post(
    "/approval-policies",
    status_code=201,
    response_model=RulingView,
    summary="Propose who approves lists",
    description=f"Đề xuất phân cấp duyệt theo số tiền, số dòng: một hay nhiều cấp. {_TWO}",
)
async def policy(form: PolicyForm, request: Request, actor: Proposer, key: IdempotencyKey) -> Response:
    """Propose an approval policy."""
    body: dict[str, Any] = {"over_amount": form.over_amount, "over_lines": form.over_lines, "stages": form.stages}
    proposal = Proposal(
        RulingKind.APPROVAL_POLICY, "APPROVAL", form.business_date, form.valid_from, body, unit_code=form.unit_code,
        programme=form.programme.value if form.programme else None, legal_ref=form.legal_ref,
    )  # fmt: skip
    return await _propose(request, actor, key, "approval-policies", proposal)


@router.post(
    "/delegations",
    status_code=201,
    response_model=RulingView,
    summary="Hand the right to approve on for a time",
    description=f"Ủy quyền duyệt có thời hạn; chỉ người có quyền duyệt mới ủy quyền được. {_TWO}",
)
async def delegation(form: DelegationForm, request: Request, actor: Checker, key: IdempotencyKey) -> Response:
    """Propose a delegation."""
    proposal = Proposal(
        RulingKind.DELEGATION, actor.subject, form.business_date, form.valid_from, {"delegate": form.delegate, "why": form.reason},
        valid_to=form.valid_to, legal_ref=form.legal_ref,
    )  # fmt: skip
    return await _propose(request, actor, key, "delegations", proposal)


@router.post(
    "/calendar-days",
    status_code=201,
    response_model=RulingView,
    summary="Propose a day off or a working day in its place",
    description=f"Đề xuất ngày nghỉ hoặc ngày làm bù. {_TWO}",
)
async def calendar_day(form: DayForm, request: Request, actor: Proposer, key: IdempotencyKey) -> Response:
    """Propose a day."""
    proposal = Proposal(
        RulingKind.CALENDAR_DAY, form.valid_from.isoformat(), form.business_date, form.valid_from,
        {"day_kind": form.day_kind, "name_vi": form.name_vi}, valid_to=form.valid_from, legal_ref=form.legal_ref,
    )  # fmt: skip
    return await _propose(request, actor, key, "calendar-days", proposal)


async def _decide(request: Request, actor: Actor, key: str, ruling_id: UUID, form: Verdict | None, *, approve: bool) -> Response:
    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 200, RulingView.of(await rule.decide(tx, actor, ruling_id, approve=approve, reason=form.reason if form else None))

    name = f"POST /v1/rulings/{ruling_id}/{'approve' if approve else 'reject'}"
    return answered(await idempotency.run(request.app.state.db, actor, key, name, await request.body(), effect))


@router.post(
    "/{ruling_id}/approve",
    response_model=RulingView,
    summary="Approve a ruling (second person)",
    description="Duyệt (khác người đề xuất). Budgets are set at once, the others hold from their first day.",
)
async def approve(ruling_id: UUID, request: Request, actor: Checker, key: IdempotencyKey, form: Verdict | None = None) -> Response:
    """Approve a ruling."""
    return await _decide(request, actor, key, ruling_id, form, approve=True)


@router.post(
    "/{ruling_id}/reject",
    response_model=RulingView,
    summary="Reject a ruling (second person)",
    description="Không duyệt. Nothing changes. A second person refuses it, and everything stays as it is.",
)
async def reject(ruling_id: UUID, request: Request, actor: Checker, key: IdempotencyKey, form: Verdict | None = None) -> Response:
    """Reject a ruling."""
    return await _decide(request, actor, key, ruling_id, form, approve=False)


@router.get("", summary="Rulings", description="Các thiết lập, phân cấp, ủy quyền. Oldest first; filter by kind and state.")
async def page(
    request: Request,
    actor: Reader,
    kind: RulingKind | None = None,
    state: Annotated[str | None, Query(pattern="^(PROPOSED|APPROVED|REJECTED)$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RulingPage:
    """A page of rulings."""
    rows = await rule.page(request.app.state.db, actor, kind=kind.value if kind else None, state=state, after=cursor, limit=limit)
    return RulingPage(items=[RulingView.of(row) for row in rows], next_cursor=next_cursor([row["ruling_id"] for row in rows], limit))


@router.get(
    "/settings",
    summary="Settings in force on a day",
    description="Thiết lập đang áp dụng, kèm câu hỏi và căn cứ. Each question with the answer in force and who gave it.",
)
async def settings(request: Request, actor: Reader, on: Annotated[date, Query(description="Business date")]) -> SettingList:
    """Settings in force."""
    return SettingList(items=[SettingView(**item) for item in await rule.settings_now(request.app.state.db, actor, on)])
