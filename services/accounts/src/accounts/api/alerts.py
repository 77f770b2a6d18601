"""Routes of alerts of possible fraud."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from accounts.api.guards import Cursor, Limit, Reader, Senior, example, next_cursor
from accounts.domain.alerts import AlertKind, AlertState
from accounts.usecases import watch_fraud as uc
from common.db import Database
from common.masking import FreeText

__all__ = ["alerts_router"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"


class AlertView(BaseModel):
    """Something to look at."""

    model_config = example(
        alert_id=_ID, kind="SHARED_ACCOUNT", shown="AGRIBANK …1234", people=3, threshold=2, opened_on="2024-08-20", state="OPEN",
        subject=None, suspected_by=None, decided_by=None, decided_on=None, reason=None,
    )  # fmt: skip

    alert_id: UUID
    kind: AlertKind
    shown: str = Field(description="The account (masked), the representative, or the user it is about")
    people: int
    threshold: int
    opened_on: date
    state: AlertState
    subject: str | None = Field(description="The user it is about, who may not decide it")
    suspected_by: str | None
    decided_by: str | None
    decided_on: date | None
    reason: str | None


class AlertPage(BaseModel):
    """One page of alerts."""

    items: list[AlertView]
    next_cursor: UUID | None


class Concerned(BaseModel):
    """A person the alert is about."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_code: str
    payee_kind: str | None
    method: str | None
    fraud_suspected: bool | None
    provider_code: str | None
    masked_number: str | None


class AlertDetail(AlertView):
    """An alert with the people of the caller's units."""

    concerned: list[Concerned]


class AlertDecision(BaseModel):
    """SUSPECTED holds the payments of all concerned; CLEARED lifts it; CONFIRMED pays them in cash, in person."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"state": "SUSPECTED", "reason": "Ba hộ khai cùng tài khoản", "business_date": "2024-08-20"}]},
    )

    state: Literal["SUSPECTED", "CLEARED", "CONFIRMED"]
    reason: FreeText = Field(min_length=5, max_length=300)
    business_date: date


def alerts_router(db: Database) -> APIRouter:
    """`/v1/alerts`."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @router.get(
        "",
        summary="Alerts",
        description="Cảnh báo: một tài khoản nhiều người khai, một người nhận thay cho nhiều người, một cán bộ thay đổi hàng"
        " loạt. One account declared by many, one person who collects for many, one officer who changes many.",
    )
    async def alerts(
        actor: Reader,
        state: Annotated[AlertState | None, Query()] = None,
        kind: Annotated[AlertKind | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AlertPage:
        rows = await uc.alert_page(db, actor, state=state, kind=kind, after=cursor, limit=limit)
        return AlertPage(items=[AlertView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "alert_id"))

    @router.get(
        "/{alert_id}",
        summary="One alert",
        description="Cảnh báo kèm những người liên quan trong phạm vi của bạn. One alert with the people of your area whom it concerns.",
    )
    async def alert(actor: Reader, alert_id: UUID) -> AlertDetail:
        return AlertDetail.model_validate(await uc.alert(db, actor, alert_id))

    @router.post(
        "/{alert_id}/decision",
        summary="Suspect, clear or confirm",
        description="Nghi ngờ (tạm giữ chi trả), xóa nghi ngờ, hoặc kết luận gian lận (chi tiền mặt trực tiếp cho người hưởng)."
        " Whoever raised"
        " the suspicion cannot end it, nor can the user it is about.",
    )
    async def decide(actor: Senior, alert_id: UUID, body: AlertDecision) -> AlertDetail:
        found = await uc.decide(db, actor, alert_id, state=body.state, reason=body.reason, business_date=body.business_date)
        return AlertDetail.model_validate(found)

    return router
