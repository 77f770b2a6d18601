"""The routes of a list's columns and of the rows that wait."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from common import audit
from common.actor import Actor, Role
from common.auth import require
from common.db import Database
from common.etags import IfMatch, version_of
from common.lists import desk, storage
from common.lists.models import (
    ColumnView,
    Dismissal,
    Dismissed,
    FieldView,
    MappingAccepted,
    MappingIn,
    MappingView,
    SavedMapping,
    SavedMappings,
    WaitingPage,
    WaitingRow,
)
from common.lists.profile import ListProfile
from common.lists.raw import letter
from common.lists.table import Choice, Layout
from common.lists.verdicts import cell_shown, shown
from common.problems import InvalidInput, NotFound

__all__ = ["add_mapping", "add_waiting"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Maker = Annotated[Actor, Depends(require(*_OFFICERS, Role.INTEGRATOR))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.OPERATOR))]


def _after(cursor: str | None) -> tuple[UUID, int] | None:
    if cursor is None:
        return None
    try:
        import_id, _, row = cursor.partition(":")
        return UUID(import_id), int(row)
    except ValueError as error:
        raise InvalidInput(errors=[{"field": "cursor", "detail": "the `next_cursor` of the page before"}]) from error


def add_waiting(router: APIRouter, db: Database, profile: ListProfile) -> None:
    """Rows that wait, and dismissing them."""

    @router.get(
        "/waiting",
        summary="Rows that wait",
        description="Các dòng chưa được ghi: bị từ chối cho tới khi được sửa hoặc bỏ có lý do, hoặc đang chờ dữ liệu khác."
        " A later list with the corrected row takes it off here.",
    )
    async def waiting(
        actor: _Reader,
        import_id: Annotated[UUID | None, Query(description="Of one import only")] = None,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> WaitingPage:
        scope = actor.scope_sql("f.unit_path")
        async with db.read(actor) as tx:
            rows = await storage.unsettled(tx, profile, import_id=import_id, after=_after(cursor), limit=limit, scope=scope)
        items = [WaitingRow(**dict(row), who={who.name: row[who.name] for who in profile.who}) for row in rows]
        last = f"{rows[-1]['import_id']}:{rows[-1]['row_number']}" if len(rows) == limit else None
        return WaitingPage(items=items, next_cursor=last)

    @router.post(
        "/{import_id}/dismiss",
        summary="Dismiss refused rows",
        description="Bỏ các dòng bị từ chối, kèm lý do. They no longer wait for a correction; all or none.",
    )
    async def dismiss(actor: _Maker, import_id: UUID, body: Dismissal) -> Dismissed:
        return Dismissed(dismissed=await desk.dismiss(db, actor, profile, import_id, body.rows, body.reason))


def add_mapping(router: APIRouter, db: Database, profile: ListProfile) -> None:
    """Columns of a file, and mappings saved."""

    @router.get("/mappings", summary="Saved mappings", description="Các mẫu cột đã lưu, nhận ra theo dòng tiêu đề. In your area.")
    async def mappings(actor: _Maker) -> SavedMappings:
        scope, params = actor.scope_sql("unit_path")
        async with db.read(actor) as tx:
            rows = await tx.rows(
                "SELECT mapping_id, unit_path, name, headers, columns, created_by, created_at FROM import_mapping"
                f" WHERE {scope} ORDER BY unit_path, name LIMIT 1000",
                **params,
            )
        return SavedMappings(items=[SavedMapping(**row) for row in rows])

    @router.delete(
        "/mappings/{mapping_id}",
        status_code=204,
        summary="Forget a saved mapping",
        description="Xóa một mẫu cột đã lưu. Lists that were read with it stay as they are.",
    )
    async def forget(actor: _Maker, mapping_id: UUID) -> Response:
        scope, params = actor.scope_sql("unit_path")
        async with db.transaction(actor) as tx:
            gone = await tx.row(
                f"DELETE FROM import_mapping WHERE mapping_id = :id AND {scope} RETURNING name, unit_path, created_by",
                id=mapping_id,
                **params,
            )
            if gone is None:
                raise NotFound("No such mapping")
            what = audit.Changed({**gone}, {str(name): None for name in gone})
            await audit.record(tx, "import.mapping-forgotten", "import-mapping", mapping_id, what)
        return Response(status_code=204)

    @router.get(
        "/{import_id}/mapping",
        summary="How a list is read",
        description="Cột nào của tệp được hiểu là cột nào, mức chắc chắn và vài giá trị mẫu. Columns guessed, saved or set, with samples.",
    )
    async def mapping(actor: _Maker, import_id: UUID, response: Response) -> MappingView:
        file, layout = await desk.mapping_of(db, actor, profile, import_id)
        response.headers["ETag"] = f'"{file["version"]}"'
        return _mapping_view(profile, file, layout)

    @router.put(
        "/{import_id}/mapping",
        status_code=202,
        summary="Set a list's columns",
        description="Gán lại cột; danh sách được kiểm tra lại từ đầu. Before approval only; needs `If-Match` with the ETag read."
        " `save_as` keeps it: the next file with these headers is read the same way.",
    )
    async def set_mapping(actor: _Maker, import_id: UUID, body: MappingIn, if_match: IfMatch = None) -> MappingAccepted:
        columns = {name: _index(text) for name, text in body.columns.items()}
        choice = Choice(columns, body.sheet, body.header_row)
        return MappingAccepted(**await desk.set_mapping(db, actor, profile, import_id, version_of(if_match), choice, body.save_as))


def _index(letters: str) -> int:
    index = 0
    for char in letters:
        index = index * 26 + ord(char) - 64
    return index - 1


def _mapping_view(profile: ListProfile, file: Any, layout: Layout) -> MappingView:
    by_index = {match.index: (name, match) for name, match in layout.matches.items()}
    used = layout.columns
    columns = []
    for index, header in enumerate(layout.headers):
        name, match = by_index.get(index, (None, None))
        cells = [row[index] for row in layout.samples if index < len(row) and row[index]]
        samples = [cell_shown(profile, name, cell) if name else shown(cell) for cell in cells]
        columns.append(
            ColumnView(
                letter=letter(index), header=header, samples=samples, field=name, confidence=match.confidence if match else None,
                how=match.how if match else None,
            )
        )  # fmt: skip
    fields = [
        FieldView(
            field=column.name, header=column.headers[0], required=column.required,
            letter=letter(used[column.name]) if column.name in used else None,
        )
        for column in profile.columns
    ]  # fmt: skip
    return MappingView(
        import_id=file["import_id"], state=file["state"], version=file["version"], sheet=layout.sheet, header_row=layout.header_row,
        headers_fingerprint=layout.fingerprint, missing=list(layout.missing), columns=columns, fields=fields,
    )  # fmt: skip
