"""Partners' lanes: limits as data, pauses and the kill switch."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import InvalidInput, NotFound
from disbursement.api.common import Limit, answered
from disbursement.api.webhooks import partners_of
from disbursement.domain.lanes import PauseState, Waiting
from disbursement.domain.payment_errors import UnknownPartner
from disbursement.domain.rulings import RulingKind
from disbursement.storage import lanes
from disbursement.usecases import manage_lane, rule
from disbursement.usecases.answers import RulingView
from disbursement.usecases.rule import Proposal

__all__ = ["routers"]

router = APIRouter(prefix="/v1", tags=["lanes"])
_STAFF: Final = (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR)
Reader = Annotated[Actor, Depends(require(*_STAFF, Role.AUDITOR, Role.PARTNER))]
Setter = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]
Stopper = Annotated[Actor, Depends(require(*_STAFF))]
Resumer = Annotated[Actor, Depends(require(*_STAFF, of_a_province=True))]
Viewer = Annotated[Actor, Depends(require(*_STAFF, Role.AUDITOR))]
Seconds = Annotated[int, Field(ge=1, le=864_000)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LaneSettings(_Form):
    """How we deal with one partner. Null: no such limit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "batch_payments": 500, "first_batch_payments": 20, "first_batch_wait_seconds": 600, "concurrency": 1,
                "requests_per_minute": 120, "daily_payments": 50_000, "daily_amount": 60_000_000_000, "stop_percent": 30,
                "stop_from_payments": 20, "stop_unknown_seconds": 300, "inquiry_seconds": [2, 5, 15, 60, 300, 900, 3600],
                "person_after_seconds": 3600,
            }
        },
    )  # fmt: skip

    batch_payments: int = Field(ge=1, le=1000, description="Số khoản tối đa một lô. Payments in one batch, for lists approved from now on")
    first_batch_payments: int | None = Field(
        ge=1, le=1000, description="Lô đầu của mỗi kỳ. The first batch of a cycle is this small, and the others wait for its answer"
    )
    first_batch_wait_seconds: int = Field(
        default=0, ge=0, le=864_000, description="The others also wait this long for the first batch's results, at most"
    )
    concurrency: int | None = Field(ge=1, le=16, description="Batches under way at once, of all workers; null: as the partners file says")
    requests_per_minute: int | None = Field(ge=1, le=60_000, description="Batches and inquiries together, of all workers")
    daily_payments: int | None = Field(ge=1, le=10_000_000, description="Payments sent in one Vietnamese day")
    daily_amount: int | None = Field(ge=1, le=10**15, description="đồng sent in one Vietnamese day")
    stop_percent: int | None = Field(
        ge=1, le=100, description="Tự dừng khi quá tỷ lệ lỗi. More than this share FAILED or long UNKNOWN stops the partner for the cycle"
    )
    stop_from_payments: int = Field(ge=1, le=100_000, description="Fewer payments sent than this are not judged")
    stop_unknown_seconds: int = Field(ge=0, le=864_000, description="UNKNOWN for longer than this counts as abnormal")
    inquiry_seconds: list[Seconds] = Field(
        min_length=1, max_length=20, description="Lịch tra soát. Pauses between inquiries about an UNKNOWN payment, the last one repeating"
    )
    person_after_seconds: int = Field(ge=0, le=8_640_000, description="UNKNOWN for longer than this waits for a person")


class LaneForm(_Form):
    """A partner's limits as they shall be."""

    partner: str = Field(max_length=40, examples=["agribank"])
    version: int = Field(ge=1, description="Of the lane as it was read (its ETag)")
    settings: LaneSettings
    business_date: date = Field(examples=["2024-08-20"])
    legal_ref: str | None = Field(default=None, max_length=200, description="The paper it rests on")


class Today(BaseModel):
    """What is used of today's caps (Vietnamese day), and batches under way now."""

    payments: int
    amount: int
    batches: int
    under_way: int


class Counts(BaseModel):
    """Batches and payments that are on their way."""

    to_send: int
    payments_to_send: int
    amount_to_send: int
    sending: int
    uncertain: int
    set_aside: int
    unknown_payments: int


class PauseStep(BaseModel):
    """What somebody said about going on; never changed afterwards."""

    kind: Literal["RESUME_PROPOSED", "RESUMED", "KEPT"]
    actor: str
    note: str
    at: datetime


class PauseView(BaseModel):
    """A stop. All of partner, programme and cycle null: everything."""

    pause_id: UUID
    kind: str = Field(description="MANUAL by a person; ABNORMAL and RESTORE by the platform")
    partner: str | None
    programme: str | None
    cycle_id: UUID | None
    reason: str
    detail: dict[str, Any]
    paused_by: str
    paused_at: datetime
    state: PauseState
    resume_proposed_by: str | None
    resume_note: str | None = Field(description="The last word said; all of them in `steps`")
    resumed_by: str | None
    resumed_at: datetime | None
    steps: list[PauseStep] = Field(
        description="Mọi đề nghị và quyết định gửi tiếp, cũ nhất trước. Every proposal and decision, oldest first"
    )


class LaneView(BaseModel):
    """A partner's lane: limits, use, what waits and why."""

    partner: str
    version: int
    settings: LaneSettings
    changed_by: str | None
    changed_at: datetime | None
    today: Today
    counts: Counts
    failing_since: datetime | None = Field(description="Since when the partner gives no usable answer")
    last_error: str | None
    waiting: list[Waiting] = Field(description="Why batches wait; empty when nothing holds them up")
    value_date: date = Field(description="Ngày giá trị nếu gửi bây giờ. On which day the partner pays what is sent now")
    waits_until: datetime | None = Field(description="Chờ đến giờ này mới gửi. Nothing new is sent before then: the cut-off has passed")
    pauses: list[PauseView]


class PausePage(BaseModel):
    """Pauses, oldest first."""

    items: list[PauseView]
    next_cursor: UUID | None


class PauseForm(_Form):
    """What is stopped. Name a partner, a programme, both (that programme at that partner), or say `everything`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"partner": "agribank", "reason": "Ngân hàng báo sự cố lõi, CV 311"}}
    )

    partner: str | None = Field(default=None, max_length=40)
    programme: Programme | None = None
    everything: bool = Field(default=False, description="Dừng toàn bộ. The kill switch")
    reason: str = Field(min_length=5, max_length=1000)


class Note(_Form):
    """Why sending may go on."""

    note: str = Field(min_length=5, max_length=1000, examples=["Ngân hàng xác nhận đã khắc phục, CV 315"])


class Decision(Note):
    """The second person's word."""

    confirm: bool


def _lane(partner: str, found: dict[str, Any], response: Response) -> LaneView:
    kept = found["settings"]
    response.headers["ETag"] = f'"{kept["version"]}"'
    return LaneView.model_validate(
        {**kept, **found, "partner": partner, "settings": {name: kept[name] for name in LaneSettings.model_fields}}
    )


def _known(request: Request, partner: str) -> None:
    if partner not in partners_of(request):
        raise UnknownPartner()


@router.get(
    "/partners/{partner}/lane",
    summary="A partner's lane",
    description="Luồng chi của một đơn vị chi trả: hạn mức, đã dùng hôm nay, đang chờ gì. A partner sees its own only.",
)
async def lane(request: Request, response: Response, actor: Reader, partner: str) -> LaneView:
    """Limits, what is used of them, and why batches wait."""
    if (actor.partner is not None or actor.has(Role.PARTNER)) and actor.partner != partner:
        raise NotFound("No such partner")
    _known(request, partner)
    return _lane(partner, await manage_lane.view_lane(request.app.state.db, actor, partner, request.app.state.partner_clock()), response)


@router.post(
    "/rulings/lanes",
    status_code=201,
    response_model=RulingView,
    summary="Propose other limits for a partner",
    description="Đề xuất hạn mức khác cho một đơn vị chi trả; người thứ hai duyệt (POST /v1/rulings/{ruling_id}/approve). Give all"
    " settings and the version of the lane they were read with. Workers keep to them from their next batch on, once they are approved.",
)
async def change(form: LaneForm, request: Request, actor: Setter, key: IdempotencyKey) -> Response:
    """Propose a partner's limits."""
    _known(request, form.partner)
    body = {"settings": form.settings.model_dump(), "version": form.version}
    proposal = Proposal(RulingKind.LANE, form.partner, form.business_date, form.business_date, body, legal_ref=form.legal_ref)

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 201, RulingView.of(await rule.propose(tx, actor, proposal))

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/rulings/lanes", await request.body(), effect))


@router.get(
    "/pauses", summary="What is stopped", description="Các lệnh tạm dừng đang có hiệu lực (hoặc tất cả). Who stopped what, and why."
)
async def pauses(
    request: Request,
    actor: Viewer,
    partner: Annotated[str | None, Query(max_length=40)] = None,
    standing: Annotated[bool, Query(description="Only those that still stop something")] = True,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> PausePage:
    """A page of pauses."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await lanes.pauses(tx, partner=partner, standing=standing, after=cursor, limit=limit + 1)
    items = [PauseView.model_validate(dict(row)) for row in rows[:limit]]
    return PausePage(items=items, next_cursor=items[-1].pause_id if len(rows) > limit else None)


@router.post(
    "/pauses",
    status_code=201,
    summary="Stop sending",
    description="Tạm dừng gửi: một đơn vị, một chương trình, hoặc toàn bộ (công tắc khẩn cấp). One person is enough. Nothing is sent after"
    " this is answered; what was under way is still recorded, and inquiries and notices go on.",
)
async def pause(request: Request, actor: Stopper, body: PauseForm) -> PauseView:
    """Stop a partner, a programme, or everything."""
    if body.everything == bool(body.partner or body.programme):
        raise InvalidInput("Name what is stopped", errors=[{"field": "everything", "detail": "a partner or programme, or everything"}])
    if body.partner is not None:
        _known(request, body.partner)
    db: Database = request.app.state.db
    row = await manage_lane.pause(db, actor, partner=body.partner, programme=body.programme, reason=body.reason)
    return PauseView.model_validate(dict(row))


@router.post(
    "/pauses/{pause_id}/resume",
    summary="Propose that sending goes on",
    description="Đề nghị cho gửi tiếp. A second person confirms; until then nothing is sent.",
)
async def propose_resume(request: Request, actor: Stopper, pause_id: UUID, body: Note) -> PauseView:
    """The first person's word."""
    return PauseView.model_validate(dict(await manage_lane.propose_resume(request.app.state.db, actor, pause_id, body.note)))


@router.post(
    "/pauses/{pause_id}/resume/decision",
    summary="Confirm that sending goes on",
    description="Người thứ hai xác nhận cho gửi tiếp, hoặc giữ nguyên tạm dừng. Not the person who proposed it.",
)
async def decide_resume(request: Request, actor: Resumer, pause_id: UUID, body: Decision) -> PauseView:
    """The second person's word."""
    row = await manage_lane.decide_resume(request.app.state.db, actor, pause_id, body.note, confirm=body.confirm)
    return PauseView.model_validate(dict(row))


routers: tuple[APIRouter, ...] = (router,)
