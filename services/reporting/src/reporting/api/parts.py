"""What the routes of targets, milestones, obstacles, outreach and samples share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Protocol, TypeVar
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, sheets
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.etags import etag
from common.idempotency import Answer
from common.masking import FreeText
from reporting.api.reports import READERS
from reporting.api.schemas import Text
from reporting.domain.states import Words

__all__ = [
    "BusinessDate",
    "Cursor",
    "Department",
    "Form",
    "Inspector",
    "Limit",
    "Note",
    "Officer",
    "Outreacher",
    "Reader",
    "Short",
    "UnitPath",
    "UnitQuery",
    "created",
    "dated",
    "example",
    "next_cursor",
    "table",
    "tagged",
    "text",
]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
Officer = Annotated[Actor, Depends(require(*_OFFICERS))]
Outreacher = Annotated[Actor, Depends(require(*_OFFICERS, Role.COMMUNE_POLICE))]
Department = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Inspector = Annotated[Actor, Depends(require(Role.AUDITOR, Role.DEPARTMENT_OFFICER))]
Reader = Annotated[Actor, Depends(require(*READERS, Role.COMMUNE_POLICE))]

_PATH: Final = r"^[0-9]+(/[0-9]+)*$"
UnitPath = Annotated[str, Field(pattern=_PATH, max_length=40, description="Đơn vị · unit", examples=["60/593/22924"])]
NowPath = Annotated[
    str | None,
    Field(description="Đơn vị tiếp nhận, khi đơn vị ghi ban đầu đã kết thúc · the unit it goes on with, where its own has ended",
          examples=["68/22924"]),
]  # fmt: skip
MovedOn = Annotated[date | None, Field(description="Từ ngày nào · since when", examples=["2025-07-01"])]
UnitQuery = Annotated[
    str | None, Query(pattern=_PATH, max_length=40, description="Đơn vị và mọi cấp dưới · a unit and all below; default: your only unit",
                      examples=["60"]),
]  # fmt: skip
BusinessDate = Annotated[
    date,
    Query(ge=date(1900, 1, 1), le=date(2999, 12, 31), description="Ngày nghiệp vụ · the day it is asked for", examples=["2024-09-20"]),
]
Cursor = Annotated[UUID | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
Note = Annotated[
    FreeText, Field(min_length=5, max_length=1000, description="Ghi chú; không ghi số giấy tờ, số tài khoản · no personal numbers")
]
Short = Annotated[FreeText, Field(min_length=3, max_length=200)]


class _Versioned(Protocol):
    version: int


VersionedT = TypeVar("VersionedT", bound=_Versioned)


class Form(BaseModel):
    """What is sent: closed."""

    model_config = ConfigDict(extra="forbid")


def example(**fields: Any) -> ConfigDict:
    """A closed model's worked example."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": fields})


def text(words: Words) -> Text:
    """Words as they are answered."""
    return Text(vi=words.vi, en=words.en)


async def created(
    db: Database, actor: Actor, key: str, route: str, request: Request, make: Callable[[Tx], Awaitable[BaseModel]]
) -> Response:  # fmt: skip
    """201 with what `make` makes, once per key: a repeat gets the first answer, marked, with its ETag."""

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 201, await make(tx)

    return _answered(await idempotency.run(db, actor, key, route, await request.body(), effect))


def tagged(response: Response, view: VersionedT) -> VersionedT:
    """The view, with its version as the answer's ETag."""
    response.headers["ETag"] = etag(view.version)
    return view


def table(form: sheets.Form, name: str, sheet: sheets.Sheet, rows: Iterable[tuple[sheets.Cell, ...]]) -> Response:
    """A short table as a file `name`."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(sheets.written(form, sheet, rows), media_type=sheets.MEDIA[form], headers=headers)


def _answered(answer: Answer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    if isinstance(answer.body, dict) and "version" in answer.body:
        headers["ETag"] = etag(answer.body["version"])
    return Response(orjson.dumps(answer.body), status_code=answer.status, headers=headers, media_type="application/json")


def next_cursor(rows: Sequence[Mapping[str, Any]], limit: int, name: str) -> UUID | None:
    """The cursor after a full page; None when the page was not full."""
    return rows[-1][name] if len(rows) == limit else None


def dated(day: date | None) -> str:
    """A day as it stands on papers here: 05/09/2024."""
    return f"{day:%d/%m/%Y}" if day else ""
