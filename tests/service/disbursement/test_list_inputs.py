"""Copies of other services' facts, and the cut-off that says whether they are complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common.actor import Role
from common.contracts.envelope import Event
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id

Due = Callable[..., Any]
TABLES = ("beneficiary", "representative", "dues", "due_interval", "verification", "payout_account", "payout_method")


async def contents(province: Any) -> dict[str, list[dict[str, Any]]]:
    return {table: await province.rows(f"SELECT t.* FROM {table} t ORDER BY CAST(t.* AS text)") for table in TABLES}


def story(province: Any, due: Due) -> list[Event]:
    """Several versions of everything about three people."""
    events: list[Event] = []
    for number in range(3):
        who, rep = new_id(), new_id()
        account_id = new_id()
        events += [
            province.beneficiary(who), province.dues(who, due(1_000 * (number + 1), "2024-01", end="2024-06"), due(2_000, "2024-07")),
            province.verified(who), province.account(who, account_id), province.method(who, "ACCOUNT", account_id=account_id),
            province.beneficiary(who, status="DECEASED"), province.dues(who, due(3_000, end="2024-08")),
            province.verified(who, Verdict.DECEASED), province.account(who, account_id, status="CLOSED"), province.method(who, "CASH_POST"),
            province.representative(who, rep), province.verified(who, subject=rep),
            province.representative(who, rep, valid_to=date(2024, 12, 31)),
        ]  # fmt: skip
    return events


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_and_duplicates_give_the_same_copies(
    province: Any, due: Due, shuffled: Callable[[Sequence[Event], int], list[Event]], seed: int
) -> None:
    events = story(province, due)
    for event in shuffled(events, seed):
        await province.hear(event)
    one_by_one = await contents(province)
    for table in TABLES:
        await province.rows(f"DELETE FROM {table} RETURNING 1")
    await province.hear(*shuffled(events, seed + 100))
    assert await contents(province) == one_by_one
    assert {row["status"] for row in one_by_one["beneficiary"]} == {"DECEASED"}
    assert [(row["amount"], row["to_month"]) for row in one_by_one["due_interval"]] == [(3_000, date(2024, 8, 1))] * 3
    assert {row["method"] for row in one_by_one["payout_method"]} == {"CASH_POST"}


async def test_only_our_own_sealed_number_is_kept(province: Any) -> None:
    who, account_id = new_id(), new_id()
    await province.hear(province.account(who, account_id))
    token = (await province.rows("SELECT account_number_token AS t FROM payout_account"))[0]["t"]
    assert province.keyring.open(token) == "0123456789"


async def test_compute_waits_for_every_marker(province: Any, due: Due) -> None:
    await province.hear(*province.by_account(new_id(), due(1_000)))
    cycle = await province.open(markers=False)
    await province.mark(cycle, skip=[("registry.dues.v1", 3), ("accounts.payout.v1", 0)])
    answer = await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/compute")
    body = answer.json()
    assert (answer.status_code, body["type"]) == (409, "/problems/inputs-incomplete")
    assert {(m["topic"], m["partition"]) for m in body["inputs"]["missing"]} == {("registry.dues.v1", 3), ("accounts.payout.v1", 0)}
    assert (body["inputs"]["expected"], body["inputs"]["arrived"]) == (32, 30)
    await province.mark(cycle)
    assert (await province.compute(cycle))["lines"] == 1


async def test_compute_refuses_totals_that_differ_until_a_new_cut_off(province: Any, due: Due) -> None:
    await province.hear(*province.by_account(new_id(), due(1_000)))
    cycle = await province.open(markers=False)
    await province.mark(cycle, due_in_month=77)
    answer = await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/compute")
    differing = answer.json()["inputs"]["differing"]
    assert answer.status_code == 409
    assert len(differing) == 8
    assert sum(item["totals"][0]["ours"] for item in differing) == 1_000
    assert {item["totals"][0]["theirs"] for item in differing} == {77}
    cycle = (await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/cut-off")).json()
    await province.mark(cycle)
    assert (await province.compute(cycle))["lines"] == 1


async def test_pages_and_scope(province: Any, due: Due) -> None:
    people = sorted(str(new_id()) for _ in range(5))
    for who in people:
        await province.hear(*province.by_account(UUID(who), due(1_000)))
    opened = await province.open()
    assert [item["reasons"] for item in (await province.maker.get("/v1/cycles")).json()["items"]] == [[]], "shown before it has a list"
    cycle = await province.compute(opened)
    path, seen, cursor = f"/v1/cycles/{cycle['cycle_id']}/lines?limit=2", [], None
    while True:
        page = (await province.maker.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [item["beneficiary_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == people
    commune = province.client_as(province.app, Role.COMMUNE_OFFICER, units=("60/593/22927",))
    assert (await commune.get(f"/v1/cycles/{cycle['cycle_id']}/lines")).json()["items"] == []
    assert [item["cycle_id"] for item in (await commune.get("/v1/cycles")).json()["items"]] == [cycle["cycle_id"]]
    other = province.client_as(province.app, Role.COMMUNE_OFFICER, units=("91",))
    assert (await other.get(f"/v1/cycles/{cycle['cycle_id']}")).status_code == 404
    assert (await other.get("/v1/cycles")).json()["items"] == []
    assert (await province.client_as(province.app).get("/v1/cycles")).status_code == 401
