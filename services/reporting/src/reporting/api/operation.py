"""Operation routes: lag, rebuild."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from common.auth import Actor, Role, require
from common.clock import today
from common.db import Database
from common.settings import MechanismSettings
from reporting.api import schemas
from reporting.usecases.rebuild import request_rebuild
from reporting.usecases.reports import lag_rows

__all__ = ["operation_router"]

_WATCHERS = (Role.OPERATOR, Role.AUDITOR, Role.INTEGRATOR, Role.DEPARTMENT_OFFICER)


def operation_router(db: Database, settings: MechanismSettings) -> APIRouter:
    """`/v1/lag` and `/v1/rebuild`."""
    router = APIRouter(prefix="/v1", tags=["operation"])

    @router.get(
        "/lag",
        summary="How far behind the figures are",
        description="Độ trễ số liệu. Per topic-partition: the last offset applied and how many are left.",
    )
    async def lag(actor: Annotated[Actor, Depends(require(*_WATCHERS))]) -> schemas.LagReport:
        rows = [schemas.LagRow(**row) for row in await lag_rows(db, actor)]
        return schemas.LagReport(
            behind=sum(row.behind for row in rows), oldest=min((row.updated_at for row in rows), default=None), rows=rows
        )

    @router.post(
        "/rebuild",
        status_code=202,
        summary="Rebuild the read models from the event log",
        description="Dựng lại số liệu từ nhật ký sự kiện. The old tables serve until the swap. 409 while one is running.",
    )
    async def rebuild(
        actor: Annotated[Actor, Depends(require(Role.OPERATOR))],
        business_date: Annotated[date | None, Query(description="Default: today in Viet Nam")] = None,
    ) -> schemas.JobAccepted:
        return schemas.JobAccepted(job_id=await request_rebuild(db, actor, business_date or today(settings)))

    return router
