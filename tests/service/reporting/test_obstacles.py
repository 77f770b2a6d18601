"""Obstacles, outreach and milestones over HTTP: who may do what, levels, ages, deadlines, repeats, files."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from python_calamine import CalamineWorkbook
from reporting_builders import Reporting, incoming, small_month
from sqlalchemy.exc import DBAPIError

from common.actor import Role

ClientAs = Callable[..., httpx.AsyncClient]
COMMUNE = "60/593/22924"
TEXT = "Đề nghị công an đến nhà thu nhận hồ sơ"


@pytest.fixture
async def heard(reporting: Reporting) -> Reporting:
    await reporting.hear(incoming(small_month().events))
    return reporting


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def obstacle(**changes: Any) -> dict[str, Any]:
    return {
        "unit_path": COMMUNE, "category": "NO_IDENTITY", "title": "12 cụ chưa có CCCD", "detail": TEXT, "people": 12, "level": "COMMUNE",
        "raised_on": "2024-09-03",
    } | changes  # fmt: skip


async def test_an_obstacle_goes_up_is_answered_and_closed(heard: Reporting, client_as: ClientAs) -> None:
    commune = client_as(heard.app, Role.COMMUNE_OFFICER, units=(COMMUNE,), subject="an")
    district = client_as(heard.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="binh")
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER, subject="chi")
    made = await commune.post("/v1/obstacles", json=obstacle(), headers=key())
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"'), made.text
    place = f"/v1/obstacles/{made.json()['obstacle_id']}"
    assert made.json()["due_on"] == "2024-09-10"
    up = {"note": "Vượt thẩm quyền của xã", "business_date": "2024-09-05"}
    assert (await commune.post(f"{place}/escalation", json=up)).status_code == 428
    raised = await commune.post(f"{place}/escalation", json=up, headers={"If-Match": '"1"'})
    assert (raised.json()["level"], raised.json()["due_on"], raised.headers["ETag"]) == ("DISTRICT", "2024-09-12", '"2"')
    assert (await commune.post(f"{place}/escalation", json=up, headers={"If-Match": '"1"'})).status_code == 412
    refused = await commune.post(f"{place}/escalation", json=up, headers={"If-Match": '"2"'})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-your-level")
    await district.post(f"{place}/escalation", json=up | {"business_date": "2024-09-09"}, headers={"If-Match": '"2"'})
    ministry = up | {"business_date": "2024-09-12"}
    nameless = await department.post(f"{place}/escalation", json=ministry, headers={"If-Match": '"3"'})
    assert nameless.json()["errors"][0]["field"] == "addressed_to"
    named = await department.post(f"{place}/escalation", json=ministry | {"addressed_to": "Bộ Công an"}, headers={"If-Match": '"3"'})
    assert (named.json()["level"], named.json()["due_on"]) == ("MINISTRY", "2024-10-12")
    reply = {"text": "Công an xã đến từng nhà", "business_date": "2024-09-20"}
    assert (await department.post(f"{place}/answer", json=reply, headers={"If-Match": '"4"'})).status_code == 422  # its document
    early = reply | {"document": "1391/BCA", "business_date": "2024-09-01"}
    assert (await department.post(f"{place}/answer", json=early, headers={"If-Match": '"4"'})).json()["type"] == "/problems/day-too-early"
    answered = await department.post(f"{place}/answer", json=reply | {"document": "1391/BCA"}, headers={"If-Match": '"4"'})
    assert answered.json()["state"] == "ANSWERED"
    closing = {"helped": False, "note": "Chưa ai đến nhà", "business_date": "2024-09-25"}
    again = await commune.post(f"{place}/closing", json=closing, headers={"If-Match": '"5"'})
    assert (again.json()["state"], again.json()["level"], again.json()["answer"]) == ("OPEN", "MINISTRY", None)
    await department.post(
        f"{place}/answer", json=reply | {"document": "1400/BCA", "business_date": "2024-09-28"}, headers={"If-Match": '"6"'}
    )
    end = closing | {"helped": True, "business_date": "2024-10-01"}
    closed = await commune.post(f"{place}/closing", json=end, headers={"If-Match": '"7"'})
    assert (closed.json()["state"], closed.json()["days_open"]) == ("CLOSED", 28)
    assert [step["action"] for step in closed.json()["steps"]] == [
        "RAISE", "ESCALATE", "ESCALATE", "ESCALATE", "ANSWER", "REOPEN", "ANSWER", "CLOSE",
    ]  # fmt: skip
    after = await commune.post(f"{place}/closing", json=end, headers={"If-Match": '"8"'})
    assert (after.status_code, after.json()["type"]) == (409, "/problems/obstacle-state")
    async with heard.db.read() as tx:
        rows = await tx.rows("SELECT action, detail FROM audit_log WHERE object_id = :id ORDER BY id", id=made.json()["obstacle_id"])
    told = [(row["action"], row["detail"].get("before", {}).get("level"), row["detail"]["after"]["level"]) for row in rows]
    assert told[:4] == [
        ("obstacle.raised", None, "COMMUNE"), ("obstacle.escalate", "COMMUNE", "DISTRICT"), ("obstacle.escalate", "DISTRICT", "PROVINCE"),
        ("obstacle.escalate", "PROVINCE", "MINISTRY"),
    ]  # fmt: skip
    assert [(row["detail"]["before"]["state"], row["detail"]["after"]["state"]) for row in rows[4:]] == [
        ("OPEN", "ANSWERED"), ("ANSWERED", "OPEN"), ("OPEN", "ANSWERED"), ("ANSWERED", "CLOSED"),
    ]  # fmt: skip
    assert not [row for row in rows if "Công an xã đến" in str(row["detail"])], "the answer itself stands with the steps"


async def test_who_answered_does_not_say_that_it_helped(heard: Reporting, client_as: ClientAs) -> None:
    commune = client_as(heard.app, Role.COMMUNE_OFFICER, units=(COMMUNE,), subject="an")
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER, subject="chi")
    made = await commune.post("/v1/obstacles", json=obstacle(level="PROVINCE"), headers=key())
    place = f"/v1/obstacles/{made.json()['obstacle_id']}"
    reply = {"text": "Đã có hướng dẫn", "business_date": "2024-09-04"}
    assert (await department.post(f"{place}/answer", json=reply, headers={"If-Match": '"1"'})).json()["state"] == "ANSWERED"
    for helped in (True, False):  # opening it again would give the answerer new days
        word = {"helped": helped, "note": "Đã xong rồi", "business_date": "2024-09-05"}
        refused = await department.post(f"{place}/closing", json=word, headers={"If-Match": '"2"'})
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/four-eyes"), refused.text

    async def waits(who: httpx.AsyncClient) -> list[int]:
        items = (await who.get("/v1/work", params={"business_date": "2024-09-06"})).json()["items"]
        return [one["count"] for one in items if one["kind"] == "obstacles_answered"]

    assert (await waits(department), await waits(commune)) == ([], [1])
    async with heard.db.transaction() as tx:
        with pytest.raises(DBAPIError, match="obstacle_closed_by_another"):
            await tx.execute("UPDATE obstacle SET state = 'CLOSED', closed_by = answered_by, closed_on = answered_on")
    word = {"helped": True, "note": "Đã xong rồi", "business_date": "2024-09-05"}
    assert (await commune.post(f"{place}/closing", json=word, headers={"If-Match": '"2"'})).json()["state"] == "CLOSED"


async def test_there_is_no_district_after_the_reform(heard: Reporting, client_as: ClientAs) -> None:
    commune = client_as(heard.app, Role.COMMUNE_OFFICER, units=(COMMUNE,))
    made = await commune.post("/v1/obstacles", json=obstacle(raised_on="2025-06-20"), headers=key())
    up = {"note": "Vượt thẩm quyền của xã", "business_date": "2025-07-01"}
    raised = await commune.post(f"/v1/obstacles/{made.json()['obstacle_id']}/escalation", json=up, headers={"If-Match": '"1"'})
    assert (raised.json()["level"], raised.json()["level_text"]["vi"]) == ("PROVINCE", "Cấp tỉnh")


async def test_obstacles_are_seen_by_unit_and_counted_by_age(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER)
    for day, unit in (("2024-05-01", COMMUNE), ("2024-09-01", COMMUNE), ("2024-09-15", "60/594")):
        assert (await department.post("/v1/obstacles", json=obstacle(raised_on=day, unit_path=unit), headers=key())).status_code == 201
    unknown = await department.post("/v1/obstacles", json=obstacle(unit_path="60/999"), headers=key())
    assert unknown.json()["type"] == "/problems/unknown-unit"
    counted = (await department.get("/v1/obstacles/summary", params={"business_date": "2024-09-20", "unit_path": "60"})).json()["rows"]
    (row,) = counted
    assert {name: row[name] for name in ("obstacles", "people", "overdue", "days_7", "days_30", "days_90", "days_more", "oldest_days")} == {
        "obstacles": 3, "people": 36, "overdue": 2, "days_7": 1, "days_30": 1, "days_90": 0, "days_more": 1, "oldest_days": 142,
    }  # fmt: skip
    commune = client_as(heard.app, Role.COMMUNE_OFFICER, units=(COMMUNE,))
    late = (await commune.get("/v1/obstacles", params={"business_date": "2024-09-05", "overdue": "true"})).json()["items"]
    assert [(one["raised_on"], one["age"], one["overdue"]) for one in late] == [("2024-05-01", "91+", True)]
    other = client_as(heard.app, Role.COMMUNE_OFFICER, units=("60/594",))
    place = f"/v1/obstacles/{late[0]['obstacle_id']}?business_date=2024-09-05"
    assert [(await who.get(place)).status_code for who in (commune, other)] == [200, 404]
    assert (await other.post("/v1/obstacles", json=obstacle(), headers=key())).status_code == 404
    file = await department.get("/v1/obstacles/file", params={"business_date": "2024-09-20", "unit_path": "60"})
    sheet = CalamineWorkbook.from_filelike(BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert [row[9] for row in sheet[2:]] == ["08/05/2024", "08/09/2024", "22/09/2024"]


async def test_the_same_key_raises_one_obstacle_and_numbers_are_masked(heard: Reporting, client_as: ClientAs) -> None:
    commune = client_as(heard.app, Role.COMMUNE_OFFICER, units=(COMMUNE,))
    once, body = key(), obstacle(detail="Cụ A số 060150000123 chưa có thẻ")
    answers = [await commune.post("/v1/obstacles", json=body, headers=once) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert "060150000123" not in answers[0].text
    auditor = client_as(heard.app, Role.AUDITOR)
    assert (await auditor.post("/v1/obstacles", json=obstacle(), headers=key())).status_code == 403
    async with heard.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'obstacle.raised'") == 1


async def test_twelve_meetings_in_two_districts(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER)
    body = {"kind": "MEETING", "held_on": "2024-04-12", "organiser": "Mặt trận Tổ quốc", "topic": "Nhận qua tài khoản", "people": 70}
    for unit, sessions in (("60/593", 5), ("60/593", 3), ("60/594", 4), ("60/594", 9)):
        made = await department.post("/v1/outreach", json=body | {"unit_path": unit, "sessions": sessions}, headers=key())
        assert made.status_code == 201, made.text
    back = f"/v1/outreach/{made.json()['outreach_id']}/withdrawal"
    taken = await department.post(back, json={"why": "Nhập trùng"}, headers={"If-Match": '"1"'})
    assert (taken.json()["withdrawn_by"], taken.headers["ETag"]) == ("tester", '"2"')
    assert (await department.post(back, json={"why": "Nhập trùng"}, headers={"If-Match": '"2"'})).status_code == 409
    span = {"from": "2024-01-01", "to": "2024-09-30", "unit_path": "60"}
    rows = (await department.get("/v1/outreach/summary", params=span)).json()["rows"]
    (total,) = [row for row in rows if row["is_total"] and row["kind"] is None]
    assert (total["sessions"], total["units"], total["people"], total["unit_name"]) == (12, 2, 210, "Tỉnh Bình Thuận")
    assert len((await department.get("/v1/outreach", params=span)).json()["items"]) == 4  # what was taken back stays visible
    file = await department.get("/v1/outreach/file", params=span | {"form": "csv"})
    assert file.text.count("Mặt trận Tổ quốc") == 4


async def test_a_late_starter_shows_how_late(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER, subject="chi")
    body = {"unit_path": "60/593", "code": "GO_LIVE", "year": 2024, "planned_on": "2023-11-01", "legal_ref": "KH 152"}
    made = await department.post("/v1/milestones", json=body, headers=key())
    assert (await department.post("/v1/milestones", json=body, headers=key())).json()["type"] == "/problems/entry-exists"
    place = f"/v1/milestones/{made.json()['milestone_id']}"
    moved = {"planned_on": "2024-06-01", "legal_ref": "CV 1945"}
    assert (await department.put(f"{place}/plan", json=moved, headers={"If-Match": '"1"'})).json()["first_planned_on"] == "2023-11-01"
    district = client_as(heard.app, Role.DISTRICT_OFFICER, units=("60/593",))
    reached = {"actual_on": "2024-04-01", "evidence": "Kỳ chi tháng 4/2024", "business_date": "2024-03-01"}
    assert (await district.put(f"{place}/actual", json=reached, headers={"If-Match": '"2"'})).status_code == 422
    done = await district.put(f"{place}/actual", json=reached | {"business_date": "2024-04-05"}, headers={"If-Match": '"2"'})
    assert (done.json()["days_late"], done.json()["late"]) == (152, True)
    asked = {"business_date": "2024-09-20", "year": "2024", "unit_path": "60"}
    (row,) = (await department.get("/v1/milestones", params=asked)).json()["rows"]
    assert (row["unit_name"], row["actual_on"]) == ("Thành phố Phan Thiết", "2024-04-01")
    assert "CV 1945" in (await department.get("/v1/milestones", params=asked | {"form": "csv"})).text
    assert (await district.post("/v1/milestones", json=body, headers=key())).status_code == 403
