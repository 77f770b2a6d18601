"""What a page's picker offers to one caller."""

from __future__ import annotations

from typing import Any

from common.actor import Actor
from common.db import Database
from reporting.domain.errors import UnitOutOfScope
from reporting.domain.months import first_of
from reporting.storage import picker, reports

__all__ = ["offer"]


async def offer(db: Database, actor: Actor, month: str | None, unit_path: str | None, fallback: str) -> dict[str, Any]:
    """Months, the way down to the unit, and the units below it, named as of the month.

    Without a month the latest with a cycle (`fallback` names the units while there is none yet); without a unit the caller's only one.
    """
    if unit_path is not None and not actor.sees(unit_path):
        raise UnitOutOfScope
    if unit_path is None and len(actor.unit_paths) == 1 and not actor.everywhere:
        unit_path = actor.unit_paths[0]
    asked = None if month is None else first_of(month)
    async with db.read(actor) as tx:
        months = await picker.months(tx, actor.unit_paths, everywhere=actor.everywhere)
        chosen = month or next(iter(months), None)
        day = asked or first_of(chosen or fallback)
        below = await picker.children(tx, unit_path, day) if unit_path else []
        if actor.everywhere:
            roots = [dict(row) for row in await picker.roots(tx, day)]
        else:
            names = await reports.unit_names(tx, list(actor.unit_paths), day)
            roots = [{"path": path, "name": names.get(path, path)} for path in actor.unit_paths]
        steps = unit_path.split("/") if unit_path else []
        above = [path for path in ("/".join(steps[: depth + 1]) for depth in range(len(steps))) if actor.sees(path)]
        names = await reports.unit_names(tx, above, day)
    return {
        "month": chosen,
        "months": months,
        "unit_path": unit_path,
        "trail": [{"path": path, "name": names.get(path, path)} for path in above],
        "children": [dict(row) for row in below],
        "roots": roots,
    }
