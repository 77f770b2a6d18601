"""Settings of disbursement, read once in `main` (environment prefix `DISBURSEMENT_`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """Addresses and limits of disbursement."""

    model_config = SettingsConfigDict(env_prefix="DISBURSEMENT_")

    partners_file: Path | None = Field(
        default=None, description="JSON of payment partners: addresses, secrets, kind; unset: nothing is sent"
    )
    cash_partner: str = Field(default="vnpost", description="Partner that pays cash at the post and at home")
    treasury_partner: str | None = Field(
        default=None, description="Partner that carries State Treasury files; unset: lists of units on route TREASURY_DIRECT are refused"
    )
    evidence_grace_days: int = Field(
        default=0,
        ge=0,
        le=366,
        description="Days VERIFIED evidence counts after it ran out without anybody's approval; 0: approved grace only",
    )
    sending_transactions: int = Field(
        default=2, ge=1, le=32, description="Transactions over batches at once, of all partners together: as many as there are cores"
    )
    tell_occasions: tuple[Literal["PAID", "COLLECTED", "FAILED", "RETURNED", "UNCOLLECTED", "HELD"], ...] = Field(
        default=("PAID", "COLLECTED", "FAILED", "RETURNED", "UNCOLLECTED", "HELD"),
        description="What people are told of; no rule says it: which of these does the province want told?",
    )
    tell_amounts: Literal["ALWAYS", "OTHER_PAYEE", "NEVER"] = Field(
        default="OTHER_PAYEE", description="Whether an SMS names the sum; OTHER_PAYEE: only where somebody else is paid"
    )
    sms_url: str | None = Field(default=None, description="SMS gateway; unset: everybody is told by the commune's printed list")
    sms_token: str = Field(default="", repr=False, description="Bearer token of the SMS gateway")
    sms_unaccented: bool = Field(default=True, description="Texts without accents: half the price, and readable on every telephone")
    sms_quiet_from: int = Field(default=21, ge=0, le=23, description="Hour (Viet Nam) from which no telephone rings")
    sms_quiet_to: int = Field(default=7, ge=0, le=23, description="Hour (Viet Nam) from which SMS go out again")
    sms_receipt_hours: int = Field(
        default=72, ge=1, le=720, description="Without a receipt for so long, the person goes on the printed list"
    )
    complaint_days: int = Field(
        default=10, ge=1, le=90, description="Days to answer 'I did not get it'; no rule found: which limit does the province set?"
    )
