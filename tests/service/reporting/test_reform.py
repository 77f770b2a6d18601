"""Units as of any day: before and after the reform of 2025 and changes since, every đồng in one report, and nobody else's in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from reform_stories import AFTER, BEFORE, became, reformed
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming

from common.actor import Actor, Role
from common.contracts.disbursement_v1 import Channel
from common.contracts.registry_v1 import DueInterval, DuesChanged, DuesLine, DueStatus, Programme
from common.jobs import Job
from reporting.storage.statutory import layouts
from reporting.usecases.papers import freeze, wanted_of
from reporting.usecases.statutory_again import make_again

ClientAs = Callable[..., httpx.AsyncClient]
D21, SETTLEMENT, PARTNERS = "directive-21-monthly", "merit-settlement-yearly", "payment-organisation-monthly"


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68", "75"), subject="an.so")


def paid(
    world: World, path: str, month: str, amount: int, programme: Programme = MERIT, channel: Channel = Channel.BANK, who: UUID | None = None
) -> None:
    """A payment of a month, settled in it."""
    start, day = len(world.events), date.fromisoformat(f"{month}-10")
    states = [S.SETTLED if channel is Channel.BANK else S.COLLECTED]
    world.paid(path, programme, channel, states, amount, months=(month,), day=day, who=who, number=int(month.replace("-", "")))
    told = {"month": month}
    world.events[start:] = [event.model_copy(update=told) if hasattr(event, "months") else event for event in world.events[start:]]


async def asked(officer: httpx.AsyncClient, layout: str, period: str, unit_path: str, units_on: str | None = None) -> httpx.Response:
    form = {"layout": layout, "period": period, "unit_path": unit_path, "business_date": "2027-01-15"}
    return await officer.get("/v1/papers/preview", params=form | ({"units_on": units_on} if units_on else {}))


async def told(officer: httpx.AsyncClient, *about: Any, column: str, group: str = "MERIT") -> tuple[int, dict[str, int]]:
    """The total of a column, and its rows that are not 0; those beside the total in brackets."""
    answer = await asked(officer, *about)
    assert answer.status_code == 200, answer.text
    rows = [row for row in answer.json()["rows"] if row["programme"] == group]
    (total,) = [row["cells"][column] for row in rows if row["is_total"]]
    within = {row["unit_path"]: row["cells"][column] for row in rows if not row["is_total"] and "không tính" not in row["label"]}
    without = {f"({row['unit_path']})": row["cells"][column] for row in rows if "không tính" in row["label"]}
    assert not within or sum(within.values()) == total, answer.text
    return total, {path: value for path, value in (within | without).items() if value}


async def test_later_units_are_told_to_those_who_may_see_them(
    reporting: Reporting, officer: httpx.AsyncClient, client_as: ClientAs
) -> None:
    """An officer whose unit has ended learns nothing of what it became; with the right to both, only what lay wholly in it."""
    world = reformed()
    for path, amount in (("68/1", 1_000), ("68/31", 20_000), ("68/32", 300_000), ("68/4", 4_000_000)):
        paid(world, path, "2025-09", amount)
    await reporting.hear(incoming(world.events))
    one, province = (client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=(path,), subject="ba") for path in ("60/594/3", "60"))
    for who, path in ((one, "60/594/3"), (province, "60"), (province, "60/594/3"), (province, "60/593")):
        form = {"layout": D21, "period": "2025-09", "unit_path": path, "units_on": BEFORE, "business_date": "2027-01-15"}
        assert (await who.get("/v1/papers/preview", params=form)).status_code == 404
        answer = await who.post("/v1/papers", json=form, headers={"Idempotency-Key": str(uuid4())})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unit-not-found")
    assert await told(officer, D21, "2025-09", "60", BEFORE, column="14") == (321_000, {"60/593": 1_000, "60/594": 320_000})
    assert await told(officer, D21, "2025-09", "60/593", BEFORE, column="14") == (1_000, {"68/1": 1_000})
    assert await told(officer, D21, "2025-09", "60/594/3", BEFORE, column="14") == (320_000, {})
    assert await told(officer, D21, "2025-09", "68", BEFORE, column="14") == (4_000_000, {"68/672": 4_000_000})
    # A frozen one is not read either by who may not see what it tells of.
    form = {"layout": D21, "period": "2025-09", "unit_path": "60", "units_on": BEFORE, "business_date": "2027-01-15"}
    report = (await officer.post("/v1/papers", json=form, headers={"Idempotency-Key": "x" * 16})).json()
    path = f"/v1/papers/{report['report_id']}"
    assert ((await officer.get(path)).status_code, (await province.get(path)).status_code) == (200, 404)
    assert (await province.get(f"{path}/file", params={"form": "csv"})).status_code == 404
    assert (await province.post(f"{path}/again", params={"business_date": "2027-01-15"})).status_code == 404
    listed = [(await who.get("/v1/papers")).json()["items"] for who in (officer, province)]
    assert [len(items) for items in listed] == [1, 0]
    assert (await again(reporting, report["report_id"]))["same"]


async def test_what_a_unit_was_made_from_is_its_own_past(reporting: Reporting, client_as: ClientAs) -> None:
    world = reformed()
    paid(world, "60/593/1", "2025-03", 1_000)
    await reporting.hear(incoming(world.events))
    new = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("68",), subject="an")
    assert await told(new, SETTLEMENT, "2025-01", "68", column="5") == (1_000, {"68/1": 1_000})
    assert await told(new, SETTLEMENT, "2025-01", "68/1", column="5") == (1_000, {})


async def test_people_still_listed_at_units_that_ended_are_in_the_new_provinces_reports(
    reporting: Reporting, officer: httpx.AsyncClient
) -> None:
    world = reformed()
    moved, left = world.person("60/594/3", MERIT), world.person("60/594/3", MERIT)
    there = next(e for e in world.events if getattr(e, "beneficiary_id", None) == moved)
    world.events.append(there.model_copy(update={"version": 2, "business_date": date(2025, 7, 5), "unit_code": "1", "unit_path": "68/1"}))
    for number, path in ((moved, "68/1"), (left, "60/594/3")):
        line = DuesLine(
            programme=MERIT, funding_source="CENTRAL", benefit_line="M01", intervals=[
                DueInterval(from_month="2026-01", to_month=None, amount=1_000, status=DueStatus.DUE, basis="x", decision_number=None,
                            explicit_arrears=False)
            ],
        )  # fmt: skip
        world.events.append(
            DuesChanged(version=1, business_date=date(2025, 7, 5), beneficiary_id=number, lines=[line], unit_code="1", unit_path=path)
        )
    paid(world, "60/594/3", "2025-07", 500_000, who=left)
    paid(world, "68/1", "2025-08", 70_000, who=moved)
    await reporting.hear(incoming(world.events))
    assert (await told(officer, D21, "2025-06", "68", AFTER, column="1"))[0] == 2
    assert await told(officer, D21, "2025-07", "68", column="1") == (2, {"68/1": 1, "60/594/3": 1})
    assert await told(officer, D21, "2025-08", "68", column="15") == (570_000, {"60/594/3": 500_000, "68/1": 70_000})
    estimate = {"layout": "merit-estimate-yearly", "period": "2026-01", "unit_path": "68", "business_date": "2025-09-01"}
    rows = (await officer.get("/v1/papers/preview", params=estimate)).json()["rows"]
    assert {row["unit_path"]: row["cells"]["4"] for row in rows if row["cells"]["4"]} == {"68": 24_000, "68/1": 12_000, "60/594/3": 12_000}
    assert await told(officer, PARTNERS, "2025-07", "68", column="4") == (500_000, {"68": 500_000})


async def test_a_split_commune_counts_only_where_all_of_it_lies(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = reformed()
    paid(world, "60/594/3", "2025-03", 3_000_000)
    paid(world, "68/31", "2025-09", 50_000)
    await reporting.hear(incoming(world.events))
    assert await told(officer, SETTLEMENT, "2025-01", "68", column="5") == (3_050_000, {"60/594/3": 3_000_000, "68/31": 50_000})
    assert await told(officer, SETTLEMENT, "2025-01", "68/31", column="5") == (50_000, {"(60/594/3)": 3_000_000})
    assert await told(officer, SETTLEMENT, "2025-01", "68/32", column="5") == (0, {"(60/594/3)": 3_000_000})
    assert await told(officer, SETTLEMENT, "2025-01", "68/1", column="5") == (0, {})


async def test_a_code_handed_on_within_a_province_mixes_nobody(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    """75 itself stays. On 30 April 2026 what was 26068 becomes 30000, and what was 26071 takes its code."""
    world = World()
    world.unit("75", "Đồng Nai")
    world.unit("75/26068", "Phường Cũ", valid_to="2026-04-29")
    world.unit("75/26071", "Xã Cũ", valid_to="2026-04-29")
    became(world, "75/30000", "Phường Mới", ["75/26068"], "2026-04-30")
    became(world, "75/26068", "Xã Mới", ["75/26071"], "2026-04-30")
    paid(world, "75/26068", "2026-03", 3_000_000)
    paid(world, "75/26071", "2026-03", 500_000)
    paid(world, "75/26068", "2026-06", 1_000_000)
    await reporting.hear(incoming(world.events))
    assert await told(officer, SETTLEMENT, "2026-01", "75", column="5") == (4_500_000, {"75/30000": 3_000_000, "75/26068": 1_500_000})
    assert (await told(officer, SETTLEMENT, "2026-01", "75/26068", column="5"))[0] == 1_500_000
    assert (await told(officer, SETTLEMENT, "2026-01", "75/30000", column="5"))[0] == 3_000_000
    before = "2026-04-29"
    assert await told(officer, SETTLEMENT, "2026-01", "75", before, column="5") == (
        4_500_000,
        {"75/26068": 3_000_000, "75/26071": 1_500_000},
    )


async def test_partners_are_told_by_the_units_of_any_day(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = reformed()
    paid(world, "60/594/3", "2024-09", 3_000_000)
    paid(world, "60/593/1", "2024-09", 20_000, ASSISTANCE, Channel.CASH_POST)
    paid(world, "68/672/4", "2024-09", 1_000_000)
    await reporting.hear(incoming(world.events))
    for layout, column in ((D21, "14"), (PARTNERS, "4")):
        assert (await told(officer, layout, "2024-09", "68", AFTER, column=column))[0] == 4_000_000, layout
    assert (await told(officer, PARTNERS, "2024-09", "68", AFTER, column="4", group="ALL"))[0] == 4_020_000
    assert (await told(officer, PARTNERS, "2024-09", "68", column="4"))[0] == 1_000_000, "the old province of that name"
    assert (await told(officer, PARTNERS, "2024-09", "68/1", AFTER, column="4", group="SOCIAL_ASSISTANCE"))[0] == 20_000
    assert (await told(officer, PARTNERS, "2024-09", "68/31", AFTER, column="4", group="ALL"))[0] == 0, "a part is not guessed"


async def frozen(officer: httpx.AsyncClient, unit_path: str, units_on: str | None = None) -> Any:
    form = {"layout": D21, "period": "2024-09", "unit_path": unit_path, "units_on": units_on, "business_date": "2027-01-15"}
    answer = await officer.post("/v1/papers", json=form, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def again(reporting: Reporting, report_id: UUID | str) -> Any:
    job = Job(UUID(int=1), "report_again", {"report_id": str(report_id)}, "an.so", date(2027, 1, 15), 1)
    return await make_again(reporting.db, job)


def cells(report: Any, unit_path: str | None = None) -> Any:
    rows = [row for row in report["rows"] if row["programme"] == "ALL" and row["is_total"] is (unit_path is None)]
    (found,) = [row["cells"] for row in rows if unit_path in (None, row["unit_path"])]
    return found


async def test_an_old_month_told_by_the_units_of_today_keeps_its_totals(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = reformed()
    for path, count in (("60/593/1", 3), ("60/593/2", 2), ("60/594/3", 4), ("68/672/4", 5)):
        for number in range(count):
            world.paid(path, ASSISTANCE, Channel.BANK if number else Channel.CASH_POST, [S.SETTLED if number else S.COLLECTED])
    await reporting.hear(incoming(world.events))
    old_60, old_68 = await frozen(officer, "60"), await frozen(officer, "68")
    assert {row["label"] for row in old_60["rows"]} == {"Tỉnh Bình Thuận", "Phan Thiết", "La Gi"}
    today = await frozen(officer, "68", AFTER)
    for column in ("1", "9", "10", "13", "14", "15"):
        assert cells(today)[column] == cells(old_60)[column] + cells(old_68)[column], column
        parts = [row["cells"][column] for row in today["rows"] if row["programme"] == "ALL" and not row["is_total"]]
        assert sum(parts) == cells(today)[column], column
    assert (cells(today, "68/1")["9"], cells(today, "68/4")["9"]) == (5, 5)
    (split,) = [row for row in today["rows"] if row["programme"] == "ALL" and row["unit_path"] == "60/594/3"]
    assert (split["cells"]["9"], "chưa phân" in split["label"]) == (4, True), "people of a split commune are not guessed"
    assert (await again(reporting, today["report_id"]))["same"]


async def test_what_was_frozen_by_the_first_rules_is_made_again_by_them(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    """They counted a split commune in each of its successors: a paper that said so is still proved by its digest."""
    world = reformed()
    paid(world, "60/594/3", "2025-03", 3_000_000)
    paid(world, "60/593/1", "2025-03", 20_000)
    paid(world, "68/31", "2025-09", 50_000)
    await reporting.hear(incoming(world.events))
    actor = Actor("an.so", "an", frozenset({Role.DEPARTMENT_OFFICER}), everywhere=True)
    for unit, paid_dong in (("68/31", 3_050_000), ("68", 3_070_000)):
        wanted = replace(
            wanted_of(actor, SETTLEMENT, "2025-01", unit, None, date(2026, 4, 30)), layout=layouts()["merit-settlement-yearly", 2]
        )
        async with reporting.db.transaction(actor) as tx:
            old = await freeze(tx, actor, wanted)
        (total,) = [row["cells"]["5"] for row in old.rows if row["is_total"]]
        assert total == paid_dong
        assert await again(reporting, old.head["report_id"]) | {"log_seq": 0} == {
            "same": True, "digest": old.head["digest"], "frozen_digest": old.head["digest"], "log_seq": 0, "layout_unchanged": True,
            "differences": [], "different": 0,
        }  # fmt: skip
    assert (await told(officer, SETTLEMENT, "2025-01", "68/31", column="5"))[0] == 50_000, "today's rules"
