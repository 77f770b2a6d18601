"""HTTP routes of identity-verify."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from identity_verify.api import exchanges, planning, routes, work
from identity_verify.api.shared import WATCHERS
from identity_verify.settings import Settings

__all__ = ["WATCHERS", "make_routers"]


def make_routers(db: Database, settings: Settings) -> list[APIRouter]:
    """All routes of this service's own."""
    return [routes.make_router(db, settings), planning.make_router(db, settings), work.make_router(db), exchanges.make_router(db, settings)]
