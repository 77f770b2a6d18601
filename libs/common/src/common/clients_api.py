"""Registration of other agencies' systems by two people, and what they read: the same routes in every service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError

from common import audit
from common.auth import Actor, Role, require
from common.db import Database
from common.idempotency import asked_already
from common.ids import new_id
from common.periods import InOrder
from common.problems import Conflict, Forbidden, NotFound

__all__ = ["clients_router"]

_EXAMPLE: Final[dict[str, Any]] = {
    "client_id": "bhxh-kien-giang", "agency": "Bảo hiểm xã hội tỉnh Kiên Giang", "contact": "cntt@bhxh.example", "roles": ["INTEGRATOR"],
    "units": ["91"], "per_minute": 60, "per_day": 5000, "valid_from": "2024-09-01", "valid_to": "2025-08-31",
    "basis": "Quy chế phối hợp số 12/QC-SLĐTBXH",
}  # fmt: skip
Proposer = Annotated[Actor, Depends(require(Role.OPERATOR, Role.DEPARTMENT_OFFICER))]
Decider = Annotated[Actor, Depends(require(Role.OPERATOR, Role.APPROVER))]
Reader = Annotated[Actor, Depends(require(Role.OPERATOR, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR))]
Watcher = Annotated[Actor, Depends(require(Role.AUDITOR, Role.OPERATOR))]


class Registration(InOrder):
    """Who is to be let in, to what, how often and how long."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})

    client_id: str = Field(pattern=r"^[A-Za-z0-9._-]{2,100}$", description="The client's id at the token issuer")
    agency: str = Field(min_length=2, max_length=200, description="The agency that answers for it")
    contact: str = Field(min_length=3, max_length=200, description="Whom to call when it misbehaves")
    roles: list[Literal["INTEGRATOR"]] = Field(min_length=1, max_length=1, description="Roles it may use here, whatever its token says")
    units: list[str] = Field(min_length=1, max_length=200, description="Unit paths it may see, whatever its token says")
    per_minute: int = Field(default=60, ge=1, le=100_000)
    per_day: int = Field(default=10_000, ge=1, le=100_000_000)
    valid_from: date
    valid_to: date | None = None
    basis: str = Field(min_length=3, max_length=500, description="Agreement or decision it rests on")

    @model_validator(mode="after")
    def _units_are_paths(self) -> Registration:
        if any(not unit.replace("/", "").isalnum() or not unit.isascii() for unit in self.units):
            raise ValueError("units are paths such as 91 or 91/899")
        return self


class RegistrationView(Registration):
    """A registration with its history."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    roles: list[str]  # type: ignore[assignment]
    state: Literal["PROPOSED", "ACTIVE", "REFUSED", "ENDED"]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    ended_by: str | None
    ended_at: datetime | None


class Registrations(BaseModel):
    """All registrations, newest first."""

    items: list[RegistrationView]


class RegistrationDecision(BaseModel):
    """Yes or no."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"approve": True}})

    approve: bool


class Access(BaseModel):
    """One call of a client."""

    id: int
    at: datetime
    client_id: str
    agency: str | None
    subject: str
    method: str
    path: str
    status: int
    records: int | None
    request_id: str | None


class AccessPage(BaseModel):
    """Calls, newest first; `next_cursor` is the cursor of the following page."""

    items: list[Access]
    next_cursor: str | None


class AccessSum(BaseModel):
    """Calls and records of one client on one day (UTC)."""

    day: date
    client_id: str
    agency: str | None
    calls: int
    refused: int = Field(description="Answered 4xx: without right, over the quota, or wrong")
    records: int


class AccessSums(BaseModel):
    """Days and clients, newest first."""

    items: list[AccessSum]


def clients_router(db: Database) -> APIRouter:
    """`/v1/clients`."""
    router = APIRouter(prefix="/v1/clients", tags=["clients"])
    _registering(router, db)
    _deciding(router, db)
    _watching(router, db)
    return router


def _registering(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        summary="Đề nghị cho một hệ thống gọi · Propose a client",
        description="Đề nghị cho hệ thống của cơ quan khác gọi dịch vụ này. The client calls once a second person has approved. Each"
        " service has its own register: a client that needs two services is registered with both.",
    )
    async def propose(body: Registration, actor: Proposer) -> RegistrationView:
        made = new_id()
        fields = list(Registration.model_fields)
        asked = {**body.model_dump(), "proposed_by": actor.subject}
        async with db.transaction(actor) as tx:
            if (same := await asked_already(tx, "api_client", asked, "state = 'PROPOSED'")) is not None:
                return RegistrationView.model_validate(dict(same))
            row = await tx.row(
                f"INSERT INTO api_client (id, proposed_by, {', '.join(fields)}) VALUES (:id, :by,"
                f" {', '.join(f':{name}' for name in fields)}) RETURNING *",
                id=made,
                by=actor.subject,
                **body.model_dump(),
            )
            what = audit.Created(body.model_dump(mode="json") | {"state": "PROPOSED"})
            await audit.record(tx, "client.propose", "api_client", made, what)
        return RegistrationView.model_validate(dict(row or {}))

    @router.get(
        "",
        summary="Hệ thống được gọi · Registered clients",
        description="Các hệ thống đã đăng ký hoặc chờ duyệt. Registered clients and those that wait for a second person.",
    )
    async def listing(_actor: Reader) -> Registrations:
        async with db.read() as tx:
            rows = await tx.rows("SELECT * FROM api_client ORDER BY proposed_at DESC, id LIMIT 1000")
        return Registrations(items=[RegistrationView.model_validate(dict(row)) for row in rows])


def _answers_for(actor: Actor, units: Sequence[str]) -> bool:
    """Who opens a door to units, or closes it, answers for all of them; operators look after the whole platform."""
    return actor.has(Role.OPERATOR) or all(actor.sees(unit) for unit in units)


def _deciding(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{registration_id}/decision",
        summary="Duyệt một đăng ký · Decide a registration",
        description="Người thứ hai duyệt hoặc từ chối. Not by the person who proposed it; an approved one replaces the client's older one.",
    )
    async def decide(registration_id: UUID, body: RegistrationDecision, actor: Decider) -> RegistrationView:
        try:
            async with db.transaction(actor) as tx:
                row = await tx.row("SELECT * FROM api_client WHERE id = :id FOR UPDATE", id=registration_id)
                if row is None or not _answers_for(actor, row["units"]):
                    raise NotFound("No such registration")
                if row["state"] != "PROPOSED":
                    raise Conflict("It has been decided")
                if row["proposed_by"] == actor.subject:
                    raise Forbidden("Somebody else than the proposer must decide")
                ended: Sequence[RowMapping] = ()
                if body.approve:
                    ended = await tx.rows(
                        "UPDATE api_client SET state = 'ENDED', ended_by = :by, ended_at = now() WHERE client_id = :client"
                        " AND state = 'ACTIVE' RETURNING id, roles, units, per_minute, per_day",
                        by=actor.subject,
                        client=row["client_id"],
                    )
                done = await tx.row(
                    "UPDATE api_client SET state = :state, decided_by = :by, decided_at = now() WHERE id = :id RETURNING *",
                    id=registration_id,
                    by=actor.subject,
                    state="ACTIVE" if body.approve else "REFUSED",
                )
                rights = ("roles", "units", "per_minute", "per_day")
                before = {name: ended[0][name] if ended else None for name in rights}
                what = audit.Changed(
                    {"state": row["state"], **before},
                    {"state": "ACTIVE", **{name: row[name] for name in rights}} if body.approve else {"state": "REFUSED", **before},
                    {"client_id": row["client_id"], "proposed_by": row["proposed_by"], "replaces": [item["id"] for item in ended]},
                )
                await audit.record(tx, "client.decide", "api_client", registration_id, what)
        except IntegrityError as error:
            raise Conflict("Another registration of this client was approved just now") from error
        return RegistrationView.model_validate(dict(done or {}))

    @router.post(
        "/{registration_id}/end",
        summary="Ngừng cho gọi · End a registration",
        description="Ngừng ngay. Takes effect with the client's next call; one person is enough to close a door.",
    )
    async def end(registration_id: UUID, actor: Proposer) -> RegistrationView:
        async with db.transaction(actor) as tx:
            row = await tx.row(
                "UPDATE api_client SET state = 'ENDED', ended_by = :by, ended_at = now() WHERE id = :id AND state = 'ACTIVE' RETURNING *",
                id=registration_id,
                by=actor.subject,
            )
            if row is None or not _answers_for(actor, row["units"]):
                raise NotFound("No such registration in force")
            what = audit.Changed({"state": "ACTIVE"}, {"state": "ENDED"}, {"client_id": row["client_id"]})
            await audit.record(tx, "client.end", "api_client", registration_id, what)
        return RegistrationView.model_validate(dict(row))


def _watching(router: APIRouter, db: Database) -> None:
    @router.get(
        "/access",
        summary="Nhật ký truy cập · Access log",
        description="Hệ thống nào đã đọc gì, bao nhiêu bản ghi. Calls of other agencies' systems and of partners, newest first.",
    )
    async def access(
        _actor: Watcher,
        client_id: Annotated[str | None, Query(max_length=100, examples=["integrator"])] = None,
        cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AccessPage:
        async with db.read() as tx:
            rows = await tx.rows(
                "SELECT * FROM api_client_access WHERE id < :before AND (CAST(:client AS text) IS NULL OR client_id = :client)"
                " ORDER BY id DESC LIMIT :limit",
                before=cursor or 2**62,
                client=client_id,
                limit=limit,
            )
        items = [Access.model_validate(dict(row)) for row in rows]
        return AccessPage(items=items, next_cursor=str(items[-1].id) if len(items) == limit else None)

    @router.get(
        "/access/sums",
        summary="Tổng hợp truy cập theo ngày · Access by day",
        description="Mỗi ngày, mỗi hệ thống: số lần gọi, số bản ghi. Calls and records by day and client.",
    )
    async def sums(
        _actor: Watcher,
        from_day: Annotated[date, Query(examples=["2024-09-01"])],
        to_day: Annotated[date, Query(examples=["2024-09-30"])],
    ) -> AccessSums:
        async with db.read() as tx:
            rows = await tx.rows(
                "SELECT CAST(at AS date) AS day, client_id, max(agency) AS agency, count(*) AS calls,"
                " count(*) FILTER (WHERE status >= 400) AS refused, coalesce(sum(records), 0)::bigint AS records FROM api_client_access"
                " WHERE CAST(at AS date) BETWEEN :first AND :last GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT 5000",
                first=from_day,
                last=to_day,
            )
        return AccessSums(items=[AccessSum.model_validate(dict(row)) for row in rows])
