"""Answers of the report routes. Amounts are whole đồng."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ChannelRow",
    "ChannelsReport",
    "CoverageReport",
    "CoverageRow",
    "JobAccepted",
    "LagReport",
    "LagRow",
    "OutcomeRow",
    "OutcomesReport",
    "PaymentTotalRow",
    "PaymentTotals",
    "PeoplePage",
    "PersonRow",
    "StateRow",
    "Text",
]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Answer):
    """One text in two languages."""

    vi: str
    en: str


class CoverageRow(_Answer):
    """Paid by account of one programme in one unit."""

    programme: str = Field(description="MERIT, SOCIAL_ASSISTANCE …; ALL is the sum of those that pay every month")
    unit_code: str
    unit_path: str
    unit_name: str | None = Field(description="As of the month")
    is_total: bool = Field(description="The row of the whole unit asked for")
    total_people: int = Field(description="People on the month's lists or held with something due; deceased not counted")
    distinct_people: int = Field(description="The same, a person in two programmes counted once")
    paid_by_account_people: int = Field(description="Settled through bank account, e-wallet or mobile money")
    rate: str = Field(description="Percent, half-up, as text: 27.8")
    rate_percent: float = Field(description="The same as a number")
    amount_paid_by_account: int
    amount_paid_total: int = Field(description="By account and in cash")


_COVERAGE_EXAMPLE: dict[str, Any] = {
    "month": "2024-09",
    "unit_path": "60",
    "rows": [
        {
            "programme": "SOCIAL_ASSISTANCE", "unit_code": "60", "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "is_total": True,
            "total_people": 45486, "distinct_people": 45486, "paid_by_account_people": 12667, "rate": "27.8", "rate_percent": 27.8,
            "amount_paid_by_account": 9650000000, "amount_paid_total": 34200000000,
        }
    ],
}  # fmt: skip


class CoverageReport(_Answer):
    """Paid by account / total, per programme and next lower unit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _COVERAGE_EXAMPLE})

    month: str
    unit_path: str | None
    rows: list[CoverageRow]


class ChannelRow(_Answer):
    """One programme through one channel."""

    programme: str
    channel: str
    channel_text: Text
    people: int = Field(description="On the list for this channel (latest attempt)")
    payments: int
    amount: int
    paid_people: int
    paid_amount: int


_CHANNEL_EXAMPLE: dict[str, Any] = {
    "month": "2024-09",
    "rows": [
        {
            "programme": "MERIT", "channel": "BANK", "channel_text": {"vi": "Tài khoản ngân hàng", "en": "Bank account"},
            "people": 3100, "payments": 3100, "amount": 8650000000, "paid_people": 3088, "paid_amount": 8616500000,
        }
    ],
}  # fmt: skip


class ChannelsReport(_Answer):
    """People and đồng by channel."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _CHANNEL_EXAMPLE})

    month: str
    rows: list[ChannelRow]


class OutcomeRow(_Answer):
    """People in one state for one reason."""

    state: str
    state_text: Text
    programme: str
    reason: str | None
    reason_text: Text
    actor: str | None = Field(description="Role that must act")
    people: int
    amount: int


class StateRow(_Answer):
    """People in one state."""

    state: str
    state_text: Text
    programme: str
    people: int
    amount: int


_OUTCOME_EXAMPLE: dict[str, Any] = {
    "month": "2024-09",
    "states": [
        {
            "state": "HELD", "state_text": {"vi": "Tạm giữ, chờ xử lý", "en": "Held until somebody acts"}, "programme": "MERIT",
            "people": 7, "amount": 19523000,
        }
    ],
    "rows": [
        {
            "state": "HELD", "state_text": {"vi": "Tạm giữ, chờ xử lý", "en": "Held until somebody acts"}, "programme": "MERIT",
            "reason": "SUSPECTED_IDENTITY",
            "reason_text": {
                "vi": "Nghi sai nhân thân: số định danh thuộc người khác", "en": "The identity number belongs to somebody else",
            },
            "actor": "COMMUNE_POLICE", "people": 7, "amount": 19523000,
        }
    ],
}  # fmt: skip


class OutcomesReport(_Answer):
    """Everybody by state, and those not paid by reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _OUTCOME_EXAMPLE})

    month: str
    states: list[StateRow] = Field(description="All states: their sum is everybody due")
    rows: list[OutcomeRow] = Field(description="Held, failed, returned, uncollected, unknown: by reason")


class PersonRow(_Answer):
    """One person in one cycle, and how it stands."""

    beneficiary_id: UUID
    cycle_id: UUID
    file_code: str | None
    full_name: str | None
    programme: str
    unit_code: str
    unit_path: str
    unit_name: str | None
    state: str
    state_text: Text
    amount: int
    channel: str | None
    partner: str | None
    reason: str | None
    reason_text: Text | None
    cash_reason: str | None
    actor: str | None
    verdict: str | None = Field(description="What the population database said last")
    preference: str | None
    occurred_at: datetime | None
    since: date | None = Field(description="Business date on which this state began")
    paid_in: str | None = Field(description="Month whose list paid this one too, where the first attempt did not")
    nothing_due: bool = Field(
        default=False, description="Tháng này không còn khoản nào được hưởng · nothing is due for these months any more: nobody waits"
    )
    turn: str | None = Field(description="Role whose turn it is; null: nobody waits")
    turn_text: Text | None
    act_text: Text | None = Field(description="What is to be done")
    days_waiting: int | None = Field(description="Days in this state up to the business date; null: nobody waits")


class PeoplePage(_Answer):
    """A page of everybody due."""

    month: str
    business_date: date = Field(description="Days are counted to it")
    rows: list[PersonRow]
    next_cursor: str | None


class PaymentTotalRow(_Answer):
    """Payments in one status."""

    programme: str
    partner: str
    channel: str
    status: str
    payments: int
    amount: int


_TOTALS_EXAMPLE: dict[str, Any] = {
    "month": "2024-09",
    "rows": [{"programme": "MERIT", "partner": "agribank", "channel": "BANK", "status": "SETTLED", "payments": 1200, "amount": 3346800000}],
    "payments": 1200,
    "amount": 3346800000,
}


class PaymentTotals(_Answer):
    """All payments, each attempt by itself: equal to the ledger when everything is quiet."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _TOTALS_EXAMPLE})

    month: str | None
    rows: list[PaymentTotalRow]
    payments: int
    amount: int


class LagRow(_Answer):
    """One topic-partition."""

    topic: str
    partition: int
    applied_offset: int = Field(description="Last offset applied; -1: none yet")
    behind: int = Field(description="Events not yet applied, as last seen")
    updated_at: datetime


_LAG_EXAMPLE: dict[str, Any] = {
    "behind": 0,
    "oldest": "2024-09-01T02:00:00Z",
    "rows": [
        {"topic": "disbursement.payment.v1", "partition": 0, "applied_offset": 20481, "behind": 0, "updated_at": "2024-09-01T02:00:00Z"}
    ],
}


class LagReport(_Answer):
    """How far behind the figures are."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _LAG_EXAMPLE})

    behind: int
    oldest: datetime | None = Field(description="The topic-partition looked at longest ago: figures are at least as of this moment")
    rows: list[LagRow]


class JobAccepted(_Answer):
    """Long work was taken on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"job_id": "0198c7a0-0000-7000-8000-000000000001"}})

    job_id: UUID = Field(description="See GET /v1/jobs/{job_id}")
