"""Reading a list as a file: whole numbers only for those with the right and a purpose, and each such reading is audited."""

from __future__ import annotations

from typing import Final

from common import audit
from common.actor import Actor, Role
from common.db import Database
from common.problems import Forbidden, InvalidInput

__all__ = ["allow_whole_numbers"]

_WHOLE: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.COMMUNE_POLICE)


async def allow_whole_numbers(db: Database, actor: Actor, what: str, unit_path: str | None, purpose: str | None) -> None:
    """Note who takes whole numbers out, and what for. Raises Forbidden, InvalidInput."""
    if not actor.has(*_WHOLE):
        raise Forbidden("Whole numbers are not for this role")
    if not purpose:
        raise InvalidInput(errors=[{"field": "purpose", "detail": "say why whole numbers are needed"}])
    async with db.transaction(actor) as tx:
        await audit.record(tx, "list.read-numbers", "list", what, audit.Read(purpose, {"unit": unit_path or "own area"}))
