"""Who acts: roles, administrative scope, partner binding. Pure; the token checks are in `common.auth`."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

__all__ = ["ASKED_IN", "OF_A_PROVINCE", "ROLE_NAMES", "SYSTEM", "Actor", "Role"]

OF_A_PROVINCE: Final = "chỉ người phụ trách toàn tỉnh · only somebody whose area is a whole province"
"""The answer to somebody of a smaller area who would settle what holds for everybody."""

ASKED_IN: Final[ContextVar[str | None]] = ContextVar("asked_in", default=None)
"""While a job runs: the request that asked for it."""

_FEW_UNITS: Final = 8


class Role(StrEnum):
    """Roles in the token's `roles` claim."""

    COMMUNE_OFFICER = "COMMUNE_OFFICER"
    DISTRICT_OFFICER = "DISTRICT_OFFICER"
    DEPARTMENT_OFFICER = "DEPARTMENT_OFFICER"
    APPROVER = "APPROVER"
    AUDITOR = "AUDITOR"
    COMMUNE_POLICE = "COMMUNE_POLICE"
    PARTNER = "PARTNER"
    INTEGRATOR = "INTEGRATOR"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


ROLE_NAMES: Final[Mapping[Role, tuple[str, str]]] = {
    Role.COMMUNE_OFFICER: ("cán bộ xã", "commune officer"),
    Role.DISTRICT_OFFICER: ("cán bộ huyện", "district officer"),
    Role.DEPARTMENT_OFFICER: ("cán bộ Sở", "department officer"),
    Role.APPROVER: ("người phê duyệt", "approver"),
    Role.AUDITOR: ("kiểm toán, thanh tra", "auditor, inspector"),
    Role.COMMUNE_POLICE: ("công an xã", "commune police"),
    Role.PARTNER: ("đơn vị chi trả", "partner"),
    Role.INTEGRATOR: ("hệ thống tích hợp", "integrating system"),
    Role.OPERATOR: ("vận hành hệ thống", "operator"),
}
"""How a role is called in Vietnamese and in English."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a use case. `unit_paths` are the subtrees the actor may see; empty sees nothing."""

    subject: str
    name: str
    roles: frozenset[Role]
    unit_paths: tuple[str, ...] = ()
    partner: str | None = None
    client_id: str = ""
    request_id: str | None = None
    everywhere: bool = field(default=False)

    def has(self, *roles: Role) -> bool:
        """Whether the actor holds one of the roles."""
        return not self.roles.isdisjoint(roles)

    @property
    def of_a_province(self) -> bool:
        """Whether the actor's area is a whole province (or all of them): who may settle what holds for everybody in it."""
        return self.everywhere or any("/" not in path for path in self.unit_paths)

    def sees(self, unit_path: str) -> bool:
        """Whether the unit lies in the actor's scope."""
        if self.everywhere:
            return True
        return any(unit_path == scope or unit_path.startswith(scope + "/") for scope in self.unit_paths)

    def scope_sql(self, column: str) -> tuple[str, dict[str, Any]]:
        """An SQL condition (and its parameters) that holds for rows in the actor's scope.

        Few units are asked for one by one: an index on the column serves `LIKE 'path/%'`, but never `LIKE ANY`.
        """
        if self.everywhere:
            return "TRUE", {}
        if not self.unit_paths:
            return "FALSE", {}
        if len(self.unit_paths) > _FEW_UNITS:
            return (
                f"({column} = ANY(:scope_exact) OR {column} LIKE ANY(:scope_below))",
                {"scope_exact": list(self.unit_paths), "scope_below": [path + "/%" for path in self.unit_paths]},
            )
        each = [f"{column} = :scope_{n} OR {column} LIKE :scope_below_{n}" for n in range(len(self.unit_paths))]
        exact = {f"scope_{n}": path for n, path in enumerate(self.unit_paths)}
        below = {f"scope_below_{n}": path + "/%" for n, path in enumerate(self.unit_paths)}
        return f"({' OR '.join(each)})", exact | below


def SYSTEM(name: str) -> Actor:  # noqa: N802 - reads as the constant it is for one worker
    """The actor of a worker's own decisions."""
    return Actor(subject=f"system:{name}", name=name, roles=frozenset({Role.SYSTEM}), everywhere=True, client_id=f"system:{name}")
