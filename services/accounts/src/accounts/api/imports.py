"""Routes of account lists: those every service has, with where the accounts are known from and the payees' consent."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from pydantic import Field

from accounts.providers.directory import load_directory
from accounts.usecases.importing import profile
from common.db import Database
from common.lists.cells import hide_numbers
from common.lists.models import ImportView
from common.lists.routes import lists_router
from common.problems import InvalidInput

__all__ = ["make_router"]


class AccountImportView(ImportView):
    """One import, its counts, and where its accounts are known from."""

    source: Literal["IMPORT", "BANK_LIST", "VNEID"] = Field(description="Where the accounts are known from")
    consent_on: date | None = Field(description="When the payees agreed to their use")
    consent_evidence: str | None = Field(description="What the consent rests on")


def _origin(
    business_date: Annotated[date, Form(examples=["2024-08-20"])],
    source: Annotated[
        Literal["IMPORT", "BANK_LIST", "VNEID"],
        Form(description="Nguồn: the commune's list, a bank's list of accounts opened, or VNeID"),
    ] = "IMPORT",
    consent_on: Annotated[
        date | None, Form(description="When the payees agreed; a commune's list: else the business date. Needed for a bank's or VNeID")
    ] = None,
    consent_evidence: Annotated[str, Form(max_length=200, description="What the consent rests on", examples=["Phiếu đăng ký đợt 2"])] = "",
) -> dict[str, str]:
    if source != "IMPORT" and (consent_on is None or not consent_evidence.strip()):
        detail = "a list of accounts from a bank or VNeID says when and by what paper the payees agreed"
        raise InvalidInput(detail, errors=[{"field": "consent_on" if consent_on is None else "consent_evidence", "detail": detail}])
    if consent_on is not None and consent_on > business_date:
        raise InvalidInput("consent cannot be given later", errors=[{"field": "consent_on", "detail": consent_on.isoformat()}])
    return {
        "source": source,
        "consent_on": (consent_on or business_date).isoformat(),
        "consent_evidence": hide_numbers(consent_evidence)[0],
    }


def make_router(db: Database) -> APIRouter:
    """`/v1/imports`."""
    return lists_router(db, profile(load_directory()), what="accounts and ways to be paid", own_form=_origin, view=AccountImportView)
