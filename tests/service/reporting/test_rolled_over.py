"""Money that a list could not pay is on the next list too: over several months it is due once, and what is left stands open at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from reporting_builders import MERIT, Reporting, S, World, incoming
from test_papers import reformed

from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentStatus
from common.jobs import Job
from reporting.storage.statutory import layouts
from reporting.usecases import papers
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask
from reporting.usecases.statutory_again import make_again

ClientAs = Callable[..., httpx.AsyncClient]
HERE, THERE = "60/593/22924", "60/594/23235"
MILLION = 1_000_000
STEMS = ("due", "paid", "held", "released", "failed", "uncollected", "unknown", "unpaid", "unpaid_at_end", "overdue", "carried_over")


class Months(World):
    """People whose lists are of any month of 2024; the list of a month takes all that is still owed."""

    def __init__(self) -> None:
        super().__init__()
        for path, name in (("60", "Tỉnh Bình Thuận"), ("60/593", "Thành phố Phan Thiết"), ("60/594", "Thị xã La Gi")):
            self.unit(path, name)

    def _lists(self, month: int, since: int, *, say_months: bool = True) -> None:
        """What was made last is of this month and of all months since."""
        months = [f"2024-{one:02}" for one in range(since, month + 1)]
        for place, event in enumerate(self.events):
            if getattr(event, "month", None) == "2024-09":
                told = {"months": months} if "months" in type(event).model_fields and say_months else {}
                change = {"month": f"list {month}", "business_date": date(2024, month, 7), **told}
                self.events[place] = event.model_copy(update=change)

    def done(self) -> list[Any]:
        return [
            event.model_copy(update={"month": f"2024-{int(event.month[5:]):02}"})
            if getattr(event, "month", "").startswith("list ")
            else event
            for event in self.events
        ]

    def holds(self, who: UUID | None, month: int, since: int, *, path: str = HERE, say_months: bool = True) -> UUID:
        found = self.held(path, MERIT, HoldReason.NOT_VERIFIED, (month - since + 1) * MILLION, who=who, number=month)
        self._lists(month, since, say_months=say_months)
        return found

    def lists(self, who: UUID | None, month: int, since: int, *states: PaymentStatus, path: str = HERE, amount: int | None = None) -> UUID:
        dong = amount or (month - since + 1) * MILLION
        found = self.paid(path, MERIT, Channel.CASH_POST, [S.APPROVED, *states], dong, who=who, number=month)
        self._lists(month, since)
        return found


async def told(reporting: Reporting, first: int, last: int, unit: str = "60") -> dict[str, tuple[int, int, int]]:
    """People, benefit lines and đồng of a period of 2024, what is 0 left out."""
    ask = Ask(unit_path=unit, first=date(2024, first, 1), last=date(2024, last, 1), as_of=date(2025, 3, 31))
    values = (await measure(reporting.db, SYSTEM("test"), ask)).row("MERIT").values
    found = {stem: (values[f"{stem}_people"], values[f"{stem}_lines"], values[f"{stem}_dong"]) for stem in STEMS}
    return {stem: counts for stem, counts in found.items() if any(counts)}


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68"), subject="an.so")


async def paper(officer: httpx.AsyncClient, layout: str, period: str, unit: str = "60") -> Any:
    asked = {"layout": layout, "period": period, "unit_path": unit, "business_date": "2026-03-31"}
    answer = await officer.post("/v1/papers", json=asked, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def cells(report: Any, programme: str = "MERIT") -> Any:
    (row,) = [row for row in report["rows"] if row["programme"] == programme and row["is_total"]]
    return row["cells"]


def held_all_year(*, say_months: bool = True) -> Months:
    world = Months()
    who = None
    for month in range(1, 12):
        who = world.holds(who, month, 1, say_months=say_months)
    world.lists(who, 12, 1, S.FAILED)
    return world


@pytest.mark.parametrize("say_months", [True, False])
async def test_who_was_held_all_year_is_owed_a_year_once(reporting: Reporting, officer: httpx.AsyncClient, say_months: bool) -> None:
    await reporting.hear(incoming(held_all_year(say_months=say_months).done()))
    year = cells(await paper(officer, "merit-settlement-yearly", "2024-01"))
    assert (year["1"], year["2"], year["5"], year["9"]) == (1, 12 * MILLION, 0, 12 * MILLION)
    once = (1, 1, 12 * MILLION)
    assert await told(reporting, 1, 12) == dict.fromkeys(("due", "failed", "unpaid", "unpaid_at_end", "overdue", "carried_over"), once)
    half = (1, 1, 6 * MILLION)
    assert await told(reporting, 1, 6) == dict.fromkeys(("due", "held", "unpaid", "unpaid_at_end", "overdue", "carried_over"), half)
    later = await told(reporting, 7, 12)
    assert later["due"] == later["carried_over"] == once, "what came from before the period is in its first list"
    alone = (1, 1, 3 * MILLION)
    assert (await told(reporting, 3, 3))["due"] == (await told(reporting, 3, 3))["held"] == alone, "a month by itself is its list"


async def test_what_the_next_list_paid_is_due_and_paid_once(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = Months()
    who = world.lists(None, 9, 9, S.UNCOLLECTED)
    world.lists(who, 10, 9, S.COLLECTED, path=THERE)  # moved in the meantime
    await reporting.hear(incoming(world.done()))
    year = cells(await paper(officer, "merit-settlement-yearly", "2024-01"))
    assert (year["1"], year["2"], year["3"], year["5"], year["9"]) == (1, 2 * MILLION, 1, 2 * MILLION, 0)
    assert await told(reporting, 7, 12) == dict.fromkeys(("due", "paid"), (1, 1, 2 * MILLION))
    assert await told(reporting, 7, 12, "60/593") == {}
    alone = await told(reporting, 9, 9)
    assert alone == dict.fromkeys(("due", "uncollected", "unpaid_at_end", "carried_over"), (1, 1, MILLION)), "paid by October's list"
    assert "unpaid" not in alone


async def test_what_the_next_year_paid_is_carried_into_it(reporting: Reporting) -> None:
    world = Months()
    who = world.lists(None, 12, 12, S.UNCOLLECTED)
    events = world.done()
    world = Months()
    world.lists(who, 12, 12, S.COLLECTED, amount=2 * MILLION)
    later = [event for event in world.done() if hasattr(event, "months")]
    change = {"month": "2025-01", "months": ["2024-12", "2025-01"], "cycle_id": UUID(int=77 << 80), "payment_id": uuid4()}
    await reporting.hear(incoming(events + [event.model_copy(update=change) for event in later]))
    year = await told(reporting, 1, 12)
    assert year["due"] == year["carried_over"] == year["uncollected"] == (1, 1, MILLION)
    assert "paid" not in year
    assert "unpaid" not in year, "to this day it is paid"


async def test_a_payment_on_its_way_is_not_on_the_next_list(reporting: Reporting) -> None:
    world = Months()
    who = world.lists(None, 9, 9, S.UNKNOWN)
    world.lists(who, 10, 10, S.COLLECTED)
    died = world.lists(None, 9, 9, S.FAILED)  # it died after October's list stood, which holds October alone
    world.holds(died, 10, 10)
    await reporting.hear(incoming(world.done()))
    period = await told(reporting, 9, 10)
    assert period["due"] == (4, 4, 4 * MILLION)
    assert (period["paid"], period["unknown"], period["failed"]) == ((1, 1, MILLION),) * 3
    assert period["carried_over"] == (3, 3, 3 * MILLION)


async def test_what_is_paid_late_was_unpaid_when_the_month_ended_and_not_when_the_period_did(reporting: Reporting) -> None:
    world = Months()
    world.lists(None, 9, 9, S.COLLECTED)
    late = [e.model_copy(update={"business_date": date(2024, 10, 3)}) if hasattr(e, "months") else e for e in world.done()]
    await reporting.hear(incoming(late))
    once = (1, 1, MILLION)
    assert await told(reporting, 9, 9) == await told(reporting, 8, 9) == dict.fromkeys(("due", "paid", "unpaid_at_end"), once)
    assert await told(reporting, 9, 10) == dict.fromkeys(("due", "paid"), once)


async def test_who_is_held_for_one_reason_and_then_for_another_is_held_for_the_newest(reporting: Reporting) -> None:
    world = Months()
    who = world.holds(None, 9, 9)
    world.held(HERE, MERIT, HoldReason.SUSPECTED_IDENTITY, 2 * MILLION, who=who, number=10)
    world._lists(10, 9)
    await reporting.hear(incoming(world.done()))
    ask = Ask(unit_path="60", first=date(2024, 9, 1), last=date(2024, 10, 1), as_of=date(2024, 10, 10))  # October is not due yet
    row = (await measure(reporting.db, SYSTEM("test"), ask)).row("MERIT")
    assert [(held.reason, held.people, held.dong) for held in row.held_for] == [("SUSPECTED_IDENTITY", 1, 2 * MILLION)]
    assert (row.values["overdue_people"], row.values["overdue_dong"]) == (1, MILLION), "September's money is overdue, October's is not"


def with_layout(monkeypatch: pytest.MonkeyPatch, code: str, version: int) -> None:
    monkeypatch.setattr(papers, "newest", lambda: {code: layouts()[code, version]})


@pytest.mark.parametrize(
    ("code", "version", "due", "left"), [("merit-settlement-yearly", 2, "2", "9"), ("assistance-half-yearly", 2, "3", "9")]
)
async def test_a_report_frozen_by_the_older_rule_is_made_again_by_it(
    reporting: Reporting, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, code: str, version: int, due: str, left: str
) -> None:
    await reporting.hear(incoming(held_all_year().done()))
    with_layout(monkeypatch, code, version)
    report = await paper(officer, code, "2024-01")
    every = 78 * MILLION if due == "2" else 6
    programme = "MERIT" if due == "2" else "ALL"  # then every programme stood in the sum
    assert (cells(report, programme)[due], cells(report, programme)[left]) == (every, every)
    monkeypatch.undo()
    job = Job(UUID(int=1), "report_again", {"report_id": report["report_id"]}, "an.so", date(2025, 3, 31), 1)
    assert (await make_again(reporting.db, job))["same"] is True


async def test_what_was_left_before_the_reform_is_taken_over_after_it(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = Months()
    who = world.holds(None, 6, 6, path="60/593/1")
    world.lists(who, 7, 6, S.COLLECTED, path="68/1")
    later = [event.model_copy(update=_in_2025(event)) for event in world.done() if hasattr(event, "cycle_id")]
    await reporting.hear(incoming(reformed().events + later))
    year = cells(await paper(officer, "merit-settlement-yearly", "2025-01", "68"))
    assert (year["1"], year["2"], year["3"], year["5"], year["9"]) == (1, 2 * MILLION, 1, 2 * MILLION, 0)


def _in_2025(event: Any) -> dict[str, Any]:
    months = [f"2025{month[4:]}" for month in event.months]
    return {"month": f"2025{event.month[4:]}", "months": months, "business_date": date(2025, 7, 7)}


async def test_a_year_is_not_made_of_half_the_sums(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(held_all_year().done()))
    async with reporting.db.transaction() as tx:
        job = "(gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE)"
        await tx.execute(f"INSERT INTO job (id, kind, requested_by, business_date) VALUES {job}")
    asked = {"layout": "merit-settlement-yearly", "period": "2024-01", "unit_path": "60", "business_date": "2025-03-31"}
    assert (await officer.get("/v1/papers/preview", params=asked)).status_code == 503


async def test_sums_follow_whatever_comes_first(reporting: Reporting) -> None:
    """The later list is heard before the earlier one, and after it: the same."""
    events: Sequence[Any] = incoming(held_all_year().done())
    await reporting.hear(list(reversed(events)), batch=3)
    assert (await told(reporting, 1, 12))["due"] == (1, 1, 12 * MILLION)
