"""Bulk registration and correction: a result for each item, the same rules as one at a time, one batch of writes."""

from __future__ import annotations

from typing import Any

from registry_test_helpers import row

ONE = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "full_name": "Nguyễn Thị Hoà",
    "birth_date": "1950-03-02", "sex": "F", "preference": "WANTS_ACCOUNT",
    "entitlements": [{"category": "SA5D", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
}  # fmt: skip


def _item(code: str, number: str | None = None, **more: Any) -> dict[str, Any]:
    return ONE | {"file_code": code, "national_number": number} | more


async def _register(world: Any, items: list[dict[str, Any]], key: str = "bulk-00001") -> Any:
    answer = await world.maker.post("/v1/bulk/beneficiaries", json={"items": items}, headers={"Idempotency-Key": key})
    return await world.confirm(answer)


async def test_each_item_has_its_own_result(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    two = [ONE["entitlements"][0], ONE["entitlements"][0] | {"category": "CS_HH_XS", "decision_number": "2/QĐ"}]
    items = [
        _item("B-1", "060150001234", entitlements=two, phone="0901234567", hamlet="Thôn 1"),
        _item("B-2", "060190000001"),
        _item("B-3", "60150001234"),
        _item("B-4", None, no_number_reason="NO_ID"),
        _item("B-5", "060150001234"),
        _item("B-6", None, unit_code="22915"),
        _item("B-7", None, unit_code="99999"),
        _item("B-8", None, phone="12"),
        _item("B-9", None, programme="MERIT", entitlements=[ONE["entitlements"][0] | {"category": "MR_MOTHER"}]),
    ]
    answer = await _register(world, items)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [(item["status"], (item["problem"] or {}).get("type")) for item in body["items"]] == [
        (201, None), (409, "/problems/duplicate-number"), (422, "/problems/registration-refused"), (201, None),
        (409, "/problems/duplicate-number"), (404, "/problems/not-found"), (422, "/problems/unknown-unit"),
        (422, "/problems/registration-refused"), (201, None),
    ]  # fmt: skip
    assert (body["done"], body["refused"]) == (3, 6)
    assert (await world.due("B-1", "2024-09"))["total"] == 1_500_000 + 500_000
    found = (await world.maker.get(f"/v1/beneficiaries/{body['items'][0]['beneficiary_id']}")).json()
    assert (found["masked_phone"], found["hamlet"]) == ("…567", "Thôn 1")
    assert (await world.maker.get(f"/v1/beneficiaries/{body['items'][3]['beneficiary_id']}")).json()["no_number_reason"] == "NO_ID"
    assert len(await world.events("BeneficiaryRegistered")) == 1 + 3
    assert (await _register(world, items)).json() == body
    assert len(await world.events("BeneficiaryRegistered")) == 1 + 3


async def test_nothing_of_a_refused_item_is_kept(world: Any) -> None:
    """Two allowances, the second of which clashes: neither is granted."""
    await world.take([row("A-1", "060190000001", category="SA5D", decision_number="9/QĐ")])
    two = [ONE["entitlements"][0] | {"category": "CS_HH_XS"}, ONE["entitlements"][0]]
    body = (await _register(world, [_item("A-1", "060190000001", entitlements=two)])).json()
    assert body["items"][0]["problem"]["type"] == "/problems/already-entitled"
    assert (await world.due("A-1", "2024-09"))["total"] == 1_500_000


async def test_a_thousand_people_are_one_batch(world: Any) -> None:
    items = [_item(f"N-{n}", f"0601500{n:05d}", full_name=f"Nguyễn Văn {chr(65 + n % 26)}") for n in range(1_000)]
    body = (await _register(world, items)).json()
    assert body["done"] == 1_000
    assert len(await world.events("DuesChanged")) == 1_000
    assert (await _register(world, [*items, items[0]], "bulk-00002")).status_code == 422, "1,000 at most"
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM import_file") == 1


async def test_corrections_at_the_version_read(world: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002")])
    one, two = [await world.id_of(code) for code in ("A-1", "A-2")]
    change = {"business_date": "2024-08-20", "address": "Thôn 5"}
    items = [
        {"beneficiary_id": one, "version": 1, "changes": change},
        {"beneficiary_id": two, "version": 7, "changes": change},
        {"beneficiary_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", "version": 1, "changes": change},
        {"beneficiary_id": two, "version": 1, "changes": {"business_date": "2024-08-20", "preference": "DECLINES"}},
    ]
    answer = await world.maker.patch("/v1/bulk/beneficiaries", json={"items": items}, headers={"Idempotency-Key": "bulk-00001"})
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in answer.json()["items"]] == [200, 412, 404, 200]
    after = [(await world.maker.get(f"/v1/beneficiaries/{person}")).json() for person in (one, two)]
    assert [(item["address"], item["preference"]) for item in after] == [("Thôn 5", "WANTS_ACCOUNT"), (None, "DECLINES")]
    wrong = [{"beneficiary_id": one, "version": 2, "changes": {"business_date": "2024-08-20", "full_name": "X"}}]
    refused = await world.maker.patch("/v1/bulk/beneficiaries", json={"items": wrong}, headers={"Idempotency-Key": "bulk-00002"})
    assert refused.status_code == 422
    assert "change-requests" in refused.text
