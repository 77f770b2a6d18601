"""Identifiers: reporting knows a month's main list as the cycle with the first number."""

from __future__ import annotations

import time

import pytest

from common.ids import new_id


def test_what_is_made_later_has_the_higher_number(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_725_000_000_000_000_000
    found = []
    for later in (0, 1_000_000, 2_000_000, 86_400_000_000_000, 31_536_000_000_000_000):
        monkeypatch.setattr(time, "time_ns", lambda later=later: moment + later)
        found.append(new_id())
    assert found == sorted(found)
    assert {one.version for one in found} == {7}
