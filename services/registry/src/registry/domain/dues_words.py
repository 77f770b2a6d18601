"""A month's dues of one person as sentences that an officer can read to them, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from registry.domain.law import RULES

__all__ = ["Judged", "Sentence", "decision", "heading", "money", "next_change", "one_off", "why_changed"]

_SOURCES: Final = {
    "CENTRAL_BUDGET": ("ngân sách trung ương", "the central budget"), "LOCAL_BUDGET": ("ngân sách địa phương", "the local budget"),
    "PROVINCIAL_BUDGET": ("ngân sách tỉnh", "the province's budget"), "SOCIAL_FUND": ("quỹ xã hội", "a social fund"),
}  # fmt: skip
_ONE_OFF: Final = {
    "FUNERAL": ("hỗ trợ mai táng", "funeral support"), "LUMP_SUM": ("trợ cấp một lần", "lump sum"), "CAMPAIGN": ("quà tặng", "gift"),
    "EMERGENCY": ("hỗ trợ khẩn cấp", "emergency support"), "WORSHIP": ("trợ cấp thờ cúng", "worship allowance"),
}  # fmt: skip
_BY_AGE: Final = ("AGE_STOP", "BELOW_AGE")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same in both languages."""

    vi: str
    en: str

    def __add__(self, other: Sentence) -> Sentence:
        return Sentence(f"{self.vi} {other.vi}".strip(), f"{self.en} {other.en}".strip())


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision in a month as the engine judged it. `name` (Vietnamese, English) only for those who may know the category."""

    decision_number: str
    line: str | None
    outcome: str
    amount: int | None
    basis: str | None
    explicit: bool = False
    instead: bool = False
    tops: Sequence[Mapping[str, Any]] = ()
    name: tuple[str, str] | None = None
    winner: tuple[str, int | None] | None = None


def money(amount: int) -> tuple[str, str]:
    """`750.000 đồng`, `750,000 đồng`."""
    return f"{amount:,} đồng".replace(",", "."), f"{amount:,} đồng"


def _month(month: date) -> tuple[str, str]:
    return f"tháng {month.month}/{month.year}", f"{month:%B %Y}"


def heading(month: date, total: int, missing: bool) -> Sentence:
    """What is due in all."""
    (vi, en), (sum_vi, sum_en) = _month(month), money(total)
    if missing and not total:
        return Sentence(
            f"Khoản của {vi} chưa tính được vì mức chưa được nạp.", f"The dues of {en} cannot be said yet: the amount is not loaded."
        )
    if not total:
        return Sentence(f"{vi.capitalize()} không có khoản nào được chi trả.", f"Nothing is due for {en}.")
    said = Sentence(f"{vi.capitalize()} được chi trả tổng cộng {sum_vi}.", f"For {en} a total of {sum_en} is due.")
    if missing:
        said += Sentence("Còn khoản chưa tính được vì mức chưa được nạp.", "A further amount is not loaded yet and not counted here.")
    return said


def decision(item: Judged) -> Sentence:
    """Whether a decision counts in the month, what it gives, and by which text; else which rule sets it aside."""
    line = f" ({item.line})" if item.line else ""
    head_vi = f"Quyết định số {item.decision_number}{line}" + (f", {item.name[0]}" if item.name else "")
    head_en = f"Decision no. {item.decision_number}{line}" + (f", {item.name[1]}" if item.name else "")
    rule = RULES[item.outcome]
    basis = Sentence("", "")
    if text := item.basis or rule.legal_basis:
        basis = Sentence(f"Căn cứ: {text}.", f"Legal basis: {text}.")
    if item.outcome == "COUNTS":
        return _counted(item, head_vi, head_en) + basis
    if item.outcome == "RATE_MISSING":
        return Sentence(f"{head_vi}: {rule.vi[0].lower()}{rule.vi[1:]}.", f"{head_en}: {rule.en[0].lower()}{rule.en[1:]}.")
    would_vi, would_en = "", ""
    if item.amount:
        sum_vi, sum_en = money(item.amount)
        would_vi, would_en = f" (mức {sum_vi})", f" (level {sum_en})"
    said = Sentence(
        f"{head_vi}{would_vi}: không được tính. Lý do: {rule.vi[0].lower()}{rule.vi[1:]}.",
        f"{head_en}{would_en}: set aside. Reason: {rule.en[0].lower()}{rule.en[1:]}.",
    )
    if item.winner is not None:
        number, amount = item.winner
        more = money(amount) if amount else ("", "")
        said += Sentence(
            f"Được hưởng theo Quyết định số {number} {more[0]}".rstrip() + ".", f"Paid by decision no. {number} {more[1]}".rstrip() + "."
        )
    return said + basis


def _counted(item: Judged, head_vi: str, head_en: str) -> Sentence:
    said = Sentence(f"{head_vi}:", f"{head_en}:")
    if not item.instead:
        sum_vi, sum_en = money(item.amount or 0)
        arrears = (" (truy lĩnh)", " (arrears)") if item.explicit else ("", "")
        said += Sentence(f"được tính {sum_vi}{arrears[0]}.", f"counts with {sum_en}{arrears[1]}.")
    for top in item.tops:
        sum_vi, sum_en = money(int(top["amount"]))
        source = _SOURCES.get(str(top["funding_source"]), (str(top["funding_source"]),) * 2)
        word = ("thay cho mức trung ương", "in place of the national amount") if item.instead else ("thêm", "on top")
        said += Sentence(f"Tỉnh chi {word[0]} {sum_vi} từ {source[0]} ({top['basis']}).",
                         f"The province pays {sum_en} {word[1]} from {source[1]} ({top['basis']}).")  # fmt: skip
    return said


def one_off(kind: str, line: str, amount: int, basis: str) -> Sentence:
    """A sum due once in this month."""
    (sum_vi, sum_en), (vi, en) = money(amount), _ONE_OFF[kind]
    return Sentence(f"Khoản một lần ({line}), {vi}: {sum_vi}. Căn cứ: {basis}.", f"Once ({line}), {en}: {sum_en}. Legal basis: {basis}.")


def why_changed(before: Judged, after: Judged, age_months: int | None, *, dependant: bool, stepped: bool) -> Sentence | None:
    """Why a decision gives something else than before; None when it does not."""
    if stepped or (after.outcome in _BY_AGE) != (before.outcome in _BY_AGE):
        if age_months is None:
            return Sentence("đến mốc tuổi", "an age step is reached")
        years, months = divmod(age_months, 12)
        vi, en = (
            (f"{years} tuổi", f"the age of {years}") if months <= 1 and years >= 4 else (f"{age_months} tháng tuổi", f"{age_months} months")
        )
        who = ("người phụ thuộc", "the dependant") if dependant else ("", "")
        return Sentence(f"{who[0]} đủ {vi}".strip(), f"{who[1]} reaches {en}".strip())
    if before.outcome != after.outcome:
        rule = RULES[after.outcome]
        return Sentence(rule.vi[0].lower() + rule.vi[1:], rule.en[0].lower() + rule.en[1:])
    if (before.amount, list(before.tops)) != (after.amount, list(after.tops)):
        return Sentence(f"mức mới: {after.basis}", f"new amount: {after.basis}")
    return None


def next_change(month: date, total: int, missing: bool, reasons: Sequence[Sentence]) -> Sentence:
    """What comes next."""
    (vi, en), (sum_vi, sum_en) = _month(month), money(total)
    why_vi = f" ({'; '.join(item.vi for item in reasons)})" if reasons else ""
    why_en = f" ({'; '.join(item.en for item in reasons)})" if reasons else ""
    if missing:
        return Sentence(f"Từ {vi} mức chưa được nạp{why_vi}.", f"From {en} the amount is not loaded{why_en}.")
    if not total:
        return Sentence(f"Từ {vi} không còn khoản hằng tháng{why_vi}.", f"From {en} nothing is due any more{why_en}.")
    return Sentence(f"Từ {vi} tổng cộng {sum_vi}{why_vi}.", f"From {en} a total of {sum_en}{why_en}.")
