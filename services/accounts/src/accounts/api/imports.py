"""Routes of account lists: those every service has."""

from __future__ import annotations

from fastapi import APIRouter

from accounts.providers.directory import load_directory
from accounts.usecases.importing import profile
from common.db import Database
from common.lists.routes import lists_router

__all__ = ["make_router"]


def _nothing_more() -> dict[str, str]:
    return {}


def make_router(db: Database) -> APIRouter:
    """`/v1/imports`."""
    return lists_router(db, profile(load_directory()), what="accounts and ways to be paid", own_form=_nothing_more)
