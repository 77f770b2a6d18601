"""Who must approve a list, stage by stage, and why one is sent back (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from common.actor import Role

__all__ = ["REJECTIONS", "RejectionReason", "narrower", "stages_for"]

_ONE: Final = (Role.APPROVER,)


def stages_for(policies: Sequence[Any], *, amount: int, lines: int) -> tuple[Role, ...]:
    """The roles that approve a list, in order; one approver where nothing else was settled.

    `policies` are rulings in force, the narrowest unit first, then the latest. Of the narrowest unit that has one for this size, the
    one with the most stages counts; a later ruling for the same limits replaces an earlier one.
    """
    narrowest: str | None = None
    seen: set[tuple[int, int]] = set()
    best: tuple[Role, ...] = ()
    for policy in policies:
        body = policy["body"]
        limits = (int(body["over_amount"]), int(body["over_lines"]))
        place = policy["unit_path"] or ""
        if narrowest is not None and place != narrowest:
            break
        if limits in seen:
            continue
        seen.add(limits)
        over_lines = limits[1] > 0 and lines > limits[1]
        over_amount = amount > limits[0] and (limits[0] > 0 or limits[1] == 0)
        if over_amount or over_lines or limits == (0, 0):
            narrowest = place
            stages = tuple(Role(role) for role in body["stages"])
            best = max(best, stages, key=len)
    return best or _ONE


def narrower(*stages: tuple[Role, ...]) -> tuple[Role, ...]:
    """Of what holds on several days, what asks most people; of as many, what is named first."""
    return max(stages, key=len)


class RejectionReason(StrEnum):
    """Why a list is sent back."""

    AMOUNT_WRONG = "AMOUNT_WRONG"
    PERSON_WRONG = "PERSON_WRONG"
    PEOPLE_MISSING = "PEOPLE_MISSING"
    ACCOUNT_WRONG = "ACCOUNT_WRONG"
    PAPERS_MISSING = "PAPERS_MISSING"
    BUDGET = "BUDGET"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Texts of a reason."""

    vi: str
    en: str


REJECTIONS: Final[dict[RejectionReason, Rejection]] = {
    RejectionReason.AMOUNT_WRONG: Rejection("Sai số tiền", "An amount is wrong"),
    RejectionReason.PERSON_WRONG: Rejection("Có người không được hưởng", "Somebody on the list is not entitled"),
    RejectionReason.PEOPLE_MISSING: Rejection("Thiếu người được hưởng", "Somebody entitled is missing"),
    RejectionReason.ACCOUNT_WRONG: Rejection("Sai tài khoản hoặc người nhận", "An account or payee is wrong"),
    RejectionReason.PAPERS_MISSING: Rejection("Thiếu quyết định, hồ sơ kèm theo", "A decision or paper is missing"),
    RejectionReason.BUDGET: Rejection("Dự toán hoặc tiền chưa đủ", "Budget or money does not suffice"),
    RejectionReason.OTHER: Rejection("Lý do khác", "Another reason"),
}
