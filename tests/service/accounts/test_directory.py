"""The directory as data: dated names, shared BINs, aliases, offers, contracts and settings, changed by two people."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from accounts.providers.directory import load_directory
from accounts.storage import directory as storage
from accounts.usecases import directory as uses
from common.actor import SYSTEM, Role
from common.ids import new_id

DAY = "2024-08-20"
_CONTRACT = {"number": "1", "provider_code": "AGRIBANK", "scope": "xx", "fee_basis_points": 1, "valid_from": DAY}
_OFFER = {"provider_code": "AGRIBANK", "kind": "OPENING", "amount": 1, "source": "xx", "valid_from": DAY}


async def propose(client: Any, kind: str, body: dict[str, Any]) -> Any:
    change = {"kind": kind, "body": body, "business_date": DAY}
    return await client.post("/v1/change-requests", json=change, headers={"Idempotency-Key": new_id().hex})


@pytest.fixture
def two(world: Any, client_as: Any) -> tuple[Any, Any]:
    return (client_as(world.app, Role.DEPARTMENT_OFFICER, subject="first"), client_as(world.app, Role.DEPARTMENT_OFFICER, subject="second"))


async def changed(two: tuple[Any, Any], kind: str, body: dict[str, Any]) -> dict[str, Any]:
    first, second = two
    made = await propose(first, kind, body)
    assert made.status_code == 201, made.text
    path = f"/v1/change-requests/{made.json()['request_id']}/decision"
    alone = await first.post(path, json={"approve": True})
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/same-person")
    decided = await second.post(path, json={"approve": True})
    assert decided.status_code == 200, decided.text
    assert (await second.post(path, json={"approve": True})).status_code == 409
    return dict(decided.json())


async def test_the_database_finds_what_the_files_find(world) -> None:
    async with world.db.read() as tx:
        providers, names = await storage.current(tx)
    files = load_directory()
    known = load_directory()
    known.replace(providers, names)
    assert set(known.providers) == set(files.providers)
    for text in (
        "Liên Việt",
        "LienVietPostBank",
        "Nông nghiệp",
        "Đông Á",
        "Ocean Bank",
        "OCEANBANK",
        "Nam Á",
        "Viettel Money",
        "Ví MoMo",
        "VBA",
    ):
        found, expected = known.find(text), files.find(text)
        assert found is not None, text
        assert found == expected or (expected is not None and found.code == expected.code), text
    assert known.find("VNPost") is None  # the post keeps no accounts


async def test_loading_again_changes_nothing_and_keeps_what_people_changed(world, two) -> None:
    async with world.db.transaction(SYSTEM("t")) as tx:
        assert set((await uses.load_reference(tx)).values()) == {0}
    body = {"code": "LPBANK", "type_code": "BANK", "partner": "lpbank", "channels": ["BANK"], "inquiries_per_second": "2"}
    await changed(two, "PROVIDER", body)
    async with world.db.transaction(SYSTEM("t")) as tx:
        assert (await uses.load_reference(tx))["providers"] == 0
    one = (await world.operator.get("/v1/providers/lpbank")).json()
    assert (one["inquiries_per_second"], one["holder_id_check"]) == ("2", False)


async def test_limits_set_by_two_people_are_said_once_to_the_payer(world, two) -> None:
    body = {"code": "AGRIBANK", "type_code": "BANK", "partner": "agribank", "channels": ["BANK"], "limit_per_payment": 50_000_000}
    for more in ({}, {}, {"limit_per_payment": None, "limit_per_month": 90_000_000}):
        await changed(two, "PROVIDER", body | more)
    async with world.db.read() as tx:
        rows = await tx.rows("SELECT body FROM outbox WHERE type = 'ProviderLimitsSet' ORDER BY id")
    said = [orjson.loads(row["body"]) for row in rows]
    assert [(item["provider_code"], item["version"], item["per_payment"], item["per_month"]) for item in said] == [
        ("AGRIBANK", 1, 50_000_000, None),
        ("AGRIBANK", 2, None, 90_000_000),
    ]


async def test_renamed_banks_share_a_bin_and_bear_names_by_date(world, two) -> None:
    every = (await world.operator.get("/v1/providers")).json()
    shared = sorted(item["code"] for item in every if "970449" in item["bins"])
    assert shared == ["LIENVIETPOSTBANK", "LPBANK"]
    post = next(item for item in every if item["code"] == "VNPOST")
    assert (post["kind"], post["channels"]) == (None, ["CASH_POST", "CASH_HOME"])
    await changed(
        two, "PROVIDER_NAME", {"provider_code": "VIKKI", "name": "Ngân hàng số Vikki", "short_name": "Vikki", "valid_from": "2025-02-01"}
    )
    before = (await world.operator.get("/v1/providers/VIKKI", params={"on": "2024-12-31"})).json()
    after = (await world.operator.get("/v1/providers/VIKKI", params={"on": "2025-03-01"})).json()
    assert (before["short_name"], after["short_name"]) == ("Vikki Bank", "Vikki")
    assert [name["valid_from"] for name in after["names"]] == [None, "2025-02-01"]


async def test_an_alias_and_a_new_type_are_found_at_once(world, two) -> None:
    assert (await world.operator.get("/v1/providers", params={"name": "Ngân hàng chị Tư"})).json() == []
    await changed(two, "PROVIDER_ALIAS", {"provider_code": "AGRIBANK", "alias": "Ngân hàng chị Tư"})
    assert [item["code"] for item in (await world.operator.get("/v1/providers", params={"name": "ngan hang CHI TU"})).json()] == [
        "AGRIBANK"
    ]
    await changed(
        two, "PROVIDER_TYPE", {"code": "CREDIT_FUND", "name_vi": "Quỹ tín dụng nhân dân", "name_en": "Credit fund", "account_kind": "BANK"}
    )
    await changed(two, "PROVIDER", {"code": "QTD01", "type_code": "CREDIT_FUND"})
    await changed(
        two, "PROVIDER_NAME", {"provider_code": "QTD01", "name": "QTDND Đức Linh", "short_name": "QTD Đức Linh", "valid_from": DAY}
    )
    found = (await world.operator.get("/v1/providers", params={"type": "CREDIT_FUND"})).json()
    assert [(item["code"], item["partner"]) for item in found] == [("QTD01", None)]


async def test_several_contracts_and_offers_by_date(world, two, client_as) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà")])
    contract = {
        "unit_code": "22924",
        "provider_code": "AGRIBANK",
        "programme": "MERIT",
        "scope": "Chi trả qua tài khoản",
        "fee_basis_points": 40,
    }
    await changed(two, "CONTRACT", {**contract, "number": "12/HĐ", "valid_from": "2024-01-01", "valid_to": "2024-12-31"})
    await changed(two, "CONTRACT", {**contract, "number": "13/HĐ", "programme": None, "fee_basis_points": 0, "valid_from": "2024-06-01"})

    async def numbers(client: Any, **params: str) -> list[str]:
        page = (await client.get("/v1/provider-contracts", params=params)).json()
        return [item["number"] for item in page["items"]]

    assert await numbers(world.operator) == ["12/HĐ", "13/HĐ"]
    assert await numbers(world.operator, on="2025-01-01") == ["13/HĐ"]
    assert await numbers(client_as(world.app, Role.AUDITOR, units=("60/594",))) == []
    offer = {"provider_code": "AGRIBANK", "kind": "WITHDRAWAL", "source": "CV 12/NHNo", "valid_from": "2024-01-01"}
    await changed(two, "FEE_OFFER", {**offer, "amount": 0, "valid_to": "2024-12-31"})
    one = (await world.operator.get("/v1/providers/AGRIBANK")).json()
    assert [(item["kind"], item["amount"], item["valid_to"]) for item in one["fee_offers"]] == [("WITHDRAWAL", 0, "2024-12-31")]


async def test_what_is_not_possible_names_its_field(world, two, client_as) -> None:
    first, _ = two
    for kind, body, status in (
        ("SETTING", {"code": "COOL_DOWN_DAYS", "value": "1000"}, 422),
        ("SETTING", {"code": "NO_SUCH", "value": "1"}, 422),
        ("PROVIDER_ALIAS", {"provider_code": "NOBODY", "alias": "xx"}, 404),
        ("CONTRACT", {**_CONTRACT, "unit_code": "00000"}, 422),
        ("FEE_OFFER", {**_OFFER, "valid_to": "2020-01-01"}, 422),
    ):  # fmt: skip
        answer = await propose(first, kind, body)
        assert answer.status_code == status, (kind, answer.text)
        assert answer.json()["errors"], kind
    officer = client_as(world.app, Role.COMMUNE_OFFICER)
    assert (await propose(officer, "SETTING", {"code": "COOL_DOWN_DAYS", "value": "1"})).status_code == 403


async def test_settings_stand_beside_their_questions(world, two) -> None:
    await changed(two, "SETTING", {"code": "VNEID_LISTS", "value": "ALLOW"})
    found = {item["code"]: item for item in (await world.operator.get("/v1/settings")).json()}
    assert (found["VNEID_LISTS"]["value"], found["VNEID_LISTS"]["decided_by"]) == ("ALLOW", "second")
    async with world.db.read() as tx:
        told = await tx.value("SELECT detail FROM audit_log WHERE action = 'change.approve'")
    assert [told[side]["row"]["value"] for side in ("before", "after")] == ["FORBID", "ALLOW"]
    assert (told["before"]["state"], told["after"]["state"], told["proposed_by"]) == ("PROPOSED", "APPROVED", "first")
    assert all(item["question_vi"].endswith("?") and item["question_en"].endswith("?") for item in found.values())


async def test_what_holds_for_everybody_is_decided_by_people_of_the_province(world, two, client_as) -> None:
    """The directory of banks is the whole province's: an approver of one commune finds nothing waiting, and is refused."""
    made = await propose(two[0], "PROVIDER_ALIAS", {"provider_code": "AGRIBANK", "alias": "NH của xã"})
    path = f"/v1/change-requests/{made.json()['request_id']}/decision"
    commune = client_as(world.app, Role.APPROVER, units=("60/593",), subject="commune")
    assert "provider_changes" not in [item["kind"] for item in (await commune.get("/v1/work")).json()["items"]]
    refused = await commune.post(path, json={"approve": True})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    province = client_as(world.app, Role.APPROVER, subject="province")
    assert "provider_changes" in [item["kind"] for item in (await province.get("/v1/work")).json()["items"]]
    assert (await province.post(path, json={"approve": True})).status_code == 200


async def test_a_code_list_says_its_version_which_changes_with_the_list_alone(world, two) -> None:
    async def version(path: str) -> str:
        return (await world.operator.get(path)).headers["etag"]

    before = {path: await version(path) for path in ("/v1/providers?on=2024-09-01", "/v1/provider-types")}
    assert {path: await version(path) for path in before} == before
    assert len(set(before.values())) == 2
    await changed(
        two, "PROVIDER_TYPE", {"code": "COOPERATIVE", "name_vi": "Quỹ tín dụng", "name_en": "Credit cooperative", "account_kind": "BANK"}
    )
    after = {path: await version(path) for path in before}
    assert after["/v1/provider-types"] != before["/v1/provider-types"]
    assert after["/v1/providers?on=2024-09-01"] == before["/v1/providers?on=2024-09-01"]
