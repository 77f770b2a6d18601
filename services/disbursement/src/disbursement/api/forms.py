"""What callers send and read on the routes of cycles, take-overs and budgets: closed models."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import RowMapping

from common.contracts.disbursement_v1 import Channel, HoldReason
from common.contracts.envelope import Amount
from common.contracts.registry_v1 import Programme
from common.months import Month
from disbursement.domain.approval import RejectionReason
from disbursement.domain.holds import HOLDS
from disbursement.domain.months import month_text
from disbursement.usecases.answers import BudgetView, CycleView, TakeOverView

__all__ = [
    "Approval",
    "BudgetForm",
    "BudgetPage",
    "CycleForm",
    "CyclePage",
    "Empty",
    "HoldPage",
    "HoldView",
    "LinePage",
    "LineView",
    "Reason",
    "ReissueChoice",
    "Rejection",
    "Submission",
    "TakeOverForm",
    "TakeOverPage",
]

_UNIT = Field(min_length=2, max_length=8, pattern=r"^\d+$", description="Code of the unit on the business date", examples=["60"])
_HASH = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the list you looked at (`list_hash` of the cycle)")


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Empty(_Form):
    """No fields."""


class TakeOverForm(_Form):
    """First month that the platform pays in a unit."""

    unit_code: str = _UNIT
    programme: Programme
    first_month: Month = Field(examples=["2024-09"])
    business_date: date = Field(examples=["2024-08-20"])


class BudgetForm(_Form):
    """A year's budget of a unit."""

    programme: Programme
    funding_source: str = Field(min_length=1, max_length=40, examples=["LOCAL_BUDGET"])
    unit_code: str = _UNIT
    year: int = Field(ge=2000, le=2200, examples=[2024])
    amount: Amount = Field(le=10**16, examples=[500_000_000_000])
    business_date: date = Field(examples=["2024-08-20"])


class ReissueChoice(_Form):
    """Which payments that failed, came back, were not collected or were withdrawn are paid again; nothing given: all of the month."""

    cycle_id: UUID | None = Field(default=None, description="Only those of this cycle")
    partner: str | None = Field(default=None, max_length=40, examples=["agribank"])
    reasons: list[Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]] | None = Field(
        default=None, min_length=1, examples=[["ACCOUNT_CLOSED"]]
    )
    statuses: list[Literal["FAILED", "RETURNED", "UNCOLLECTED", "CANCELLED"]] | None = Field(default=None, min_length=1)
    in_cash: bool = Field(default=False, description="Cash at the post instead of the account; without it the gate chooses the way")

    def selection(self) -> dict[str, Any]:
        """As it is kept with the cycle."""
        return self.model_dump(mode="json", exclude_none=True)


class CycleForm(_Form):
    """A month's payment of one programme from one funding source in one unit."""

    month: Month = Field(examples=["2024-09"])
    programme: Programme
    funding_source: str = Field(min_length=1, max_length=40, examples=["LOCAL_BUDGET"])
    unit_code: str = _UNIT
    business_date: date = Field(examples=["2024-08-20"])
    supplementary: bool = Field(default=False, description="A further list of the month, for what has become due since")
    two_months_basis: str | None = Field(
        default=None,
        min_length=3,
        max_length=100,
        description="Pay this month and the next together: number of the paper that orders it (Tết, disaster, epidemic)",
        examples=["45/QĐ-UBND"],
    )
    reissue: ReissueChoice | None = Field(default=None, description="Pay again only what definitely failed in this month")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.reissue is not None and self.supplementary:
            raise ValueError("a list is supplementary or a re-issue, not both")
        return self

    @property
    def kind(self) -> str:
        """MAIN, SUPPLEMENTARY or REISSUE."""
        return "REISSUE" if self.reissue is not None else "SUPPLEMENTARY" if self.supplementary else "MAIN"


class Submission(_Form):
    """The maker submits; with the hash, exactly the list that was looked at."""

    list_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class Approval(_Form):
    """The checker approves exactly the list with this hash."""

    list_hash: str = _HASH
    business_date: date | None = Field(default=None, description="When it was approved; default: the cycle's business date")


class Rejection(_Form):
    """The checker sends the list back."""

    reason: str = Field(min_length=3, max_length=500)
    reasons: list[RejectionReason] = Field(default=[], max_length=7, description="Codes of what is wrong", examples=[["AMOUNT_WRONG"]])
    business_date: date | None = None


class Reason(_Form):
    """A decision with an optional reason."""

    reason: str | None = Field(default=None, max_length=500)


class WaitingMonth(_Form):
    """A month of one allowance that waits while others are paid: why, and who must do what."""

    month: Month
    benefit_line: str
    amount: Amount
    reason: HoldReason
    reason_vi: str
    reason_en: str
    actor: str = Field(description="Role that must act")
    action_vi: str
    action_en: str

    @classmethod
    def all_of(cls, rows: list[dict[str, Any]] | None) -> list[Self]:
        """From what is stored beside a line or hold."""
        texts = [(row, HOLDS[HoldReason(row["reason"])]) for row in rows or []]
        return [
            cls(
                **row, reason_vi=text.vi, reason_en=text.en, actor=text.actor.value, action_vi=text.act_vi, action_en=text.act_en
            )
            for row, text in texts
        ]  # fmt: skip


_WAITING: Final = "Các tháng còn chờ, từng tháng và lý do. Months of this person that wait beside these: suspended or disputed"


class LineView(_Form):
    """One payment of a list: one payee through one channel, all months due."""

    line_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    beneficiary_name: str
    payee_id: UUID
    payee_kind: str
    payee_name: str
    channel: Channel
    partner: str
    provider_code: str | None
    account_masked: str | None = Field(description="Last four characters only")
    cash_reason: str | None
    amount: Amount
    months: list[Month]
    unit_code: str
    unit_path: str
    evidence_note: str | None
    attempt: int = Field(description="1, or which attempt this is after earlier ones definitely failed")
    route: str = Field(description="PAYMENT_ORG (through a prefunded partner) or TREASURY_DIRECT")
    state: str = Field(description="LISTED, or HELD when withdrawn after the list was computed")
    waiting: list[WaitingMonth] = Field(description=_WAITING)

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """From a stored line."""
        fields: dict[str, Any] = {name: row[name] for name in cls.model_fields if name not in {"months", "waiting"}}
        return cls(months=[month_text(month) for month in row["months"]], waiting=WaitingMonth.all_of(row["waiting"]), **fields)


class HoldView(_Form):
    """Somebody owed and not paid now: why, and who must do what."""

    hold_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    beneficiary_name: str | None
    amount: Amount
    months: list[Month]
    reason: HoldReason
    reason_vi: str
    reason_en: str
    actor: str = Field(description="Role that must act")
    action_vi: str
    action_en: str
    detail: str | None
    stage: str = Field(description="COMPUTE, APPROVAL or SENDING")
    unit_code: str
    unit_path: str
    released: bool
    waiting: list[WaitingMonth] = Field(description=_WAITING)

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """From a stored hold."""
        text = HOLDS[HoldReason(row["reason"])]
        own = (
            "hold_id",
            "beneficiary_id",
            "file_code",
            "beneficiary_name",
            "amount",
            "reason",
            "actor",
            "detail",
            "stage",
            "unit_code",
            "unit_path",
        )
        fields: dict[str, Any] = {name: row[name] for name in own}
        return cls(
            months=[month_text(month) for month in row["months"]],
            reason_vi=text.vi,
            reason_en=text.en,
            action_vi=text.act_vi,
            action_en=text.act_en,
            released=row["released_at"] is not None,
            waiting=WaitingMonth.all_of(row["waiting"]),
            **fields,
        )


class _Page(_Form):
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null at the end")


class LinePage(_Page):
    """Lines of a list."""

    items: list[LineView]


class HoldPage(_Page):
    """Holds of a list."""

    items: list[HoldView]


class CyclePage(_Page):
    """Cycles."""

    items: list[CycleView]


class TakeOverPage(_Page):
    """Take-overs."""

    items: list[TakeOverView]


class BudgetPage(_Page):
    """Budgets."""

    items: list[BudgetView]
