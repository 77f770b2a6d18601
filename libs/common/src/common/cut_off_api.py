"""`GET /v1/cut-offs/{id}`: a cut-off as one service sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from common import cut_offs
from common.auth import Actor, Role, require
from common.db import Database
from common.problems import Problem

__all__ = ["CutOffNotFound", "CutOffView", "cut_offs_router"]

_ID: Final = "0191f5a0-0000-7000-8000-0000000000aa"


class CutOffNotFound(Problem):
    """No marker of this cut-off has arrived here."""

    type, status = "cut-off-not-found", 404
    title, title_vi = "No such cut-off", "Không tìm thấy mốc chốt số liệu"


class CutOffPartitionView(BaseModel):
    """One partition's marker."""

    partition: int
    announced: dict[str, int] = Field(description="The producer's totals")
    found: dict[str, int] = Field(description="The same totals of this service at the marker")
    difference: dict[str, int] = Field(description="Announced minus found, where nothing explains it; the marker is then not passed on")
    lagging: dict[str, int] = Field(description="Announced minus found, where parked people explain it; they are told as unanswered")
    parked: int = Field(description="People with parked events when the marker arrived")
    arrived_at: datetime
    passed: dict[str, int] | None = Field(description="This service's own totals, as passed on")


class CutOffView(BaseModel):
    """A cut-off as this service sees it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "cut_off_id": _ID, "cycle_id": _ID, "month": "2024-09", "programme": "MERIT", "state": "PASSED",
                    "complete_at": "2024-08-20T03:00:00Z", "passed_at": "2024-08-20T03:00:01Z", "unanswered": 0, "partitions": [],
                }
            ]
        }
    )  # fmt: skip

    cut_off_id: UUID
    cycle_id: UUID
    month: str
    programme: str
    state: Literal["ARRIVING", "DIFFERS", "WAITING", "PASSED"]
    complete_at: datetime | None
    passed_at: datetime | None
    unanswered: int | None
    partitions: list[CutOffPartitionView]


def cut_offs_router(db: Database, *roles: Role) -> APIRouter:
    """The one route, for these roles."""
    router = APIRouter(prefix="/v1/cut-offs", tags=["operation"])
    guard = require(*roles)

    @router.get(
        "/{cut_off_id}",
        summary="A cut-off as seen here",
        description="Mốc chốt số liệu: đã nhận đến đâu, lệch bao nhiêu so với sổ đăng ký. Markers received, differences from"
        " the registry's totals, and what was passed on.",
    )
    async def cut_off(cut_off_id: UUID, actor: Actor = Depends(guard)) -> CutOffView:
        async with db.read(actor) as tx:
            found = await cut_offs.find(tx, cut_off_id)
        if found is None:
            raise CutOffNotFound
        return CutOffView.model_validate({**found, "state": _state(found)})

    return router


def _state(found: dict[str, Any]) -> str:
    if found["passed_at"] is not None:
        return "PASSED"
    if any(partition["difference"] for partition in found["partitions"]):
        return "DIFFERS"
    return "ARRIVING" if found["complete_at"] is None else "WAITING"
