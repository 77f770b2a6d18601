"""Who may call which routes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import ConfigDict

from common.auth import Actor, Role, require
from common.purposes import Purpose

__all__ = ["Checker", "Cursor", "Limit", "Officer", "PersonId", "Purpose", "Reader", "Senior", "Watcher", "example", "next_cursor"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)

Officer = Annotated[Actor, Depends(require(*_OFFICERS))]
Senior = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Checker = Annotated[Actor, Depends(require(Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR))]
Watcher = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.OPERATOR))]

PersonId = Annotated[UUID, Path(description="Person id of the beneficiary")]
Cursor = Annotated[UUID | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


def example(**fields: Any) -> ConfigDict:
    """A model's worked example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def next_cursor(rows: list[dict[str, Any]], limit: int, name: str) -> UUID | None:
    """The cursor of the next page; None on the last."""
    return rows[-1][name] if len(rows) == limit else None
