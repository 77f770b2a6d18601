"""What the pages ask beside the reports: the picker."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, require
from common.clock import today
from common.db import Database
from common.settings import MechanismSettings
from reporting.api.reports import READERS, Unit
from reporting.usecases import picker

__all__ = ["page_data_router"]

_Reader = Annotated[Actor, Depends(require(*READERS))]


class UnitName(BaseModel):
    """One unit and its name as of the month."""

    model_config = ConfigDict(extra="forbid")

    path: str
    name: str


class Picker(BaseModel):
    """What may be chosen."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "month": "2024-09", "months": ["2024-09", "2024-08"], "unit_path": "60/593",
                "trail": [{"path": "60", "name": "Tỉnh Bình Thuận"}, {"path": "60/593", "name": "Thành phố Phan Thiết"}],
                "children": [{"path": "60/593/22924", "name": "Phường Mũi Né"}], "roots": [{"path": "60", "name": "Tỉnh Bình Thuận"}],
            }
        },
    )  # fmt: skip

    month: str | None = Field(description="The month asked for, else the latest with a cycle; null while there is none")
    months: list[str] = Field(description="Months with a cycle, latest first")
    unit_path: str | None = Field(description="The unit asked for, else the caller's only one")
    trail: list[UnitName] = Field(description="From the caller's own unit down to this one")
    children: list[UnitName] = Field(description="Units directly below, as they stood in the month")
    roots: list[UnitName] = Field(description="Where the caller begins")


def page_data_router(db: Database, settings: MechanismSettings) -> APIRouter:
    """`/v1/reports/picker`."""
    router = APIRouter(prefix="/v1/reports", tags=["pages"])

    @router.get(
        "/picker",
        summary="Months and units to choose from",
        description="Tháng và đơn vị để chọn trên các trang số liệu, theo địa giới của tháng đó. "
        "Units as they stood in the month, before or after the 2025 reform.",
    )
    async def offer(
        actor: _Reader,
        month: Annotated[
            str | None, Query(description="Tháng · month, YYYY-MM; default: the latest with a cycle", examples=["2024-09"])
        ] = None,
        unit_path: Unit = None,
    ) -> Picker:
        fallback = today(settings).strftime("%Y-%m")
        return Picker.model_validate(await picker.offer(db, actor, month, unit_path, fallback))

    return router
