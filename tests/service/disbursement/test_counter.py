"""The counter: by code, number or name within the officer's units, with the one answer that helps."""

from __future__ import annotations

import unicodedata
from typing import Any

import httpx
import pytest

from common.auth import Role
from common.ids import new_id

NUMBER = "060150001234"


@pytest.fixture
def commune(province: Any) -> httpx.AsyncClient:
    """An officer of the first commune."""
    client: httpx.AsyncClient = province.client_as(province.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="commune")
    return client


async def _ask(client: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    answer = await client.post("/v1/counter", json={"month": "2024-09", **wanted})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["people"]
    return found


async def _code(client: httpx.AsyncClient, **wanted: Any) -> str:
    (person,) = await _ask(client, **wanted)
    (due,) = person["due"]
    assert due["answer"]["vi"]
    assert due["answer"]["act_en"]
    return str(due["answer"]["code"])


async def test_the_answer_follows_the_money(province: Any, commune: httpx.AsyncClient, due: Any) -> None:
    who, held = new_id(), new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    await province.hear(province.beneficiary(held), province.dues(held, due(500_000)), province.method(held, "CASH_POST"))
    mine = {"file_code": f"BT-{who.hex[-6:]}"}
    assert await _code(commune, **mine) == "NO_LIST"
    cycle = await province.open()
    await province.compute(cycle)
    assert await _code(commune, **mine) == "LISTED"
    assert await _code(commune, file_code=f"BT-{held.hex[-6:]}") == "HELD_NOT_VERIFIED"
    await province.submit(cycle)
    assert (await province.approve(cycle)).status_code == 200
    assert await _code(commune, **mine) == "ON_ITS_WAY"
    (person,) = await _ask(commune, **mine)
    assert (person["method"], person["masked_number"], person["due"][0]["due"], person["due"][0]["committed"]) == (
        "ACCOUNT", "…6789", 500_000, 500_000,
    )  # fmt: skip
    assert [payment["status"] for payment in person["payments"]] == ["APPROVED"]


async def test_a_name_needs_no_accents_and_only_ones_own_people_are_found(province: Any, commune: httpx.AsyncClient, due: Any) -> None:
    here, there = new_id(), new_id()
    await province.hear(
        province.beneficiary(here), province.dues(here, due(1)), province.beneficiary(there, unit_code="22927", unit_path="60/593/22927")
    )
    assert [person["beneficiary_id"] for person in await _ask(commune, name="nguyen VĂN")] == [str(here)]
    assert await _ask(commune, name="nguyen van", birth_year="1951") == []
    assert (await commune.post("/v1/counter", json={"month": "2024-09", "name": "n%"})).status_code == 422
    assert (await commune.post("/v1/counter", json={"month": "2024-09"})).status_code == 422


async def test_a_number_finds_its_person_and_is_kept_nowhere(province: Any, commune: httpx.AsyncClient, keyring: Any) -> None:
    who = new_id()
    index = keyring("registry").lookup("disbursement", "national_number", NUMBER)
    event = province.beneficiary(who)
    await province.hear(event.model_copy(update={"number_index": {"disbursement": index, "accounts": "k1:other"}}))
    assert [person["beneficiary_id"] for person in await _ask(commune, number=NUMBER)] == [str(who)]
    assert await _ask(commune, number="060150001235") == []
    (row,) = await province.rows("SELECT detail FROM audit_log WHERE action = 'counter.search' ORDER BY id DESC OFFSET 1 LIMIT 1")
    assert NUMBER not in str(row)
    assert NUMBER not in index
    (kept,) = await province.rows("SELECT number_index FROM beneficiary")
    assert kept["number_index"] == index


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _joined(text: str) -> str:
    return "\u200b".join(text) + "\ufeff"


@pytest.mark.parametrize("form", [lambda text: unicodedata.normalize("NFD", text), _wide, _joined])
async def test_however_it_was_typed_it_is_the_same_person(province: Any, commune: httpx.AsyncClient, keyring: Any, form: Any) -> None:
    who = new_id()
    index = keyring("registry").lookup("disbursement", "national_number", NUMBER)
    event = province.beneficiary(who)
    await province.hear(event.model_copy(update={"number_index": {"disbursement": index}, "full_name": "H'Đường  Niê-Kđăm"}))
    for wanted in ({"name": form("H'Đường Niê"), "birth_year": form("1950")}, {"number": form(NUMBER)},
                   {"file_code": form(event.file_code)}, {"name": form("hduong nie kdam")}):  # fmt: skip
        assert [person["beneficiary_id"] for person in await _ask(commune, **wanted)] == [str(who)], wanted
    arabic = await commune.post("/v1/counter", json={"month": "2024-09", "number": NUMBER.replace("1", "\u0661")})
    assert arabic.status_code == 422


async def test_nothing_due_says_so(province: Any, commune: httpx.AsyncClient, due: Any) -> None:
    who = new_id()
    await province.hear(province.beneficiary(who), province.dues(who, due(500_000, "2024-01", "2024-05")))
    (person,) = await _ask(commune, file_code=f"BT-{who.hex[-6:]}")
    assert (person["due"], person["payments"]) == ([], [])
