"""Dues by the law: amounts, stacking, arrears, missing rates, death."""

from __future__ import annotations

from datetime import date
from typing import Any

from registry_test_helpers import row

from common.actor import SYSTEM, Role
from common.contracts.registry_v1 import DuesChanged
from registry.storage import dues
from registry.usecases.people import record_deaths


async def test_social_assistance_pays_standard_times_coefficient_by_month(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S", from_month="01/2024")])
    assert (await world.due("A-1", "2024-06"))["total"] == 540_000
    assert (await world.due("A-1", "2024-07"))["total"] == 750_000
    assert (await world.due("A-1", "2023-12"))["total"] == 0


async def test_highest_level_only_but_care_support_on_top(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S"), row("A-1", category="SA5A_GE80"), row("A-1", category="CS_HH_XS")])
    found = await world.due("A-1", "2024-09")
    assert {item["benefit_line"]: item["amount"] for item in found["intervals"]} == {"A01": 1_000_000, "A03": 500_000}


async def test_single_parent_adds_per_child_beside_disability_not_beside_clause_one(world: Any) -> None:
    one, two = {"category": "SA4"}, {"category": "SA4", "decision_number": "13/QĐ-UBND"}
    found = await world.take([
        row("A-1", **one), row("A-1", **two), row("A-1", **two), row("A-1", category="SA6_S"), row("A-2", **one),
        row("A-2", category="SA1_GE4"),
    ])  # fmt: skip
    assert await world.errors(found["import_id"]) == [(6, "DUPLICATE_ROW")]
    assert (await world.due("A-1", "2024-09"))["total"] == 500_000 * 2 + 750_000
    assert (await world.due("A-2", "2024-09"))["total"] == 750_000


async def test_merit_adds_up_from_the_tables_and_misses_what_is_not_loaded(world: Any) -> None:
    merit = {"programme": "MERIT"}
    await world.take(
        [row("M-1", category="MR_WOUNDED", percent="81"), row("M-1", category="MR_WOUNDED_SUPPL_81"), row("M-1", category="MR_PRISON")],
        **merit,
    )
    found = await world.due("M-1", "2024-09")
    assert found["total"] == 7_240_000 + 1_399_000 + 1_673_000
    assert {item["funding_source"] for item in found["intervals"]} == {"CENTRAL_BUDGET"}
    for month in ("2024-06", "2026-07"):
        missing = await world.due("M-1", month)
        assert {(item["status"], item["amount"]) for item in missing["intervals"]} == {("RATE_MISSING", 0)}


async def test_an_arrears_month_after_the_first_month_and_the_decision_pays_no_month_twice_and_leaves_none_out(world: Any) -> None:
    await world.take([
        row("A-1", from_month="05/2024", arrears_from="07/2024", decision_date="10/05/2024"),
        row("A-2", from_month="03/2024", arrears_from="06/2024", decision_date="03/02/2024"),
    ])  # fmt: skip
    for code, first in (("A-1", 5), ("A-2", 3)):
        found = [await world.due(code, f"2024-{month:02}") for month in range(first - 1, 10)]
        assert [len(month["intervals"]) for month in found] == [0] + [1] * (10 - first)
        assert [month["total"] for month in found[1:]] == [540_000] * (7 - first) + [750_000] * 3


async def test_explicit_arrears_are_flagged_months_before_the_regular_ones(world: Any) -> None:
    await world.take([
        row("A-1", from_month="08/2024", arrears_from="05/2024", decision_date="02/08/2024"),
        row("A-2", from_month="05/2024", arrears_from="05/2024", decision_date="02/08/2024"),
    ])  # fmt: skip
    for code, regular in (("A-1", "2024-08"), ("A-2", "2024-09")):
        first, last = await world.due(code, "2024-05"), await world.due(code, regular)
        assert [item["explicit_arrears"] for item in first["intervals"]] == [True]
        assert [item["explicit_arrears"] for item in last["intervals"]] == [False]
        assert (first["total"], last["total"]) == (540_000, 750_000)
        assert (await world.due(code, "2024-04"))["total"] == 0


async def test_month_of_death_stays_due_and_later_months_end(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S")])
    person = await world.id_of("A-1")
    body = {"business_date": "2024-08-20", "death_date": "2024-08-03"}
    answer = await world.maker.post(f"/v1/beneficiaries/{person}/death", json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "DECEASED")
    assert (await world.due("A-1", "2024-08"))["total"] == 750_000
    assert (await world.due("A-1", "2024-09"))["total"] == 0
    assert (await world.maker.post(f"/v1/beneficiaries/{person}/death", json=body)).status_code == 200
    assert (await world.maker.post(f"/v1/beneficiaries/{person}/death", json=body | {"death_date": "2024-07-03"})).status_code == 409
    (dead,) = await world.events("BeneficiaryDeceased")
    assert (dead["body"]["version"], dead["body"]["death_date"]) == (2, "2024-08-03")
    last = (await world.events("DuesChanged"))[-1]["body"]
    assert last["version"] == 2
    assert last["lines"][0]["intervals"][-1]["to_month"] == "2024-08"


async def test_dues_events_fit_the_contract_and_are_not_repeated(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S")])
    (event,) = await world.events("DuesChanged")
    parsed = DuesChanged.model_validate(event["body"])
    assert [(i.from_month, i.to_month, i.amount) for i in parsed.lines[0].intervals] == [
        ("2024-01", "2024-06", 540_000), ("2024-07", "2050-02", 750_000), ("2050-03", None, 1_000_000)
    ], "born in March 1990: sixty in March 2050"  # fmt: skip
    async with world.db.transaction(SYSTEM("test")) as tx:
        assert await dues.recompute(tx, [parsed.beneficiary_id], date(2024, 8, 20)) == 0


async def test_a_rise_known_later_gives_the_months_already_gone_their_new_amount(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S")])
    (event,) = await world.events("DuesChanged")
    assert (await world.due("A-1", "2026-08"))["total"] == 750_000
    async with world.db.transaction(SYSTEM("test")) as tx:
        assert await dues.recompute(tx, [event["key"]], date(2026, 10, 6)) == 1
    assert (await world.due("A-1", "2026-08"))["total"] == 810_000


async def test_recompute_for_everybody_is_a_job_and_changes_only_what_changed(world: Any) -> None:
    await world.take([row("A-1", category="SA6_S"), row("A-2", category="SA6_XS")])
    await world.take([row("M-1", category="MR_PRISON")], programme="MERIT")
    department = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="department")
    for day, key, changed in (("2026-10-06", "recompute-1", 2), ("2026-10-06", "recompute-2", 0), ("2024-08-20", "recompute-3", 0)):
        answer = await department.post("/v1/dues/recompute", json={"business_date": day}, headers={"Idempotency-Key": key})
        assert answer.status_code == 202
        await world.work()
        job = (await department.get(f"/v1/jobs/{answer.json()['job_id']}")).json()
        assert (job["state"], job["result"]) == ("DONE", {"people": 3, "changed": changed})
    assert (await world.due("A-1", "2026-08"))["total"] == 810_000


async def test_deaths_found_later_are_applied_once(world: Any) -> None:
    await world.take([row("A-1"), row("A-2")])
    ids = [event["key"] for event in await world.events("BeneficiaryRegistered")]
    for expected in (2, 0):
        async with world.db.transaction(SYSTEM("test")) as tx:
            assert await record_deaths(tx, [(item, date(2024, 6, 1)) for item in ids], date(2024, 8, 20)) == expected


async def test_arrears_stay_on_their_line_when_another_allowance_comes_beside_them(world: Any) -> None:
    """What was paid is remembered by line and month: a month that changed its line would be paid again."""

    async def on_lines() -> dict[str, int]:
        return {item["benefit_line"]: item["amount"] for item in (await world.due("M-1", "2024-08"))["intervals"]}

    arrears = row("M-1", "060190000003", "MR_CHEM_61_80", from_month="07/2024", arrears_from="07/2024", decision_date="15/09/2024")
    await world.take([arrears], programme="MERIT", business_date="2024-09-20")
    before = await on_lines()
    second = row("M-1", "060190000003", "MR_WOUNDED", percent="61", from_month="07/2024", decision_number="77/QĐ")
    await world.take([second], programme="MERIT", business_date="2024-10-20")
    after = await on_lines()
    assert len(after) == 2
    assert after | before == after, "the line that may have been paid stands as it was"
