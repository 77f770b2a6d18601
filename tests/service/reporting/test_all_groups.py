"""What stands under "all groups, summed" is the sum of the groups beside it, on paper and on the pages, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reporting_builders import ASSISTANCE, MERIT, MONTH, Reporting, S, World, incoming

from common.actor import Role
from common.contracts.disbursement_v1 import Channel
from common.contracts.registry_v1 import Programme
from reporting.domain.indicators import ALL
from reporting.domain.statutory import ColumnKind, Layout, Source
from reporting.storage.statutory import newest

ClientAs = Callable[..., httpx.AsyncClient]
HERE, THERE = "60/593/22924", "60/594/23235"
SETTLED = [S.APPROVED, S.SETTLED]


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="an.so")


def four_programmes() -> World:
    world = World()
    for path, name in (("60", "Tỉnh Bình Thuận"), ("60/593", "Thành phố Phan Thiết"), ("60/594", "Thị xã La Gi")):
        world.unit(path, name)
    merit = world.paid(HERE, MERIT, Channel.BANK, SETTLED, 9_000_000)
    world.paid(HERE, ASSISTANCE, Channel.BANK, SETTLED, 500_000)
    world.paid(HERE, Programme.CAMPAIGN, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 400_000, who=merit)
    world.person(THERE, Programme.CAMPAIGN)
    return world


def rows_of(report: Any) -> dict[tuple[str, str, bool], dict[str, Any]]:
    return {(row["programme"], row["unit_path"], row["is_total"]): row["cells"] for row in report["rows"]}


async def frozen(officer: httpx.AsyncClient, layout: str, period: str) -> Any:
    asked = {"layout": layout, "period": period, "unit_path": "60", "business_date": "2025-01-03"}
    answer = await officer.post("/v1/papers", json=asked, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_report_sums_the_groups_it_covers(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(four_programmes().events))
    half = await frozen(officer, "assistance-half-yearly", "2024-07")
    both = rows_of(half)[ALL, "60", True]
    assert (both["1"], both["5"], both["6"]) == (1, 500_000, 500_000), "a report of assistance says nothing of merit"
    page = await officer.get(f"/v1/papers/{half['report_id']}/file", params={"form": "html"})
    assert "Năm trăm nghìn đồng" in page.text, page.text[-2000:]
    month = rows_of(await frozen(officer, "directive-21-monthly", MONTH))[ALL, "60", True]
    assert (month["9"], month["10"], month["11"]) == (2, 2, "100.0"), "a gift once is no monthly allowance"


def sums_up(layout: Layout) -> list[str]:
    return [column.key for column in layout.columns if column.kind is not ColumnKind.RATE and column.share_bp is None]


@pytest.mark.parametrize("layout", [one for one in newest().values() if ALL in one.groups and one.source is Source.INDICATORS])
async def test_in_every_report_the_groups_make_the_sum(reporting: Reporting, officer: httpx.AsyncClient, layout: Layout) -> None:
    await reporting.hear(incoming(four_programmes().events))
    rows = rows_of(await frozen(officer, layout.code, "2024-07" if layout.period == "HALF_YEAR" else MONTH))
    places = {(path, total) for _, path, total in rows}
    assert len(places) == 3
    for path, total in places:
        for key in sums_up(layout):
            single = [rows[group, path, total][key] for group in layout.groups if group != ALL]
            assert rows[ALL, path, total][key] == sum(single), (path, key)


async def test_the_pages_leave_gifts_out_of_the_monthly_allowances(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(four_programmes().events))
    answer = (await officer.get("/v1/reports/coverage", params={"month": MONTH, "unit_path": "60"})).json()["rows"]
    told = {(row["programme"], row["unit_path"], row["is_total"]): row for row in answer}
    names = ("total_people", "distinct_people", "paid_by_account_people", "rate", "amount_paid_by_account", "amount_paid_total")
    for place in (("60", True), ("60/593", False)):
        assert [told[ALL, *place][name] for name in names] == [2, 2, 2, "100.0", 9_500_000, 9_500_000]
        assert [told["CAMPAIGN", *place][name] for name in names] == [1, 1, 0, "0.0", 0, 400_000]
    codes = ["due_people", "paid_dong", "by_account_rate", "beneficiaries"]
    asked = {"month": MONTH, "unit_path": "60", "below": "NONE", "code": codes}
    rows = {row["group"]: row["values"] for row in (await officer.get("/v1/indicators", params=asked)).json()["rows"]}
    assert [rows[ALL][code] for code in codes] == [2, 9_500_000, "100.0", 2]
    assert [rows["EACH_ONCE"][code] for code in codes] == [2, 9_500_000, "100.0", 2]
    assert [rows["CAMPAIGN"][code] for code in codes] == [1, 400_000, "0.0", 1]
