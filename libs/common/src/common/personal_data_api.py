"""Routes of personal data, the same in every service: what is held about a person, requests to erase it, and retention terms.

Erasing and terms take two people. Each service answers for its own tables: only it knows which of its rows a law keeps.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from common import audit
from common.auth import Actor, Role, require
from common.clock import VIETNAM, now
from common.db import Database, Tx
from common.erasures_api import erasure_routes
from common.idempotency import asked_already
from common.masking import FreeText
from common.paper import answer as printed
from common.personal_data import Holding, collect, kept_of, units_of
from common.personal_paper import paper_of
from common.problems import Conflict, Forbidden, InvalidInput, NotFound
from common.purposes import Purpose
from common.retention import TERMS, Keep, due, term_of

__all__ = ["personal_data_router"]

_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Decider = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_Ruler = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, of_a_province=True))]
_Department = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
_Watcher = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
_PERSON: Final = "0191f5a0-0000-7000-8000-0000000000ab"
_PersonId = Annotated[UUID, Path(description="Mã người trong hệ thống · the platform's id of the person", examples=[_PERSON])]
_TermId = Annotated[UUID, Path(description="Mã thời hạn · the term's id", examples=["0191f5a0-0000-7000-8000-0000000000ad"])]
_RuleName = Annotated[str, Path(max_length=60, description="Tên quy tắc · as listed by `GET /v1/retention`", examples=["import_files"])]
_Text = Annotated[FreeText, Field(min_length=5, max_length=500, pattern=r"\S")]


class PartView(BaseModel):
    """Rows of one table about the person."""

    table: str
    title_vi: str
    title_en: str
    labels: dict[str, str] = Field(description="Vietnamese name of each column")
    rows: list[dict[str, Any]]


class PersonalData(BaseModel):
    """Everything one service holds about a person, numbers in full."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "service": "registry", "person_id": _PERSON, "purpose": "Người hưởng yêu cầu cung cấp dữ liệu",
                "made_at": "2026-11-22T09:00:00+07:00", "kept": [],
                "parts": [
                    {
                        "table": "preference", "title_vi": "Nguyện vọng nhận tiền", "title_en": "Wish how to be paid",
                        "labels": {"preference": "Nguyện vọng"}, "rows": [{"preference": "BANK"}],
                    }
                ],
            }
        }
    )  # fmt: skip

    service: str
    person_id: UUID
    purpose: str
    made_at: datetime
    parts: list[PartView]
    kept: list[dict[str, Any]] = Field(description="What stays even on request, by which law and until when")


class TermAsked(BaseModel):
    """How long, from when, and by which text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"days": 1825, "valid_from": "2027-01-01", "legal_source": "Quyết định 12/QĐ-SNV ngày 01/12/2026"}},
    )

    days: int = Field(ge=1, le=36_500)
    valid_from: date
    legal_source: _Text


class TermDecision(BaseModel):
    """Yes or no, by a second person."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"approve": True}})

    approve: bool


class TermView(BaseModel):
    """A term of a rule."""

    model_config = ConfigDict(extra="ignore")

    term_id: UUID
    rule: str
    days: int
    valid_from: date
    legal_source: str
    state: Literal["PROPOSED", "ACTIVE", "REFUSED"]
    proposed_by: str
    decided_by: str | None


class RuleView(BaseModel):
    """A rule, its term today, and how many rows are past it."""

    rule: str
    table: str
    says_vi: str
    says_en: str
    law: str
    days: int | None = Field(description="Null: nobody has set a term, so nothing goes")
    least: int
    question_vi: str
    due: int
    terms: list[TermView]


class RetentionView(BaseModel):
    """All rules of a service."""

    items: list[RuleView]


def personal_data_router(db: Database, holding: Holding, key_days: int) -> APIRouter:
    """`/v1/people/{id}/personal-data`, `/v1/people/{id}/erasures`, `/v1/erasures`, `/v1/retention`; terms where the service has a rule.

    `key_days`: within how many days after an erasure the keys of that day must be destroyed.
    """
    router = APIRouter(prefix="/v1", tags=["personal data"])
    _giving(router, db, holding)
    erasure_routes(router, db, holding, key_days)
    _rules(router, db, holding)
    if holding.retention:
        _terms(router, db, holding)
    return router


def _giving(router: APIRouter, db: Database, holding: Holding) -> None:
    @router.get(
        "/people/{person_id}/personal-data",
        operation_id="personal_data",
        response_model=PersonalData,
        summary="Dữ liệu cá nhân của một người · Everything held about a person",
        description="Cung cấp cho người đó (hoặc người đại diện) toàn bộ dữ liệu dịch vụ này đang giữ, số đầy đủ, kèm tên gọi tiếng Việt;"
        " `format=html` để in. Mỗi lần xem đều ghi nhật ký với mục đích. Everything this service holds about a person of the caller's"
        " area, opened, for the person or a representative who showed who they are; the read is audited with its purpose.",
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    async def give(
        person_id: _PersonId, actor: _Officer, purpose: Purpose, form: Annotated[Literal["json", "html"], Query(alias="format")] = "json"
    ) -> Response:
        async with db.transaction(actor) as tx:
            await units_of(tx, holding, person_id)
            parts = await collect(tx, holding, person_id)
            kept = await kept_of(tx, holding, person_id)
            told = {part.table: len(part.rows) for part in parts}
            await audit.record(tx, "personal-data.give", "person", person_id, audit.Read(purpose, {"format": form, "rows": told}))
        made = now().astimezone(VIETNAM)
        if form == "html":
            return printed(paper_of(holding.service, person_id, parts, kept, made.date()))
        views = [
            PartView(table=part.table, title_vi=part.title_vi, title_en=part.title_en, labels=part.labels, rows=part.rows) for part in parts
        ]
        data = PersonalData(service=holding.service, person_id=person_id, purpose=purpose, made_at=made, parts=views, kept=kept)
        return JSONResponse(data.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


async def _rule_view(tx: Tx, rule: Keep, terms: dict[str, int]) -> RuleView:
    days = term_of(rule, terms)
    counted = 0
    if days is not None:
        counted = int(await tx.value(f"SELECT count(*) FROM {rule.table} t WHERE {due(rule, ':days')}", days=days))
    rows = await tx.rows("SELECT * FROM retention_term WHERE rule = :rule ORDER BY valid_from DESC, term_id DESC LIMIT 50", rule=rule.name)
    return RuleView(
        rule=rule.name, table=rule.table, says_vi=rule.says_vi, says_en=rule.says_en, law=rule.law, days=days, least=rule.least,
        question_vi=rule.question_vi, due=counted, terms=[TermView.model_validate(dict(row)) for row in rows],
    )  # fmt: skip


def _rules(router: APIRouter, db: Database, holding: Holding) -> None:
    @router.get(
        "/retention",
        operation_id="retention",
        summary="Thời hạn lưu giữ · Retention rules",
        description="Giữ gì bao lâu, theo văn bản nào, bao nhiêu dòng đã hết hạn; câu hỏi còn bỏ ngỏ. Rules with their terms and sources.",
    )
    async def listing(_actor: _Watcher) -> RetentionView:
        async with db.read() as tx:
            terms = {row["rule"]: int(row["days"]) for row in await tx.rows(TERMS)}
            return RetentionView(items=[await _rule_view(tx, rule, terms) for rule in holding.retention])


def _terms(router: APIRouter, db: Database, holding: Holding) -> None:
    rules = {rule.name: rule for rule in holding.retention}

    @router.post(
        "/retention/{rule}/terms",
        operation_id="propose_retention_term",
        status_code=201,
        summary="Đề nghị thời hạn · Propose a term",
        description="Đề nghị thời hạn lưu giữ từ một ngày, kèm văn bản. A dated term; it counts once a second person has approved it.",
    )
    async def propose(rule: _RuleName, body: TermAsked, actor: _Department) -> TermView:
        if rule not in rules:
            raise NotFound("No such rule")
        if body.days < rules[rule].least:
            detail = f"the law keeps this for at least {rules[rule].least} days"
            raise InvalidInput(errors=[{"field": "days", "detail": detail, "detail_vi": f"luật buộc giữ ít nhất {rules[rule].least} ngày"}])
        asked = {**body.model_dump(), "rule": rule, "proposed_by": actor.subject}
        async with db.transaction(actor) as tx:
            if (same := await asked_already(tx, "retention_term", asked, "state = 'PROPOSED'")) is not None:
                return TermView.model_validate(dict(same))
            row = await tx.row(
                "INSERT INTO retention_term (rule, days, valid_from, legal_source, proposed_by)"
                " VALUES (:rule, :days, :valid_from, :legal_source, :by) RETURNING *",
                rule=rule,
                by=actor.subject,
                **body.model_dump(),
            )
            assert row is not None
            what = audit.Created(body.model_dump(mode="json") | {"rule": rule, "state": "PROPOSED"})
            await audit.record(tx, "retention.propose", "retention_term", row["term_id"], what)
        return TermView.model_validate(dict(row))

    @router.post(
        "/retention-terms/{term_id}/decision",
        operation_id="decide_retention_term",
        summary="Duyệt thời hạn · Decide a term",
        description="Người thứ hai duyệt hoặc từ chối. Not by the person who proposed it; it works from its day on.",
    )
    async def decide(term_id: _TermId, body: TermDecision, actor: _Ruler) -> TermView:
        async with db.transaction(actor) as tx:
            row = await tx.row(
                "SELECT t.*, (SELECT o.days FROM retention_term o WHERE o.rule = t.rule AND o.state = 'ACTIVE'"
                "   AND o.valid_from <= t.valid_from ORDER BY o.valid_from DESC, o.decided_at DESC LIMIT 1) AS days_until_now"
                " FROM retention_term t WHERE t.term_id = :id FOR UPDATE OF t",
                id=term_id,
            )
            if row is None:
                raise NotFound("No such term")
            if row["state"] != "PROPOSED":
                raise Conflict("It has been decided")
            if row["proposed_by"] == actor.subject:
                raise Forbidden("Somebody else than the proposer must decide")
            done = await tx.row(
                "UPDATE retention_term SET state = :state, decided_by = :by, decided_at = now() WHERE term_id = :id RETURNING *",
                id=term_id,
                by=actor.subject,
                state="ACTIVE" if body.approve else "REFUSED",
            )
            assert done is not None
            days = {"days": row["days_until_now"]}
            what = audit.Changed(
                {"state": row["state"], **days},
                {"state": done["state"], **({"days": done["days"]} if body.approve else days)},
                {"rule": row["rule"], "valid_from": row["valid_from"], "proposed_by": row["proposed_by"]},
            )
            await audit.record(tx, "retention.decide", "retention_term", term_id, what)
        return TermView.model_validate(dict(done))
