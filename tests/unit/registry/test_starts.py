"""The law's first month of a grant, and ages against categories at their edges."""

from __future__ import annotations

from datetime import date

import pytest

from registry.domain.rows import Category
from registry.domain.starts import age_warning, law_month

SIGNED = date(2024, 8, 12)


def _category(**more: object) -> Category:
    return Category("X", "SOCIAL_ASSISTANCE", False, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "certificate", "born", "month"),
    [
        ("DECISION_MONTH", date(2024, 3, 9), "1944-05-03", "2024-08"),
        ("CERTIFICATE_MONTH", date(2024, 3, 9), None, "2024-03"),
        ("CERTIFICATE_MONTH", None, None, "2024-08"),
        ("CERTIFICATE_MONTH", date(2024, 9, 1), None, "2024-08"),
        ("AGE_MONTH", None, "1944-05-31", "2024-05"),
        ("AGE_MONTH", None, "1944-12", "2024-08"),
        ("AGE_MONTH", None, "1944", "2024-01"),
        ("AGE_MONTH", None, "1990-01-01", "2024-08"),
        ("AGE_MONTH", None, None, "2024-08"),
    ],
)
def test_the_first_month_the_law_grants(rule: str, certificate: date | None, born: str | None, month: str) -> None:
    found = law_month(_category(start_rule=rule, min_age_months=960), SIGNED, certificate, born)
    assert (found.isoformat()[:7], found.day) == (month, 1)


@pytest.mark.parametrize(
    ("born", "code"),
    [
        ("2020-08-31", None), ("2020-09-01", "AGE_BELOW"), ("2020", None), ("2021", "AGE_BELOW"),
        ("2008-09-01", None), ("2008-08-31", "AGE_ABOVE"), ("2008", None), ("2007", "AGE_ABOVE"), (None, None),
    ],
)  # fmt: skip
def test_only_an_age_that_surely_does_not_fit_warns(born: str | None, code: str | None) -> None:
    """From 4 to under 16 years, in August 2024; of a birth date known by its year only, any month may be the right one."""
    found = age_warning(_category(min_age_months=48, end_age_months=192), born, date(2024, 8, 1), "birth_date")
    assert (found.code if found is not None else None) == code
