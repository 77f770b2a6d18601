"""The figures over HTTP: coverage, channels, outcomes, nobody left behind, totals; roles and units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from reporting_builders import ASSISTANCE, MERIT, MONTH, Reporting, S, World, incoming, small_month

from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel, HoldReason
from reporting.storage import sums

ClientAs = Callable[..., httpx.AsyncClient]


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params={"month": MONTH} | params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pick(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return found


async def test_coverage_counts_everybody_due_once(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    rows = (await get(client_as(reporting.app, Role.DEPARTMENT_OFFICER), "/v1/reports/coverage", unit_path="60"))["rows"]
    merit = pick(rows, programme="MERIT", unit_code="593")
    assert (merit["total_people"], merit["paid_by_account_people"], merit["rate"], merit["rate_percent"]) == (3, 2, "66.7", 66.7)
    assert (merit["amount_paid_by_account"], merit["amount_paid_total"]) == (3_789_001, 6_789_001)
    assert merit["unit_name"] == "Thành phố Phan Thiết"
    assistance = pick(rows, programme="SOCIAL_ASSISTANCE", unit_code="593")
    assert (assistance["total_people"], assistance["paid_by_account_people"], assistance["rate"]) == (4, 1, "25.0")
    assert (assistance["amount_paid_by_account"], assistance["amount_paid_total"]) == (500_000, 1_000_000)
    la_gi = pick(rows, programme="SOCIAL_ASSISTANCE", unit_code="594")
    assert (la_gi["total_people"], la_gi["paid_by_account_people"], la_gi["rate"]) == (2, 0, "0.0")
    province = pick(rows, programme="ALL", is_total=True)
    assert (province["total_people"], province["paid_by_account_people"], province["rate"]) == (9, 3, "33.3")
    assert province["unit_name"] == "Tỉnh Bình Thuận"


PUBLISHED = """
    INSERT INTO payment
    SELECT gen_random_uuid(), 2, '00000000-0000-0000-0000-000000000001', b, b, 'SELF',
           CASE WHEN by_account THEN 'SETTLED' ELSE 'COLLECTED' END, 1, 'R' || programme || n, 1000, '2024-09-01', '{2024-09}',
           programme, 'LOCAL_BUDGET', CASE WHEN by_account THEN (ARRAY['BANK', 'WALLET', 'MOBILE_MONEY'])[1 + n % 3] ELSE 'CASH_POST' END,
           'x', NULL, NULL, '22924', '60/593/22924', '2024-08-20', now()
    FROM (SELECT programme, n, n <= paid AS by_account, gen_random_uuid() AS b
          FROM (VALUES ('MERIT', 9137, 3728), ('SOCIAL_ASSISTANCE', 45486, 12667)) AS v (programme, total, paid),
               generate_series(1, total) AS n) AS p
"""


async def test_coverage_of_the_published_month(reporting: Reporting, client_as: ClientAs) -> None:
    """Bình Thuận, September 2024: 3,728 of 9,137 and 12,667 of 45,486 people, as published."""
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await tx.execute(PUBLISHED)
        await sums.make_all(tx, "")
    rows = (await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/coverage", unit_path="60"))["rows"]
    assert {row["programme"]: (row["paid_by_account_people"], row["total_people"], row["rate"]) for row in rows if row["is_total"]} == {
        "MERIT": (3_728, 9_137, "40.8"),
        "SOCIAL_ASSISTANCE": (12_667, 45_486, "27.8"),
        "ALL": (16_395, 54_623, "30.0"),
    }
    two = (await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/coverage", unit_path="60", decimals=2))["rows"]
    assert pick(two, programme="ALL", is_total=True)["rate"] == "30.01"
    assert pick(rows, programme="ALL", is_total=True)["amount_paid_by_account"] == 16_395_000


async def test_a_person_in_two_programmes_counts_twice_in_the_sum_and_once_as_a_person(reporting: Reporting, client_as: ClientAs) -> None:
    world = World()
    both = world.paid("60/593/22924", MERIT, Channel.BANK, [S.SETTLED])
    world.paid("60/593/22924", ASSISTANCE, Channel.CASH_POST, [S.COLLECTED], who=both)
    await reporting.hear(incoming(world.events))
    rows = (await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/coverage", unit_path="60"))["rows"]
    everything = pick(rows, programme="ALL", is_total=True)
    assert (everything["total_people"], everything["distinct_people"]) == (2, 1)


async def test_channels(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    rows = (await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/channels", unit_path="60"))["rows"]
    post = pick(rows, programme="SOCIAL_ASSISTANCE", channel="CASH_POST")
    assert (post["people"], post["paid_people"], post["paid_amount"]) == (1, 1, 500_000)
    assert post["channel_text"] == {"vi": "Tiền mặt tại bưu điện", "en": "Cash at the post office"}
    bank = pick(rows, programme="SOCIAL_ASSISTANCE", channel="BANK")  # the returned one was re-issued as cash
    assert (bank["people"], bank["paid_people"], bank["amount"]) == (1, 0, 750_000)


async def test_outcomes_name_reasons_and_states_sum_to_everybody(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    body = await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/outcomes", unit_path="60")
    assert {(row["state"], row["reason"]): row["people"] for row in body["rows"]} == {
        ("FAILED", "ACCOUNT_CLOSED"): 1,
        ("HELD", "DECEASED"): 1,
        ("HELD", "SUSPECTED_IDENTITY"): 1,
        ("RELEASED", "NOT_VERIFIED"): 1,
        ("UNCOLLECTED", "NOT_COLLECTED"): 1,
    }
    held = pick(body["rows"], reason="SUSPECTED_IDENTITY")
    assert held["actor"] == "COMMUNE_POLICE"
    assert held["reason_text"]["vi"].startswith("Nghi sai nhân thân")
    assert sum(row["people"] for row in body["states"]) == 10  # nine due and the deceased one


async def test_nobody_left_behind_gives_each_person_once_over_any_pages(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    client = client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    for limit in (1, 2, 3, 200):
        seen, cursor = [], None
        while True:
            page = await get(
                client, "/v1/reports/nobody-left-behind", unit_path="60", limit=limit, **({"cursor": cursor} if cursor else {})
            )
            seen += page["rows"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == 10
        assert len({UUID(row["beneficiary_id"]) for row in seen}) == 10
        assert [row["unit_path"] for row in seen] == sorted(row["unit_path"] for row in seen)
    again = pick(seen, state="PAID_IN_CASH", programme="SOCIAL_ASSISTANCE")
    assert again["file_code"].startswith("HS-")
    assert again["unit_name"] == "Phường Mũi Né"
    bad = await client.get("/v1/reports/nobody-left-behind", params={"month": MONTH, "unit_path": "60", "cursor": "bm90LWEtY3Vyc29y"})
    assert (bad.status_code, bad.json()["type"]) == (422, "/problems/bad-cursor")


async def test_a_payment_withdrawn_into_a_hold_is_held(reporting: Reporting, client_as: ClientAs) -> None:
    world = World()
    who = world.paid("60/593/22924", MERIT, Channel.BANK, [S.APPROVED, S.FAILED])
    world.held("60/593/22924", MERIT, HoldReason.ACCOUNT_CHANGED, who=who)
    await reporting.hear(incoming(world.events))
    rows = (await get(client_as(reporting.app, Role.AUDITOR), "/v1/reports/nobody-left-behind", unit_path="60"))["rows"]
    assert [(row["state"], row["reason"]) for row in rows] == [("HELD", "ACCOUNT_CHANGED")]


async def test_people_whose_amount_nobody_knows_are_not_left_out(reporting: Reporting, client_as: ClientAs) -> None:
    world = World()
    here = "60/593/22924"
    reasons = (HoldReason.RATE_MISSING, HoldReason.DATA_PARKED, HoldReason.SUSPECTED_IDENTITY)
    unknown = {str(world.held(here, MERIT, reason, 0)) for reason in reasons}
    world.held(here, MERIT, HoldReason.STOPPED, 0)  # nothing due
    await reporting.hear(incoming(world.events))
    client = client_as(reporting.app, Role.AUDITOR)
    rows = (await get(client, "/v1/reports/nobody-left-behind", unit_path="60"))["rows"]
    assert {row["beneficiary_id"] for row in rows} == unknown
    assert {(row["state"], row["amount"]) for row in rows} == {("HELD", 0)}
    assert sum(row["people"] for row in (await get(client, "/v1/reports/outcomes", unit_path="60"))["states"]) == len(reasons)


async def test_payments_total_holds_every_attempt(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    client = client_as(reporting.app, Role.OPERATOR)
    body = await get(client, "/v1/reports/payments-total", unit_path="60")
    assert (body["payments"], body["amount"]) == (8, 2_789_000 + 1_000_001 + 3_000_000 + 500_000 + 750_000 + 3 * 500_000)
    assert pick(body["rows"], status="RETURNED")["amount"] == 500_000
    everything = await client.get("/v1/reports/payments-total", params={"unit_path": "60"})
    assert everything.json()["amount"] == body["amount"]
    other = await get(client, "/v1/reports/payments-total", unit_path="60", month="2024-08")
    assert (other["payments"], other["rows"]) == (0, [])


async def test_a_unit_sees_its_own_and_what_lies_below(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    la_gi = client_as(reporting.app, Role.DISTRICT_OFFICER, units=("60/594",))
    rows = (await get(la_gi, "/v1/reports/coverage"))["rows"]  # the only unit is the default
    assert pick(rows, programme="ALL", is_total=True)["total_people"] == 2
    for path in ("60", "60/593", "60/59", "60/5940"):
        answer = await la_gi.get("/v1/reports/coverage", params={"month": MONTH, "unit_path": path})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unit-not-found")
    unknown = await client_as(reporting.app, Role.AUDITOR, units=("60", "42")).get("/v1/reports/coverage", params={"month": MONTH})
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/unit-needed")


REPORTS = ("coverage", "channels", "outcomes", "nobody-left-behind", "payments-total")


@pytest.mark.parametrize("report", REPORTS)
async def test_who_may_read_reports(reporting: Reporting, client_as: ClientAs, report: str) -> None:
    path, params = f"/v1/reports/{report}", {"month": MONTH, "unit_path": "60"}
    assert (await client_as(reporting.app).get(path, params=params)).status_code == 401
    for role in (Role.PARTNER, Role.COMMUNE_POLICE):
        assert (await client_as(reporting.app, role).get(path, params=params)).status_code == 403
    for role in (Role.COMMUNE_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR, Role.INTEGRATOR):
        assert (await client_as(reporting.app, role).get(path, params=params)).status_code == 200
    bad = await client_as(reporting.app, Role.AUDITOR).get(path, params=params | {"month": "09/2024"})
    assert (bad.status_code, bad.headers["content-type"], bad.json()["type"]) == (422, "application/problem+json", "/problems/bad-month")


async def test_operation_routes(reporting: Reporting, client_as: ClientAs) -> None:
    operator = client_as(reporting.app, Role.OPERATOR)
    lag = (await operator.get("/v1/lag")).json()
    assert lag == {"behind": 0, "oldest": None, "rows": []}
    accepted = await operator.post("/v1/rebuild")
    assert accepted.status_code == 202
    job = (await operator.get(f"/v1/jobs/{accepted.json()['job_id']}")).json()
    assert (job["kind"], job["state"]) == ("rebuild", "QUEUED")
    assert (await operator.post("/v1/rebuild")).status_code == 409
    assert (await operator.get("/v1/quiet")).json()["waiting"]["jobs_active"] == 1
    assert (await client_as(reporting.app, Role.AUDITOR).post("/v1/rebuild")).status_code == 403
