"""What use cases answer: closed models, as callers read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from common.contracts.envelope import Amount, Month
from disbursement.domain.months import month_text

__all__ = ["BudgetView", "CycleView", "InputsView", "JobView", "ListCheckView", "RulingView", "TakeOverView"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TakeOverView(_View):
    """First platform month of a unit and programme."""

    take_over_id: UUID
    unit_code: str
    unit_path: str
    programme: str
    first_month: Month
    state: str = Field(description="PROPOSED, APPROVED or REJECTED")
    business_date: date
    proposed_by: str
    decided_by: str | None
    reason: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """From a stored row."""
        fields = {name: row[name] for name in cls.model_fields if name != "first_month"}
        return cls(first_month=month_text(row["first_month"]), **fields)


class BudgetView(_View):
    """A year's budget: left = amount − reserved − spent."""

    budget_id: UUID
    programme: str
    funding_source: str
    unit_code: str
    unit_path: str
    year: int
    amount: Amount
    reserved: Amount
    spent: Amount
    left: Amount
    version: int

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """From a stored row."""
        fields = {name: row[name] for name in cls.model_fields if name != "left"}
        return cls(left=row["amount"] - row["reserved"] - row["spent"], **fields)


class InputsView(_View):
    """How far the cut-off is: complete when every partition's marker arrived and all totals agree."""

    complete: bool
    expected: int
    arrived: int
    unanswered: int = Field(description="People whose outside answer is missing, as the producers said")
    missing: list[dict[str, Any]]
    differing: list[dict[str, Any]]
    parked: list[dict[str, Any]]


class CycleView(_View):
    """One payment cycle and its present list."""

    cycle_id: UUID
    version: int
    month: Month
    programme: str
    funding_source: str
    unit_code: str
    unit_path: str
    kind: str = Field(description="MAIN, SUPPLEMENTARY or REISSUE")
    covers_to: Month = Field(description="The last month it covers: the cycle's own, or the next when two are paid together")
    two_months_basis: str | None = Field(description="The paper by which two months are paid together")
    selection: dict[str, Any] = Field(description="Re-issue: which failed payments are paid again")
    sequence: int
    state: str
    business_date: date
    cut_off_id: UUID
    opened_by: str
    opened_at: datetime
    list_id: UUID | None
    list_hash: str | None = None
    lines: int | None = Field(default=None, description="People paid by the list as computed")
    held: int | None = Field(default=None, description="People held when it was computed")
    withdrawn: int | None = Field(default=None, description="Lines withdrawn to held at approval or later")
    total_amount: Amount | None = None
    held_amount: Amount | None = None
    submitted_by: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    reasons: list[str] = Field(default=[], description="Why it was sent back (codes)")
    approved_on: date | None = None
    approvals: list[dict[str, Any]] | None = Field(default=None, description="Stages approved so far: stage, role, by whom, for whom")
    stages: int | None = Field(default=None, description="Stages that the approval needs")
    warnings: list[dict[str, Any]] = Field(default=[], description="What is not as it should be although it does not stop the list")
    inputs: InputsView | None = None

    @classmethod
    def of(
        cls,
        row: RowMapping,
        head: RowMapping | None = None,
        inputs: dict[str, Any] | None = None,
        *,
        approvals: Sequence[RowMapping] | None = None,
        stages: int | None = None,
        warnings: Sequence[dict[str, Any]] = (),
    ) -> Self:
        """From the stored cycle and the head of its list."""
        own = ("cycle_id", "version", "programme", "funding_source", "unit_code", "unit_path", "kind", "sequence", "state", "business_date",
               "cut_off_id", "opened_by", "opened_at", "list_id", "two_months_basis", "selection")  # fmt: skip
        fields: dict[str, Any] = {name: row[name] for name in own}
        if head is not None:
            of_list = (
                "list_hash",
                "lines",
                "held",
                "withdrawn",
                "total_amount",
                "held_amount",
                "submitted_by",
                "decided_by",
                "reason",
                "reasons",
                "approved_on",
            )
            fields |= {name: head[name] for name in of_list if name in head}
        if approvals is not None:
            fields |= {"approvals": [dict(item) for item in approvals], "stages": stages}
        fields["warnings"] = list(warnings)
        covers_to = month_text(row["covers_to"])
        return cls(
            month=month_text(row["month"]), covers_to=covers_to, inputs=InputsView(**inputs) if inputs is not None else None, **fields
        )


class JobView(_View):
    """Long work was queued: see `/v1/jobs/{job_id}`."""

    job_id: UUID
    cycle_id: UUID


class ListCheckView(_View):
    """The stored list hashed again."""

    list_id: UUID
    list_hash: str
    recomputed_hash: str
    agrees: bool
    lines: int
    held: int
    total_amount: Amount


class RulingView(_View):
    """What one person proposed and another decided, for a time."""

    ruling_id: UUID
    kind: str
    key: str
    unit_path: str | None = Field(description="Null: for everybody")
    programme: str | None
    valid_from: date
    valid_to: date | None
    body: dict[str, Any]
    legal_ref: str | None
    business_date: date
    state: str = Field(description="PROPOSED, APPROVED or REJECTED")
    proposed_by: str
    decided_by: str | None
    reason: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """From a stored row."""
        return cls(**{name: row[name] for name in cls.model_fields})
