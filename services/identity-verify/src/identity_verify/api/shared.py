"""What the routes have in common: who may do what, cursors, purposes, ETags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Query

from common.actor import Actor, Role
from common.auth import require
from common.masking import FreeText
from common.problems import InvalidInput, PreconditionRequired

__all__ = [
    "OFFICERS", "WATCHERS", "Approver", "Asker", "Carrier", "Cursor", "Department", "IfMatch", "Limit", "Officer", "Police", "Purpose",
    "Requester", "Watcher", "next_cursor", "version_of",
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
Asker = Annotated[
    Actor, Depends(require(Role.COMMUNE_POLICE, Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))
]  # fmt: skip
Requester = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]

Cursor = Annotated[UUID | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
Purpose = Annotated[
    FreeText, Query(min_length=5, max_length=200, description="Mục đích xem: why these data are read; kept in the audit log",
               examples=["Đối chiếu với công an xã tháng 9/2024"]),
]  # fmt: skip
IfMatch = Annotated[str | None, Header(alias="If-Match", examples=['"1"'])]


def next_cursor(ids: Sequence[UUID], limit: int) -> UUID | None:
    """The cursor after a full page; None when the page was not full."""
    return ids[-1] if len(ids) == limit else None


def version_of(if_match: str | None) -> int:
    """The version in an ETag. Raises PreconditionRequired without one, InvalidInput for something else."""
    if if_match is None:
        raise PreconditionRequired
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput("not an ETag of this resource", errors=[{"field": "If-Match", "detail": 'a version in quotes, such as "1"'}])
    return int(text)
