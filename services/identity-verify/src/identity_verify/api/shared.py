"""What the routes have in common: who may do what, cursors, purposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Query

from common.actor import Actor, Role
from common.auth import require
from common.purposes import Purpose

__all__ = [
    "OFFICERS", "WATCHERS", "Approver", "Asker", "Carrier", "Cursor", "Department", "Limit", "Officer", "Police", "ProvinceApprover",
    "Purpose", "Requester", "Watcher", "next_cursor",
]  # fmt: skip

OFFICERS: Final = (
    Role.COMMUNE_OFFICER,
    Role.DISTRICT_OFFICER,
    Role.DEPARTMENT_OFFICER,
    Role.APPROVER,
    Role.AUDITOR,
    Role.COMMUNE_POLICE,
)
WATCHERS: Final = (*OFFICERS, Role.INTEGRATOR, Role.OPERATOR)

Watcher = Annotated[Actor, Depends(require(*WATCHERS))]
Officer = Annotated[Actor, Depends(require(*OFFICERS))]
Police = Annotated[Actor, Depends(require(Role.COMMUNE_POLICE))]
Carrier = Annotated[Actor, Depends(require(Role.COMMUNE_POLICE, Role.DEPARTMENT_OFFICER))]
Department = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Approver = Annotated[Actor, Depends(require(Role.APPROVER))]
ProvinceApprover = Annotated[Actor, Depends(require(Role.APPROVER, of_a_province=True))]
Asker = Annotated[
    Actor, Depends(require(Role.COMMUNE_POLICE, Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))
]  # fmt: skip
Requester = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]

Cursor = Annotated[UUID | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


def next_cursor(ids: Sequence[UUID], limit: int) -> UUID | None:
    """The cursor after a full page; None when the page was not full."""
    return ids[-1] if len(ids) == limit else None
