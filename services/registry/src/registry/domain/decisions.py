"""Decisions: what each kind does to an allowance, from which month, and who may move a proposal where.

Law: Decree 20/2021 Art. 8 and Circular 02/2021 Art. 2 (social assistance; the social pension follows them, Decree 176/2025), Ordinance
02/2020 Art. 54 and Decree 131/2021 Art. 118-119 (merit). Allowances are due by whole months. Where the texts leave the month open,
the rule names a policy setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from registry.domain.dates import next_month

__all__ = [
    "ASSISTANCE", "EFFECTS", "MERIT", "RULES", "TRANSITIONS", "Action", "Anchor", "Held", "Kind", "MonthOpen", "MonthRule", "State",
    "first_month", "group_of", "month_of", "rule_of",
]  # fmt: skip


class Kind(StrEnum):
    """What a decision does."""

    GRANT = "GRANT"
    ADJUST = "ADJUST"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    END = "END"
    TRANSFER = "TRANSFER"


class State(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class Action(StrEnum):
    """What a person does with a proposal."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    WITHDRAW = "WITHDRAW"


TRANSITIONS: Final[Mapping[tuple[State, Action], State]] = {
    (State.PROPOSED, Action.APPROVE): State.APPROVED,
    (State.PROPOSED, Action.REJECT): State.REJECTED,
    (State.PROPOSED, Action.WITHDRAW): State.WITHDRAWN,
}
"""Every move of a proposal; any other is refused. An approved decision is undone by a later decision, never by going back."""


class Held(StrEnum):
    """State of an allowance."""

    NONE = "NONE"
    GRANTED = "GRANTED"
    SUSPENDED = "SUSPENDED"
    ENDED = "ENDED"


EFFECTS: Final[Mapping[tuple[Held, Kind], Held]] = {
    (Held.NONE, Kind.GRANT): Held.GRANTED,
    (Held.GRANTED, Kind.ADJUST): Held.GRANTED,
    (Held.GRANTED, Kind.SUSPEND): Held.SUSPENDED,
    (Held.SUSPENDED, Kind.RESUME): Held.GRANTED,
    (Held.ENDED, Kind.RESUME): Held.GRANTED,
    (Held.GRANTED, Kind.END): Held.ENDED,
    (Held.SUSPENDED, Kind.END): Held.ENDED,
    (Held.GRANTED, Kind.TRANSFER): Held.GRANTED,
    (Held.SUSPENDED, Kind.TRANSFER): Held.SUSPENDED,
}
"""What each kind of decision makes of an allowance; a pair that is not here is refused."""


class Anchor(StrEnum):
    """From which date the first month is counted."""

    EVENT = "EVENT"
    DECISION = "DECISION"
    SUSPENSION = "SUSPENSION"
    GIVEN = "GIVEN"


@dataclass(frozen=True, slots=True)
class MonthRule:
    """First month a decision works in: months after the anchor's month. `setting` decides where the law does not."""

    anchor: Anchor
    months_after: int
    legal_basis: str
    back_pay: bool = False
    setting: str | None = None
    reopens: bool = False
    """Whether this reason may resume an allowance that was ended."""


MERIT: Final = "MERIT"
ASSISTANCE: Final = "ASSISTANCE"
_SA_STOP: Final = "Thông tư 02/2021/TT-BLĐTBXH Điều 2"
_SA_START: Final = "Nghị định 20/2021/NĐ-CP Điều 8"
_MERIT_STOP: Final = "Pháp lệnh 02/2020/UBTVQH14 Điều 54; Nghị định 131/2021/NĐ-CP Điều 118"
_MERIT_RESUME: Final = "Nghị định 131/2021/NĐ-CP Điều 119"
_AS_DECIDED: Final = "Tháng ghi trong quyết định"

RULES: Final[Mapping[tuple[Kind, str, str], MonthRule]] = {
    (Kind.SUSPEND, MERIT, "PRISON"): MonthRule(Anchor.EVENT, 0, _MERIT_STOP, setting="MERIT_PRISON_FIRST_MONTH"),
    (Kind.SUSPEND, MERIT, "MISSING"): MonthRule(Anchor.EVENT, 0, _MERIT_STOP),
    (Kind.SUSPEND, MERIT, "ILLEGAL_EXIT"): MonthRule(Anchor.EVENT, 0, _MERIT_STOP),
    (Kind.SUSPEND, MERIT, "FRAUD_SUSPECTED"): MonthRule(Anchor.DECISION, 0, _MERIT_STOP),
    (Kind.SUSPEND, ASSISTANCE, "UNCOLLECTED"): MonthRule(Anchor.DECISION, 1, _SA_STOP, setting="ASSISTANCE_SUSPENSION_FIRST_MONTH"),
    (Kind.SUSPEND, ASSISTANCE, "NOT_REASSESSED"): MonthRule(Anchor.DECISION, 1, _SA_STOP, setting="ASSISTANCE_SUSPENSION_FIRST_MONTH"),
    (Kind.SUSPEND, ASSISTANCE, "DETAINED"): MonthRule(Anchor.DECISION, 1, _SA_STOP, setting="ASSISTANCE_SUSPENSION_FIRST_MONTH"),
    (Kind.END, ASSISTANCE, "MISSING"): MonthRule(Anchor.EVENT, 1, _SA_STOP),
    (Kind.END, ASSISTANCE, "PRISON"): MonthRule(Anchor.EVENT, 1, _SA_STOP),
    (Kind.END, ASSISTANCE, "NOT_ENTITLED"): MonthRule(Anchor.EVENT, 1, _SA_STOP),
    (Kind.END, ASSISTANCE, "REFUSED"): MonthRule(Anchor.EVENT, 1, _SA_STOP),
    (Kind.END, ASSISTANCE, "NOT_REASSESSED"): MonthRule(Anchor.SUSPENSION, 3, _SA_STOP),
    (Kind.END, MERIT, "FRAUD_CONCLUDED"): MonthRule(Anchor.EVENT, 0, _MERIT_STOP),
    (Kind.END, MERIT, "NOT_ENTITLED"): MonthRule(Anchor.EVENT, 1, _MERIT_STOP),
    (Kind.END, MERIT, "REFUSED"): MonthRule(Anchor.EVENT, 1, _MERIT_STOP),
    (Kind.RESUME, MERIT, "RELEASED"): MonthRule(Anchor.EVENT, 1, _MERIT_RESUME, reopens=True),
    (Kind.RESUME, MERIT, "RETURNED"): MonthRule(Anchor.EVENT, 1, _MERIT_RESUME, reopens=True),
    (Kind.RESUME, MERIT, "FALSE_ALARM"): MonthRule(Anchor.SUSPENSION, 0, _MERIT_RESUME, back_pay=True, reopens=True),
    (Kind.RESUME, ASSISTANCE, "REMEDIED"): MonthRule(Anchor.DECISION, 0, _SA_START, setting="BACK_PAY_AFTER_SUSPENSION"),
    (Kind.RESUME, ASSISTANCE, "RELEASED"): MonthRule(Anchor.DECISION, 0, _SA_START, reopens=True),
    (Kind.RESUME, ASSISTANCE, "RETURNED"): MonthRule(Anchor.DECISION, 0, _SA_START, reopens=True),
    (Kind.RESUME, ASSISTANCE, "FALSE_ALARM"): MonthRule(Anchor.SUSPENSION, 0, _SA_STOP, back_pay=True, reopens=True),
    (Kind.ADJUST, MERIT, "CHANGED"): MonthRule(Anchor.GIVEN, 0, _AS_DECIDED),
    (Kind.ADJUST, ASSISTANCE, "CHANGED"): MonthRule(Anchor.EVENT, 0, _SA_START),
} | {
    (kind, group, reason): MonthRule(Anchor.GIVEN, 0, _AS_DECIDED)
    for group in (MERIT, ASSISTANCE)
    for kind, reason in (
        (Kind.GRANT, "NEW"), (Kind.GRANT, "MOVED_HERE"), (Kind.ADJUST, "OTHER"), (Kind.SUSPEND, "OTHER"), (Kind.RESUME, "OTHER"),
        (Kind.END, "OTHER"), (Kind.END, "MOVED_AWAY"),
    )
}  # fmt: skip
"""(kind, law, reason) → first month. A reason that is not here is no ground for this decision under that law."""


class MonthOpen(Exception):
    """The first month cannot be told: `field` is what is missing or wrong, `why` and `why_vi` say it in words."""

    def __init__(self, field: str, why: str, why_vi: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why
        self.why_vi = why_vi


def group_of(programme: str) -> str:
    """Which law's stopping rules a programme follows."""
    return MERIT if programme == "MERIT" else ASSISTANCE


def reasons_of(kind: Kind, programme: str) -> list[str]:
    """The reasons a decision of this kind may name under the programme's law."""
    return sorted(reason for held, group, reason in RULES if held is kind and group == group_of(programme))


def rule_of(kind: Kind, programme: str, reason: str) -> MonthRule | None:
    """The rule of a decision, or None when that reason is no ground for it."""
    return RULES.get((kind, group_of(programme), reason))


def month_of(day: date, months_after: int = 0) -> date:
    """First day of the month `months_after` months after a date's month."""
    month = day.replace(day=1)
    for _ in range(months_after):
        month = next_month(month)
    return month


def first_month(
    rule: MonthRule,
    *,
    decision_date: date,
    event_date: date | None,
    suspended_from: date | None,
    given: date | None,
    setting: str | None,
) -> tuple[date, bool]:
    """First month of a decision, and whether the months of the suspension are paid back.

    `setting` is the value of the rule's policy setting. Raises MonthOpen when a date is missing or the month given is not the law's.
    """
    back_pay = rule.back_pay or (rule.setting == "BACK_PAY_AFTER_SUSPENSION" and setting == "YES")
    months = rule.months_after
    if rule.setting is not None and rule.setting.endswith("_FIRST_MONTH"):
        months = {"SAME_MONTH": 0, "NEXT_MONTH": 1}[setting or ""]
    anchor = Anchor.SUSPENSION if back_pay else rule.anchor
    if anchor is Anchor.GIVEN:
        if given is None:
            raise MonthOpen(
                "effective_month",
                "this reason has no month of its own in the law: give the month the decision names",
                "căn cứ này không có tháng theo luật: hãy ghi tháng nêu trong quyết định",
            )
        return given, back_pay
    day = {Anchor.EVENT: event_date, Anchor.DECISION: decision_date, Anchor.SUSPENSION: suspended_from}[anchor]
    if day is None:
        if anchor is Anchor.EVENT:
            raise MonthOpen("event_date", "missing: the month is counted from this date", "thiếu: tháng được tính từ ngày này")
        raise MonthOpen("entitlement_id", "it is not suspended", "chế độ này không bị tạm dừng")
    month = month_of(day, 0 if back_pay else months)
    if given is not None and given != month:
        by_law = f"{month.isoformat()[:7]} ({rule.legal_basis})"
        raise MonthOpen("effective_month", f"by law it is {by_law}", f"theo luật là {by_law}")
    return month, back_pay
