"""Statutory dates on working days, what is late and whose it is; the route to the Treasury."""

from __future__ import annotations

from typing import Any

from common.actor import Role
from common.ids import new_id


async def seen(province: Any, cycle: dict[str, Any], on: str) -> dict[str, dict[str, Any]]:
    answer = await province.maker.get(f"/v1/cycles/{cycle['cycle_id']}/calendar?on={on}")
    assert answer.status_code == 200, answer.text
    return {duty["code"]: duty for duty in answer.json()["duties"]}


async def test_what_is_late_shows_as_late_and_whose_it_is(province: Any, due: Any) -> None:
    await province.hear(*province.by_account(new_id(), due(500_000)))
    cycle = await province.open()
    await province.compute(cycle)
    early = await seen(province, cycle, "2024-08-20")
    # before the 25th of August: the 24th is a Saturday
    assert {code: (duty["due"], duty["late"]) for code, duty in early.items()} == {
        "MONEY_SENT": ("2024-08-23", False), "LIST_HANDED_OVER": ("2024-08-23", False),
        "PAYMENT_REPORTED": ("2024-09-19", False), "MONTH_REPORTED": ("2024-10-04", None),
    }  # fmt: skip
    assert (await seen(province, cycle, "2024-08-24"))["LIST_HANDED_OVER"]["late"]
    assert (await province.submit(cycle)).status_code == 200
    head = (await province.see(cycle))["list_hash"]
    form = {"list_hash": head, "business_date": "2024-08-26"}
    assert (await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/approve", form)).status_code == 200
    late = await seen(province, cycle, "2024-09-25")
    assert (late["LIST_HANDED_OVER"]["done"], late["LIST_HANDED_OVER"]["late"], late["LIST_HANDED_OVER"]["owner"]) == (
        "2024-08-26", True, "AUTHORITY",
    )  # fmt: skip
    assert (late["PAYMENT_REPORTED"]["late"], late["PAYMENT_REPORTED"]["owner"]) == (True, "PAYMENT_ORGANISATION")
    assert late["PAYMENT_REPORTED"]["waiting_for"] == ["agribank"]
    assert (late["MONEY_SENT"]["done"], late["MONEY_SENT"]["late"]) == (None, True)


async def test_the_month_with_its_days_off_times_and_cycles(province: Any, due: Any) -> None:
    await province.open()
    await province.rule("settings", code="PARTNER_CUT_OFF.agribank", value="14:30")
    await province.rule("calendar-days", valid_from="2024-09-04", day_kind="HOLIDAY", name_vi="Nghỉ bão")
    month = (await province.maker.get("/v1/calendar?month=2024-09&on=2024-08-20")).json()
    off = {day["day"]: day["name_vi"] for day in month["days_off"]}
    assert (off["2024-09-02"], "2024-09-04" in off, month["days_off_known"]) == ("Quốc khánh", True, True)
    assert month["partner_cut_off"] == [{"partner": None, "time": "16:00"}, {"partner": "agribank", "time": "14:30"}]
    assert [cycle["state"] for cycle in month["cycles"]] == ["OPEN"]
    tet = (await province.maker.get("/v1/calendar?month=2025-02&on=2025-01-02")).json()
    assert {d["code"]: d["due"] for d in tet["duties"]}["LIST_HANDED_OVER"] == "2025-01-24"  # Tết begins on the 27th
    assert (await province.maker.get("/v1/calendar?month=2031-02&on=2025-01-02")).json()["days_off_known"] is False
    elsewhere = province.client_as(province.app, Role.COMMUNE_OFFICER, subject="c", units=("61",))
    assert (await elsewhere.get("/v1/calendar?month=2024-09&on=2024-08-20")).json()["cycles"] == []


async def test_a_setting_takes_only_its_own_answers_and_two_people(province: Any) -> None:
    form = {"business_date": "2024-08-20", "valid_from": "2024-08-01", "code": "PREFUNDING_CHECK", "value": "MAYBE"}
    assert (await province.post(province.maker, "/v1/rulings/settings", form)).status_code == 422
    proposed = (await province.post(province.checker, "/v1/rulings/settings", form | {"value": "OFF"})).json()
    assert (await province.post(province.checker, f"/v1/rulings/{proposed['ruling_id']}/approve")).status_code == 403
    [before] = [
        s for s in (await province.maker.get("/v1/rulings/settings?on=2024-08-20")).json()["items"] if s["code"] == "PREFUNDING_CHECK"
    ]
    assert (before["value"], before["decided_by"]) == ("WARN", None)
    for value in ("OFF", "WARN"):
        await province.rule("settings", code="PREFUNDING_CHECK", value=value, valid_from="2024-08-01")
    rows = await province.rows("SELECT detail FROM audit_log WHERE action = 'ruling.approve' ORDER BY id")
    told = [row["detail"] for row in rows if row["detail"]["kind"] == "SETTING"]
    assert [(one["before"]["holds"], one["after"]["holds"]) for one in told] == [
        (None, {"value": "OFF"}), ({"value": "OFF"}, {"value": "WARN"}),
    ]  # fmt: skip


async def test_a_budget_changed_meanwhile_is_not_overwritten(province: Any) -> None:
    form = {"programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": "60", "year": 2024, "amount": 5,
            "business_date": "2024-08-20"}  # fmt: skip
    old = (await province.post(province.maker, "/v1/budgets", form)).json()
    await province.budget(2 * 10**12)
    refused = await province.post(province.checker, f"/v1/rulings/{old['ruling_id']}/approve")
    assert refused.json()["type"].endswith("ruling-out-of-step")


async def test_the_treasurys_route_is_dated_and_needs_its_partner(province: Any, due: Any) -> None:
    who, cash = new_id(), new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    await province.hear(province.beneficiary(cash), province.dues(cash, due(500_000)), province.verified(cash))
    await province.rule("routes", unit_code="60", programme="SOCIAL_ASSISTANCE", route="TREASURY_DIRECT", valid_from="2024-10-01")
    september = await province.open()
    await province.compute(september)
    assert {line["route"] for line in (await province.lines(september)).values()} == {"PAYMENT_ORG"}
    await province.rule("routes", unit_code="60", programme="SOCIAL_ASSISTANCE", route="TREASURY_DIRECT", valid_from="2024-09-01")
    from common.jobs import JobRunner
    from disbursement.usecases.compute_list import JOB_KIND, ListComputer

    answer = await province.post(province.maker, f"/v1/cycles/{september['cycle_id']}/compute")
    await JobRunner(province.db, {JOB_KIND: ListComputer(province.db, province.settings).run}, owner="t").run_one()
    job = (await province.maker.get(f"/v1/jobs/{answer.json()['job_id']}")).json()
    assert (job["state"], "60/593/22924" in job["error"]) == ("FAILED", True)
    province.settings = province.settings.model_copy(update={"treasury_partner": "treasury"})
    await province.compute(september)
    lines = await province.lines(september)
    assert (lines[str(who)]["partner"], lines[str(who)]["route"]) == ("treasury", "TREASURY_DIRECT")
    assert lines[str(cash)]["partner"] == "vnpost"
