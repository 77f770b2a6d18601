"""Routes of self-registration: the public counter sends and looks up, officers decide."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from common.problems import InvalidInput
from registry.api import cells, cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import EntitlementIn, NewBeneficiary, RegisteredView, RepresentativeIn
from registry.storage import self_registrations as storage
from registry.usecases import people, self_registration
from registry.usecases.attributes import Attributes

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Counter = Annotated[Actor, Depends(require(Role.INTEGRATOR))]
_Officer = Annotated[Actor, Depends(require(*_OFFICERS))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.AUDITOR))]
_State = Literal["PENDING", "ACCEPTED", "REFUSED"]


class Proxy(BaseModel):
    """Who registers for somebody else."""

    model_config = ConfigDict(extra="forbid")
    full_name: str = Field(min_length=1, max_length=200)
    national_number: str | None = Field(default=None, max_length=20)
    phone: str | None = Field(default=None, max_length=20)
    relation: str = Field(min_length=1, max_length=100, examples=["Con"])


class NewSelfRegistration(BaseModel):
    """What a citizen says about themselves. What they ask for is in their own words: an officer decides what the law calls it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "full_name": "Nguyễn Thị Hoà",
                    "birth_date": "1950-03-02", "sex": "F", "national_number": "060150001234", "phone": "0901234567",
                    "preference": "WANTS_ACCOUNT", "request": "Đề nghị hưởng trợ cấp hằng tháng",
                    "proxy": {"full_name": "Trần Văn Bình", "relation": "Con", "phone": "0907654321"},
                }
            ]
        },
    )  # fmt: skip
    programme: Programme
    unit_code: str = Field(description="Commune of residence on the business date", examples=["22924"])
    business_date: date
    full_name: str = Field(min_length=1, max_length=200)
    birth_date: str | None = Field(default=None, description="YYYY, YYYY-MM or YYYY-MM-DD")
    sex: Literal["M", "F", "UNKNOWN"] = "UNKNOWN"
    national_number: str | None = Field(default=None, description="12 digits; leave out when there is none")
    phone: str | None = Field(default=None, max_length=20, description="Needed when there is no number: its last digits open the receipt")
    address: str | None = Field(default=None, max_length=400)
    preference: Literal["UNKNOWN", "WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"] = "UNKNOWN"
    request: str = Field(min_length=1, max_length=2_000)
    proxy: Proxy | None = None


class Receipt(BaseModel):
    """Proof that the application was received."""

    receipt_number: str = Field(examples=["TN-2408-7K2MPQ4XWT"])


class ReceiptQuestion(BaseModel):
    """A look-up (in a body, so that it stays out of logs)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"receipt_number": "TN-2408-7K2MPQ4XWT", "last_digits": "1234"}]}
    )
    receipt_number: str = Field(max_length=40)
    last_digits: str = Field(pattern=r"^\d{4}$", description="Last four digits of the national number, or of the phone without one")


class ReceiptView(BaseModel):
    """How an application stands; nothing about the person."""

    receipt_number: str
    state: _State
    answer: str | None = Field(description="The reason of a refusal")
    received_on: date
    decided_on: date | None
    unit_code: str


class SelfRegistrationView(BaseModel):
    """An application as officers see it."""

    registration_id: UUID
    receipt_number: str
    programme: Programme
    unit_code: str
    unit_path: str
    full_name: str
    birth_date: str | None
    masked_number: str | None
    by_proxy: bool
    number_registered: bool = Field(description="Somebody with this number is registered already")
    same_number_waiting: int = Field(description="Other applications with this number that wait")
    state: _State
    answer: str | None
    beneficiary_id: UUID | None
    business_date: date
    received_at: datetime
    decided_by: str | None
    decided_on: date | None


class SelfRegistrationDetail(SelfRegistrationView):
    """With what was asked for; national numbers left out. All null once the person's data were erased."""

    request: str | None
    sex: str | None
    address: str | None
    preference: str | None
    proxy_name: str | None
    proxy_relation: str | None


class SelfRegistrationPage(BaseModel):
    """A page of applications."""

    items: list[SelfRegistrationView]
    next_cursor: str | None


class Acceptance(BaseModel):
    """What the officer adds: the dossier and the decision. The person is taken as applied for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "business_date": "2024-08-25", "file_code": "BT-22924-A-00018",
                    "entitlements": [
                        {"category": "SA5D", "decision_number": "124/QĐ-UBND", "decision_date": "2024-08-24", "from_month": "2024-08"}
                    ],
                }
            ]
        },
    )  # fmt: skip
    business_date: date
    file_code: str = Field(min_length=1, max_length=60)
    entitlements: Annotated[list[EntitlementIn], Field(min_length=1, max_length=10)]
    representative: RepresentativeIn | None = Field(default=None, description="Who collects: not by itself the proxy who applied")


class Refusal(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid")
    business_date: date
    answer: FreeText = Field(min_length=5, max_length=1_000, description="What the citizen is told")


def _view(row: Any) -> SelfRegistrationView:
    return SelfRegistrationView(**{name: row[name] for name in SelfRegistrationView.model_fields})


def make_router(db: Database) -> APIRouter:
    """`/v1/self-registrations`."""
    router = APIRouter(prefix="/v1/self-registrations", tags=["self-registration"])
    _counter(router, db)
    _officers(router, db)
    return router


def _counter(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=Receipt,
        summary="Register oneself, or somebody as a proxy",
        description="Công dân hoặc người làm thay tự đăng ký qua cổng dịch vụ công; nhận số tiếp nhận. Nothing of the register changes"
        " before an officer accepts it.",
    )
    async def receive(request: Request, actor: _Counter, key: IdempotencyKey, body: NewSelfRegistration) -> Response:
        application = self_registration.Application(
            body.programme.value, body.unit_code, body.business_date, body.full_name, body.birth_date, body.national_number, body.phone,
            body.proxy is not None, body.model_dump(mode="json"),
        )  # fmt: skip

        async def effect(tx: Tx) -> tuple[int, Receipt]:
            return 201, Receipt(receipt_number=await self_registration.receive(tx, application))

        answer = await idempotency.run(db, actor, key, "POST /v1/self-registrations", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/lookup",
        summary="How an application stands",
        description="Tra cứu bằng số tiếp nhận và bốn số cuối. Wrong digits: 404; after five in a row the receipt is closed.",
    )
    async def lookup(actor: _Counter, body: ReceiptQuestion) -> ReceiptView:
        row = await self_registration.look_up(db, actor, body.receipt_number, body.last_digits)
        return ReceiptView(
            receipt_number=row["receipt_number"], state=row["state"], answer=row["answer"], received_on=row["received_at"].date(),
            decided_on=row["decided_on"], unit_code=row["unit_code"],
        )  # fmt: skip


def _officers(router: APIRouter, db: Database) -> None:
    @router.get(
        "", summary="Applications", description="Các hồ sơ tự đăng ký trong phạm vi của bạn. The applications of citizens in your area."
    )
    async def listing(
        actor: _Reader, state: Annotated[_State | None, Query()] = None, cursor: Cursor = None, limit: Limit = 100
    ) -> SelfRegistrationPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state)
        last = [str(rows[-1]["registration_id"])] if len(rows) == limit else None
        return SelfRegistrationPage(items=[_view(row) for row in rows], next_cursor=cursors.encode(last))

    @router.get(
        "/{registration_id}",
        summary="One application",
        description="Một hồ sơ tự đăng ký; số định danh được che. One application of a citizen; the national number is masked.",
    )
    async def one(actor: _Reader, registration_id: UUID) -> SelfRegistrationDetail:
        async with db.read(actor) as tx:
            row = await self_registration.seen(tx, registration_id)
        said = self_registration.opened(db.keyring, row)
        proxy = said.get("proxy") or {}
        return SelfRegistrationDetail(
            **_view(row).model_dump(), **{name: said.get(name) for name in ("request", "sex", "address", "preference")},
            proxy_name=proxy.get("full_name"), proxy_relation=proxy.get("relation"),
        )  # fmt: skip

    @router.post(
        "/{registration_id}/accept",
        status_code=201,
        response_model=RegisteredView,
        summary="Accept an application",
        description="Tiếp nhận vào danh bạ theo quyết định; chế độ chờ người thứ hai duyệt. The same rules as every registration: the"
        " allowances are proposals (`decision_ids`) that a second person approves; 409 when the number is registered.",
    )
    async def accept(request: Request, actor: _Officer, key: IdempotencyKey, registration_id: UUID, body: Acceptance) -> Response:
        async with db.read(actor) as tx:
            row = await self_registration.seen(tx, registration_id)
        said = self_registration.opened(db.keyring, row)
        taken = ("programme", "unit_code", "full_name", "birth_date", "sex", "national_number", "address", "preference", "phone")
        try:
            person = NewBeneficiary(**{name: said[name] for name in taken}, **body.model_dump())
        except ValueError as error:
            raise InvalidInput("The application does not fit a registration: refuse it with the reason") from error

        async def effect(tx: Tx) -> tuple[int, RegisteredView]:
            programme, rows = person.programme.value, cells.rows_of(person)
            done = await self_registration.accept(tx, registration_id, programme, body.business_date, rows, Attributes(phone=person.phone))
            return 201, cells.registered(done, await people.warnings(tx, done.person_id))

        route = f"POST /v1/self-registrations/{registration_id}/accept"
        answer = await idempotency.run(db, actor, key, route, await request.body(), effect)
        return JSONResponse(
            answer.body, status_code=answer.status, headers={"Location": f"/v1/beneficiaries/{answer.body['beneficiary_id']}"}
        )

    @router.post(
        "/{registration_id}/refuse",
        summary="Refuse an application",
        description="Từ chối, kèm lý do cho công dân. It is refused, with the reason the citizen is told.",
    )
    async def refuse(actor: _Officer, registration_id: UUID, body: Refusal) -> SelfRegistrationView:
        return _view(await self_registration.refuse(db, actor, registration_id, body.answer, body.business_date))
