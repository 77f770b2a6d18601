"""Who may do what with households, groups, institutions and surveys."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends

from common.auth import Actor, Role, require

__all__ = ["Checker", "Department", "Province", "Reader", "Surveyor", "Writer"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)

Writer = Annotated[Actor, Depends(require(*_OFFICERS, Role.INTEGRATOR))]
Checker = Annotated[Actor, Depends(require(Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
Department = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Province = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, of_a_province=True))]
Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.COMMUNE_POLICE, Role.INTEGRATOR))]
Surveyor = Annotated[Actor, Depends(require(*_OFFICERS, Role.COMMUNE_POLICE))]
"""Who goes to people's homes and asks (plan of the commune's Project 06 team)."""
