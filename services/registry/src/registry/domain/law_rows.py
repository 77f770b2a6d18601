"""Rows of a draft of the law: which tables a change may add to, their columns, and how a row typed or sent in a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from common.tabular import ColumnSpec, parse_amount_vi, parse_date_vi
from registry.domain.reasons import Reason, reason

__all__ = ["TABLES", "LawTable", "columns_of", "read_row"]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: `kind` is how a cell is read; `head` names the field of the change that fills an empty cell."""

    name: str
    kind: str
    headers: tuple[str, ...]
    required: bool = False
    head: str | None = None
    default: Any = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LawTable:
    """A table of the catalogue that a change may add rows to."""

    vi: str
    en: str
    key: tuple[str, ...]
    columns: tuple[_Column, ...] = field(default_factory=tuple)


_CATEGORY: Final = _Column("category", "code", ("Mã đối tượng", "Loại đối tượng", "Mã loại", "Category"), required=True)
_AMOUNT: Final = _Column(
    "amount_vnd", "money", ("Mức trợ cấp", "Mức hưởng", "Số tiền", "Mức chuẩn", "Mức trợ cấp hằng tháng", "Amount"), required=True
)
_FROM: Final = _Column(
    "applies_from", "date", ("Áp dụng từ", "Áp dụng từ ngày", "Từ ngày", "Applies from"), required=True, head="applies_from"
)
_TO: Final = _Column("applies_to", "date", ("Áp dụng đến", "Đến ngày", "Áp dụng đến ngày", "Applies to"))
_KNOWN: Final = _Column(
    "known_from", "date", ("Biết từ", "Có hiệu lực từ", "Ngày hiệu lực", "Known from"), required=True, head="known_from"
)
_BASIS: Final = _Column("legal_basis", "text", ("Căn cứ", "Căn cứ pháp lý", "Legal basis"), required=True, head="legal_basis")
_DATES: Final = (_FROM, _TO, _KNOWN, _BASIS)
_NAMES: Final = (
    _Column("name_vi", "text", ("Tên", "Tên gọi", "Name"), required=True),
    _Column("name_en", "text", ("Tên tiếng Anh", "English name"), required=True),
)
_STANDARD: Final = _Column("standard", "code", ("Mã mức chuẩn", "Chuẩn", "Standard"))
_REQUIRED_STANDARD: Final = _Column("standard", "code", ("Mã mức chuẩn", "Chuẩn", "Standard"), required=True)
_PROGRAMMES: Final = ("MERIT", "SOCIAL_ASSISTANCE", "SOCIAL_PENSION")
_SOURCES: Final = ("CENTRAL_BUDGET", "PROVINCIAL_BUDGET", "LOCAL_BUDGET", "SOCIAL_FUND")


def _flag(name: str, header: str, default: str = "0") -> _Column:
    return _Column(name, "flag", (header,), default=default == "1")


TABLES: Final[dict[str, LawTable]] = {
    "benefit_category": LawTable(
        "Loại đối tượng", "Category", ("code",),
        (
            _Column("code", "code", ("Mã", "Mã loại", "Code"), required=True),
            _Column("programme", "code", ("Chương trình", "Programme"), required=True, allowed=_PROGRAMMES),
            _Column("funding_source", "code", ("Nguồn kinh phí", "Nguồn", "Funding source"), required=True, allowed=_SOURCES),
            _Column("benefit_line", "line", ("Mã khoản chi", "Khoản chi", "Benefit line"), required=True),
            _Column("stack_group", "code", ("Nhóm cộng hưởng", "Stack group"), required=True),
            _flag("per_dependant", "Theo người phụ thuộc"), _flag("needs_percent", "Cần tỷ lệ"), _flag("per_quantity", "Nhân số lượng"),
            _flag("excludes_single_parent", "Loại trừ người đơn thân"), _flag("arrears_apart", "Truy lĩnh riêng", "1"),
            _Column("applies_from", "date", _FROM.headers), _TO,
            _Column("frequency", "code", ("Kỳ chi", "Frequency"), default="MONTHLY", allowed=("MONTHLY", "YEARLY")),
            _Column("concerns", "code", ("Tính tuổi theo", "Concerns"), default="PERSON", allowed=("PERSON", "DEPENDANT")),
            _Column("min_age_months", "int", ("Tuổi tối thiểu (tháng)", "Minimum age in months")),
            _Column("start_rule", "code", ("Tháng bắt đầu", "Start rule"), default="DECISION_MONTH",
                    allowed=("DECISION_MONTH", "CERTIFICATE_MONTH", "AGE_MONTH")),
            _Column("start_basis", "text", ("Căn cứ tháng bắt đầu", "Start basis"), required=True, head="legal_basis"), *_NAMES, _BASIS,
            _Column("public_basis", "text", ("Căn cứ công khai", "Public basis"), required=True, head="legal_basis"),
        ),
    ),
    "category_term": LawTable("Thời hạn của loại đối tượng", "Term of a category", ("category",), (
        _CATEGORY, _Column("applies_from", "date", _FROM.headers), _TO, _KNOWN, _BASIS)),
    "benefit_standard": LawTable("Mức chuẩn", "Standard", ("standard", "applies_from", "known_from"), (
        _REQUIRED_STANDARD, _AMOUNT, *_DATES)),
    "category_coefficient": LawTable("Hệ số", "Coefficient", ("category", "applies_from", "known_from"), (
        _CATEGORY, _REQUIRED_STANDARD, _Column("coefficient_hundredths", "coefficient", ("Hệ số", "Coefficient"), required=True), *_DATES)),
    "category_amount": LawTable("Mức tiền theo bảng", "Amount of a table", ("category", "percent", "applies_from", "known_from"), (
        _CATEGORY, _Column("percent", "percent", ("Tỷ lệ", "Tỷ lệ tổn thương", "Tỷ lệ thương tật", "Tỷ lệ %", "Percent"), default=0),
        _AMOUNT, *_DATES)),
    "category_step": LawTable("Mốc tuổi", "Age step", ("category", "age_months"), (
        _CATEGORY, _Column("age_months", "int", ("Tuổi (tháng)", "Age in months"), required=True),
        _Column("next_category", "code", ("Loại tiếp theo", "Next category")), _BASIS)),
    "category_group_condition": LawTable("Điều kiện nhóm hộ", "Group condition", ("category", "group_code"), (
        _CATEGORY, _Column("group_code", "code", ("Mã nhóm", "Group"), required=True), _BASIS)),
    "category_exclusion": LawTable("Trường hợp không hưởng đồng thời", "Exclusion", ("category", "fact"), (
        _CATEGORY, _Column("fact", "code", ("Trường hợp", "Fact"), required=True, allowed=("INSTITUTION", "OTHER_BENEFIT")),
        _Column("rule", "code", ("Quy tắc", "Rule"), default="ANY", allowed=("ANY", "NOT_LOWER")),
        _Column("kinds", "codes", ("Loại khoản hưởng khác", "Kinds")), _BASIS)),
    "provincial_top_up": LawTable("Phần tỉnh nâng thêm", "Provincial top-up", ("code", "applies_from", "known_from"), (
        _Column("code", "code", ("Mã", "Code"), required=True), _Column("unit_prefixes", "paths", ("Đơn vị", "Units")),
        _Column("mode", "code", ("Cách tính", "Mode"), required=True, allowed=("DIFFERENCE", "BESIDE", "INSTEAD")),
        _STANDARD, _Column("category", "code", _CATEGORY.headers), _AMOUNT,
        _Column("funding_source", "code", ("Nguồn kinh phí", "Nguồn", "Funding source"), required=True, allowed=_SOURCES[1:]), *_DATES)),
    "one_off_rule": LawTable("Khoản chi một lần", "One-off sum", ("code", "applies_from", "known_from"), (
        _Column("code", "code", ("Mã", "Code"), required=True),
        _Column("kind", "code", ("Loại khoản", "Kind"), required=True, allowed=("FUNERAL", "LUMP_SUM", "CAMPAIGN", "EMERGENCY")),
        _Column("programme", "code", ("Chương trình", "Programme"), required=True, allowed=(*_PROGRAMMES, "CAMPAIGN")),
        _Column("funding_source", "code", ("Nguồn kinh phí", "Nguồn", "Funding source"), required=True, allowed=_SOURCES),
        _Column("benefit_line", "line", ("Mã khoản chi", "Khoản chi", "Benefit line"), required=True), _STANDARD,
        _Column("multiple", "int", ("Số lần", "Multiple")), _Column("amount_vnd", "money", _AMOUNT.headers),
        _Column("for_programmes", "codes", ("Cho chương trình", "For programmes")),
        _Column("exclusive_group", "code", ("Nhóm loại trừ", "Exclusive group")), *_DATES, *_NAMES)),
    "law_change_setting": LawTable("Câu trả lời cho điểm văn bản chưa rõ", "Answer to an open question", ("code",), (
        _Column("code", "code", ("Mã câu hỏi", "Code"), required=True), _Column("value", "text", ("Trả lời", "Value"), required=True),
        _BASIS)),
}  # fmt: skip
"""By name of the table. Stacking rules are not here: a new rule of stacking is a new rule of the engine, and comes with a release."""


def columns_of(table: str) -> tuple[ColumnSpec, ...]:
    """How a file's columns are recognised; a column that the change itself fills may be missing."""
    ordinal = ColumnSpec("ordinal", ("STT", "Số thứ tự", "TT"))
    return (
        ordinal,
        *(
            ColumnSpec(item.name, (*item.headers, item.name), required=item.required and item.head is None)
            for item in TABLES[table].columns
        ),
    )


def read_row(table: str, values: Mapping[str, Any], head: Mapping[str, Any]) -> tuple[dict[str, Any], list[Reason]]:
    """One row as columns, and what is wrong with it. Empty cells take the change's own legal basis and dates."""
    row: dict[str, Any] = {}
    wrong: list[Reason] = []
    known = {item.name for item in TABLES[table].columns} | {"ordinal"}
    wrong += [reason("LAW_UNKNOWN_FIELD", name[:60]) for name in values if name not in known]
    for item in TABLES[table].columns:
        text = _text(values.get(item.name))
        if not text:
            row[item.name] = head.get(item.head) if item.head else item.default
            if item.required and row[item.name] is None:
                wrong.append(reason("LAW_MISSING", item.name))
            continue
        value = _cell(item.kind, text)
        if value is None or (item.allowed and value not in item.allowed):
            wrong.append(reason("LAW_BAD_VALUE", item.name, text[:60]))
        row[item.name] = value
    if not wrong and row.get("applies_to") and row.get("applies_from") and row["applies_to"] < row["applies_from"]:
        wrong.append(reason("LAW_DATES_CROSS", "applies_to"))
    if not wrong and table == "provincial_top_up" and (row["standard"] is None) == (row["category"] is None):
        wrong.append(reason("LAW_ONE_OF", "category", "category, standard"))
    if not wrong and table == "one_off_rule" and (row["amount_vnd"] is None) == (row["multiple"] is None):
        wrong.append(reason("LAW_ONE_OF", "amount_vnd", "amount_vnd, multiple"))
    return row, wrong


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return "" if value is None else str(value).strip()


def _cell(kind: str, text: str) -> Any:
    """The value of a cell, or None when it is none of its kind."""
    match kind:
        case "text":
            return text if len(text) <= 500 and "\x00" not in text else None
        case "code" | "line":
            code = text.upper()
            return code if len(code) <= 60 and code.isascii() and code.replace("_", "").isalnum() else None
        case "codes":
            codes = [_cell("code", part) for part in text.strip("{}").split(",")]
            return None if None in codes else codes
        case "paths":
            paths = [part.strip() for part in text.strip("{}").replace(";", ",").split(",")]
            return paths if all(path.replace("/", "").isdigit() for path in paths) else None
        case "money":
            amount = parse_amount_vi(text)
            return amount if amount and amount < 10**12 else None
        case "coefficient":
            return _hundredths(text)
        case "flag":
            return {"0": False, "1": True, "KHÔNG": False, "CÓ": True, "FALSE": False, "TRUE": True}.get(text.upper())
        case "date":
            parsed = parse_date_vi(text)
            return date.fromisoformat(parsed) if parsed and len(parsed) == len("2026-07-01") else None
        case "percent":
            number = text.rstrip("% ")
            return int(number) if number.isascii() and number.isdigit() and (21 <= int(number) <= 100 or number == "0") else None
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 10_000 else None


def _hundredths(text: str) -> int | None:
    """`1,5` or `2.25` → hundredths; a coefficient of more than two decimals is none of the law's."""
    whole, _, part = text.replace(",", ".").partition(".")
    if not (
        whole.isascii() and whole.isdigit() and len(whole) <= 3 and len(part) <= 2 and (not part or (part.isascii() and part.isdigit()))
    ):
        return None
    return int(whole) * 100 + int((part + "00")[:2]) or None
