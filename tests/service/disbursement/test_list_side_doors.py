"""Side doors to an approval: a convenient date, a commune's approver who rules for the province, a right handed on out of sight."""

from __future__ import annotations

from typing import Any

from common.actor import Role
from common.ids import new_id

COMMUNE = ("60/593/22924",)
POLICY = {"business_date": "2024-08-20", "valid_from": "2024-01-01", "stages": ["APPROVER"]}


async def test_a_decision_is_never_dated_before_the_list(province: Any, due: Any) -> None:
    await province.hear(*province.by_account(new_id(), due(500_000)))
    cycle = await province.open()
    seen = await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    form = {"list_hash": seen["list_hash"], "business_date": "2024-08-19"}
    answer = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/approve", form)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "business_date")


async def test_who_has_a_commune_does_not_rule_for_the_province(province: Any) -> None:
    commune = province.client_as(province.app, Role.APPROVER, subject="commune-approver", units=COMMUNE)
    for path, form in {
        "approval-policies": POLICY,
        "settings": {"business_date": "2024-08-20", "valid_from": "2024-01-01", "code": "PRECHECK", "value": "OFF"},
        "calendar-days": {"business_date": "2024-08-20", "valid_from": "2024-08-26", "day_kind": "HOLIDAY", "name_vi": "Nghỉ bù"},
    }.items():
        assert (await province.post(commune, f"/v1/rulings/{path}", form)).status_code == 403, path
    assert (await province.post(commune, "/v1/rulings/approval-policies", POLICY | {"unit_code": "22924"})).status_code == 201
    made = await province.post(province.checker, "/v1/rulings/approval-policies", POLICY)
    assert made.status_code == 201
    answer = await province.post(commune, f"/v1/rulings/{made.json()['ruling_id']}/approve")
    assert answer.status_code == 403, answer.text


async def test_a_right_handed_on_is_confirmed_by_somebody_who_sees_its_units(province: Any) -> None:
    form = {
        "business_date": "2024-08-20",
        "valid_from": "2024-08-20",
        "valid_to": "2024-08-30",
        "delegate": "deputy",
        "reason": "Nghỉ phép",
    }
    made = await province.post(province.checker, "/v1/rulings/delegations", form)
    assert made.status_code == 201, made.text
    path = f"/v1/rulings/{made.json()['ruling_id']}/approve"
    commune = province.client_as(province.app, Role.APPROVER, subject="commune-approver", units=COMMUNE)
    assert (await province.post(commune, path)).status_code == 404
    second = province.client_as(province.app, Role.APPROVER, subject="second")
    assert (await province.post(second, path)).status_code == 200
