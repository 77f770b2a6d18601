"""The routes of decisions and what belongs to them, for `main`."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from registry.api import attachments, death_differences, decisions, funerals, life_events, moves, representatives

__all__ = ["routers"]


def routers(db: Database) -> list[APIRouter]:
    """Attachments, decisions, moves, life events, dates of death, funerals, representatives."""
    return [
        attachments.make_router(db),
        decisions.make_router(db),
        *moves.make_routers(db),
        life_events.make_router(db),
        death_differences.make_router(db),
        funerals.make_router(db),
        *representatives.make_routers(db),
    ]
