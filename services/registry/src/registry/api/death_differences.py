"""Routes of dates of death that the population database tells otherwise than the register."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.db import Database
from common.masking import FreeText
from registry.api import cursors, paper_cells
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.paper_cells import Reader
from registry.storage import death_differences as storage
from registry.usecases import death_differences

__all__ = ["make_router"]

_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]


class DeathDifferenceView(BaseModel):
    """Two dates of one death. Nothing is changed by itself."""

    model_config = ConfigDict(from_attributes=True)

    difference_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_path: str
    recorded_date: date | None = Field(description="Ngày mất đang ghi trong sổ. What the register says now")
    told_date: date = Field(
        description="Ngày mất theo nguồn báo; nguồn không có ngày thì là ngày kiểm tra. What the source tells, at the latest"
    )
    told_on: date = Field(description="Ngày được báo. The business date it was told on")
    source: Literal["POPULATION_DATABASE"] = Field(description="Nguồn báo. Who tells it")
    state: Literal["OPEN", "KEPT", "CORRECTED", "LAPSED"]
    kept_date: date | None = Field(description="Ngày của sổ đã được xác nhận. The register's date that was confirmed")
    reason: str | None = Field(description="Căn cứ của câu trả lời. What the answer rests on")
    answered_by: str | None
    answered_at: datetime | None
    request_id: UUID | None = Field(
        description="Đề nghị sửa ngày mất đang chờ người thứ hai. The correction that waits for a second person"
    )


class DeathDifferencePage(BaseModel):
    """A page of differences."""

    items: list[DeathDifferenceView]
    next_cursor: str | None


class DeathDifferenceAnswer(Closed):
    """Which date stands, and on what ground."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"keep": True, "reason": "Giấy chứng tử số 12/2024 của xã", "business_date": "2024-08-20"}]},
    )
    keep: bool = Field(
        description="true: ngày trong sổ đúng; false: đề nghị sửa theo nguồn báo. The register's date stands, or ask for the other"
    )
    reason: FreeText = Field(min_length=5, max_length=500, description="The paper the answer rests on")
    business_date: date


def _view(row: Any) -> DeathDifferenceView:
    return DeathDifferenceView.model_validate(dict(row))


def make_router(db: Database) -> APIRouter:
    """`/v1/death-differences`."""
    router = APIRouter(prefix="/v1/death-differences", tags=["life events"])

    @router.get(
        "",
        summary="Dates of death told otherwise than recorded",
        description="Ngày mất theo cơ sở dữ liệu dân cư khác ngày ghi trong sổ, trong phạm vi của bạn; không nêu `state` thì gồm cả"
        " các trường hợp đã trả lời. The two dates of one death with their source; `OPEN` waits for an officer. Nothing is changed by"
        " itself.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["OPEN", "KEPT", "CORRECTED", "LAPSED"] | None, Query()] = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> DeathDifferencePage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state, person_id=beneficiary_id)
        return DeathDifferencePage(items=[_view(row) for row in rows], next_cursor=paper_cells.next_cursor(rows, limit, "difference_id"))

    @router.post(
        "/{difference_id}/answer",
        summary="Keep the recorded date of death, or ask for the other one",
        description="Giữ ngày trong sổ (người khác với người đã ghi, có căn cứ; nguồn báo lại đúng ngày ấy thì không hỏi nữa), hoặc đề nghị"
        " sửa theo ngày được báo: người thứ hai duyệt tại `POST /v1/change-requests/{request_id}/decision`, khi đó tính lại khoản phải"
        " chi, khoản đã chi cho các tháng sau tháng mất thành khoản phải thu hồi. To keep the date needs somebody else than who recorded"
        " it; a correction waits for a second person, then dues are computed anew and what was paid beyond becomes a recovery.",
    )
    async def answer(actor: _Officer, difference_id: UUID, body: DeathDifferenceAnswer) -> DeathDifferenceView:
        return _view(
            await death_differences.answer(db, actor, difference_id, keep=body.keep, reason=body.reason, business_date=body.business_date)
        )

    return router
