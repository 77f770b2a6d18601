"""How people live: the routers of households, groups, institutions, relatives and the preference survey, for `main`."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from registry.api import groups, households, institutions, relations, surveys

__all__ = ["routers"]


def routers(db: Database) -> list[APIRouter]:
    """In the order the console shows them."""
    made = (relations, households, groups, institutions, surveys)
    return [module.make_router(db) for module in made]
