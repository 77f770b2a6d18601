"""The report before submitting: against the main list before it, and what is odd in itself."""

from __future__ import annotations

import io
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook

from common.actor import Role
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id


async def two_months(province: Any, due: Any) -> tuple[dict[str, Any], dict[str, UUID]]:
    """September was paid; October's list has everything that can differ."""
    people = {name: new_id() for name in ("same", "gone", "raised", "to_cash", "held", "new", "rich")}
    for name in ("same", "gone", "raised", "to_cash", "held"):
        await province.hear(*province.by_account(people[name], due(500_000)))
    september = await province.open()
    await province.compute(september)
    assert (await province.submit(september)).status_code == 200
    assert (await province.approve(september)).status_code == 200
    await province.hear(
        province.dues(people["gone"]), province.dues(people["raised"], due(500_000, "2024-01", "2024-09"), due(750_000, "2024-10")),
        province.method(people["to_cash"], "CASH_POST"), province.verified(people["held"], Verdict.SUSPECTED_IDENTITY),
        *province.by_account(people["new"], due(500_000, "2024-10")), *province.by_account(people["rich"], due(9_000_000, "2024-10")),
    )  # fmt: skip
    shared = (await province.rows("SELECT account_id FROM payout_method WHERE beneficiary_id = :w", w=people["same"]))[0]["account_id"]
    guardian = new_id()
    await province.hear(
        province.account(guardian, shared), province.representative(people["same"], guardian),
        province.representative(people["new"], guardian),
        province.method(people["same"], "ACCOUNT", account_id=shared, payee=guardian, kind="GUARDIAN"),
        province.method(people["new"], "ACCOUNT", account_id=shared, payee=guardian, kind="GUARDIAN"),
    )  # fmt: skip
    october = await province.open(month="2024-10", day=date(2024, 9, 20))
    await province.compute(october)
    return october, people


async def test_everything_that_differs_is_found(province: Any, due: Any) -> None:
    october, people = await two_months(province, due)
    report = (await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck?limit=200")).json()
    names = {str(who): name for name, who in people.items()}
    found = {(item["kind"], names.get(item["beneficiary_id"], item["unit_path"])) for item in report["items"]}
    assert found == {
        ("NEW", "new"), ("NEW", "rich"), ("GONE", "gone"), ("AMOUNT_CHANGED", "raised"), ("ACCOUNT_CHANGED", "to_cash"),
        ("ACCOUNT_CHANGED", "same"), ("SHARED_ACCOUNT", "same"), ("SHARED_ACCOUNT", "new"), ("UNUSUAL_AMOUNT", "rich"),
        ("UNUSUAL_TOTAL", "60/593/22924"),
    }  # fmt: skip
    assert (report["compared_month"], report["list_hash"]) == ("2024-09", (await province.see(october))["list_hash"])
    assert report["counts"]["NEW"] == 2
    page = (await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck?kind=NEW&limit=1")).json()
    rest = (await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck?kind=NEW&limit=1&cursor={page['next_cursor']}")).json()
    assert len({page["items"][0]["finding_id"], rest["items"][0]["finding_id"]}) == 2


async def test_spreadsheet_paper_and_scope(province: Any, due: Any) -> None:
    october, people = await two_months(province, due)
    sheet = await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    titles, findings = 2, rows[3:]
    assert len(rows) == titles + 1 + 10
    assert rows[1][0].startswith("Mã băm ")
    assert rows[2][:3] == ["Nội dung", "Kind", "Mã hồ sơ"]
    assert any(row[2] == f"BT-{people['gone'].hex[-6:]}" for row in findings)
    paper = await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck/paper?on=2024-09-20")
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in paper.text
    assert f"BT-{people['gone'].hex[-6:]}" in paper.text
    other = province.client_as(province.app, Role.COMMUNE_OFFICER, subject="c", units=("60/593/22927",))
    assert (await other.get(f"/v1/cycles/{october['cycle_id']}/precheck")).json()["items"] == []
    stranger = province.client_as(province.app, Role.COMMUNE_OFFICER, subject="c", units=("61",))
    assert (await stranger.get(f"/v1/cycles/{october['cycle_id']}/precheck.xlsx")).status_code == 404


@pytest.mark.parametrize("answer", ["WARN", "REFUSE"])
async def test_an_unread_report_is_warned_of_or_refused(province: Any, due: Any, answer: str) -> None:
    await province.rule("settings", code="PRECHECK", value=answer)
    october, _ = await two_months(province, due)
    path = f"/v1/cycles/{october['cycle_id']}/precheck/read"
    if answer == "REFUSE":
        assert (await province.submit(october)).json()["type"].endswith("precheck-unread")
        assert (await province.post(province.maker, path, {"list_hash": "0" * 64})).status_code == 409
        read = await province.post(province.maker, path, {"list_hash": (await province.see(october))["list_hash"]})
        assert read.json()["read_by"] == "maker"
        assert (await province.submit(october)).json()["warnings"] == []
    else:
        assert [w["code"] for w in (await province.submit(october)).json()["warnings"]] == ["PRECHECK_UNREAD"]


async def test_a_first_list_is_compared_with_nothing(province: Any, due: Any) -> None:
    await province.hear(*province.by_account(new_id(), due(500_000)))
    cycle = await province.open()
    await province.compute(cycle)
    report = (await province.maker.get(f"/v1/cycles/{cycle['cycle_id']}/precheck")).json()
    assert (report["compared_month"], report["items"], report["counts"]) == (None, [], {})
