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
from sqlalchemy.exc import IntegrityError

from common import audit
from common.auth import Actor, Role, require
from common.clock import VIETNAM, now
from common.db import Database, Tx
from common.masking import FreeText
from common.paper import answer as printed
from common.personal_data import Holding, collect, erase, kept_of, preview, units_of
from common.personal_paper import paper_of
from common.problems import Conflict, Forbidden, InvalidInput, NotFound
from common.retention import TERMS, Keep, due, term_of

__all__ = ["personal_data_router"]

_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Reader = Annotated[
    Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR))
]
_Decider = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_Department = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
_Watcher = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
_Purpose = Annotated[
    FreeText,
    Query(
        min_length=5,
        max_length=200,
        pattern=r"\S",
        description="Vì sao cần · why it is needed; kept in the audit log",
        examples=["Người hưởng yêu cầu cung cấp dữ liệu"],
    ),
]
_PERSON: Final = "0191f5a0-0000-7000-8000-0000000000ab"
_PersonId = Annotated[UUID, Path(description="Mã người trong hệ thống · the platform's id of the person", examples=[_PERSON])]
_ErasureId = Annotated[UUID, Path(description="Mã yêu cầu xoá · the request's id", examples=["0191f5a0-0000-7000-8000-0000000000ac"])]
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


class ErasureAsked(BaseModel):
    """A request to erase."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"asked_by": "PERSON", "ground": "Đơn ngày 20/11/2026: số điện thoại không phải của tôi"}},
    )

    asked_by: Literal["PERSON", "REPRESENTATIVE", "OFFICE"] = Field(description="Who asks: the person, a representative, the office itself")
    ground: _Text = Field(description="Căn cứ: đơn, biên bản… · the letter or finding it rests on")


class ErasureDecision(BaseModel):
    """Yes or no, by a second person."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"approve": True, "note": "Đã đối chiếu đơn"}})

    approve: bool
    note: _Text


class ErasureView(BaseModel):
    """A request, and what it would take (while PROPOSED) or took (DONE)."""

    erasure_id: UUID
    person_id: UUID
    asked_by: str
    ground: str
    state: Literal["PROPOSED", "DONE", "REFUSED"]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    erased: list[dict[str, Any]] = Field(description="What goes or went, with the number of rows")
    kept: list[dict[str, Any]] = Field(description="What stays, by which law, until which day (null: no end is set)")


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


def personal_data_router(db: Database, holding: Holding) -> APIRouter:
    """`/v1/people/{id}/personal-data`, `/v1/people/{id}/erasures`, `/v1/erasures`, `/v1/retention`; terms where the service has a rule."""
    router = APIRouter(prefix="/v1", tags=["personal data"])
    _giving(router, db, holding)
    _asking(router, db, holding)
    _deciding(router, db, holding)
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
        person_id: _PersonId, actor: _Officer, purpose: _Purpose, form: Annotated[Literal["json", "html"], Query(alias="format")] = "json"
    ) -> Response:
        async with db.transaction(actor) as tx:
            await units_of(tx, holding, person_id)
            parts = await collect(tx, holding, person_id)
            kept = await kept_of(tx, holding, person_id)
            told = {part.table: len(part.rows) for part in parts}
            await audit.record(tx, "personal-data.give", "person", person_id, {"format": form, "rows": told}, purpose=purpose)
        made = now().astimezone(VIETNAM)
        if form == "html":
            return printed(paper_of(holding.service, person_id, parts, kept, made.date()))
        views = [
            PartView(table=part.table, title_vi=part.title_vi, title_en=part.title_en, labels=part.labels, rows=part.rows) for part in parts
        ]
        data = PersonalData(service=holding.service, person_id=person_id, purpose=purpose, made_at=made, parts=views, kept=kept)
        return JSONResponse(data.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


async def _view(tx: Tx, holding: Holding, row: Any) -> ErasureView:
    fields = {name: row[name] for name in ErasureView.model_fields if name not in ("erased", "kept")}
    if row["state"] == "PROPOSED":
        erased, kept = await preview(tx, holding, row["person_id"]), await kept_of(tx, holding, row["person_id"])
    else:
        erased, kept = row["answer"]["erased"], row["answer"]["kept"]
    return ErasureView(**fields, erased=erased, kept=kept)


async def _request(tx: Tx, actor: Actor, erasure_id: UUID, *, lock: bool = False) -> Any:
    row = await tx.row("SELECT * FROM erasure_request WHERE erasure_id = :id" + (" FOR UPDATE" if lock else ""), id=erasure_id)
    if row is None or not any(actor.sees(path) for path in row["unit_paths"]):
        raise NotFound("No such request")
    return row


def _asking(router: APIRouter, db: Database, holding: Holding) -> None:
    @router.post(
        "/people/{person_id}/erasures",
        operation_id="ask_erasure",
        status_code=201,
        summary="Đề nghị xoá dữ liệu · Ask for erasure",
        description="Ghi yêu cầu xoá dữ liệu cá nhân; cho biết sẽ xoá gì, giữ gì theo luật nào. Chưa thay đổi gì trước khi người thứ hai"
        " duyệt. Says what would go and what stays; nothing changes before a second person approves. One open request a person.",
    )
    async def ask(person_id: _PersonId, body: ErasureAsked, actor: _Officer) -> ErasureView:
        try:
            async with db.transaction(actor) as tx:
                paths = await units_of(tx, holding, person_id)
                row = await tx.row(
                    "INSERT INTO erasure_request (person_id, unit_paths, asked_by, ground, proposed_by)"
                    " VALUES (:person, CAST(:paths AS text[]), :asked_by, :ground, :by) RETURNING *",
                    person=person_id,
                    paths=paths,
                    by=actor.subject,
                    **body.model_dump(),
                )
                assert row is not None
                await audit.record(tx, "erasure.ask", "person", person_id, {"request": str(row["erasure_id"]), "by": body.asked_by})
                return await _view(tx, holding, row)
        except IntegrityError as error:
            raise Conflict("A request for this person waits for a decision") from error

    @router.get(
        "/erasures/{erasure_id}",
        operation_id="erasure",
        summary="Một yêu cầu xoá · One request",
        description="Yêu cầu và trả lời: đã xoá gì, giữ gì theo điều luật nào, đến bao giờ. A request and its answer.",
    )
    async def one(erasure_id: _ErasureId, actor: _Reader) -> ErasureView:
        async with db.read(actor) as tx:
            return await _view(tx, holding, await _request(tx, actor, erasure_id))


def _deciding(router: APIRouter, db: Database, holding: Holding) -> None:
    @router.post(
        "/erasures/{erasure_id}/decision",
        operation_id="decide_erasure",
        summary="Duyệt yêu cầu xoá · Decide a request",
        description="Người thứ hai duyệt thì xoá ngay, không lấy lại được. A second person approves: what no law keeps is erased at once"
        " and for good; the answer says what went and what stays.",
    )
    async def decide(erasure_id: _ErasureId, body: ErasureDecision, actor: _Decider) -> ErasureView:
        async with db.transaction(actor) as tx:
            row = await _request(tx, actor, erasure_id, lock=True)
            if row["state"] != "PROPOSED":
                raise Conflict("It has been decided")
            if row["proposed_by"] == actor.subject:
                raise Forbidden("Somebody else than the proposer must decide")
            person = row["person_id"]
            erased = await erase(tx, holding, person) if body.approve else []
            answer = {"erased": erased, "kept": await kept_of(tx, holding, person)}
            done = await tx.row(
                "UPDATE erasure_request SET state = :state, decided_by = :by, decided_at = now(), note = :note,"
                " answer = CAST(:answer AS jsonb) WHERE erasure_id = :id RETURNING *",
                id=erasure_id,
                by=actor.subject,
                state="DONE" if body.approve else "REFUSED",
                note=body.note,
                answer=answer,
            )
            rows = {item["table"]: item["rows"] for item in erased}
            await audit.record(tx, "erasure.decide", "person", person, {"request": str(erasure_id), "approve": body.approve, "rows": rows})
            return await _view(tx, holding, done)


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
        async with db.transaction(actor) as tx:
            row = await tx.row(
                "INSERT INTO retention_term (rule, days, valid_from, legal_source, proposed_by)"
                " VALUES (:rule, :days, :valid_from, :legal_source, :by) RETURNING *",
                rule=rule,
                by=actor.subject,
                **body.model_dump(),
            )
            assert row is not None
            await audit.record(tx, "retention.propose", "retention_term", row["term_id"], body.model_dump(mode="json") | {"rule": rule})
        return TermView.model_validate(dict(row))

    @router.post(
        "/retention-terms/{term_id}/decision",
        operation_id="decide_retention_term",
        summary="Duyệt thời hạn · Decide a term",
        description="Người thứ hai duyệt hoặc từ chối. Not by the person who proposed it; it works from its day on.",
    )
    async def decide(term_id: _TermId, body: TermDecision, actor: _Decider) -> TermView:
        async with db.transaction(actor) as tx:
            row = await tx.row("SELECT * FROM retention_term WHERE term_id = :id FOR UPDATE", id=term_id)
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
            await audit.record(tx, "retention.decide", "retention_term", term_id, {"approve": body.approve, "rule": row["rule"]})
        return TermView.model_validate(dict(done or {}))
