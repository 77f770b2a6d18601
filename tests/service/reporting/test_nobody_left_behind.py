"""Nobody left behind: each state with whose turn it is and the days; filters, pages; never outside the caller's units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from reporting_builders import ASSISTANCE, DAY, MERIT, MONTH, Reporting, S, World, incoming, small_month

from common.actor import Role
from common.contracts.disbursement_v1 import Channel, HoldReason
from common.contracts.envelope import Event

ClientAs = Callable[..., httpx.AsyncClient]
URL = "/v1/reports/nobody-left-behind"


async def people(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """All pages."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {"month": MONTH, "unit_path": "60", "business_date": "2024-09-30"} | params | ({"cursor": cursor} if cursor else {})
        answer = await client.get(URL, params=asked)
        assert answer.status_code == 200, answer.text
        rows += answer.json()["rows"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return rows


async def test_each_state_says_whose_turn_it_is_and_since_when(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    rows = await people(client_as(reporting.app, Role.DEPARTMENT_OFFICER))
    turns = {row["state"]: (row["turn"], row["days_waiting"]) for row in rows if row["reason"] != "DECEASED"}
    days = 41  # 2024-08-20 … 2024-09-30
    assert turns == {
        "PAID_BY_ACCOUNT": (None, None),
        "PAID_IN_CASH": (None, None),
        "FAILED": ("COMMUNE_OFFICER", days),
        "HELD": ("COMMUNE_POLICE", days),
        "UNCOLLECTED": ("COMMUNE_OFFICER", days),
        "RELEASED": ("DEPARTMENT_OFFICER", days),
    }
    for row in rows:
        assert (row["turn"] is None) == (row["act_text"] is None) == row["state"].startswith("PAID")
        assert row["since"] == DAY.isoformat()


async def test_filters_narrow_and_pages_add_up(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    client = client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    everybody = await people(client)
    assert [row["beneficiary_id"] for row in await people(client, limit=1)] == [row["beneficiary_id"] for row in everybody]
    for params, wanted in (
        ({"waiting": True}, lambda row: row["turn"] is not None),
        ({"state": ["FAILED", "HELD"]}, lambda row: row["state"] in ("FAILED", "HELD")),
        ({"state": "PAID_IN_CASH"}, lambda row: row["state"] == "PAID_IN_CASH"),
        ({"state": ["RELEASED", "PAID_BY_ACCOUNT"], "limit": 2}, lambda row: row["state"] in ("RELEASED", "PAID_BY_ACCOUNT")),
        ({"turn": "COMMUNE_OFFICER"}, lambda row: row["turn"] == "COMMUNE_OFFICER"),
        ({"turn": "COMMUNE_POLICE", "limit": 1}, lambda row: row["turn"] == "COMMUNE_POLICE"),
        ({"programme": "MERIT"}, lambda row: row["programme"] == "MERIT"),
        ({"min_days": 41}, lambda row: row["turn"] is not None),
        ({"min_days": 42}, lambda row: False),
        ({"waiting": True, "unit_path": "60/594"}, lambda row: row["turn"] is not None and row["unit_path"].startswith("60/594")),
    ):
        expected = [row["beneficiary_id"] for row in everybody if wanted(row)]
        assert [row["beneficiary_id"] for row in await people(client, **params)] == expected, params
        assert expected or params == {"min_days": 42}


async def test_a_replaced_attempt_does_not_wait_and_neither_does_a_month_paid_later(reporting: Reporting, client_as: ClientAs) -> None:
    """The first attempt came back and cash was collected; another one's money went with October's list."""
    world = small_month()
    rolled = world.paid("60/594/23235", MERIT, Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], reason="NOT_COLLECTED")
    later = World(people=90)
    later.paid("60/594/23235", MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], who=rolled, attempt=9)
    october: list[Event] = [
        event.model_copy(update={"month": "2024-10", "months": [MONTH, "2024-10"], "cycle_id": event.payment_id}) for event in later.events
    ]
    await reporting.hear(incoming(world.events + october))
    client = client_as(reporting.app, Role.AUDITOR)
    waiting = await people(client, waiting=True)
    assert "RETURNED" not in {row["state"] for row in waiting}
    assert str(rolled) not in {row["beneficiary_id"] for row in waiting}
    (row,) = [row for row in await people(client) if row["beneficiary_id"] == str(rolled)]
    assert (row["state"], row["paid_in"], row["turn"], row["days_waiting"]) == ("UNCOLLECTED", "2024-10", None, None)


async def test_arrears_beside_a_payment_nobody_knows_about_do_not_hide_it(reporting: Reporting, client_as: ClientAs) -> None:
    """A back-dated rate: October's list pays September's 40,000 more while September's 500,000 are still with nobody."""
    world = World()
    who = [world.paid("60/594/23235", MERIT, Channel.BANK, [S.APPROVED, S.UNKNOWN], reason="NO_ANSWER") for _ in range(2)]
    later = World(people=90)
    later.paid("60/594/23235", MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], amount=580_000, who=who[0], attempt=9)
    october: list[Event] = [
        event.model_copy(update={"month": "2024-10", "months": [MONTH, "2024-10"], "cycle_id": event.payment_id}) for event in later.events
    ]
    await reporting.hear(incoming(world.events + october))
    client = client_as(reporting.app, Role.AUDITOR)
    waiting = await people(client, waiting=True)
    assert {row["beneficiary_id"] for row in waiting} == {str(one) for one in who}
    assert {(row["state"], row["paid_in"]) for row in waiting} == {("UNKNOWN", None)}
    params = {"unit_path": "60", "month": MONTH}
    rows = {row["group"]: row["values"] for row in (await client.get("/v1/indicators", params=params)).json()["rows"]}
    assert (rows["MERIT"]["unpaid_people"], rows["MERIT"]["overdue_people"]) == (2, 2)


async def test_another_units_people_are_not_there(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    commune = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("60/594/23235",))
    assert {row["unit_path"] for row in await people(commune, unit_path="60/594/23235")} == {"60/594/23235"}
    assert (await commune.get(URL, params={"month": MONTH, "unit_path": "60", "waiting": True})).status_code == 404
    assert (await commune.get(URL, params={"month": MONTH, "turn": "NOBODY"})).status_code == 422


async def test_a_held_person_with_a_failed_attempt_waits_once(reporting: Reporting, client_as: ClientAs) -> None:
    world = World()
    who = world.paid("60/593/22924", ASSISTANCE, Channel.BANK, [S.APPROVED, S.FAILED], reason="ACCOUNT_CLOSED")
    world.held("60/593/22924", ASSISTANCE, HoldReason.FRAUD_SUSPECTED, who=who)
    await reporting.hear(incoming(world.events))
    client = client_as(reporting.app, Role.AUDITOR)
    assert [(row["state"], row["reason"]) for row in await people(client, waiting=True)] == [("HELD", "FRAUD_SUSPECTED")]
    assert await people(client, state="FAILED") == []
