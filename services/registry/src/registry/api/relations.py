"""Routes of a person's surroundings: relatives by merit, households, groups, institutions, answers, addresses."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from common import idempotency
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from registry.api.models import Closed
from registry.api.roles import Reader, Writer
from registry.usecases import living

__all__ = ["make_router"]

_ID = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"


class MeritPersonIn(Closed):
    """A merit person who is not in the register and receives nothing."""

    full_name: str = Field(min_length=1, max_length=200)
    birth_date: str | None = Field(default=None, description="At the precision known", examples=["1945"])
    sex: Literal["M", "F", "UNKNOWN"] = "UNKNOWN"
    died_on: date | None = Field(default=None, description="Day of death, or of the certificate that states it; leave out for the living")


class NewRelation(Closed):
    """A relative, the merit person, and the decision that says so."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "business_date": "2024-08-20", "relative_id": _ID, "relation": "CHILD", "decision_number": "12/QĐ-SLĐTBXH",
                    "decision_date": "2020-05-04", "from_date": "2020-06-01",
                    "merit_person": {"full_name": "Nguyễn Văn Tám", "birth_date": "1945", "sex": "M", "died_on": "1968-02-12"},
                }
            ]
        },
    )  # fmt: skip
    business_date: date
    relative_id: UUID
    merit_person_id: UUID | None = None
    merit_person: MeritPersonIn | None = None
    relation: Literal["PARENT", "SPOUSE", "CHILD", "FOSTER_PARENT", "WORSHIPPER", "OTHER"] = Field(description="What the relative is")
    decision_number: str = Field(min_length=1, max_length=100)
    decision_date: date
    from_date: date

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.merit_person_id is None) == (self.merit_person is None):
            raise ValueError("give merit_person_id or merit_person")
        return self


class RelationMade(BaseModel):
    """The link made."""

    relation_id: UUID


class RelationEnd(Closed):
    """The last day of a link."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "to_date": "2024-07-31"}]})
    business_date: date
    to_date: date


class RelationView(BaseModel):
    """A link, seen from either side."""

    relation_id: UUID
    merit_person_id: UUID
    merit_name: str
    merit_status: str
    merit_death_date: date | None
    merit_is_beneficiary: bool = Field(description="Whether the merit person is a beneficiary too")
    relative_id: UUID
    relative_name: str
    relative_status: str
    relation: str
    entitlement_id: UUID | None = Field(description="The relative's own allowance by this decision, when there is one")
    decision_number: str
    decision_date: date
    from_date: date
    to_date: date | None
    version: int


class MembershipView(BaseModel):
    """A household the person belongs or belonged to."""

    household_id: UUID
    code: str | None
    relation: str
    from_date: date
    to_date: date | None
    is_head: bool


class PersonGroupView(BaseModel):
    """A group the person is counted in, alone or with the household."""

    group_code: str
    from_date: date
    to_date: date | None


class StayView(BaseModel):
    """A stay in an institution."""

    institution_id: UUID
    code: str
    name: str
    from_date: date
    to_date: date | None
    decision_number: str | None


class AnswerView(BaseModel):
    """An answer to the preference survey."""

    version: int
    preference: str
    recorded_on: date
    evidence: str | None
    source: str
    recorded_by: str | None


class AddressView(BaseModel):
    """Where the person lived from a day to a day."""

    model_config = ConfigDict(from_attributes=True)
    unit_code: str
    unit_path: str
    address: str | None
    hamlet: str | None
    from_date: date | None
    to_date: date | None


class LivingView(BaseModel):
    """How a person lives, now and before."""

    beneficiary_id: UUID
    relations: list[RelationView]
    households: list[MembershipView]
    groups: list[PersonGroupView]
    institutions: list[StayView]
    preferences: list[AnswerView]
    addresses: list[AddressView]


def _relation(row: Any) -> RelationView:
    return RelationView(**{name: row[name] for name in RelationView.model_fields})


def make_router(db: Database) -> APIRouter:
    """`/v1/merit-relations` and `/v1/beneficiaries/{id}/living`."""
    router = APIRouter(prefix="/v1", tags=["beneficiaries"])

    @router.get(
        "/beneficiaries/{beneficiary_id}/living",
        summary="Relatives, household, groups, institutions, answers, addresses",
        description="Thân nhân, hộ, nhóm, cơ sở, nguyện vọng và nơi ở theo thời gian. Each with its dates; merit links both ways.",
    )
    async def one(actor: Reader, beneficiary_id: UUID) -> LivingView:
        found = await living.read(db, actor, beneficiary_id)
        return LivingView(
            beneficiary_id=beneficiary_id,
            relations=[_relation(row) for row in found.relations],
            households=[MembershipView(**(dict(row) | {"is_head": bool(row["is_head"])})) for row in found.households],
            groups=[PersonGroupView(**row) for row in found.groups],
            institutions=[StayView(**row) for row in found.stays],
            preferences=[AnswerView(**row) for row in found.preferences],
            addresses=[AddressView.model_validate(item) for item in found.addresses],
        )

    @router.post(
        "/merit-relations",
        status_code=201,
        response_model=RelationMade,
        summary="Link a relative to a merit person",
        description="Ghi thân nhân của người có công, kèm quyết định. A merit person who receives nothing gets a record of their own.",
    )
    async def relate(request: Request, actor: Writer, key: IdempotencyKey, body: NewRelation) -> Response:
        given = living.MeritPerson(**body.merit_person.model_dump()) if body.merit_person is not None else None
        new = living.NewRelation(
            body.relative_id, body.merit_person_id, given, body.relation, body.decision_number, body.decision_date, body.from_date
        )

        async def effect(tx: Tx) -> tuple[int, RelationMade]:
            return 201, RelationMade(relation_id=await living.relate(tx, new, body.business_date))

        answer = await idempotency.run(db, actor, key, "POST /v1/merit-relations", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.patch(
        "/merit-relations/{relation_id}",
        response_model=RelationView,
        summary="End a link",
        description="Kết thúc quan hệ thân nhân. Needs `If-Match` with the link's version.",
    )
    async def end(actor: Writer, relation_id: UUID, body: RelationEnd, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        row = await living.end_relation(db, actor, relation_id, version, body.to_date, body.business_date)
        view = _relation(row)
        return JSONResponse(view.model_dump(mode="json"), headers={"ETag": etag(view.version)})

    return router
