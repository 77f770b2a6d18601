"""The yearly settlement tells what came back in the year, and what was left at its end (Circular 44/2022/TT-BTC Art. 15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reform_stories import reformed
from reporting_builders import MERIT, Reporting, World, incoming, shuffled
from test_papers import again, cells

from common.actor import Role
from common.contracts.disbursement_v1 import RecoveryChanged, RecoveryOpened
from common.contracts.envelope import Event
from common.contracts.registry_v1 import BeneficiaryUpdated
from common.ids import stable_id

ClientAs = Callable[..., httpx.AsyncClient]


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68"))


def case(name: str, path: str, *told: tuple[str, str, int, int]) -> list[Event]:
    """A case through its (day, state, left, recovered)."""
    return [
        (RecoveryChanged if number else RecoveryOpened)(
            version=number + 1, business_date=date.fromisoformat(day), recovery_id=stable_id("recovery", name),
            beneficiary_id=stable_id("person", name), programme=MERIT, funding_source="CENTRAL", amount=left, recovered=recovered,
            months=["2024-03"], status=state, unit_code=path.rpartition("/")[2], unit_path=path,
        )
        for number, (day, state, left, recovered) in enumerate(told)
    ]  # fmt: skip


async def settlement(officer: httpx.AsyncClient, year: int, unit_path: str, on: str) -> Any:
    form = {"layout": "merit-settlement-yearly", "period": f"{year}-01", "unit_path": unit_path, "business_date": on}
    answer = await officer.post("/v1/papers", json=form, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def short(row: Any) -> tuple[int, int, int]:
    """Recovered in the year; people and đồng left at its end."""
    return row["14"], row["10"], row["11"]


async def test_each_year_tells_what_came_back_in_it_and_what_was_left(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    for path in ("60", "60/593", "60/593/1", "60/594", "60/594/3"):
        world.unit(path, f"Đơn vị {path}")
    world.events += case(
        "a", "60/593/1", ("2024-04-01", "OPEN", 900_000, 0), ("2024-06-01", "REPAYING", 600_000, 300_000),
        ("2024-09-01", "REPAYING", 500_000, 400_000), ("2025-02-01", "REPAID", 0, 900_000),
    )  # fmt: skip
    world.events += case("b", "60/594/3", ("2024-05-01", "OPEN", 700_000, 0), ("2024-12-31", "WAIVED", 700_000, 0))
    world.events += case("c", "60/594/3", ("2025-01-15", "OPEN", 200_000, 0))
    await reporting.hear(shuffled(incoming(world.events), 7), batch=3)
    first = await settlement(officer, 2024, "60", "2025-04-30")
    assert short(cells(first, "MERIT")) == (400_000, 1, 500_000), "what came back or was opened in 2025 is of 2025; waived is not asked for"
    assert short(cells(first, "MERIT", "60/593")) == (400_000, 1, 500_000)
    second = await settlement(officer, 2025, "60", "2026-04-30")
    assert short(cells(second, "MERIT")) == (500_000, 1, 200_000)
    for report in (first, second):
        assert (await again(reporting, report))["same"]
    page = (await officer.get(f"/v1/papers/{first['report_id']}/file", params={"form": "html"})).text
    assert "Đã thu hồi trong năm" in page


async def test_somebody_with_several_files_or_cases_is_one_person_of_the_year(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    path = "60/593/1"
    world = World()
    for unit in ("60", "60/593", path):
        world.unit(unit, f"Đơn vị {unit}")
    gone, stays = world.person(path, MERIT), world.person(path, MERIT)
    file = next(event for event in world.events if getattr(event, "beneficiary_id", None) == gone)
    one = case("a", path, ("2024-04-01", "OPEN", 900_000, 0)) + case("b", path, ("2024-06-01", "OPEN", 50_000, 0))
    other = case("c", path, ("2024-04-15", "OPEN", 7_000, 0))
    cases = [event.model_copy(update={"beneficiary_id": who}) for events, who in ((one, stays), (other, gone)) for event in events]
    merged = BeneficiaryUpdated(**file.model_dump() | {"version": 2, "merged_into": stays})
    await reporting.hear(incoming([*world.events, *cases]))
    assert short(cells(await settlement(officer, 2024, "60", "2025-04-30"), "MERIT")) == (0, 2, 957_000)
    await reporting.hear(incoming([merged]))
    report = await settlement(officer, 2024, "60", "2025-04-30")
    assert short(cells(report, "MERIT")) == short(cells(report, "MERIT", "60/593")) == (0, 1, 957_000)
    assert (await again(reporting, report))["same"]


async def test_a_case_told_before_the_reform_is_told_by_the_new_units(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = reformed()
    world.events += case("a", "60/593/1", ("2025-03-01", "OPEN", 300_000, 0), ("2025-04-01", "REPAYING", 200_000, 100_000))
    world.events += case("b", "68/1", ("2025-08-01", "OPEN", 50_000, 0))
    await reporting.hear(incoming(world.events))
    report = await settlement(officer, 2025, "68", "2026-04-30")
    assert short(cells(report, "MERIT")) == (100_000, 2, 250_000)
    assert short(cells(report, "MERIT", "68/1")) == (100_000, 2, 250_000)
