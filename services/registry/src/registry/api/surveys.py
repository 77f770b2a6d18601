"""Routes of the preference survey: open, assign, print, answer at the door or by file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, paper
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from common.problems import InvalidInput
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.roles import Reader, Surveyor, Writer
from registry.storage import catalogue
from registry.storage import surveys as storage
from registry.usecases import surveys

__all__ = ["make_router"]

_ID = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"
_SHEET_ROWS = 5_000
_FILE_ROWS = 20_000
_WIDE = "\u00a0" * 6  # room to write in
_Answer = Literal["WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"]


class NewSurvey(Closed):
    """A survey of everybody in a unit who has not answered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"unit_code": "22924", "title": "Khảo sát quý IV/2024", "business_date": "2024-10-01", "due_on": "2024-10-31"}]
        },
    )
    unit_code: str
    title: str = Field(min_length=1, max_length=200)
    business_date: date
    due_on: date


class SurveyMade(BaseModel):
    """The survey and what it asks."""

    survey_id: UUID
    tasks: int = Field(description="Households (or people without one) to visit")
    people: int = Field(description="People asked")


class SurveyView(BaseModel):
    """A survey and its progress."""

    survey_id: UUID
    unit_code: str
    unit_path: str
    title: str
    started_on: date
    due_on: date
    created_by: str
    created_at: datetime
    tasks: int
    tasks_done: int
    tasks_unassigned: int
    people: int
    answered: int


class SurveyPage(BaseModel):
    """A page of surveys."""

    items: list[SurveyView]
    next_cursor: str | None


class Assignment(Closed):
    """Who does which tasks: those named, those of a hamlet or unit; with neither, all that nobody has."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"officer": "cong-an-xa-22924", "hamlet": "Thôn 2"}]})
    officer: str = Field(min_length=1, max_length=100, description="The officer's sign-in subject")
    task_ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)] | None = None
    hamlet: str | None = Field(default=None, max_length=120)
    unit_path: str | None = Field(default=None, max_length=60)


class Assigned(BaseModel):
    """How many tasks were given."""

    tasks: int


class AskedView(BaseModel):
    """Somebody asked: what an officer at the door needs, and no more."""

    beneficiary_id: UUID
    full_name: str
    birth_date: str | None
    sex: str
    masked_phone: str | None
    preference: _Answer | None
    evidence: str | None
    answered_on: date | None


class TaskView(BaseModel):
    """A household to visit."""

    task_id: UUID
    survey_id: UUID
    household_id: UUID | None
    unit_code: str
    unit_path: str
    hamlet: str | None
    address: str | None
    label: str = Field(description="Head of the household, or the person")
    assigned_to: str | None
    state: Literal["OPEN", "DONE"]
    version: int
    due_on: date
    done_on: date | None
    people: list[AskedView]


class TaskPage(BaseModel):
    """A page of tasks."""

    items: list[TaskView]
    next_cursor: str | None


class AnswerIn(Closed):
    """What one person said."""

    beneficiary_id: UUID
    preference: _Answer
    evidence: FreeText | None = Field(
        default=None, max_length=300, description="Needed for FORCE_MAJEURE", examples=["Liệt, không người nhận thay"]
    )


class Answers(Closed):
    """What a household said on a day."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"business_date": "2024-10-05", "answered_on": "2024-10-05", "answers": [{"beneficiary_id": _ID, "preference": "DECLINES"}]}
            ]
        },
    )
    business_date: date
    answered_on: date
    answers: Annotated[list[AnswerIn], Field(min_length=1, max_length=50)]


class VerdictView(BaseModel):
    """One row of a results file."""

    row_number: int
    file_code: str
    verdict: Literal["ANSWERED", "UNANSWERED", "REFUSED"]
    reasons: list[dict[str, Any]]


class ResultView(BaseModel):
    """What became of a results file, row by row."""

    answered: int
    unanswered: int
    refused: int
    rows: list[VerdictView]


def _asked(row: Any) -> AskedView:
    return AskedView(beneficiary_id=row["person_id"], **{name: row[name] for name in AskedView.model_fields if name in row})


async def _views(tx: Tx, rows: Sequence[Any]) -> list[TaskView]:
    people = await storage.people_of(tx, [row["task_id"] for row in rows])
    asked = {task: [_asked(item) for item in items] for task, items in groupby(people, key=lambda item: item["task_id"])}
    return [TaskView(**row, people=asked.get(row["task_id"], [])) for row in rows]


def make_router(db: Database) -> APIRouter:
    """`/v1/surveys` and `/v1/survey-tasks`."""
    router = APIRouter(prefix="/v1", tags=["surveys"])
    _surveys(router, db)
    _sheet(router, db)
    _tasks(router, db)
    _results(router, db)
    return router


def _surveys(router: APIRouter, db: Database) -> None:
    @router.post(
        "/surveys",
        status_code=201,
        response_model=SurveyMade,
        summary="Open a survey",
        description="Mở đợt khảo sát nguyện vọng: mỗi hộ một phiếu việc, chỉ hỏi người chưa trả lời. Nobody is asked twice at once.",
    )
    async def create(request: Request, actor: Writer, key: IdempotencyKey, body: NewSurvey) -> Response:
        async def effect(tx: Tx) -> tuple[int, SurveyMade]:
            return 201, SurveyMade(**await surveys.open_survey(tx, body.unit_code, body.title, body.business_date, body.due_on))

        answer = await idempotency.run(db, actor, key, "POST /v1/surveys", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.get(
        "/surveys",
        summary="Surveys",
        description="Các đợt khảo sát trong phạm vi của bạn và tiến độ. The surveys in your area and how far they are.",
    )
    async def listing(actor: Reader, cursor: Cursor = None, limit: Limit = 50) -> SurveyPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, cursors.decode_id(cursor), limit)
        end = cursors.encode([str(rows[-1]["survey_id"])] if len(rows) == limit else None)
        return SurveyPage(items=[SurveyView(**row) for row in rows], next_cursor=end)

    @router.get("/surveys/{survey_id}", summary="One survey", description="Một đợt khảo sát và tiến độ. One survey and how far it is.")
    async def one(actor: Reader, survey_id: UUID) -> SurveyView:
        async with db.read(actor) as tx:
            return SurveyView(**await surveys.seen(tx, survey_id))

    @router.post(
        "/surveys/{survey_id}/assign",
        summary="Give tasks to an officer",
        description="Giao việc cho cán bộ: theo danh sách, theo thôn hoặc đơn vị; không nêu thì giao mọi việc chưa ai nhận. By"
        " a list of tasks, by hamlet or by unit; without any of them, all tasks that nobody has.",
    )
    async def assign(actor: Writer, survey_id: UUID, body: Assignment) -> Assigned:
        given = await surveys.assign(db, actor, survey_id, body.officer, body.task_ids, body.hamlet, body.unit_path)
        return Assigned(tasks=given)


def _sheet(router: APIRouter, db: Database) -> None:
    @router.get(
        "/surveys/{survey_id}/sheet",
        summary="Sheet to print (HTML)",
        description="Phiếu khảo sát để in, theo thôn hoặc đơn vị: những người chưa trả lời, có chỗ ghi và ký. No number on it.",
        response_class=Response,
        responses={200: {"content": {"text/html": {}}, "description": "A page to print"}},
    )
    async def sheet(
        actor: Reader,
        survey_id: UUID,
        hamlet: Annotated[str | None, Query(max_length=120)] = None,
        unit_path: Annotated[str | None, Query(max_length=60)] = None,
    ) -> Response:
        async with db.read(actor) as tx:
            survey = await surveys.seen(tx, survey_id)
            within = unit_path or survey["unit_path"]
            if not actor.sees(within):
                raise InvalidInput(errors=[{"field": "unit_path", "detail": "name a unit of your area"}])
            rows = await storage.sheet(tx, survey_id, hamlet, within, _SHEET_ROWS + 1)
            office = await catalogue.unit_of(tx, within.rpartition("/")[2], survey["started_on"])
        if len(rows) > _SHEET_ROWS:
            raise InvalidInput(errors=[{"field": "hamlet", "detail": f"more than {_SHEET_ROWS} people: print by hamlet or commune"}])
        return paper.answer(_paper(survey, rows, hamlet, office["name"] if office is not None else survey["unit_code"]))


def _dated(birth_date: str | None) -> str:
    """`1950-03-02` as it stands on papers here: `02/03/1950`."""
    return "/".join(reversed((birth_date or "").split("-")))


def _paper(survey: Any, rows: Sequence[Any], hamlet: str | None, office: str) -> paper.Paper:
    blank = (f"{_WIDE}Căn\u00a0cứ{_WIDE}", f"{_WIDE}Ký\u00a0tên{_WIDE}")
    head = ("STT", "Chủ hộ / nơi ở", "Họ và tên", "Ngày sinh", "Mã hồ sơ", "TK", "TM", "BKK", *blank)
    body: list[paper.Text | paper.Fields | paper.Table] = [
        paper.Text(
            "Việc nhận tiền qua tài khoản là tự nguyện; ai muốn nhận tiền mặt vẫn được chi trả đủ, không mất phí."
            " TK: muốn nhận qua tài khoản · TM: nhận tiền mặt · BKK: bất khả kháng (ghi căn cứ)."
        )
    ]
    for (unit, place), people in groupby(rows, key=lambda row: (row["unit_name"] or row["unit_code"], row["hamlet"])):
        body.append(paper.Text(f"{unit}" + (f" – {place}" if place else "")))
        lines = [
            (
                number, " – ".join(filter(None, (row["label"], row["address"]))), row["full_name"], _dated(row["birth_date"]),
                row["file_code"] or "", "☐", "☐", "☐", "", "",
            )
            for number, row in enumerate(people, start=1)
        ]  # fmt: skip
        body.append(paper.Table(head, lines))
    if not rows:
        body.append(paper.Text("Không còn ai chưa trả lời."))
    return paper.Paper(
        title="PHIẾU KHẢO SÁT NGUYỆN VỌNG NHẬN TRỢ CẤP",
        subtitle=survey["title"] + (f" – {hamlet}" if hamlet else ""),
        authority=f"ỦY BAN NHÂN DÂN {office.upper()}",
        place_and_date="…………, ngày …… tháng …… năm ………",
        body=body,
        signatures=[paper.Signature("CÁN BỘ KHẢO SÁT"), paper.Signature("TRƯỞNG THÔN / TỔ DÂN PHỐ")],
    )


def _tasks(router: APIRouter, db: Database) -> None:
    @router.get(
        "/survey-tasks",
        summary="Tasks",
        description="Các hộ cần đến khảo sát; `mine=true` là việc giao cho bạn. With who is asked; no number, no allowance.",
    )
    async def tasks(
        actor: Surveyor,
        survey_id: UUID | None = None,
        mine: Annotated[bool, Query(description="Only tasks given to you")] = False,
        assigned_to: Annotated[str | None, Query(max_length=100)] = None,
        state: Annotated[Literal["OPEN", "DONE"] | None, Query()] = None,
        hamlet: Annotated[str | None, Query(max_length=120)] = None,
        unit_path: Annotated[str | None, Query(max_length=60)] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> TaskPage:
        async with db.read(actor) as tx:
            rows = await storage.tasks(
                tx, actor, survey_id=survey_id, assigned_to=actor.subject if mine else assigned_to, state=state, hamlet=hamlet,
                unit_path=unit_path, after=cursors.decode_id(cursor), limit=limit,
            )  # fmt: skip
            views = await _views(tx, rows)
        return TaskPage(items=views, next_cursor=cursors.encode([str(rows[-1]["task_id"])] if len(rows) == limit else None))

    @router.get(
        "/survey-tasks/{task_id}",
        response_model=TaskView,
        summary="One task",
        description="Một phiếu việc và người được hỏi. One task and the people to be asked.",
    )
    async def one(actor: Surveyor, task_id: UUID) -> Response:
        async with db.read(actor) as tx:
            (view,) = await _views(tx, [await surveys.task_seen(tx, task_id)])
        return JSONResponse(view.model_dump(mode="json"), headers={"ETag": etag(view.version)})

    @router.post(
        "/survey-tasks/{task_id}/answers",
        response_model=TaskView,
        summary="Record what a household said",
        description="Ghi câu trả lời tại nhà. Needs `If-Match` with the task's version. FORCE_MAJEURE needs evidence.",
    )
    async def answers(actor: Surveyor, task_id: UUID, body: Answers, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        given = [surveys.DoorAnswer(item.beneficiary_id, item.preference, item.evidence) for item in body.answers]
        await surveys.answer_task(db, actor, task_id, version, given, body.answered_on, body.business_date)
        return await one(actor, task_id)


def _results(router: APIRouter, db: Database) -> None:
    @router.post(
        "/surveys/{survey_id}/results",
        response_model=ResultView,
        summary="Send results (CSV or XLSX)",
        description="Tệp kết quả khảo sát: cột Mã hồ sơ, Nguyện vọng (TK/TM/BKK), Căn cứ, Ngày trả lời. Every row gets its verdict;"
        " good rows are recorded, the others are not.",
    )
    async def results(
        actor: Surveyor,
        key: IdempotencyKey,
        survey_id: UUID,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX with a header row")],
        business_date: Annotated[date, Form(examples=["2024-10-20"])],
    ) -> Response:
        content = await file.read()
        rows = await asyncio.to_thread(surveys.read_file, content, file.filename or "list", business_date)
        if len(rows) > _FILE_ROWS:
            raise InvalidInput(errors=[{"field": "file", "detail": f"more than {_FILE_ROWS} rows: split the list"}])

        async def effect(tx: Tx) -> tuple[int, ResultView]:
            found = await surveys.take_results(tx, survey_id, rows, business_date)
            verdicts = [
                VerdictView(
                    row_number=row.row_number, file_code=row.file_code, verdict=row.verdict,
                    reasons=[item.as_json() for item in row.reasons],
                )
                for row in found.rows
            ]  # fmt: skip
            return 200, ResultView(answered=found.answered, unanswered=found.unanswered, refused=found.refused, rows=verdicts)

        answer = await idempotency.run(
            db, actor, key, f"POST /v1/surveys/{survey_id}/results", business_date.isoformat().encode() + content, effect
        )
        return JSONResponse(answer.body, answer.status)
