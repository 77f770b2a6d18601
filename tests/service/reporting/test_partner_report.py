"""The payment organisations' report: totals count each person's line once, whatever it was tried through, under any day's units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reform_stories import AFTER, reformed
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming
from test_papers import again, cells

from common.actor import Role
from common.contracts.disbursement_v1 import Channel
from reporting.storage.statutory import layouts

ClientAs = Callable[..., httpx.AsyncClient]
UNIT = "60/593/22924"


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68"))


async def frozen(officer: httpx.AsyncClient, layout: str = "payment-organisation-monthly", **changed: Any) -> Any:
    form = {"layout": layout, "period": "2024-09", "unit_path": "60", "business_date": "2024-10-03"} | changed
    answer = await officer.post("/v1/papers", json=form, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def short(row: Any) -> tuple[int, ...]:
    """Listed, paid and left: people and đồng of each."""
    return tuple(row[key] for key in ("1", "2", "3", "4", "9", "10"))


async def test_what_one_partner_could_not_pay_and_another_paid_is_listed_once(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    who = world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 500_000, reason="CLOSED")
    world.paid(UNIT, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 500_000, who=who, attempt=2)
    world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], 700_000, who=who)
    world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 300_000, reason="CLOSED")
    await reporting.hear(incoming(world.events))
    report = await frozen(officer)
    assert short(cells(report, "MERIT")) == (2, 800_000, 1, 500_000, 1, 300_000), "what moves to the next month is what nobody paid"
    rows = {
        row["label"].split(" ")[0]: short(row["cells"]) for row in report["rows"] if row["programme"] == "MERIT" and not row["is_total"]
    }
    assert rows == {"agribank": (2, 800_000, 0, 0, 2, 800_000), "vnpost": (1, 500_000, 1, 500_000, 0, 0)}, "each partner says its own"
    everything = cells(report, "ALL")
    assert short(everything) == (3, 1_500_000, 2, 1_200_000, 1, 300_000), "the sum of the groups, as on every other paper"
    assert everything["2"] == everything["4"] + everything["10"] + everything["12"], "listed = paid + left + on the way"
    assert (await again(reporting, report))["same"]


async def test_the_report_follows_the_units_of_the_day_asked_for(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = reformed()
    for _ in range(3):
        world.paid("60/593/1", MERIT, Channel.BANK, [S.SETTLED], 1_000_000)
    world.paid("68/672/4", MERIT, Channel.BANK, [S.SETTLED], 1_000_000)
    await reporting.hear(incoming(world.events))
    asked = {"unit_path": "68", "units_on": AFTER}
    partners, monthly = await frozen(officer, **asked), await frozen(officer, "directive-21-monthly", **asked)
    assert cells(monthly, "MERIT")["14"] == 4_000_000
    assert short(cells(partners, "MERIT")) == (4, 4_000_000, 4, 4_000_000, 0, 0)
    (bank,) = [row for row in partners["rows"] if row["programme"] == "MERIT" and not row["is_total"]]
    assert short(bank["cells"]) == short(cells(partners, "MERIT"))


async def test_a_report_of_the_first_counting_is_made_again_as_it_was(
    reporting: Reporting, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    who = world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 500_000, reason="CLOSED")
    world.paid(UNIT, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 500_000, who=who, attempt=2)
    world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], 700_000, who=who)
    await reporting.hear(incoming(world.events))
    old = {code: layouts()[code, 1] for code, _ in layouts()}
    monkeypatch.setattr("reporting.usecases.papers.newest", lambda: old)
    report = await frozen(officer)
    assert report["layout_version"] == 1
    assert short(cells(report, "MERIT")) == (1, 1_000_000, 1, 500_000, 1, 500_000)
    assert short(cells(report, "ALL")) == (1, 1_700_000, 1, 1_200_000, 1, 500_000)
    assert (await again(reporting, report))["same"]
