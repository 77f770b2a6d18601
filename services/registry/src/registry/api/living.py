"""How people live: the routers of households, groups, institutions, relatives and the preference survey, for `main`."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from registry.api import groups, households, institutions

__all__ = ["routers"]


def routers(db: Database) -> list[APIRouter]:
    """In the order the console shows them."""
    return [households.make_router(db), groups.make_router(db), institutions.make_router(db)]
