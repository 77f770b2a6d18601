"""Routers of what the register exchanges with people and systems outside the office."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from registry.api import change_requests, self_registrations

__all__ = ["routers"]


def routers(db: Database) -> list[APIRouter]:
    """Change requests and self-registration."""
    return [change_requests.make_router(db), self_registrations.make_router(db)]
