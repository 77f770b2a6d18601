"""The catalogue as an officer reads it, and names of categories in lists written without accents."""

from __future__ import annotations

import unicodedata
from typing import Any

from registry_test_helpers import row

from common.actor import Role

PATH = "/v1/catalogue/categories"


async def _read(world: Any, **params: Any) -> dict[str, dict[str, Any]]:
    answer = await world.maker.get(PATH, params={"on": "2024-08-20"} | params)
    assert answer.status_code == 200, answer.text
    return {item["code"]: item for item in answer.json()["items"]}


async def test_an_officer_reads_codes_sums_by_month_and_the_law(world: Any) -> None:
    everything = await _read(world)
    severe = everything["SA6_S"]
    assert (severe["programme"], severe["benefit_line"], bool(severe["name_vi"])) == ("SOCIAL_ASSISTANCE", "A01", True)
    assert "Nghị định 20/2021" in severe["legal_basis"]
    now = [rate for rate in severe["rates"] if rate["from_month"] <= "2024-08" <= (rate["to_month"] or "9999-12")]
    assert [(rate["amount"], rate["percent"]) for rate in now] == [(750_000, None)]
    assert {item["programme"] for item in (await _read(world, programme="MERIT")).values()} == {"MERIT"}
    found = await _read(world, name="tham nien")
    assert found["MR_SENIORITY"]["per_quantity"] is True
    assert len({rate["percent"] for rate in everything["MR_WOUNDED"]["rates"]}) == 80
    before = {rate["amount"] for rate in (await _read(world, on="2024-06-30"))["SA6_S"]["rates"]}
    assert 750_000 not in before, "a sum is shown once it is known"


async def test_only_officers_read_names_that_tell_of_health(world: Any) -> None:
    for role in (Role.APPROVER, Role.COMMUNE_POLICE, Role.PARTNER, Role.INTEGRATOR, Role.OPERATOR):
        client = world.client_as(world.app, role, units=("60",), subject="other")
        assert (await client.get(PATH, params={"on": "2024-08-20"})).status_code == 403, role


async def test_a_name_without_accents_is_taken_where_it_names_one_category(world: Any) -> None:
    names = {code: item["name_vi"] for code, item in (await _read(world, name="SA6_")).items()}
    apart = unicodedata.normalize("NFD", names["SA6_S"])
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    assert bare == "Nguoi khuyet tat nang"
    await world.take([row("A-1", "060190000001", category=bare), row("A-2", "060190000002", category=names["SA6_S"].upper())])
    async with world.db.read() as tx:
        held = {item["category"] for item in await tx.rows("SELECT category FROM entitlement")}
    assert held == {"SA6_S"}
