"""What waits for the caller: one question per service, answered by one statement, limited to what the caller may resolve.

A service names its kinds of work (:class:`Kind`); the mechanism counts them for roles, units and "not my own proposal", and says
which operation resolves each. A page asks all services with the caller's own token and puts the answers together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.clock import today
from common.db import Database, Tx
from common.settings import MechanismSettings

__all__ = ["PARKED", "Kind", "WorkList", "count", "for_a_province", "moment", "operations", "statement", "work_router"]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_DAYS: Final = 20  # characters of the two days before what an operation is told
Operation = tuple[Literal["GET", "POST", "PUT", "PATCH"], str]
"""A method and a path as the service's own document writes it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of waiting work. SQL pieces are constants of the service's storage; values travel as parameters.

    `waiting`: what follows FROM, with its WHERE; `:me`, `:roles`, `:day` are the caller and the business date. `unit`: the column
    that must lie in the caller's units (several: one of them; None: the whole province's); `also`: another one that must be empty
    or lie there too; `or_none`: work of no unit counts for everybody with the role. The condition is put where `waiting` says
    `{scope}`, else at its end. `since`: the day it began to wait. `deadline`: the day it must be done by; without one, `days` after
    `since` (a house rule that the setting WORK_DAYS overrides). `maker`: who proposed it: what the caller proposed is not counted.
    `about`: where a path parameter of `resolve` is not the column of `w` that bears its name, and fields of its body by JSON pointer.
    """

    code: str
    vi: str
    en: str
    roles: tuple[Role, ...]
    waiting: str
    since: str
    resolve: Operation
    see: Operation | None = None
    unit: str | tuple[str, ...] | None = "w.unit_path"
    deadline: str | None = None
    days: int | None = None
    maker: str | None = None
    also: str | None = None
    or_none: bool = False
    page: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def objects(self) -> Mapping[str, str]:
        """What the operation that resolves it is told of one of them, in SQL: its path parameters, and what `about` adds."""
        return {name: f"w.{name}" for name in _PARAMETER.findall(self.resolve[1])} | dict(self.about)


def moment(column: str) -> str:
    """A moment as the day it was here (UTC+7, no summer time); sessions run in UTC."""
    return f"{column} + interval '7 hours'"


PARKED: Final = (
    Kind(
        "parked_events", "Sự kiện chưa áp dụng được, chờ phát lại", "Events that could not be applied",
        (Role.OPERATOR,), "parked_event AS w WHERE w.replayed_at IS NULL AND w.requested_by IS NULL", moment("w.parked_at"),
        ("POST", "/v1/parked-events/{key}/replay"), ("GET", "/v1/parked-events"), unit=None, days=1,
    ),
    Kind(
        "parked_replays", "Đề nghị phát lại sự kiện, chờ người thứ hai", "Replays that wait for a second person",
        (Role.OPERATOR, Role.APPROVER), "parked_event AS w WHERE w.replayed_at IS NULL AND w.requested_by IS NOT NULL"
        " AND w.approved_by IS NULL", moment("w.parked_at"),
        ("POST", "/v1/parked-events/{key}/replay/approve"), ("GET", "/v1/parked-events"), unit=None, days=1, maker="w.requested_by",
    ),
)  # fmt: skip
"""Kinds that every service with a consumer has."""


class OperationLink(BaseModel):
    """Where the service's document describes an operation: the console opens it there."""

    method: str
    path: str
    tag: str
    operation_id: str
    summary: str


class WorkItem(BaseModel):
    """Waiting work of one kind."""

    kind: str
    title_vi: str
    title_en: str
    count: int
    oldest: date = Field(description="Since when the longest of them waits")
    deadline: date | None = Field(description="The next day by which one of them must be done")
    deadline_from: Literal["RECORD", "HOUSE_RULE"] | None = Field(
        description="RECORD: the day stands in the case itself (law, letter, plan); HOUSE_RULE: a number of days this office has set"
    )
    overdue: int = Field(description="How many are past it on the business date")
    resolve: OperationLink
    see: OperationLink | None = Field(description="Where they are listed one by one")
    page: str | None = Field(description="A page of reporting that does it")
    about: dict[str, str] = Field(
        description="The one to be done first, as `resolve` is told of it: path parameters by name, fields of its body by JSON pointer"
    )


class WorkList(BaseModel):
    """What waits for the caller in one service, by deadline."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "business_date": "2024-09-20", "kinds_asked": 12,
                "items": [
                    {
                        "kind": "decisions", "title_vi": "Quyết định chờ duyệt", "title_en": "Decisions to approve", "count": 3,
                        "oldest": "2024-09-12", "deadline": "2024-09-17", "deadline_from": "HOUSE_RULE", "overdue": 2, "page": None,
                        "about": {"/bulk_id": "0191e4d8-7a10-7d4c-8a53-6a1c1f0f2a11"},
                        "resolve": {"method": "POST", "path": "/v1/decisions/approve", "tag": "decisions",
                                    "operation_id": "approve_v1_decisions_approve_post", "summary": "Approve decisions"},
                        "see": {"method": "GET", "path": "/v1/decisions", "tag": "decisions",
                                "operation_id": "listing_v1_decisions_get", "summary": "Decisions"},
                    }
                ],
            }
        }
    )  # fmt: skip

    business_date: date
    kinds_asked: int = Field(description="How many kinds of work the caller's roles are responsible for here")
    items: list[WorkItem]


def _scope(kind: Kind, actor: Actor) -> tuple[str, dict[str, Any]]:
    if kind.unit is None:
        return "TRUE", {}
    columns = (kind.unit,) if isinstance(kind.unit, str) else kind.unit
    parts = [actor.scope_sql(column) for column in columns]
    none = [f"{columns[0]} IS NULL"] if kind.or_none else []
    condition = "(" + " OR ".join([*(sql for sql, _ in parts), *none]) + ")"
    if kind.also:
        condition += f" AND ({kind.also} IS NULL OR {actor.scope_sql(kind.also)[0]})"
    return condition, parts[0][1]


def statement(kinds: Sequence[Kind], actor: Actor, day: date, days: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
    """One statement that counts all kinds for a caller, and its parameters."""
    parts: list[str] = []
    params: dict[str, Any] = {"day": day}
    for kind in kinds:
        scope, scoped = _scope(kind, actor)
        params |= scoped
        if kind.maker is not None or ":me" in kind.waiting:
            params["me"] = actor.subject
        if ":of_a_province" in kind.waiting:
            params["of_a_province"] = actor.of_a_province
        if ":roles" in kind.waiting:
            params["roles"] = sorted(role.value for role in actor.roles)
        own = f" AND {kind.maker} IS DISTINCT FROM :me" if kind.maker is not None else ""
        allowed = days.get(kind.code, kind.days)
        due = f"({kind.deadline})::date" if kind.deadline else f"(x.since + {int(allowed)})" if allowed is not None else "NULL::date"
        source = kind.waiting.replace("{scope}", scope) if "{scope}" in kind.waiting else f"{kind.waiting} AND {scope}"
        since = f"coalesce(({kind.since})::date, CAST(:day AS date))"  # a record without its day waits from now on
        told = ", ".join(f"'{name}', CAST({column} AS text)" for name, column in kind.objects.items())
        about = f"CAST(jsonb_strip_nulls(jsonb_build_object({told})) AS text)"
        inner = f"SELECT {since} AS since, {about} AS about{f', {due} AS due' if kind.deadline else ''} FROM {source}{own}"
        shown = "x.due" if kind.deadline else due
        # The most urgent, in one pass: two days and what is told of it as one text.
        days_told = f"coalesce(to_char({shown}, 'YYYY-MM-DD'), '9999-99-99') || to_char(x.since, 'YYYY-MM-DD')"
        parts.append(
            f"SELECT '{kind.code}' AS kind, count(*) AS count, min(x.since) AS oldest, min({shown}) AS deadline,"
            f" count(*) FILTER (WHERE {shown} < CAST(:day AS date)) AS overdue,"
            f' substr(min(({days_told} || x.about) COLLATE "C"), {_DAYS + 1}) AS about FROM ({inner}) AS x'
        )
    return " UNION ALL ".join(parts), params


async def count(tx: Tx, kinds: Sequence[Kind], actor: Actor, day: date, days: Mapping[str, int]) -> list[dict[str, Any]]:
    """The kinds with something waiting for the caller."""
    mine = [kind for kind in kinds if actor.has(*kind.roles)]
    if not mine or not (actor.everywhere or actor.unit_paths):
        return []
    sql, params = statement(mine, actor, day, days)
    found = {row["kind"]: row for row in await tx.rows(sql, **params)}
    return [{**found[kind.code], "about": json.loads(found[kind.code]["about"])} for kind in mine if found[kind.code]["count"]]


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    for holder in app.routes:
        router = getattr(holder, "original_router", None)  # routers are included by reference
        for route in router.routes if isinstance(router, APIRouter) else [holder]:
            if isinstance(route, APIRoute):
                yield route


def operations(app: FastAPI) -> dict[tuple[str, str], OperationLink]:
    """Every operation of a service, as its document names it (which takes a second to make, and is not needed for this)."""
    return {
        (method, route.path): OperationLink(
            method=method, path=route.path, tag=str((route.tags or ["default"])[0]), operation_id=route.operation_id or route.unique_id,
            summary=route.summary or "",
        )
        for route in _routes(app) for method in sorted(route.methods or ())
    }  # fmt: skip


def for_a_province(dependant: Dependant) -> bool:
    """Whether a guard of the operation asks for a whole province (`common.auth.require`)."""
    return getattr(dependant.call, "of_a_province", False) or any(map(for_a_province, dependant.dependencies))


def work_router(db: Database, settings: MechanismSettings, kinds: Sequence[Kind]) -> APIRouter:
    """`GET /v1/work`. Any role that some kind is for may ask; the answer holds what that caller may resolve."""
    router = APIRouter(prefix="/v1/work", tags=["my work"])
    guard = require(*sorted({role for kind in kinds for role in kind.roles} | {Role.AUDITOR}))
    links: dict[tuple[str, str], OperationLink] = {}
    by_code = {kind.code: kind for kind in kinds}
    for_provinces: set[tuple[str, str]] = set()

    def item(row: Mapping[str, Any]) -> WorkItem:
        kind = by_code[row["kind"]]
        source: Literal["RECORD", "HOUSE_RULE"] = "RECORD" if kind.deadline else "HOUSE_RULE"
        return WorkItem(
            **row, title_vi=kind.vi, title_en=kind.en, deadline_from=source if row["deadline"] else None, resolve=links[kind.resolve],
            see=links[kind.see] if kind.see else None, page=kind.page,
        )  # fmt: skip

    @router.get(
        "",
        summary="What waits for me here · Việc đang chờ tôi",
        description="Việc đang chờ chính bạn xử lý ở dịch vụ này, theo hạn: đúng vai trò, đúng đơn vị, không gồm việc do bạn đề xuất."
        " Counted by kind, with the operation that resolves each; kinds with nothing waiting are left out.",
    )
    async def mine(
        request: Request,
        actor: Actor = Depends(guard),
        business_date: Annotated[date | None, Query(description="Ngày nghiệp vụ; mặc định hôm nay · default: today in Viet Nam")] = None,
    ) -> WorkList:
        day = business_date or today(settings)
        if not links:
            links.update(operations(request.app))
            each = [(method, route) for route in _routes(request.app) for method in route.methods or ()]
            for_provinces.update((method, route.path) for method, route in each if for_a_province(route.dependant))
        narrow = not actor.of_a_province and not actor.has(Role.OPERATOR)
        within = [kind for kind in kinds if not (narrow and kind.resolve in for_provinces)]
        async with db.read(actor) as tx:
            rows = await count(tx, within, actor, day, settings.work_days)
        items = sorted(map(item, rows), key=lambda one: (one.deadline or date.max, one.oldest, one.kind))
        asked = sum(actor.has(*kind.roles) for kind in within)
        return WorkList(business_date=day, kinds_asked=asked, items=items)

    return router
