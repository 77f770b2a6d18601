"""Checks of one row that need nothing but the row, the catalogue and the units: what it says, or why it is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from common.lists.cells import hide_numbers, parse_month_vi, short_year
from common.names import clean, folded
from registry.domain import dates
from registry.domain.numbers import (
    clean_number,
    clean_phone,
    number_warnings,
    phone_reason,
    second_number_reason,
    structure_reason,
)
from registry.domain.reasons import Reason, reason

__all__ = ["Category", "CheckedRow", "Rules", "check_row", "name_label"]

_SEX: Final = {"NAM": "M", "NU": "F", "M": "M", "F": "F", "TRAI": "M", "GAI": "F", "": "UNKNOWN"}
_PREFERENCE: Final = {
    "TK": "WANTS_ACCOUNT", "TAI KHOAN": "WANTS_ACCOUNT", "TM": "DECLINES", "TIEN MAT": "DECLINES", "BKK": "FORCE_MAJEURE",
    "BAT KHA KHANG": "FORCE_MAJEURE", "": "UNKNOWN",
}  # fmt: skip
_IS_HEAD: Final = frozenset({"X", "CO", "CHU HO", "LA CHU HO", "BAN THAN"})
_REP_KIND: Final = {"UY QUYEN": "AUTHORISED", "GIAM HO": "GUARDIAN", "CHAM SOC": "CARER"}
_OLD_FONT: Final = re.compile("[µ¸¶·¹¨»¾¼½©®ª«¬\u00ad×÷¤§¦£¢]")  # what TCVN3 letters look like in Unicode
_PERCENT: Final = range(21, 101)
_QUANTITY: Final = range(1, 101)
_CODE: Final = re.compile("[A-Z0-9_]{1,40}")


def name_label(text: str) -> str:
    """A category's name as lists write it: case, spaces and punctuation aside. Accents and digits tell categories apart and stay."""
    return "".join(each for each in unicodedata.normalize("NFC", text).casefold() if each.isalnum())


def plain_label(text: str) -> str:
    """The same without accents, marked so that it is never taken for a name: what offices type where accents are hard to type."""
    apart = unicodedata.normalize("NFD", name_label(text)).replace("đ", "d")
    return "~" + "".join(each for each in apart if not unicodedata.combining(each))


@dataclass(frozen=True, slots=True)
class Category:
    """What a row check needs of a benefit category."""

    code: str
    programme: str
    needs_percent: bool
    start_rule: str = "DECISION_MONTH"
    start_basis: str = ""
    of_dependant: bool = False
    """Whether ages are those of the dependant."""
    min_age_months: int | None = None
    end_age_months: int | None = None
    """From this age on neither this category nor one that follows it is granted."""
    per_quantity: bool = False
    """Whether the sum is multiplied by a number of units (years of seniority)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows of one list are checked against."""

    programme: str
    unit_code: str
    unit_path: str
    business_date: date
    categories: Mapping[str, Category]
    """By code, by `name_label` of the Vietnamese name, which lists of offices write instead, and by `plain_label` where it tells enough."""
    units: Mapping[str, str]
    """Commune code → path, on the business date."""
    representative_months: int | None = None
    """For how many months at most somebody is authorised to collect; None: not said here."""


@dataclass(slots=True)
class CheckedRow:
    """One row as understood. `reasons` empty means good; `warnings` never refuse."""

    reasons: list[Reason] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    file_code: str = ""
    full_name: str = ""
    name_folded: str = ""
    birth_date: str | None = None
    sex: str = "UNKNOWN"
    number: str | None = None
    second_number: str | None = None
    phone: str | None = None
    ethnicity: str | None = None
    hamlet: str | None = None
    household_code: str | None = None
    household_head: str | None = None
    """The head's name, folded; that of the person where the row says so."""
    household_relation: str | None = None
    address: str | None = None
    unit_code: str = ""
    unit_path: str = ""
    category: str = ""
    percent: int = 0
    quantity: int = 1
    """Units the sum is multiplied by, where the category is paid by them."""
    dep_name: str | None = None
    dep_name_folded: str | None = None
    dep_birth_date: str | None = None
    decision_number: str = ""
    decision_date: date | None = None
    from_month: date | None = None
    arrears_from: date | None = None
    preference: str = "UNKNOWN"
    rep_kind: str | None = None
    rep_full_name: str | None = None
    rep_name_folded: str | None = None
    rep_birth_date: str | None = None
    rep_sex: str | None = None
    rep_number: str | None = None
    rep_certificate: str | None = None
    rep_from: date | None = None
    rep_to: date | None = None

    def refuse(self, code: str, name: str, shown: object = "") -> None:
        """Note a refusal; all of a row's faults are reported at once."""
        self.reasons.append(reason(code, name, shown))

    def plain(self, text: str, name: str) -> str:
        """Text that is kept in clear: a national number in it refuses the row, and is not kept."""
        hidden, found = hide_numbers(text)
        if found:
            self.refuse("NUMBER_IN_TEXT", name)
        return hidden

    def name_of(self, text: str, name: str) -> str:
        """A person's name as it may be kept."""
        found = self.plain(clean(text), name)
        if _OLD_FONT.search(found):
            self.refuse("NAME_OLD_FONT", name)
        return found

    def bad_date(self, code: str, name: str, text: str) -> None:
        """Refuse a date; a year of two digits is said to be one."""
        self.refuse("YEAR_TWO_DIGITS" if short_year(text) else code, name, text)


def check_row(values: Mapping[str, str], rules: Rules) -> CheckedRow:
    """Check one row of a list. `values` are the cells by column name (see `domain.columns`)."""
    row = CheckedRow()
    _person(row, values, rules)
    _attributes(row, values)
    _household(row, values)
    _dependant(row, values, rules)
    _place_and_category(row, values, rules)
    _decision(row, values)
    _representative(row, values, rules)
    return row


def _word(text: str) -> str:
    """A word as it is looked up; digits and signs, which folding drops, are not taken for an empty cell."""
    return folded(text) or text.strip()


def _number(row: CheckedRow, text: str, name: str) -> str | None:
    number = clean_number(text)
    if not number:
        return None
    code = structure_reason(number)
    if code is not None:
        row.refuse(code, name)
        return None
    return number


def _person(row: CheckedRow, values: Mapping[str, str], rules: Rules) -> None:
    row.file_code = row.plain(values.get("file_code", ""), "file_code")
    if not row.file_code:
        row.refuse("MISSING_FILE_CODE", "file_code")
    row.full_name = row.name_of(values.get("full_name", ""), "full_name")
    row.name_folded = folded(row.full_name)
    if not row.name_folded:
        row.refuse("MISSING_NAME", "full_name")
    born = values.get("birth_date", "")
    row.birth_date = dates.birth_date(born, rules.business_date) if born else None
    if born and row.birth_date is None:
        row.bad_date("BAD_BIRTH_DATE", "birth_date", born)
    sex = _SEX.get(_word(values.get("sex", "")))
    if sex is None:
        row.refuse("BAD_SEX", "sex", values["sex"])
    row.sex = sex or "UNKNOWN"
    row.number = _number(row, values.get("number", ""), "number")
    if row.number is not None:
        row.warnings += [reason(code, "number") for code in number_warnings(row.number, row.birth_date, row.sex)]
    row.address = row.plain(values.get("address", ""), "address") or None
    preference = _PREFERENCE.get(_word(values.get("preference", "")))
    if preference is None:
        row.refuse("BAD_PREFERENCE", "preference", values["preference"])
    row.preference = preference or "UNKNOWN"


def _attributes(row: CheckedRow, values: Mapping[str, str]) -> None:
    second = clean_number(values.get("second_number", ""))
    if second and (code := second_number_reason(second)):
        row.refuse(code, "second_number")
    elif second:
        row.second_number = second
    phone = clean_phone(values.get("phone", ""))
    if phone and (code := phone_reason(phone)):
        row.refuse(code, "phone")
    elif phone:
        row.phone = phone
    row.ethnicity = row.plain(clean(values.get("ethnicity", "")), "ethnicity") or None
    row.hamlet = row.plain(clean(values.get("hamlet", "")), "hamlet") or None


def _household(row: CheckedRow, values: Mapping[str, str]) -> None:
    row.household_code = row.plain(clean(values.get("household_code", "")), "household_code") or None
    if row.household_code is None:
        return
    relation = row.plain(clean(values.get("household_relation", "")), "household_relation")
    head = folded(row.plain(clean(values.get("household_head", "")), "household_head"))
    if folded(relation) == "CHU HO" or head in _IS_HEAD:
        head, relation = row.name_folded, "Chủ hộ"
    row.household_head = head or None
    row.household_relation = relation or None


def _dependant(row: CheckedRow, values: Mapping[str, str], rules: Rules) -> None:
    row.dep_name = row.name_of(values.get("dep_name", ""), "dep_name") or None
    row.dep_name_folded = folded(row.dep_name) if row.dep_name else None
    born = values.get("dep_birth", "")
    row.dep_birth_date = dates.birth_date(born, rules.business_date) if born else None
    if born and row.dep_birth_date is None:
        row.bad_date("BAD_DEPENDANT_DATE", "dep_birth", born)


def _place_and_category(row: CheckedRow, values: Mapping[str, str], rules: Rules) -> None:
    row.unit_code = values.get("unit_code") or rules.unit_code
    path = rules.units.get(row.unit_code)
    if path is None:
        row.refuse("UNKNOWN_UNIT", "unit_code", row.unit_code)
        row.unit_code = ""  # kept in clear: only what the catalogues know
    elif path != rules.unit_path and not path.startswith(rules.unit_path + "/"):
        row.refuse("UNIT_OUTSIDE", "unit_code", row.unit_code)
    row.unit_path = path or ""
    said = values.get("category", "")
    key = said.upper().replace(" ", "")
    category = rules.categories.get(key) or rules.categories.get(name_label(said))
    if category is None and said.isascii():  # accents written wrongly are never guessed
        category = rules.categories.get(plain_label(said))
    if category is None:
        row.refuse("UNKNOWN_CATEGORY", "category", key if _CODE.fullmatch(key) else "")  # words may tell of health
        return
    row.category = category.code
    if category.programme != rules.programme:
        row.refuse("WRONG_PROGRAMME", "category", row.category)
    if category.needs_percent:
        text = values.get("percent", "").replace("%", "").strip()
        row.percent = int(text) if text.isascii() and text.isdigit() else 0
        if row.percent not in _PERCENT:
            row.refuse("BAD_PERCENT", "percent", text)
            row.percent = 0
    _quantity(row, values.get("quantity", ""), category)


def _quantity(row: CheckedRow, text: str, category: Category) -> None:
    if not category.per_quantity:
        if text not in ("", "0", "1"):
            row.refuse("NO_QUANTITY", "quantity", row.category)
        return
    row.quantity = int(text) if text.isascii() and text.isdigit() else 0
    if row.quantity not in _QUANTITY:
        row.refuse("BAD_QUANTITY", "quantity", text)
        row.quantity = 1


def _decision(row: CheckedRow, values: Mapping[str, str]) -> None:
    row.decision_number = row.plain(values.get("decision_number", ""), "decision_number")
    if not row.decision_number:
        row.refuse("MISSING_DECISION", "decision_number")
    row.decision_date = dates.day(values.get("decision_date", ""))
    if row.decision_date is None:
        row.bad_date("BAD_DECISION_DATE", "decision_date", values.get("decision_date", ""))
    row.from_month = parse_month_vi(values.get("from_month", ""))
    if row.from_month is None:
        row.refuse("BAD_FROM_MONTH", "from_month", values.get("from_month", ""))
    arrears = values.get("arrears_from", "")
    row.arrears_from = parse_month_vi(arrears) if arrears else None
    if arrears and row.arrears_from is None:
        row.refuse("BAD_ARREARS_MONTH", "arrears_from", arrears)


def _representative(row: CheckedRow, values: Mapping[str, str], rules: Rules) -> None:
    name, number, kind = values.get("rep_name", ""), values.get("rep_number", ""), values.get("rep_kind", "")
    if not (name or number):
        return
    row.rep_full_name = row.name_of(name, "rep_name")
    row.rep_name_folded = folded(row.rep_full_name)
    if not row.rep_name_folded:
        row.refuse("REP_MISSING_NAME", "rep_name")
    said = folded(kind)  # "Con / Ủy quyền" names the relation too
    row.rep_kind = next((value for word, value in _REP_KIND.items() if word in said), None)
    if row.rep_kind is None:
        row.refuse("REP_BAD_KIND", "rep_kind", kind)
    row.rep_number = _number(row, number, "rep_number")
    if row.rep_number is not None and row.rep_number == row.number:
        row.refuse("REP_IS_SELF", "rep_number")
    row.rep_sex = _SEX.get(folded(values.get("rep_sex", "")), "UNKNOWN")
    born = values.get("rep_birth", "")
    row.rep_birth_date = dates.birth_date(born, rules.business_date) if born else None
    if born and row.rep_birth_date is None:
        row.refuse("REP_BAD_DATE", "rep_birth", born)
    row.rep_certificate = row.plain(values.get("rep_certificate", ""), "rep_certificate") or None
    for name_, text in (("rep_from", values.get("rep_from", "")), ("rep_to", values.get("rep_to", ""))):
        parsed = dates.day(text) if text else None
        if text and parsed is None:
            row.refuse("REP_BAD_DATE", name_, text)
        setattr(row, name_, parsed)
    if row.rep_from is not None and row.rep_to is not None and row.rep_to < row.rep_from:
        row.refuse("REP_BAD_DATE", "rep_to", row.rep_to)
    begins = row.rep_from or row.decision_date
    if row.rep_kind == "AUTHORISED" and rules.representative_months is not None and begins is not None:
        longest = dates.months_later(begins, rules.representative_months)
        if row.rep_to is None or row.rep_to > longest:
            row.warnings.append(reason("REP_END_SET", "rep_to", f"{longest:%d/%m/%Y}"))
