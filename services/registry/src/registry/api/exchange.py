"""Routers of what the register exchanges with people and systems outside the office."""

from __future__ import annotations

from fastapi import APIRouter

from common.db import Database
from registry.api import bulk, change_requests, changes, data_sets, insurance, lists, self_registrations

__all__ = ["routers"]


def routers(db: Database) -> list[APIRouter]:
    """Bulk routes, change requests, self-registration, lists, data sets, the change feed, the Social Insurance."""
    return [module.make_router(db) for module in (bulk, change_requests, self_registrations, lists, data_sets, changes, insurance)]
