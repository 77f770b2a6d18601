"""What was written down at a unit that ended goes on with the unit that came after it: seen, answered, closed; counted once on any day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
from reform_stories import reformed
from reporting_builders import Reporting, incoming

from common.actor import Role
from reporting.usecases.followed import follow

ClientAs = Callable[..., httpx.AsyncClient]
BEFORE, AFTER = "2025-06-30", "2025-08-01"
PLACES = ("60/593/1", "60/594/3", "60/593")
"""Joined with another; split in two; a district, of which there are none any more."""


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def obstacle(path: str) -> dict[str, Any]:
    return {"unit_path": path, "category": "STAFF", "title": f"Thiếu cán bộ {path}", "detail": "Chỉ có một công chức", "people": 3,
            "level": "COMMUNE", "raised_on": "2025-06-20"}  # fmt: skip


async def test_what_was_written_at_a_unit_that_ended_goes_on_at_the_next(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(reformed().events))
    department = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="chi")
    for path in PLACES:
        assert (await department.post("/v1/obstacles", json=obstacle(path), headers=key())).status_code == 201
    plan = {"unit_path": "60/593/2", "code": "GO_LIVE", "year": 2025, "planned_on": "2025-08-15"}
    aim = {"unit_path": "60/593", "year": 2025, "indicator": "by_account_rate", "programme": "ALL", "value": "60", "due_on": "2025-08-20"}
    for route, body in (("milestones", plan), ("targets", aim)):
        assert (await department.post(f"/v1/{route}", json=body, headers=key())).status_code == 201

    joined = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("68/1",), subject="an")
    half = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("68/31",), subject="ba")
    other = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("68/4",), subject="tu")
    province = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("68",), subject="dung")

    async def seen(who: httpx.AsyncClient) -> list[str]:
        return [one["unit_path"] for one in (await who.get("/v1/obstacles", params={"business_date": AFTER})).json()["items"]]

    async def work(who: httpx.AsyncClient) -> dict[str, int]:
        items = (await who.get("/v1/work", params={"business_date": AFTER})).json()["items"]
        return {one["kind"]: one["count"] for one in items if one["kind"] in ("obstacles_commune", "milestones")}

    async def counted(who: httpx.AsyncClient, unit: str, day: str) -> int:
        rows = (await who.get("/v1/obstacles/summary", params={"business_date": day, "unit_path": unit})).json()["rows"]
        return sum(row["obstacles"] for row in rows)

    await follow(reporting.db, date.fromisoformat(BEFORE))
    assert await seen(province) == [], "until the day itself it is theirs who were there"
    await follow(reporting.db, date.fromisoformat(AFTER))
    await follow(reporting.db, date.fromisoformat(AFTER))
    assert [sorted(await seen(who)) for who in (joined, half, other, province, department)] == [
        ["60/593/1"], [], [], sorted(PLACES), sorted(PLACES),
    ]  # fmt: skip
    assert await work(joined) == {"obstacles_commune": 1, "milestones": 1}
    assert await work(province) == {"obstacles_commune": 3, "milestones": 1}
    assert [await counted(who, unit, day) for who, unit, day in (
        (department, "60", BEFORE), (province, "68", BEFORE), (department, "60", AFTER), (province, "68", AFTER), (joined, "68/1", AFTER),
    )] == [3, 0, 0, 3, 1]  # fmt: skip

    (mine,) = (await joined.get("/v1/obstacles", params={"business_date": AFTER})).json()["items"]
    place = f"/v1/obstacles/{mine['obstacle_id']}"
    assert (await other.get(place, params={"business_date": AFTER})).status_code == 404
    reply = {"text": "Đã điều thêm một người", "business_date": AFTER}
    assert (await province.post(f"{place}/answer", json=reply, headers={"If-Match": '"1"'})).status_code == 200
    word = {"helped": True, "note": "Đã có người mới", "business_date": AFTER}
    assert (await joined.post(f"{place}/closing", json=word, headers={"If-Match": '"2"'})).json()["state"] == "CLOSED"

    asked = {"business_date": AFTER, "year": "2025", "month": "2025-07"}
    (row,) = (await joined.get("/v1/milestones", params=asked)).json()["rows"]
    reached = {"actual_on": AFTER, "evidence": "Kỳ chi tháng 8/2025", "business_date": AFTER}
    at = f"/v1/milestones/{row['milestone_id']}/actual"
    assert (await joined.put(at, json=reached, headers={"If-Match": '"1"'})).status_code == 200
    told = (await province.get("/v1/targets/reminders", params=asked)).json()["rows"]
    assert {(one["kind"], one["unit_path"]) for one in told if one["kind"] != "REPORT"} == {
        ("TARGET", "60/593"), ("OBSTACLE", "60/593"), ("OBSTACLE", "60/594/3"),
    }  # fmt: skip
    (target,) = (await province.get("/v1/targets", params=asked)).json()["rows"]
    gone = {"value": "60", "due_on": "2025-08-20", "legal_ref": "CV 12", "withdrawn": True}
    answer = await province.put(f"/v1/targets/{target['target_id']}", json=gone, headers={"If-Match": '"1"'})
    assert answer.json()["withdrawn"] is True, answer.text
    async with reporting.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'entries.followed'") == 1
