"""`GET /v1/audit`: what an auditor asks the audit log; the same three routes in every service. Asking is audited too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from common import audit, sheets
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.problems import InvalidInput
from common.streams import StreamingResponse

__all__ = ["AuditPage", "AuditRow", "audit_router"]

_COLUMNS: Final = "id, at, subject, roles, units, request_id, action, object_type, object_id, detail, purpose"
_HEADER: Final = (
    "Số", "Thời điểm (giờ Việt Nam)", "Người thực hiện", "Vai trò", "Đơn vị", "Việc", "Loại đối tượng", "Đối tượng",
    "Chi tiết (đã che)", "Mục đích", "Mã yêu cầu",
)  # fmt: skip
_HERE: Final = timezone(timedelta(hours=7))
_ROW: Final[dict[str, Any]] = {
    "id": 1207, "at": "2024-09-17T02:11:09Z", "subject": "department.officer", "roles": ["DEPARTMENT_OFFICER"], "units": ["60"],
    "request_id": "0191f5a0-0000-7000-8000-0000000000aa", "action": "list.submit", "object_type": "cycle",
    "object_id": "0191f5a0-0000-7000-8000-0000000000ab",
    "detail": {"before": {"state": "COMPUTED"}, "after": {"state": "SUBMITTED"}, "lines": 1200}, "purpose": None,
}  # fmt: skip


class AuditRow(BaseModel):
    """Who did what to which object."""

    id: int
    at: datetime
    subject: str
    roles: list[str]
    units: list[str]
    request_id: str | None
    action: str
    object_type: str
    object_id: str
    detail: dict[str, Any] = Field(description="Before and after where something changed, masked")
    purpose: str | None = Field(description="Stated by whoever read something whole")


class AuditPage(BaseModel):
    """A page of the audit log, newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_ROW], "next_cursor": "1207"}})

    items: list[AuditRow]
    next_cursor: str | None


class AnchorView(BaseModel):
    """Where the chain stood at a moment."""

    position: int
    digest: str = Field(description="Hex of the chain's SHA-256 after this position")
    at: datetime


class AnchorsPage(BaseModel):
    """Anchors in order, to be kept where nobody who runs the database can change them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "service": "registry", "sealed": 1207, "waiting": 0, "next_cursor": None,
                "items": [{"position": 1207, "digest": "9f2c" * 16, "at": "2024-09-17T02:15:00Z"}],
            }
        }
    )  # fmt: skip

    service: str
    sealed: int = Field(description="Rows that have a place in the chain")
    waiting: int = Field(description="Committed rows the sealer has not reached; a second or two")
    items: list[AnchorView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Filter:
    """What is looked for; empty means anything."""

    subject: str | None
    action: str | None
    object_type: str | None
    object_id: str | None
    request_id: str | None
    since: datetime | None
    until: datetime | None

    def sql(self, actor: Actor) -> tuple[str, dict[str, Any]]:
        """Condition and parameters; rows of other units are left out."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        compare = {"since": "at >= :since", "until": "at < :until"}
        scope, params = _visible(actor)
        return " AND ".join([scope, *(compare.get(name, f"{name} = :{name}") for name in given)]), given | params

    def said(self) -> dict[str, str]:
        """For the audit row of the question."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


def _visible(actor: Actor) -> tuple[str, dict[str, Any]]:
    """Rows by people of the actor's units; for a whole province's auditor also those of nobody's unit (the platform's work)."""
    if actor.everywhere:
        return "TRUE", {}
    scope, params = actor.scope_sql("u")
    whole = any("/" not in path for path in actor.unit_paths)
    nobody = " OR cardinality(units) = 0 OR units = '{*}'" if whole else ""
    return f"(EXISTS (SELECT FROM unnest(units) AS x(u) WHERE {scope}){nobody})", params


def _text(max_length: int, about: str, example: str) -> Any:
    return Query(max_length=max_length, description=about, examples=[example])


def _filter(
    subject: Annotated[str | None, _text(200, "Người thực hiện · who did it", "department.officer")] = None,
    action: Annotated[str | None, _text(100, "Việc đã làm · what was done", "list.submit")] = None,
    object_type: Annotated[str | None, _text(100, "Loại đối tượng · kind of object", "cycle")] = None,
    object_id: Annotated[str | None, _text(200, "Mã đối tượng · the object's id", "0191f5a0-0000-7000-8000-0000000000ab")] = None,
    request_id: Annotated[str | None, _text(200, "`X-Request-ID` của yêu cầu · of the request", "0191f5a0-0000-7000-8000-0000000000aa")]
    = None,
    since: Annotated[datetime | None, Query(description="Từ thời điểm, kể cả · from this moment on")] = None,
    until: Annotated[datetime | None, Query(description="Đến trước thời điểm · before this moment")] = None,
) -> _Filter:  # fmt: skip
    for name, value in (("since", since), ("until", until)):
        if value is not None and value.tzinfo is None:
            raise InvalidInput(
                errors=[{"field": name, "detail": "say the time zone, such as +07:00", "detail_vi": "ghi múi giờ, ví dụ +07:00"}]
            )
    return _Filter(subject, action, object_type, object_id, request_id, since, until)


async def _page(tx: Tx, wanted: _Filter, actor: Actor, before: int | None, limit: int) -> list[AuditRow]:
    condition, params = wanted.sql(actor)
    below = " AND id < :before" if before is not None else ""
    rows = await tx.rows(
        f"SELECT {_COLUMNS} FROM audit_log WHERE {condition}{below} ORDER BY id DESC LIMIT :limit", **params,
        **({"before": before} if before is not None else {}), limit=limit,
    )  # fmt: skip
    return [AuditRow.model_validate(dict(row)) for row in rows]


async def _cells(db: Database, wanted: _Filter, actor: Actor) -> AsyncIterator[list[sheets.Cell]]:
    condition, params = wanted.sql(actor)
    async with db.read(actor) as tx:
        async for row in tx.stream(
            f"SELECT {_COLUMNS}, CAST(detail AS text) AS told FROM audit_log WHERE {condition} ORDER BY id DESC", **params
        ):
            yield [
                row["id"], row["at"].astimezone(_HERE).strftime("%d/%m/%Y %H:%M:%S"), row["subject"], ", ".join(row["roles"]),
                ", ".join(row["units"]), row["action"], row["object_type"], row["object_id"], row["told"], row["purpose"],
                row["request_id"],
            ]  # fmt: skip


_Filtered = Annotated[_Filter, Depends(_filter)]
_Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next_cursor` của trang trước · of the page before")]
_Auditor = Annotated[Actor, Depends(require(Role.AUDITOR))]


def audit_router(db: Database, service: str) -> APIRouter:
    """The three routes, for auditors."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])

    @router.get(
        "",
        operation_id="audit_rows",
        summary="The audit log · Nhật ký kiểm toán",
        description="Ai đã làm gì, với đối tượng nào, lúc nào, trước và sau (đã che), mục đích gì; mới nhất trước. Việc tra cứu này cũng"
        " được ghi. Who did what to which object, newest first, of the units in the auditor's scope; asking is itself audited."
        " Follow `next_cursor` until it is null.",
    )
    async def listing(
        wanted: _Filtered, actor: _Auditor, cursor: _Cursor = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> AuditPage:
        async with db.transaction(actor) as tx:
            items = await _page(tx, wanted, actor, int(cursor) if cursor else None, limit)
            await audit.record(tx, "audit.read", "audit", service, audit.Noted({"filter": wanted.said(), "rows": len(items)}))
        return AuditPage(items=items, next_cursor=str(items[-1].id) if len(items) == limit else None)

    @router.get(
        "/file",
        operation_id="audit_file",
        summary="The audit log as a file · Tải nhật ký kiểm toán",
        description="Tải nhật ký theo cùng bộ lọc, dạng CSV hoặc XLSX. The same question as a file to keep; streamed, of any length.",
        response_class=StreamingResponse,
        responses=sheets.RESPONSES,
    )
    async def file(
        wanted: _Filtered, actor: _Auditor, form: Annotated[sheets.Form, Query(alias="format", description="csv, xlsx")] = "xlsx"
    ) -> StreamingResponse:
        async with db.transaction(actor) as tx:
            await audit.record(tx, "audit.export", "audit", service, audit.Noted({"filter": wanted.said(), "format": form}))
        sheet = sheets.Sheet(_HEADER, name="Nhật ký")
        return sheets.download(form, f"nhat-ky-{service}", sheet, _cells(db, wanted, actor))

    @router.get(
        "/anchors",
        operation_id="audit_anchors",
        summary="Anchors of the audit chain · Mốc neo của chuỗi nhật ký",
        description="Mốc neo của chuỗi băm nhật ký: cơ quan khác lưu giữ để đối chiếu về sau. Heads of the hash chain, for somebody else to"
        " keep: rewriting the log later contradicts them. Follow `next_cursor` until it is null.",
    )
    async def anchors(actor: _Auditor, cursor: _Cursor = None, limit: Annotated[int, Query(ge=1, le=1000)] = 1000) -> AnchorsPage:
        async with db.read(actor) as tx:
            rows = await tx.rows(
                "SELECT position, encode(chain_digest, 'hex') AS digest, at FROM audit_anchor WHERE position > :after"
                " ORDER BY position LIMIT :limit",
                after=int(cursor or 0),
                limit=limit,
            )
            sealed = await tx.value("SELECT coalesce(max(position), 0) FROM audit_chain")
            waiting = await tx.value("SELECT count(*) FROM audit_unsealed")
        items = [AnchorView.model_validate(dict(row)) for row in rows]
        following = str(items[-1].position) if len(items) == limit else None
        return AnchorsPage(service=service, sealed=sealed, waiting=waiting, items=items, next_cursor=following)

    return router
