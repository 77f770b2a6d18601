"""Routes of requests to erase: asked by one person, decided by another, answered with what went, what stays, and which keys must go.

Each service answers for its own tables: only it knows which of its rows a law keeps.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError

from common import audit
from common.auth import Actor, Role, require
from common.clock import VIETNAM, now
from common.db import Database, Tx
from common.erasure_keys import keys_now
from common.masking import FreeText
from common.personal_data import Holding, erase, kept_of, preview, units_of
from common.problems import Conflict, Forbidden, NotFound

__all__ = ["erasure_routes"]

_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Reader = Annotated[
    Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR))
]
_Decider = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_PersonId = Annotated[
    UUID, Path(description="Mã người trong hệ thống · the platform's id of the person", examples=["0191f5a0-0000-7000-8000-0000000000ab"])
]
_ErasureId = Annotated[UUID, Path(description="Mã yêu cầu xoá · the request's id", examples=["0191f5a0-0000-7000-8000-0000000000ac"])]
_Text = Annotated[FreeText, Field(min_length=5, max_length=500, pattern=r"\S")]


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
    keys: list[str] = Field(
        description="Khoá còn khi xoá · keys of this service alive at the erasure: what is left of it in dead rows and backups opens with"
        " these alone"
    )
    keys_due_on: date | None = Field(description="Khoá phải huỷ chậm nhất ngày · the last of these keys must be destroyed by this day")
    keys_destroyed_on: date | None = Field(
        description="Ngày các khoá ấy đã huỷ hết · when none of these keys was left in the service's keyring; null: not yet"
    )


def erasure_routes(router: APIRouter, db: Database, holding: Holding, key_days: int) -> None:
    """`/v1/people/{id}/erasures`, `/v1/erasures/{id}` and its decision."""
    _asking(router, db, holding)
    _deciding(router, db, holding, key_days)


async def _view(tx: Tx, holding: Holding, row: Any) -> ErasureView:
    made = ("erased", "kept", "keys", "keys_destroyed_on")
    fields = {name: row[name] for name in ErasureView.model_fields if name not in made}
    if row["state"] == "PROPOSED":
        erased, kept = await preview(tx, holding, row["person_id"]), await kept_of(tx, holding, row["person_id"])
    else:
        erased, kept = row["answer"]["erased"], row["answer"]["kept"]
    gone = row["keys_destroyed_at"]
    gone_on = None if gone is None else gone.astimezone(VIETNAM).date()
    return ErasureView(**fields, erased=erased, kept=kept, keys=row["keys"] or [], keys_destroyed_on=gone_on)


async def _request(tx: Tx, actor: Actor, erasure_id: UUID, *, lock: bool = False) -> Any:
    row = await tx.row("SELECT * FROM erasure_request WHERE erasure_id = :id" + (" FOR UPDATE" if lock else ""), id=erasure_id)
    if row is None or not all(actor.sees(path) for path in row["unit_paths"]):
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
                what = audit.Created({"request": row["erasure_id"], "by": body.asked_by, "state": row["state"]})
                await audit.record(tx, "erasure.ask", "person", person_id, what)
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


def _deciding(router: APIRouter, db: Database, holding: Holding, key_days: int) -> None:
    @router.post(
        "/erasures/{erasure_id}/decision",
        operation_id="decide_erasure",
        summary="Duyệt yêu cầu xoá · Decide a request",
        description="Người thứ hai duyệt thì xoá ngay, không lấy lại được. A second person approves: what no law keeps is erased at once"
        " and for good; the answer says what went and what stays, and by which day the keys of what is left in backups are destroyed.",
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
                " answer = CAST(:answer AS jsonb), keys = CAST(:keys AS text[]), keys_due_on = CAST(:due_on AS date)"
                " WHERE erasure_id = :id RETURNING *",
                id=erasure_id,
                by=actor.subject,
                state="DONE" if body.approve else "REFUSED",
                note=body.note,
                answer=answer,
                keys=keys_now(tx) if body.approve else None,
                due_on=now().astimezone(VIETNAM).date() + timedelta(days=key_days) if body.approve else None,
            )
            rows = {item["table"]: item["rows"] for item in erased}
            about = {"request": erasure_id, "approve": body.approve, "rows": rows, "proposed_by": row["proposed_by"]}
            state = {"state": "DONE" if body.approve else "REFUSED"}
            await audit.record(tx, "erasure.decide", "person", person, audit.Changed({"state": row["state"]}, state, about))
            return await _view(tx, holding, done)
