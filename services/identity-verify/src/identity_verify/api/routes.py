"""Routes of identity-verify: progress, the mismatch work list, decisions, cut-offs."""

from __future__ import annotations

from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from common.contracts.identity_verify_v1 import Verdict
from common.db import Database
from common.problems import InvalidInput
from identity_verify.api.schemas import (
    DecisionRequest,
    DecisionView,
    PersonView,
    ProgressView,
    QuestionRequest,
    QuestionView,
    VerificationPage,
    VerificationView,
)
from identity_verify.api.shared import Asker, Officer, Police, Watcher
from identity_verify.settings import Settings
from identity_verify.usecases import views
from identity_verify.usecases.ask_again import ask_again
from identity_verify.usecases.decide import decide

__all__ = ["make_router", "read_cursor"]

_SubjectId = Annotated[UUID, Path(description="Person id of the beneficiary or representative")]


def make_router(db: Database, settings: Settings) -> APIRouter:
    """All routes under /v1."""
    router = APIRouter(prefix="/v1", tags=["verification"])
    _add_views(router, db)
    _add_decision(router, db, settings)
    _add_question(router, db, settings)
    return router


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "/progress",
        summary="Progress of verification",
        description="Tiến độ xác minh. How many people of the caller's units wait for an answer, and the verdicts so far.",
    )
    async def progress(actor: Watcher) -> ProgressView:
        pending, by_verdict = await views.progress(db, actor)
        return ProgressView(pending=pending, answered=sum(by_verdict.values()), by_verdict=by_verdict)

    @router.get(
        "/verifications",
        summary="Work list of verifications",
        description="Danh sách kết quả xác minh theo đơn vị. Filter by verdict; follow `next_cursor` until it is null.",
    )
    async def verifications(
        actor: Officer,
        verdict: Annotated[Verdict | None, Query(description="Only this verdict; UNANSWERED: nobody has answered yet")] = None,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before", max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> VerificationPage:
        rows = await views.work_list(db, actor, verdict=verdict, after=read_cursor(cursor), limit=limit)
        items = [VerificationView.model_validate(dict(row)) for row in rows]
        more = f"{items[-1].beneficiary_id}.{items[-1].subject_id}" if len(items) == limit else None
        return VerificationPage(items=items, next_cursor=more)

    @router.get(
        "/verifications/{subject_id}",
        summary="Verifications of one person",
        description="Kết quả xác minh của một người, kèm bằng chứng được lưu. As beneficiary and as representative of others,"
        " with the evidence kept.",
    )
    async def one(actor: Officer, subject_id: _SubjectId) -> list[PersonView]:
        return [PersonView.model_validate(row) for row in await views.person(db, actor, subject_id)]


def _add_question(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/verifications/{subject_id}/question",
        status_code=202,
        summary="Ask the population database about a person again",
        description="Hỏi lại CSDL dân cư về một người khi kết quả trước bị sai (ví dụ: báo nhầm đã chết, đã cải chính hộ tịch)."
        " Also about somebody it said had died. The last answer counts until the new one; asking twice changes nothing.",
    )
    async def question(actor: Asker, subject_id: _SubjectId, body: QuestionRequest) -> QuestionView:
        await ask_again(
            db,
            settings,
            actor,
            beneficiary_id=body.beneficiary_id or await views.whose(db, actor, subject_id),
            subject_id=subject_id,
            note=body.note,
            business_date=body.business_date,
        )
        return QuestionView()


def _add_decision(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/verifications/{subject_id}/decision",
        summary="Decide an unclear identity",
        description=(
            "Công an cấp xã kết luận; cần hai người khác nhau cùng kết luận. The first call proposes (202); the same verdict from a second "
            "person applies it (200)."
        ),
        responses={202: {"model": DecisionView, "description": "Proposed; a second person must confirm"}},
    )
    async def decision(actor: Police, subject_id: _SubjectId, body: DecisionRequest, response: Response) -> DecisionView:
        state, version = await decide(
            db,
            settings,
            actor,
            beneficiary_id=body.beneficiary_id or await views.whose(db, actor, subject_id),
            subject_id=subject_id,
            verdict=body.verdict,
            note=body.note,
            business_date=body.business_date,
        )
        response.status_code = 202 if state == "PROPOSED" else 200
        return DecisionView(state=cast(Literal["PROPOSED", "APPLIED"], state), version=version)


def read_cursor(cursor: str | None) -> tuple[UUID, UUID] | None:
    """(beneficiary, subject) of a cursor of people. Raises InvalidInput for something else."""
    if cursor is None:
        return None
    try:
        beneficiary, subject = cursor.split(".")
        return UUID(beneficiary), UUID(subject)
    except ValueError:
        raise InvalidInput(
            "not a cursor of this list", errors=[{"field": "cursor", "detail": "use `next_cursor` of the page before"}]
        ) from None
