"""Of what nothing is due any more nobody waits: two files of one person merged, a death told late, an allowance that had ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from reporting_builders import ASSISTANCE, DAY, MERIT, MONTH, Reporting, S, World, incoming

from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel, HoldReason
from common.contracts.registry_v1 import BeneficiaryRegistered, BeneficiaryStatus, DueInterval, DuesChanged, DuesLine, DueStatus
from reporting.storage.statutory import layouts
from reporting.usecases import papers
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask

ClientAs = Callable[..., httpx.AsyncClient]
UNIT = "60/593/22924"
SEPTEMBER = date(2024, 9, 1)


def dues(who: UUID, version: int, *until: str | None) -> DuesChanged:
    """One line a month given: due from January up to it."""
    lines = [
        DuesLine(
            programme=ASSISTANCE, funding_source="LOCAL_BUDGET", benefit_line=f"A0{number}",
            intervals=[DueInterval(from_month="2024-01", to_month=last, amount=500_000, basis="x", decision_number=None,
                                   status=DueStatus.DUE, explicit_arrears=False)],
        )
        for number, last in enumerate(until)
    ]  # fmt: skip
    return DuesChanged(version=version, business_date=DAY, beneficiary_id=who, unit_code="22924", unit_path=UNIT, lines=lines)


async def figures(reporting: Reporting, **more: Any) -> dict[str, int]:
    asked = Ask(first=SEPTEMBER, last=SEPTEMBER, unit_path="60", as_of=date(2024, 9, 30), **more)
    values = (await measure(reporting.db, SYSTEM("test"), asked)).row("ALL").values
    return {code: values[code] for code in ("due_people", "unpaid_people", "overdue_people", "unpaid_dong")}


async def waiting(reporting: Reporting, client_as: ClientAs, **more: Any) -> list[tuple[str, str | None]]:
    asked = {"month": MONTH, "unit_path": "60", "business_date": "2024-09-30", "waiting": "true", **more}
    rows = (await client_as(reporting.app, Role.DEPARTMENT_OFFICER).get("/v1/reports/nobody-left-behind", params=asked)).json()["rows"]
    return sorted((row["state"], row["turn"]) for row in rows)


@pytest.mark.parametrize("backwards", [False, True])
async def test_what_is_owed_to_nobody_is_not_unpaid(reporting: Reporting, client_as: ClientAs, backwards: bool) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    merged = world.held(UNIT, ASSISTANCE, HoldReason.DUPLICATE)
    dead = world.held(UNIT, ASSISTANCE, HoldReason.NOT_VERIFIED)
    ended = world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED, S.RETURNED], reason="CLOSED")
    stays = world.held(UNIT, ASSISTANCE, HoldReason.NOT_VERIFIED)
    paid = world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED])
    world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], reason="CLOSED")  # of whom nobody said what is due
    people = (merged, dead, ended, stays, paid)
    before = [*world.events, *(dues(who, 1, None) for who in people)]
    await reporting.hear(incoming(before))
    assert await figures(reporting) == {"due_people": 6, "unpaid_people": 5, "overdue_people": 5, "unpaid_dong": 2_500_000}
    after = [dues(merged, 2), dues(dead, 2, "2024-08"), dues(ended, 2, "2024-07", "2024-08"), dues(stays, 2, "2024-03", "2024-09"),
             dues(paid, 2)]  # fmt: skip
    await reporting.hear(incoming(after[::-1] if backwards else after), batch=2)
    assert await figures(reporting) == {"due_people": 6, "unpaid_people": 2, "overdue_people": 2, "unpaid_dong": 1_000_000}
    assert await waiting(reporting, client_as) == [("FAILED", "COMMUNE_OFFICER"), ("HELD", "COMMUNE_POLICE")]
    assert await waiting(reporting, client_as, turn="COMMUNE_POLICE") == [("HELD", "COMMUNE_POLICE")]
    as_it_was = await figures(reporting, as_listed=True)
    assert as_it_was["unpaid_people"] == 5, "papers of before are made again by the rules of their time"
    await reporting.hear(incoming([dues(merged, 3, None)]))  # the merge was undone
    assert (await figures(reporting))["unpaid_people"] == 3


async def test_a_paper_of_before_counts_as_it_did(reporting: Reporting, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    who = world.held(UNIT, ASSISTANCE, HoldReason.DUPLICATE)
    await reporting.hear(incoming([*world.events, dues(who, 1)]))
    found = {}
    for version in (1, 2, 3):
        layout = layouts()["directive-21-monthly", version]
        monkeypatch.setattr(papers, "layout_of", lambda _, chosen=layout: chosen)
        wanted = papers.wanted_of(SYSTEM("test"), layout.code, MONTH, "60", None, date(2024, 10, 3))
        _, rows = await papers.preview(reporting.db, SYSTEM("test"), wanted)
        (key,) = [column.key for column in layout.columns if column.figure == "unpaid_people"]
        found[version] = next(row["cells"][key] for row in rows if row["programme"] == "ALL" and row["is_total"])
    assert found == {1: 1, 2: 1, 3: 0}


async def test_a_statement_tells_what_was_paid_under_a_merged_file_and_holds_nothing_that_is_not_due(
    reporting: Reporting, client_as: ClientAs
) -> None:
    world = World()
    world.unit(UNIT, "Phường Mũi Né", valid_to="2025-06-30")
    other = world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], 480_000)
    world.held(UNIT, ASSISTANCE, HoldReason.DUPLICATE, 70_000, who=other, number=2)
    stays = world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], 510_000)
    stranger = world.paid(UNIT, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], 1)
    files = {event.beneficiary_id: event for event in world.events if isinstance(event, BeneficiaryRegistered)}
    gone = files[other].model_copy(update={"version": 2, "status": BeneficiaryStatus.LEFT, "merged_into": stays})
    await reporting.hear(incoming([*world.events, gone, dues(other, 1), dues(stays, 1, None)]))
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,))
    asked = {"since": "2024-01", "until": "2024-12", "purpose": "Người hưởng đề nghị"}

    async def said(who: UUID) -> tuple[int, list[int], list[int]]:
        view = (await officer.get(f"/v1/statements/{who}", params=asked)).json()
        return view["paid"], sorted(one["amount"] for one in view["payments"]), [one["amount"] for one in view["holds"]]

    assert await said(stays) == (990_000, [480_000, 510_000], [])
    assert await said(other) == (480_000, [480_000], [])
    assert await said(stranger) == (1, [1], [])
    back = files[other].model_copy(update={"version": 3})
    await reporting.hear(incoming([back, dues(other, 2, None)]))
    assert await said(stays) == (510_000, [510_000], [])
    assert await said(other) == (480_000, [480_000], [70_000])
