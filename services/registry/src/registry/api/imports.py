"""Routes of the lists of people: those every service has, with the programme of the list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form

from common.contracts.registry_v1 import Programme
from common.db import Database
from common.lists.models import ImportView
from common.lists.routes import lists_router
from registry.usecases.importing import profile

__all__ = ["make_router"]


class PeopleImportView(ImportView):
    """One import and its counts."""

    programme: Programme


def _programme(programme: Annotated[Programme, Form(examples=["SOCIAL_ASSISTANCE"])]) -> dict[str, str]:
    return {"programme": programme.value}


def make_router(db: Database) -> APIRouter:
    """`/v1/imports`."""
    return lists_router(db, profile(), what="people and their allowances", own_form=_programme, view=PeopleImportView)
