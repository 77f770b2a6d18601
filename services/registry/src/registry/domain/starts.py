"""From which month the law grants an allowance, and whether the age fits the category.

Law: Decree 20/2021 Art. 8 — the month of the disability certificate, the month of the age of 75 or 80 (Art. 5 clause 5 b, c), for all
others the month the decision is signed; the social pension: the month it is signed (Decree 176/2025).
"""

from __future__ import annotations

from datetime import date

from registry.domain.dates import months_later
from registry.domain.reasons import Reason, reason
from registry.domain.rows import Category, CheckedRow, Rules

__all__ = ["age_warning", "age_warnings", "law_month"]

_YEAR = 12


def _months(born: str, *, latest: bool) -> int:
    """Number of the birth month; of a birth date known by its year only, the first or the last that it may be."""
    month = int(born[5:7]) if len(born) > len("1950") else (_YEAR if latest else 1)
    return int(born[:4]) * _YEAR + month - 1


def law_month(category: Category, decision_date: date, certificate_date: date | None, born: str | None) -> date:
    """The first month the law grants. Without a certificate's date, or before the age, it is the month of the decision."""
    first = decision_date.replace(day=1)
    if category.start_rule == "CERTIFICATE_MONTH" and certificate_date is not None:
        return min(first, certificate_date.replace(day=1))
    if category.start_rule == "AGE_MONTH" and born is not None and category.min_age_months is not None:
        number = _months(born, latest=False)
        return min(first, months_later(date(number // _YEAR, number % _YEAR + 1, 1), category.min_age_months))
    return first


def age_warning(category: Category, born: str | None, month: date, field: str) -> Reason | None:
    """What does not fit: surely too young, or surely beyond the age at which the category ends, in the first month."""
    if born is None:
        return None
    now = month.year * _YEAR + month.month - 1
    oldest, youngest = now - _months(born, latest=False), now - _months(born, latest=True)
    if category.min_age_months is not None and oldest < category.min_age_months:
        return reason("AGE_BELOW", field, category.min_age_months // _YEAR)
    if category.end_age_months is not None and youngest >= category.end_age_months:
        return reason("AGE_ABOVE", field, category.end_age_months // _YEAR)
    return None


def age_warnings(row: CheckedRow, rules: Rules) -> list[Reason]:
    """:func:`age_warning` of a row of a list."""
    category = rules.categories.get(row.category)
    if category is None or row.from_month is None:
        return []
    born, field = (row.dep_birth_date, "dep_birth") if category.of_dependant else (row.birth_date, "birth_date")
    warning = age_warning(category, born, row.from_month, field)
    return [warning] if warning is not None else []
