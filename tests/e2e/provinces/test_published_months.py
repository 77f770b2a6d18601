"""A province's published month, at its full size, through all five services: what was published comes out of the report to the digit.

`./ansinh demo --preset …` as a person runs it: the offices' files go in by the public APIs, the partners pay, reporting is asked. Its own
verdict (no difference between truth, ledger, partners' books and report) is asked for too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from ansinh.testing import own_stack

pytestmark = [
    pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(2_400),
    pytest.mark.promise("promises.every-dong", "promises.nobody-left-out", "heart.quiet"),
]  # fmt: skip

#: By hand from the publications: the id of a figure there, what it is of (programme, district), the indicator, the digits.
FIGURES: Final[dict[str, dict[str, tuple[str, str | None, str, str]]]] = {
    "binh-thuan-2024-09": {
        "BT-01": ("MERIT", None, "by_account_people", "3728"),
        "BT-02": ("MERIT", None, "due_people", "9137"),
        "BT-03": ("SOCIAL_ASSISTANCE", None, "by_account_people", "12667"),
        "BT-04": ("SOCIAL_ASSISTANCE", None, "due_people", "45486"),
        "BT-05": ("ALL", None, "by_account_people", "16395"),
        "BT-06": ("ALL", None, "due_people", "54623"),
        "BT-07": ("ALL", None, "by_account_rate", "30.0"),
        "BT-08": ("MERIT", None, "by_account_rate", "40.8"),
        "BT-09": ("SOCIAL_ASSISTANCE", None, "by_account_rate", "27.8"),
        "BT-11": ("SOCIAL_ASSISTANCE", None, "no_number_or_not_in_database_people", "307"),
        "BT-12": ("SOCIAL_ASSISTANCE", "600", "by_account_rate", "17.2"),
        "BT-13": ("SOCIAL_ASSISTANCE", "597", "by_account_rate", "17.7"),
        "BT-14": ("SOCIAL_ASSISTANCE", "593", "by_account_rate", "19.5"),
        "BT-15": ("SOCIAL_ASSISTANCE", "599", "by_account_rate", "23.2"),
    },
    "kien-giang-2024-03": {
        "KG-01": ("MERIT", None, "opened_people", "3223"),
        "KG-02": ("SOCIAL_ASSISTANCE", None, "opened_people", "5967"),
        "KG-03": ("ALL", None, "opened_people", "9190"),
    },
    "huong-khe-2024-01": {
        "HK-01": ("ALL", None, "beneficiaries", "10172"),
        "HK-02": ("ALL", None, "registered_people", "905"),
        "HK-03": ("ALL", None, "registered_rate", "8.9"),
        "HK-04": ("ALL", None, "not_registered_people", "9267"),
    },
}
#: On the lists of the month: the whole of it, nothing scaled down.
PEOPLE: Final = {"binh-thuan-2024-09": 54_623, "kien-giang-2024-03": 66_000, "huong-khe-2024-01": 10_172}


@pytest.mark.parametrize("preset", FIGURES)
def test_what_was_published_comes_out_of_the_month_at_full_size(preset: str, tmp_path: Path) -> None:
    result = tmp_path / "demo.json"
    with own_stack() as stack:
        stack.must("demo", "--preset", preset, "--json", str(result))
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    reported = {row["id"]: (row["group"], row["unit"], row["indicator"], row["reported"]) for row in found["published"]}
    assert reported == FIGURES[preset]
    assert (found["preset"], found["people"], found["differences"]) == (preset, PEOPLE[preset], [])
    print(f"{preset}: {found['seconds_with_start_and_stop']} s, of them {found['stages']}")
