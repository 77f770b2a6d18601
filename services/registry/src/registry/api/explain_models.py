"""A month of dues in words."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from common.months import Month
from registry.api.models import DuesView
from registry.domain.dues_words import Sentence
from registry.usecases.explaining import Explained

__all__ = ["DuesAnswer", "explanation"]


class Said(BaseModel):
    """One sentence in both languages."""

    vi: str
    en: str


class DecisionSaid(Said):
    """A decision of the person in that month."""

    entitlement_id: UUID
    decision_number: str
    benefit_line: str | None
    outcome: str = Field(description="COUNTS, RATE_MISSING, or the code of the rule that sets it aside", examples=["HIGHEST_ONLY"])
    amount: int | None = Field(description="What it gives, or would give")


class ChangeSaid(Said):
    """What changes later."""

    from_month: Month
    total: int


class Explanation(BaseModel):
    """Which decisions count, which are set aside and by which rule, and what changes next."""

    known_on: date = Field(description="With what was known on this day")
    heading: Said
    decisions: list[DecisionSaid]
    one_offs: list[Said]
    next: list[ChangeSaid]


class DuesAnswer(DuesView):
    """What is due to a person; with `month`, in that month and in words."""

    explanation: Explanation | None


def _said(sentence: Sentence) -> dict[str, str]:
    return {"vi": sentence.vi, "en": sentence.en}


def _decision(row: Any, sentence: Sentence) -> DecisionSaid:
    plain = {name: row[name] for name in ("entitlement_id", "decision_number", "benefit_line", "outcome", "amount")}
    return DecisionSaid(**plain, **_said(sentence))


def explanation(found: Explained) -> Explanation:
    """As the answer shows it."""
    return Explanation(
        known_on=found.known_on, heading=Said(**_said(found.heading)), decisions=[_decision(*pair) for pair in found.decisions],
        one_offs=[Said(**_said(item)) for item in found.one_offs],
        next=[ChangeSaid(from_month=f"{month:%Y-%m}", total=total, **_said(item)) for month, total, item in found.next],
    )  # fmt: skip
