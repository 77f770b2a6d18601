"""Routes of work on everybody's dues."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from registry.api import birthdays, campaigns, catalogue, law_changes
from registry.api.models import JobAccepted
from registry.usecases import law, recomputing

__all__ = ["make_router", "routers"]


_READERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR)


class RecomputeRequest(BaseModel):
    """With what is known on which date."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2026-10-06"}]})
    business_date: date


class PolicySetting(BaseModel):
    """A question the law leaves open, and the answer in force."""

    code: str
    value: str
    allowed: list[str] = Field(description="Answers the engine knows; one only: the question is noted, no other answer is built")
    question_vi: str
    question_en: str
    legal_ref: str
    decided_by: str | None = Field(description="Who answered; null while the answer is the one shipped")
    decided_on: date | None


class PolicySettings(BaseModel):
    """All of them, by code."""

    items: list[PolicySetting]


def routers(db: Database) -> list[APIRouter]:
    """Dues and the law they follow from."""
    return [module.make_router(db) for module in (law_changes, birthdays, campaigns, catalogue)] + [make_router(db)]


def make_router(db: Database) -> APIRouter:
    """`/v1/dues`."""
    router = APIRouter(prefix="/v1/dues", tags=["dues"])

    @router.post(
        "/recompute",
        status_code=202,
        response_model=JobAccepted,
        summary="Compute all dues anew",
        description="Tính lại toàn bộ khoản phải chi khi có mức mới (truy lĩnh). For months already gone a rise known only now gives its"
        " difference; people whose dues do not change get no event. Department only.",
    )
    async def recompute(
        actor: Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))], key: IdempotencyKey, body: RecomputeRequest
    ) -> Response:
        if not any("/" not in path for path in actor.unit_paths):
            raise NotFound("The whole register is not in your area")

        async def effect(tx: Tx) -> tuple[int, JobAccepted]:
            return 202, JobAccepted(job_id=await recomputing.request(tx, body.business_date))

        answer = await idempotency.run(db, actor, key, "POST /v1/dues/recompute", body.model_dump_json().encode(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/policy-settings",
        response_model=PolicySettings,
        summary="Questions the law leaves open, with the answer in force",
        description="Những điểm văn bản chưa nói rõ: câu hỏi, căn cứ, câu trả lời đang áp dụng và ai quyết định. What the"
        " texts leave open: the question, its ground, the answer in force and who decided it.",
    )
    async def policy_settings(_: Annotated[Actor, Depends(require(*_READERS))]) -> PolicySettings:
        return PolicySettings(items=[PolicySetting(**row) for row in await law.questions(db)])

    return router
