"""Targets against what is measured, ranking, reminders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reporting_builders import ASSISTANCE, MONTH, Reporting, S, World, incoming, small_month

from common.actor import Role
from common.contracts.disbursement_v1 import Channel, CycleState, PaymentCycleOpened, PaymentListApproved
from common.contracts.registry_v1 import BeneficiaryStatus, Programme
from common.ids import new_id
from reporting.domain.target import LESS_IS_BETTER, met, needed, places
from reporting.main import make_app

ClientAs = Callable[..., httpx.AsyncClient]
DAY = "2024-09-20"


@pytest.fixture
async def heard(reporting: Reporting) -> Reporting:
    await reporting.hear(incoming(small_month().events))
    return reporting


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def target(unit: str, indicator: str = "by_account_rate", value: str = "60.00", **more: Any) -> dict[str, Any]:
    return {"unit_path": unit, "year": 2024, "indicator": indicator, "value": value, "due_on": "2024-12-31"} | more


async def test_progress_says_how_many_people_are_missing(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER)
    for body in (target("60"), target("60/593", programme="MERIT"), target("60/593", "unpaid_people", "0"), target("60/593/22924")):
        assert (await department.post("/v1/targets", json=body, headers=key())).status_code == 201
    asked = {"business_date": DAY, "year": "2024", "month": MONTH, "unit_path": "60"}
    rows = (await department.get("/v1/targets", params=asked)).json()["rows"]
    found = {(row["unit_path"], row["indicator"], row["programme"]): row for row in rows}
    province = found["60", "by_account_rate", "ALL"]
    assert (province["measured"], province["is_met"], province["needed"], province["days_left"]) == ("33.33", False, 3, 102)  # 6 of 9
    merit = found["60/593", "by_account_rate", "MERIT"]
    assert (merit["measured"], merit["is_met"], merit["needed"], merit["unit_name"]) == ("66.67", True, 0, "Thành phố Phan Thiết")
    assert found["60/593", "unpaid_people", "ALL"]["is_met"] is False
    assert found["60/593/22924", "by_account_rate", "ALL"]["measured"] is not None
    file = await department.get("/v1/targets", params=asked | {"form": "csv"})
    assert "33,33" in file.text
    ranks = (await department.get("/v1/targets/ranking", params={**asked, "indicator": "by_account_rate"})).json()["rows"]
    assert [(row["rank"], row["unit_path"]) for row in ranks if row["people_due"]] == [(1, "60/593"), (2, "60/594")]
    district = client_as(heard.app, Role.DISTRICT_OFFICER, units=("60/594",))
    assert (await district.get("/v1/targets", params=asked)).status_code == 404
    assert (await district.get("/v1/targets", params=asked | {"unit_path": "60/594"})).json()["rows"] == []
    assert (await district.post("/v1/targets", json=target("60/594"), headers=key())).status_code == 403


async def test_a_changed_target_keeps_what_stood_before(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER, subject="chi")
    made = await department.post("/v1/targets", json=target("60"), headers=key())
    place = f"/v1/targets/{made.json()['target_id']}"
    again = await department.post("/v1/targets", json=target("60", value="70"), headers=key())
    assert (again.status_code, again.json()["type"]) == (409, "/problems/entry-exists")
    lower = {"value": "55", "due_on": "2024-12-31", "legal_ref": "CV 1945"}
    assert (await department.put(place, json=lower)).status_code == 428
    changed = await department.put(place, json=lower, headers={"If-Match": made.headers["ETag"]})
    assert (changed.json()["value"], [past["value"] for past in changed.json()["past"]]) == ("55.00", ["60.00"])
    assert (await department.put(place, json=lower, headers={"If-Match": made.headers["ETag"]})).status_code == 412
    newer = {"If-Match": changed.headers["ETag"]}
    for refused in (
        await department.post("/v1/targets", json=target("60", year=2022), headers=key()),
        await department.put(place, json=lower | {"due_on": "2026-01-31"}, headers=newer),
    ):
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "due_on")
    gone = await department.put(place, json=lower | {"withdrawn": True}, headers={"If-Match": changed.headers["ETag"]})
    assert gone.json()["withdrawn"] is True
    async with heard.db.read() as tx:
        told = [row["detail"] for row in await tx.rows("SELECT detail FROM audit_log WHERE action = 'target.changed' ORDER BY id")]
    assert [(one["before"]["value"], one["after"]["value"]) for one in told] == [("60.00", "55"), ("55.00", "55")]
    assert [(one["before"]["withdrawn"], one["after"]["withdrawn"]) for one in told] == [(False, False), (False, True)]
    asked = {"business_date": DAY, "year": "2024", "month": MONTH, "unit_path": "60"}
    assert (await department.get("/v1/targets", params=asked)).json()["rows"] == []
    for wrong in (target("60", "no_such_thing"), target("60", programme="NO_GROUP")):
        assert (await department.post("/v1/targets", json=wrong, headers=key())).json()["type"] == "/problems/unknown-indicator"


async def test_reminders_name_what_is_behind_and_by_when(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER)
    await department.post("/v1/targets", json=target("60/594", value="50", due_on="2024-09-30"), headers=key())
    await department.post("/v1/targets", json=target("60/593", value="10", due_on="2024-09-30"), headers=key())  # met
    late = {"unit_path": "60/594", "code": "GO_LIVE", "year": 2024, "planned_on": "2024-09-01"}
    assert (await department.post("/v1/milestones", json=late, headers=key())).status_code == 201
    trouble = {
        "unit_path": "60/593",
        "category": "STAFF",
        "title": "Thiếu cán bộ",
        "detail": "Chỉ có một công chức",
        "raised_on": "2024-09-16",
    }
    assert (await department.post("/v1/obstacles", json=trouble, headers=key())).status_code == 201
    asked = {"business_date": DAY, "month": MONTH, "unit_path": "60"}
    rows = (await department.get("/v1/targets/reminders", params=asked)).json()["rows"]
    told = [(row["kind"], row["unit_path"], row["days_left"]) for row in rows if row["kind"] != "REPORT"]
    assert told == [("MILESTONE", "60/594", -19), ("OBSTACLE", "60/593", 3), ("TARGET", "60/594", 10)]
    assert [row["due_on"] for row in rows] == sorted(row["due_on"] for row in rows)
    assert any(row["kind"] == "REPORT" for row in rows)


async def test_a_unit_whose_list_is_late_is_in_the_inbox_of_those_above_it(heard: Reporting, client_as: ClientAs) -> None:
    opened = [
        PaymentCycleOpened(
            version=1, business_date=DAY, cycle_id=uuid4(), state=CycleState.OPEN, month=month, programme=Programme.SOCIAL_ASSISTANCE,
            funding_source="LOCAL_BUDGET", unit_code="22924", unit_path="60/593/22924",
        )
        for month in ("2024-08", "2024-09")
    ]  # fmt: skip
    await heard.hear(incoming(opened))
    for units, late in ((("60",), [(2, "2024-07-24")]), (("60/594",), [])):
        answer = await client_as(heard.app, Role.DISTRICT_OFFICER, units=units).get("/v1/work", params={"business_date": DAY})
        assert [(one["count"], one["deadline"]) for one in answer.json()["items"] if one["kind"] == "late_units"] == late
    asked = {"business_date": DAY, "month": MONTH, "unit_path": "60"}
    rows = (await client_as(heard.app, Role.DEPARTMENT_OFFICER).get("/v1/targets/reminders", params=asked)).json()["rows"]
    assert [row["vi"] for row in rows if row["kind"] == "CYCLE"] == [
        f"Danh sách chi tháng {month}/2024 (Đối tượng bảo trợ xã hội) {what}"
        for month, what in (("08", "chưa được duyệt"), ("09", "chưa được duyệt"), ("10", "chưa được lập"))
    ]


def test_what_should_not_be_is_met_from_below() -> None:
    assert {"unpaid_people", "overdue_people", "held_people", "communes_late"} <= LESS_IS_BETTER
    assert not {"by_account_rate", "verified_people", "paid_dong", "due_people"} & LESS_IS_BETTER
    assert met("held_people", {"held_people": 3}, Decimal(3))
    assert not met("held_people", {"held_people": 4}, Decimal(3))
    assert (met("held_people", {"held_people": 3}, Decimal("2.5")), needed("held_people", {"held_people": 3}, Decimal("2.5"))) == (False, 1)
    assert (met("paid_people", {"paid_people": 2}, Decimal("2.5")), needed("paid_people", {"paid_people": 2}, Decimal("2.5"))) == (False, 1)
    assert needed("held_people", {"held_people": 7}, Decimal(3)) == 4
    assert needed("by_account_rate", {"by_account_people": 16_395, "due_people": 54_623}, Decimal(50)) == 10_917  # to 27,312 of 54,623


def test_two_people_missing_of_a_province_are_missing() -> None:
    almost = {"by_account_people": 54_621, "due_people": 54_623}  # 99.996 %, which reads 100.00
    assert (met("by_account_rate", almost, Decimal(100)), needed("by_account_rate", almost, Decimal(100))) == (False, 2)
    assert met("by_account_rate", {"by_account_people": 54_623, "due_people": 54_623}, Decimal(100))
    assert met("by_account_rate", {"by_account_people": 0, "due_people": 0}, Decimal(100)) is None, "of nobody there is no rate"


def test_equal_values_share_a_rank() -> None:
    found = places([("a", Decimal(1)), ("b", Decimal(3)), ("c", Decimal(3)), ("d", Decimal(2))], "by_account_rate")
    assert [(rank, unit) for rank, unit, _ in found] == [(1, "b"), (1, "c"), (3, "d"), (4, "a")]


async def reminded(heard: Reporting, client_as: ClientAs, kind: str, day: str, month: str = MONTH) -> list[tuple[str, str]]:
    """(unit, due day) of the reminders of a kind."""
    asked = {"business_date": day, "month": month, "unit_path": "60"}
    answer = await client_as(heard.app, Role.DEPARTMENT_OFFICER).get("/v1/targets/reminders", params=asked)
    return [(row["unit_path"], row["due_on"]) for row in answer.json()["rows"] if row["kind"] == kind]


async def test_only_the_months_main_list_has_the_deadline_of_the_24th(heard: Reporting, client_as: ClientAs) -> None:
    def told(event: type[PaymentCycleOpened | PaymentListApproved], state: CycleState, **more: Any) -> Any:
        return event(
            business_date=date(2024, 9, 12), state=state, month=MONTH, programme=Programme.SOCIAL_ASSISTANCE, unit_code="22924",
            unit_path="60/593/22924", **{"version": 1, "funding_source": "LOCAL_BUDGET"} | more,
        )  # fmt: skip

    main, again, other = sorted(new_id() for _ in range(3))
    await heard.hear(
        incoming([
            told(PaymentCycleOpened, CycleState.OPEN, cycle_id=main),
            told(PaymentListApproved, CycleState.APPROVED, cycle_id=main, version=2),
            told(PaymentCycleOpened, CycleState.OPEN, cycle_id=again),
        ])
    )  # fmt: skip
    coming = [("60/593/22924", "2024-09-24")]  # October's list is to be made and approved in four days
    assert await reminded(heard, client_as, "CYCLE", "2024-09-20") == coming, "a list that follows the main one has no such day"
    client = client_as(heard.app, Role.DISTRICT_OFFICER, units=("60",))
    work = (await client.get("/v1/work", params={"business_date": "2024-09-20"})).json()["items"]
    assert [one for one in work if one["kind"] == "late_units" and one["count"]] == []
    await heard.hear(incoming([told(PaymentCycleOpened, CycleState.OPEN, cycle_id=other, funding_source="CENTRAL_BUDGET")]))
    late = [("60/593/22924", "2024-08-24"), *coming, *coming]
    assert await reminded(heard, client_as, "CYCLE", "2024-09-20") == late, "main of another funding source"
    work = (await client.get("/v1/work", params={"business_date": "2024-09-20"})).json()["items"]
    assert [(one["count"], one["deadline"]) for one in work if one["kind"] == "late_units"] == [(1, "2024-08-24")]


async def lates(reporting: Reporting, client_as: ClientAs, day: str) -> list[tuple[int, str]]:
    """How many units and months the inbox calls late, and since when."""
    client = client_as(reporting.app, Role.DISTRICT_OFFICER, units=("60",))
    items = (await client.get("/v1/work", params={"business_date": day})).json()["items"]
    return [(one["count"], one["deadline"]) for one in items if one["kind"] == "late_units" and one["count"]]


async def test_a_unit_that_opens_no_list_is_late_like_one_whose_list_lies(reporting: Reporting, client_as: ClientAs) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    world.unit("60/593", "Phan Thiết", valid_to="2025-06-30")
    world.unit("60/594", "La Gi", valid_to="2025-06-30")

    def told(path: str, month: str, state: CycleState, programme: Programme = ASSISTANCE) -> Any:
        kind = PaymentCycleOpened if state is CycleState.OPEN else PaymentListApproved
        return kind(
            version=2, business_date=date(2024, 9, 1), cycle_id=new_id(), state=state, month=month, programme=programme,
            funding_source="LOCAL_BUDGET", unit_code=path.rpartition("/")[2], unit_path=path,
        )  # fmt: skip

    done = CycleState.APPROVED
    events = [told(path, month, done) for path in ("60/593", "60/594") for month in ("2024-08", "2024-09")]
    events += [told("60/594", "2024-10", CycleState.OPEN), told("60/593", "2024-09", done, Programme.CAMPAIGN)]
    await reporting.hear(incoming([*world.events, *events]))
    both = [("60/593", "2024-09-24"), ("60/594", "2024-09-24")]
    assert await reminded(reporting, client_as, "CYCLE", "2024-10-15", "2024-10") == both
    assert await lates(reporting, client_as, "2024-10-15") == [(2, "2024-09-24")]
    assert await lates(reporting, client_as, "2024-09-24") == [], "on the day itself it is in time"
    each = [(unit, f"2024-{month}-24") for month in ("09", "10", "11") for unit in ("60/593", "60/594")]
    assert await reminded(reporting, client_as, "CYCLE", "2024-11-25", "2024-11") == each, (
        "each month that nobody opened, not the first alone"
    )
    assert await lates(reporting, client_as, "2024-11-25") == [(6, "2024-09-24")]
    later = [told("60/593", "2024-10", done), told("60/594", "2025-07", done)]  # July 2025 at an old path: nothing is expected after it
    await reporting.hear(incoming(later))
    assert await reminded(reporting, client_as, "CYCLE", "2024-10-15", "2024-10") == [("60/594", "2024-09-24")]
    assert await lates(reporting, client_as, "2025-08-15") == [(9, "2024-09-24")], "593 opened none from November to June"
    gone = World(people=900)
    gone.person("60/593/22924", ASSISTANCE)
    await reporting.hear(incoming([event.model_copy(update={"status": BeneficiaryStatus.DECEASED}) for event in gone.events]))
    assert await lates(reporting, client_as, "2025-08-15") == [(1, "2024-09-24")], "nobody of the group is left there"


async def test_a_target_is_told_by_the_day_it_is_due(heard: Reporting, client_as: ClientAs) -> None:
    department = client_as(heard.app, Role.DEPARTMENT_OFFICER)
    for body in (
        target("60/594", value="50", due_on="2025-01-29"), target("60/593", value="99", due_on="2024-12-31"),
        target("60", "paid_dong_year", value="1", due_on="2025-01-29"),
    ):  # fmt: skip
        assert (await department.post("/v1/targets", json=body, headers=key())).status_code == 201
    told = await reminded(heard, client_as, "TARGET", "2025-01-05")
    assert told == [("60/593", "2024-12-31"), ("60/594", "2025-01-29")], "until Tết, and the one just missed"
    assert await reminded(heard, client_as, "TARGET", "2025-02-20") == [("60/594", "2025-01-29")]
    asked = {"business_date": "2025-01-05", "month": "2025-01", "unit_path": "60", "year": "2024", "indicator": "paid_dong_year"}
    (row,) = (await department.get("/v1/targets", params=asked)).json()["rows"]
    assert (row["is_met"], row["needed"]) == (True, 0), "the sum of a year is that of the target's year"


async def test_settings_decide_in_targets_too_and_nobody_due_has_no_rank(heard: Reporting, client_as: ClientAs) -> None:
    world = World()
    world.unit("60/595", "Huyện Không Ai", valid_to="2025-06-30")
    world.unit("60/593/22925", "Phường Đã Sớm", valid_to="2025-06-30")
    world.paid("60/593/22925", ASSISTANCE, Channel.BANK, [S.SETTLED])
    await heard.hear(incoming(world.events))
    heard.settings.account_start_month, heard.settings.payment_due_day = "2024-09", 5
    department = client_as(make_app(heard.settings, heard.db), Role.DEPARTMENT_OFFICER)
    for body in (target("60", "communes_late", "0"), target("60", "overdue_people", "0"), target("60/595")):
        assert (await department.post("/v1/targets", json=body, headers=key())).status_code == 201
    asked = {"business_date": "2024-09-10", "year": "2024", "month": MONTH, "unit_path": "60"}
    rows = {row["indicator"]: row for row in (await department.get("/v1/targets", params=asked)).json()["rows"]}
    codes = {"month": MONTH, "unit_path": "60", "business_date": "2024-09-10", "code": ["communes_late", "overdue_people"]}
    answer = (await department.get("/v1/indicators", params=codes)).json()
    (indicators,) = [row["values"] for row in answer["rows"] if row["unit_path"] == "60" and row["group"] == "ALL"]
    for code in ("communes_late", "overdue_people"):
        assert int(rows[code]["measured"]) == indicators[code], code
    assert (indicators["communes_late"], indicators["overdue_people"] > 0) == (1, True), "what the defaults would not say"
    assert (rows["by_account_rate"]["measured"], rows["by_account_rate"]["is_met"]) == (None, None)
    for indicator in ("by_account_rate", "unpaid_people", "overdue_people"):
        ranks = (await department.get("/v1/targets/ranking", params={**asked, "indicator": indicator})).json()["rows"]
        assert {row["unit_path"] for row in ranks} == {"60/593", "60/594"}, indicator
