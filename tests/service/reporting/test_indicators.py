"""Indicators by group, unit and period: what each counts, and that the sums behind them stay exact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming, small_month

from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel
from common.contracts.registry_v1 import AdministrativeUnitChanged, UnitOrigin
from common.ids import stable_id
from reporting.domain.indicators import ALL, EACH_ONCE, INDICATORS, MONTH_COLUMNS, STANDING_COLUMNS, Unit
from reporting.storage import contributions, standings
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask, Measured, MeasuredRow

ClientAs = Callable[..., httpx.AsyncClient]
SEPTEMBER = date(2024, 9, 1)


async def ask(reporting: Reporting, unit_path: str = "60", **more: object) -> Measured:
    question = {"first": SEPTEMBER, "last": SEPTEMBER, "as_of": date(2024, 9, 30)} | more
    return await measure(reporting.db, SYSTEM("test"), Ask(unit_path=unit_path, **question))  # type: ignore[arg-type]


def some(row: MeasuredRow, text: str) -> list[int]:
    return [row.values[code] for code in text.split()]


async def test_a_small_month(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events))
    answer = await ask(reporting)
    merit = answer.row("MERIT")
    assert some(merit, "beneficiaries due_people listed_people paid_people by_account_people bank_people wallet_people post_people") == [
        3, 3, 3, 3, 2, 1, 1, 1,
    ]  # fmt: skip
    assert some(merit, "paid_dong by_account_dong bank_dong wallet_dong post_dong") == [
        6_789_001, 3_789_001, 2_789_000, 1_000_001, 3_000_000,
    ]  # fmt: skip
    assert (merit.rates["by_account_rate"], merit.rates["paid_rate"]) == ("66.7", "100.0")
    everybody = answer.row(ALL)
    assert some(everybody, "due_people by_account_people held_people released_people failed_people uncollected_people unpaid_people") == [
        9, 3, 1, 1, 1, 1, 4,
    ]  # fmt: skip
    assert {(held.reason, held.people, held.dong) for held in everybody.held_for} == {
        ("DECEASED", 1, 500_000), ("SUSPECTED_IDENTITY", 1, 500_000),
    }  # fmt: skip
    la_gi = answer.row("SOCIAL_ASSISTANCE", "60/594")
    assert (la_gi.unit_name, la_gi.unit_code, la_gi.is_total) == ("Thị xã La Gi", "594", False)
    assert some(la_gi, "due_people unpaid_people by_account_people") == [2, 2, 0]
    assert some(answer.row(ALL), "communes_due communes_started communes_late") == [2, 1, 2]
    assert answer.row(ALL).first_account_month == SEPTEMBER


async def test_each_indicator_is_answered_for_each_group_and_unit(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events))
    for below in ("NONE", "CHILDREN", "COMMUNES"):
        for row in (await ask(reporting, below=below)).rows:
            assert set(row.values) | set(row.rates) == set(INDICATORS)
            assert all(isinstance(number, int) and number >= 0 for number in row.values.values())
    assert {one.unit for one in INDICATORS.values()} == set(Unit)


async def test_somebody_in_two_programmes_counts_twice_in_the_sum_and_once_as_a_person(reporting: Reporting) -> None:
    world = World()
    both = world.paid("60/593/22924", MERIT, Channel.BANK, [S.SETTLED])
    world.paid("60/593/22924", ASSISTANCE, Channel.CASH_POST, [S.COLLECTED], who=both)
    await reporting.hear(incoming(world.events))
    answer = await ask(reporting)
    assert some(answer.row(ALL), "due_people by_account_people paid_lines paid_dong") == [2, 1, 2, 1_000_000]
    assert some(answer.row(EACH_ONCE), "due_people by_account_people paid_lines paid_dong") == [1, 1, 2, 1_000_000]


async def test_indicators_over_http_and_as_files(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    client = client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    known = (await client.get("/v1/indicators/catalogue")).json()
    assert [one["code"] for one in known] == list(INDICATORS)
    assert all(one["name"]["vi"] and one["name"]["en"] for one in known)
    codes = ["due_people", "by_account_rate"]
    asked: dict[str, Any] = {"month": "2024-09", "unit_path": "60", "group": "MERIT", "code": codes, "decimals": 2}
    answer = (await client.get("/v1/indicators", params=asked)).json()
    assert [(row["unit_path"], row["values"]) for row in answer["rows"]] == [
        ("60", {"due_people": 3, "by_account_rate": "66.67"}),
        ("60/593", {"due_people": 3, "by_account_rate": "66.67"}),
        ("60/594", {"due_people": 0, "by_account_rate": "0.00"}),
    ]
    sheet = await client.get("/v1/indicators", params=asked | {"form": "csv"})
    assert sheet.text.splitlines()[-3:] == [
        "60,Tỉnh Bình Thuận,Người có công với cách mạng,3,66.67",
        "593,Thành phố Phan Thiết,Người có công với cách mạng,3,66.67",
        "594,Thị xã La Gi,Người có công với cách mạng,0,0.00",
    ]
    book = await client.get("/v1/indicators", params=asked | {"form": "xlsx"})
    assert (book.status_code, book.content[:2]) == (200, b"PK")
    unknown = await client.get("/v1/indicators", params=asked | {"code": "paid_by_magic"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "codes")
    backwards = await client.get("/v1/indicators", params=asked | {"until": "2024-08"})
    assert (backwards.status_code, backwards.json()["type"]) == (422, "/problems/bad-month")
    elsewhere = client_as(reporting.app, Role.DISTRICT_OFFICER, units=("60/594",))
    assert (await elsewhere.get("/v1/indicators", params=asked)).status_code == 404
    assert (await client_as(reporting.app, Role.PARTNER).get("/v1/indicators", params=asked)).status_code == 403


def test_every_figure_of_the_catalogue_is_counted_somewhere() -> None:
    """A word without a measure would say 0 for ever, and meet every target of 0."""
    assert set(contributions._MEASURES) == set(MONTH_COLUMNS)
    assert set(standings._MEASURES) == set(STANDING_COLUMNS)


async def test_who_is_paid_after_the_month_was_unpaid_when_it_ended(reporting: Reporting) -> None:
    world = World()
    world.paid("60/593/22924", MERIT, Channel.BANK, [S.APPROVED, S.SETTLED])
    world.paid("60/593/22924", MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED])
    world.paid("60/593/22924", MERIT, Channel.BANK, [S.APPROVED, S.FAILED], reason="ACCOUNT_CLOSED")
    late = [
        event.model_copy(update={"business_date": date(2024, 10, 3)}) if event.type_name() == "CashCollected" else event
        for event in world.events
    ]
    await reporting.hear(incoming(late))
    row = (await ask(reporting)).row("MERIT")
    assert some(row, "due_people paid_people unpaid_people unpaid_at_end_people") == [3, 2, 1, 2]
    assert INDICATORS["unpaid_at_end_people"].target == 0


async def test_only_what_is_asked_for_is_read(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events))
    codes = ("by_account_rate", "paid_dong_year", "registered_rate_without_fm", "held_people")
    for below in ("NONE", "CHILDREN", "COMMUNES"):
        everything, some_of_it = await ask(reporting, below=below), await ask(reporting, below=below, codes=frozenset(codes))
        for whole, part in zip(everything.rows, some_of_it.rows, strict=True):
            assert (whole.group, whole.unit_path, whole.held_for) == (part.group, part.unit_path, part.held_for)
            for code in codes:
                assert whole.rates.get(code, whole.values.get(code)) == part.rates.get(code, part.values.get(code))


def paid_in(world: World, path: str, month: str, channel: Channel = Channel.BANK) -> None:
    """One person of a commune paid in a month."""
    already = len(world.events)
    world.paid(path, ASSISTANCE, channel, [S.SETTLED if channel is Channel.BANK else S.COLLECTED])
    told = {"month": month, "months": [month]}
    world.events[already:] = [event.model_copy(update=told) if hasattr(event, "months") else event for event in world.events[already:]]


def reform(world: World, formed: dict[str, list[str]]) -> None:
    """Since 1 July 2025 communes of two old provinces lie in one, by new paths; one that keeps its name alone ended too."""
    for old in sorted({origin for origins in formed.values() for origin in origins}):
        world.unit(old, f"Xã {old}", valid_to="2025-06-30")
    world.unit("68", "Tỉnh Lâm Đồng", valid_from="2025-07-01")
    for path, origins in formed.items():
        world.events.append(
            AdministrativeUnitChanged(
                version=1, business_date=date(2025, 7, 1), unit_id=stable_id("unit", path, "2025-07-01"), code=path.rpartition("/")[2],
                name=f"Xã {path}", level="commune", parent_code="68", path=path, valid_from=date(2025, 7, 1), valid_to=None,
                formed_from=[UnitOrigin(unit_id=stable_id("unit", old, "2004-01-01"), path=old, kind="WHOLE") for old in origins],
            )
        )  # fmt: skip


STARTS = "communes_due communes_started communes_late"


async def test_a_commune_formed_from_others_started_when_the_first_of_them_did(reporting: Reporting) -> None:
    world = World()
    reform(world, {"68/1": ["60/593/1", "68/672/2"], "68/3": ["68/672/3"], "68/4": ["68/672/4"]})
    for path, month in (("60/593/1", "2023-08"), ("68/672/2", "2024-05"), ("68/672/3", "2024-06")):
        paid_in(world, path, month)
    paid_in(world, "68/672/4", "2024-06", Channel.CASH_POST)
    for path in ("68/1", "68/3"):
        paid_in(world, path, "2025-08")
    paid_in(world, "68/4", "2025-08", Channel.CASH_POST)
    await reporting.hear(incoming(world.events))
    august = {"first": date(2025, 8, 1), "last": date(2025, 8, 1), "as_of": date(2025, 8, 31)}
    answer = await ask(reporting, "68", **august)
    assert some(answer.row(ALL), STARTS) == [3, 2, 2], "68/1 began in time, 68/3 late, 68/4 not yet; the communes before count no more"
    assert answer.row(ALL).first_account_month == date(2023, 8, 1)
    communes = await ask(reporting, "68", below="COMMUNES", **august)
    assert [communes.row(ALL, path).first_account_month for path in ("68/1", "68/3", "68/4")] == [date(2023, 8, 1), date(2024, 6, 1), None]
    assert [some(communes.row(ALL, path), STARTS) for path in ("68/1", "68/3", "68/4")] == [[1, 1, 0], [1, 1, 1], [1, 0, 1]]
    june = {"first": date(2024, 6, 1), "last": date(2024, 6, 1), "as_of": date(2024, 6, 30)}
    before = await ask(reporting, "68", **june)
    assert some(before.row(ALL), STARTS) == [2, 2, 2], "a month before the reform is told by the communes of that month"
    assert some((await ask(reporting, "60", **june)).row(ALL), STARTS) == [0, 1, 0]


async def test_a_year_of_the_reform_counts_each_commune_once(reporting: Reporting) -> None:
    world = World()
    reform(world, {"68/1": ["68/672/1", "68/672/2"], "68/3": ["68/672/3"]})
    for path, month in (("68/672/1", "2025-05"), ("68/672/2", "2025-05"), ("68/672/3", "2025-05"), ("68/1", "2025-08")):
        paid_in(world, path, month)
    await reporting.hear(incoming(world.events))
    year = {"first": date(2025, 1, 1), "last": date(2025, 8, 1), "as_of": date(2025, 8, 31)}
    assert some((await ask(reporting, "68", **year)).row(ALL), STARTS) == [2, 2, 2], "68/1, and 68/672/3 while 68/3 has no list"


async def test_communes_that_exchanged_ground_and_kept_their_paths_stay_two(reporting: Reporting) -> None:
    world = World()
    reform(world, {"68/1": ["68/1", "68/2"], "68/2": ["68/2", "68/1"]})
    for path in ("68/1", "68/2"):
        paid_in(world, path, "2023-08")
        paid_in(world, path, "2025-08")
    await reporting.hear(incoming(world.events))
    august = {"first": date(2025, 8, 1), "last": date(2025, 8, 1), "as_of": date(2025, 8, 31)}
    assert some((await ask(reporting, "68", **august)).row(ALL), STARTS) == [2, 2, 0]
