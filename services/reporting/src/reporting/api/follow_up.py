"""The routers of what people write down beside the figures."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from reporting.api.milestones import milestones_router
from reporting.api.obstacles import obstacles_router
from reporting.api.outreach import outreach_router
from reporting.api.samples import samples_router
from reporting.api.targets import targets_router
from reporting.settings import Settings

__all__ = ["follow_up_routers"]


def follow_up_routers(db: Database, settings: Settings) -> list[APIRouter]:
    """Targets, milestones, obstacles, outreach, inspectors' samples."""
    return [targets_router(db, settings), obstacles_router(db, settings), outreach_router(db), milestones_router(db), samples_router(db)]
