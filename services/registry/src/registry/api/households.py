"""Routes of households."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from common import idempotency
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.problems import InvalidInput
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.roles import Reader, Writer
from registry.storage import households as storage
from registry.usecases import households

__all__ = ["make_router"]

_ID = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"
_MEMBER: JsonDict = {"beneficiary_id": _ID, "relation": "Chủ hộ"}


class MemberIn(Closed):
    """Somebody of the register and what they are to the head."""

    beneficiary_id: UUID
    relation: str = Field(min_length=1, max_length=60, examples=["Chủ hộ", "Vợ", "Con"])


Members = Annotated[list[MemberIn], Field(min_length=1, max_length=50)]


class NewHousehold(Closed):
    """A household; the first member is its head."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "H-22924-001",
                    "unit_code": "22924",
                    "business_date": "2024-08-20",
                    "from_date": "2024-01-01",
                    "members": [_MEMBER],
                }
            ]
        },
    )
    code: str | None = Field(default=None, min_length=1, max_length=60, description="Mã hộ, unique in the province")
    unit_code: str
    address: str | None = Field(default=None, max_length=400)
    hamlet: str | None = Field(default=None, max_length=120)
    business_date: date
    from_date: date
    members: Members
    leave_previous: bool = Field(default=False, description="Members leave the household they are in; else that is refused (409)")


class HouseholdPatch(Closed):
    """Place or head. Left-out fields stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "hamlet": "Thôn 2"}]})
    business_date: date
    unit_code: str | None = None
    address: str | None = Field(default=None, max_length=400)
    hamlet: str | None = Field(default=None, max_length=120)
    head_id: UUID | None = None


class Joining(Closed):
    """People who join from a day on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"business_date": "2024-08-20", "from_date": "2024-08-01", "members": [_MEMBER | {"relation": "Con"}]}]
        },
    )
    business_date: date
    from_date: date
    members: Members
    leave_previous: bool = False


class Leaving(Closed):
    """Somebody leaves; the last day of membership."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "beneficiary_id": _ID, "last_day": "2024-07-31"}]}
    )
    business_date: date
    beneficiary_id: UUID
    last_day: date


class Splitting(Closed):
    """Members who make a household of their own; the first is its head."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"business_date": "2024-08-20", "from_date": "2024-08-01", "members": [_MEMBER], "keep_groups": True}]
        },
    )
    business_date: date
    from_date: date
    members: Members
    code: str | None = Field(default=None, min_length=1, max_length=60)
    unit_code: str | None = None
    address: str | None = Field(default=None, max_length=400)
    hamlet: str | None = Field(default=None, max_length=120)
    keep_groups: bool = Field(description="Whether the new household stays poor, near-poor … until the next review: said, never guessed")


class MemberView(BaseModel):
    """One membership."""

    beneficiary_id: UUID
    full_name: str
    birth_date: str | None
    status: str
    relation: str
    from_date: date
    to_date: date | None
    is_head: bool


class GroupView(BaseModel):
    """Counted in a group from and to a day."""

    group_code: str
    from_date: date
    to_date: date | None
    decision_number: str | None
    end_decision_number: str | None


class HouseholdItem(BaseModel):
    """A household as lists show it."""

    household_id: UUID
    code: str | None
    head_id: UUID | None
    head_name: str | None
    members: int
    address: str | None
    hamlet: str | None
    unit_code: str
    unit_path: str
    version: int


class HouseholdView(BaseModel):
    """A household with members and groups."""

    household_id: UUID
    code: str | None
    head_id: UUID | None
    address: str | None
    hamlet: str | None
    unit_code: str
    unit_path: str
    split_from: UUID | None
    closed_on: date | None
    version: int
    members: list[MemberView]
    groups: list[GroupView]


class HouseholdPage(BaseModel):
    """A page of households."""

    items: list[HouseholdItem]
    next_cursor: str | None


class HouseholdMade(BaseModel):
    """The household made."""

    household_id: UUID


def _members(members: list[MemberIn]) -> list[households.Member]:
    return [households.Member(member.beneficiary_id, member.relation) for member in members]


def _answer(found: households.Household, status: int = 200) -> Response:
    row: Any = found.row
    view = HouseholdView(
        **{name: row[name] for name in HouseholdView.model_fields if name in row},
        members=[
            MemberView(**(dict(item) | {"beneficiary_id": item["person_id"], "is_head": bool(item["is_head"])})) for item in found.members
        ],
        groups=[GroupView(**item) for item in found.groups],
    )
    headers = {"ETag": etag(view.version)} | ({"Location": f"/v1/households/{view.household_id}"} if status == 201 else {})
    return JSONResponse(view.model_dump(mode="json"), status_code=status, headers=headers)


def make_router(db: Database) -> APIRouter:
    """`/v1/households`."""
    router = APIRouter(prefix="/v1/households", tags=["households"])
    _make_and_read(router, db)
    _change(router, db)
    return router


def _make_and_read(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=HouseholdMade,
        summary="Make a household",
        description="Lập hộ: người đầu tiên là chủ hộ. Members are people of the register; their dues are computed anew at once.",
    )
    async def create(request: Request, actor: Writer, key: IdempotencyKey, body: NewHousehold) -> Response:
        async def effect(tx: Tx) -> tuple[int, HouseholdMade]:
            place = households.Place(body.unit_code, body.address, body.hamlet)
            made = await households.create(
                tx, place, body.code, _members(body.members), body.from_date, body.business_date, leave_previous=body.leave_previous
            )
            return 201, HouseholdMade(household_id=made)

        answer = await idempotency.run(db, actor, key, "POST /v1/households", await request.body(), effect)
        return JSONResponse(answer.body, answer.status, headers={"Location": f"/v1/households/{answer.body['household_id']}"})

    @router.get("", summary="Households", description="Danh sách hộ trong phạm vi của bạn, theo đơn vị. By unit; filters combine.")
    async def listing(
        actor: Reader,
        unit_path: Annotated[str | None, Query(max_length=60, examples=["60/593"])] = None,
        code: Annotated[str | None, Query(max_length=60)] = None,
        group: Annotated[str | None, Query(max_length=40, examples=["POOR"])] = None,
        group_on: Annotated[date | None, Query(description="The date `group` is asked for")] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> HouseholdPage:
        if (group is None) != (group_on is None):
            raise InvalidInput(errors=[{"field": "group_on", "detail": "a group is asked for on a date"}])
        async with db.read(actor) as tx:
            rows = await storage.page(
                tx, actor, unit_path=unit_path, code=code, group=group, on=group_on, after=cursors.decode(cursor, 2), limit=limit
            )
        end = cursors.encode([rows[-1]["unit_path"], str(rows[-1]["household_id"])] if len(rows) == limit else None)
        items = [HouseholdItem(**{name: row[name] for name in HouseholdItem.model_fields}) for row in rows]
        return HouseholdPage(items=items, next_cursor=end)

    @router.get(
        "/{household_id}",
        response_model=HouseholdView,
        summary="One household",
        description="Một hộ, thành viên và nhóm. With `on`, the members of that day; else everybody who ever belonged to it.",
    )
    async def one(actor: Reader, household_id: UUID, on: Annotated[date | None, Query()] = None) -> Response:
        return _answer(await households.read(db, actor, household_id, on))


def _change(router: APIRouter, db: Database) -> None:
    @router.patch(
        "/{household_id}",
        response_model=HouseholdView,
        summary="Correct a household",
        description="Sửa nơi ở hoặc chủ hộ. Needs `If-Match` with the ETag read.",
    )
    async def patch(actor: Writer, household_id: UUID, body: HouseholdPatch, if_match: IfMatch = None) -> Response:
        place = households.Place(body.unit_code, body.address, body.hamlet)
        version = version_of(if_match)
        return _answer(await households.change(db, actor, household_id, version, place, body.head_id, body.business_date))

    @router.post(
        "/{household_id}/members",
        response_model=HouseholdView,
        summary="People join",
        description="Thêm thành viên từ một ngày. 409 when somebody belongs to another household, unless `leave_previous`.",
    )
    async def join(actor: Writer, household_id: UUID, body: Joining, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        return _answer(
            await households.add(
                db, actor, household_id, version, _members(body.members), body.from_date, body.business_date,
                leave_previous=body.leave_previous,
            )
        )  # fmt: skip

    @router.post(
        "/{household_id}/leave",
        response_model=HouseholdView,
        summary="Somebody leaves",
        description="Thành viên rời hộ; `last_day` là ngày cuối. When nobody is left the household is closed and its groups end.",
    )
    async def leave(actor: Writer, household_id: UUID, body: Leaving, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        return _answer(await households.leave(db, actor, household_id, version, body.beneficiary_id, body.last_day, body.business_date))

    @router.post(
        "/{household_id}/split",
        status_code=201,
        response_model=HouseholdView,
        summary="Split a household",
        description="Tách hộ: những người được nêu lập hộ mới. The answer is the new household; dues of both are computed anew.",
    )
    async def split(actor: Writer, household_id: UUID, body: Splitting, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        place = households.Place(body.unit_code, body.address, body.hamlet)
        made = await households.split(
            db, actor, household_id, version, _members(body.members), body.code, place, body.from_date, body.business_date,
            keep_groups=body.keep_groups,
        )  # fmt: skip
        return _answer(made, 201)
