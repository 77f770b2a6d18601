"""What the route modules share: roles, cursors and answers of idempotent requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import Depends, Query
from fastapi.responses import Response

from common.auth import Actor, Role, require
from common.idempotency import Answer

__all__ = ["READERS", "Checker", "Cursor", "Decider", "Limit", "Maker", "ProvinceChecker", "Reader", "answered", "next_cursor"]

READERS: Final = (
    Role.COMMUNE_OFFICER,
    Role.DISTRICT_OFFICER,
    Role.DEPARTMENT_OFFICER,
    Role.APPROVER,
    Role.AUDITOR,
    Role.OPERATOR,
    Role.INTEGRATOR,
)
Reader = Annotated[Actor, Depends(require(*READERS))]
Maker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Checker = Annotated[Actor, Depends(require(Role.APPROVER))]
ProvinceChecker = Annotated[Actor, Depends(require(Role.APPROVER, of_a_province=True))]
Decider = Annotated[Actor, Depends(require(Role.APPROVER, Role.DEPARTMENT_OFFICER, Role.DISTRICT_OFFICER))]
"""Who may decide a list: the use case asks for the stage's role, or a right handed on for a time."""
Cursor = Annotated[UUID | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


def next_cursor(ids: Sequence[UUID], limit: int) -> str | None:
    """The cursor after a full page; None when the page was not full."""
    return str(ids[-1]) if len(ids) == limit else None


def answered(answer: Answer) -> Response:
    """The stored answer of an idempotent request, marked when it is a repeat; the list's hash as ETag."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    if isinstance(answer.body, dict) and (tag := answer.body.get("list_hash")):
        headers["ETag"] = f'"{tag}"'
    return Response(orjson.dumps(answer.body), status_code=answer.status, headers=headers, media_type="application/json")
