"""What people wrote down at a unit goes on, when the unit ends, at the unit that came after it: its officers see it and may close it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from common import audit
from common.actor import SYSTEM
from common.db import Database
from reporting.domain.unit_trees import KnownUnit, Trees
from reporting.storage import followed, paper_sources

__all__ = ["follow"]


async def follow(db: Database, day: date) -> bool:
    """Obstacles, milestones and targets of units that have ended by a day; False: nothing more to do now.

    What became of one whole unit goes on there; what was split, at the unit above all its parts. Nothing moves before the day a unit
    ends, and what was moved by mistake goes back when the units are put right.
    """
    async with db.transaction(SYSTEM("reporting-units")) as tx:
        trees: dict[str, Trees] = {}
        found: list[tuple[str, date, str | None, date | None]] = []
        for row in await followed.places(tx):
            path, since = row["unit_path"], row["since"]
            province = path.split("/", 1)[0]
            if province not in trees:
                trees[province] = Trees(await paper_sources.trees(tx, province))
            found.append((path, since, *_goes_on(trees[province], path, since, day)))
        changed = await followed.put(tx, found)
        if changed:
            await audit.record(tx, "entries.followed", "unit", "many", audit.Bulk.of(changed, after={"day": day}))
    return False


def _goes_on(trees: Trees, path: str, since: date, day: date) -> tuple[str | None, date | None]:
    unit = trees.meant(path, since)
    if unit is None or unit.valid_to is None or unit.valid_to >= day:
        return None, None
    now = _above_all(trees.kin(unit, day)[0])
    return (None, None) if now in (None, path) else (now, unit.valid_to + timedelta(days=1))


def _above_all(units: Iterable[KnownUnit | None]) -> str | None:
    """The path of the one unit, or of the lowest above all of them."""
    paths = [unit.path.split("/") for unit in units if unit]
    if not paths:
        return None
    common = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common) or None
