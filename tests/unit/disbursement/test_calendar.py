"""Days off are the same everywhere; statutory dates fall on working days; who approves by size."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources

from hypothesis import given
from hypothesis import strategies as st

from common.actor import Role
from disbursement.domain.approval import stages_for
from disbursement.domain.calendar import DUTIES, Duty, due_date, is_working, shifted


def test_both_services_know_the_same_days_off() -> None:
    ours, theirs = (
        resources.files(name).joinpath("catalogue/public_holidays.csv").read_text("utf-8") for name in ("disbursement", "registry")
    )
    assert ours == theirs


@given(month=st.dates(date(2024, 1, 1), date(2026, 12, 1)).map(lambda day: day.replace(day=1)), duty=st.sampled_from(DUTIES))
def test_a_due_date_is_a_working_day_before_the_day_the_law_names(month: date, duty: Duty) -> None:
    due = due_date(duty, month, {})
    assert is_working(due, {})
    named = shifted(month, duty.month_offset).replace(day=duty.before_day)
    assert due < named
    assert not any(is_working(due + timedelta(days=n), {}) for n in range(1, (named - due).days))


def _policy(unit: str | None, stages: list[str], amount: int = 0, lines: int = 0) -> dict[str, object]:
    return {"unit_path": unit, "body": {"over_amount": amount, "over_lines": lines, "stages": stages}}


def test_the_narrowest_unit_with_a_policy_for_the_size_decides() -> None:
    two, one = ["APPROVER", "APPROVER"], ["APPROVER"]
    policies = [_policy("60/593", two, lines=100), _policy("60", one), _policy(None, two, amount=10)]
    assert len(stages_for(policies, amount=0, lines=101)) == 2
    assert stages_for(policies, amount=50, lines=100) == (Role.APPROVER,)
    assert stages_for([], amount=10**12, lines=10**6) == (Role.APPROVER,)
    assert len(stages_for([_policy(None, one, amount=10), _policy(None, two, amount=10)], amount=11, lines=0)) == 1  # the later ruling
