"""Bulk routes: up to a thousand people in one request, a result for each."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api import cells
from registry.api.models import WAITING_EN, WAITING_VI, BeneficiaryPatch, NewBeneficiary, PersonAttributes
from registry.usecases import bulk, people, registering
from registry.usecases.attributes import Attributes

__all__ = ["BODY_BYTES", "make_router"]

BODY_BYTES: Final = 8_000_000
_MOST: Final = 1_000
_Writer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.INTEGRATOR))]


class BulkRegistration(BaseModel):
    """People to register, each as in `POST /v1/beneficiaries`."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[NewBeneficiary], Field(min_length=1, max_length=_MOST)]


class BulkCorrection(BaseModel):
    """One person's changes, as in `PATCH /v1/beneficiaries/{id}`, at the version read."""

    model_config = ConfigDict(extra="forbid")
    beneficiary_id: UUID
    version: int = Field(ge=1, description="The ETag read, as a number")
    changes: BeneficiaryPatch


class BulkCorrections(BaseModel):
    """Changes of many people."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[BulkCorrection], Field(min_length=1, max_length=_MOST)]


class BulkResult(BaseModel):
    """What became of one item."""

    index: int = Field(description="Place in the request, from 0")
    status: int = Field(description="What the single route would have answered", examples=[201])
    beneficiary_id: UUID | None
    decision_ids: list[UUID] = Field(default_factory=list, description="Proposed grants that wait for a second person")
    representative_proposals: list[UUID] = Field(default_factory=list, description="Proposals of who collects that wait likewise")
    warnings: list[dict[str, Any]] = Field(default_factory=list, description="Age against category; refuses nothing")
    problem: dict[str, Any] | None = Field(description="Problem details (RFC 9457) when it was refused")


class BulkAnswer(BaseModel):
    """All results, in the order of the request."""

    done: int
    refused: int
    items: list[BulkResult]
    notice_vi: str | None = None
    notice_en: str | None = None


def _answer(outcomes: list[registering.Outcome], status: int) -> BulkAnswer:
    items = [
        BulkResult(
            index=index, status=status if one.problem is None else one.problem.status, beneficiary_id=one.person_id,
            problem=None if one.problem is None else one.problem.body(), decision_ids=one.decision_ids,
            representative_proposals=one.representative_proposals, warnings=one.warnings if one.problem is None else [],
        )
        for index, one in enumerate(outcomes)
    ]  # fmt: skip
    refused = sum(1 for item in items if item.problem is not None)
    waits = any(item.decision_ids or item.representative_proposals for item in items)
    return BulkAnswer(
        done=len(items) - refused, refused=refused, items=items, notice_vi=WAITING_VI if waits else None,
        notice_en=WAITING_EN if waits else None,
    )  # fmt: skip


def make_router(db: Database) -> APIRouter:
    """`/v1/bulk`."""
    router = APIRouter(prefix="/v1/bulk", tags=["bulk"])

    @router.post(
        "/beneficiaries",
        response_model=BulkAnswer,
        summary="Register up to 1,000 people",
        description="Đăng ký nhiều người hưởng trong một lần, kết quả cho từng người. Each item by the rules of the single route; good"
        " ones are kept, refused ones say why. Chế độ là đề xuất chờ người thứ hai duyệt: allowances are proposed grants, one paper per"
        " decision number (2,000 at most), that a second person approves; nothing is due before."
        " The same key and body again give the same answer.",
    )
    async def register(request: Request, actor: _Writer, key: IdempotencyKey, body: BulkRegistration) -> Response:
        async def effect(tx: Tx) -> tuple[int, BulkAnswer]:
            items = [
                registering.Item(
                    item.programme.value, item.unit_code, item.business_date, cells.rows_of(item),
                    Attributes(**item.model_dump(include=set(PersonAttributes.model_fields))),
                )
                for item in body.items
            ]  # fmt: skip
            return 200, _answer(await registering.register_many(tx, items), 201)

        answer = await idempotency.run(db, actor, key, "POST /v1/bulk/beneficiaries", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.patch(
        "/beneficiaries",
        response_model=BulkAnswer,
        summary="Correct up to 1,000 people",
        description="Sửa thông tin nhiều người trong một lần, kết quả cho từng người. Each at the version read: 412 in its result when"
        " somebody changed it meanwhile.",
    )
    async def patch(request: Request, actor: _Writer, key: IdempotencyKey, body: BulkCorrections) -> Response:
        async def effect(tx: Tx) -> tuple[int, BulkAnswer]:
            corrections = [
                bulk.Correction(
                    item.beneficiary_id, item.version, people.Changes(**item.changes.model_dump(exclude={"business_date"})),
                    item.changes.business_date,
                )
                for item in body.items
            ]  # fmt: skip
            return 200, _answer(await bulk.change_many(tx, corrections), 200)

        answer = await idempotency.run(db, actor, key, "PATCH /v1/bulk/beneficiaries", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    return router
