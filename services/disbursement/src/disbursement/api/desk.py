"""Routes by which people learn and ask: told, complaints, the counter, shadow months."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from common.db import Database
from disbursement.api import complaints, counter, shadows, tellings
from disbursement.settings import Settings

__all__ = ["BODY_LIMITS", "routers"]

BODY_LIMITS: Final = tellings.BODY_LIMITS | shadows.BODY_LIMITS


def routers(db: Database, settings: Settings) -> list[APIRouter]:
    """All of them."""
    return [*tellings.routers, *counter.routers, complaints.make_router(db, settings), shadows.make_router(db, settings)]
