"""A citizen or proxy applies at the public counter, looks the receipt up, and an officer decides."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role

APPLICATION = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "full_name": "Nguyễn Thị Hoà",
    "birth_date": "1950-03-02", "sex": "F", "national_number": "060150001234", "preference": "WANTS_ACCOUNT",
    "request": "Đề nghị hưởng trợ cấp hằng tháng", "phone": "0901234567",
}  # fmt: skip
ACCEPT = {
    "business_date": "2024-08-25", "file_code": "S-1",
    "entitlements": [{"category": "SA5D", "decision_number": "1/QĐ", "decision_date": "2024-08-24", "from_month": "2024-08"}],
}  # fmt: skip


@pytest.fixture
def portal(world: Any) -> Any:
    return world.client_as(world.app, Role.INTEGRATOR, units=("60",), subject="portal")


async def _apply(portal: Any, key: str = "apply-0001", **more: Any) -> Any:
    return await portal.post("/v1/self-registrations", json=APPLICATION | more, headers={"Idempotency-Key": key})


async def _look(portal: Any, receipt: str, digits: str = "1234") -> Any:
    return await portal.post("/v1/self-registrations/lookup", json={"receipt_number": receipt, "last_digits": digits})


async def _accept(world: Any, registration: str, **more: Any) -> Any:
    path = f"/v1/self-registrations/{registration}/accept"
    answer = await world.maker.post(path, json=ACCEPT | more, headers={"Idempotency-Key": "accept-001"})
    return await world.confirm(answer, business_date="2024-08-25")


async def test_from_receipt_to_register(world: Any, portal: Any) -> None:
    sent = await _apply(portal, proxy={"full_name": "Trần Văn Bình", "relation": "Con"})
    assert sent.status_code == 201, sent.text
    receipt = sent.json()["receipt_number"]
    assert (await _apply(portal, proxy={"full_name": "Trần Văn Bình", "relation": "Con"})).json() == sent.json()
    assert (await _look(portal, receipt)).json()["state"] == "PENDING"
    assert "Hoà" not in (await _look(portal, receipt)).text
    assert (await world.checker.get("/v1/beneficiaries")).json()["items"] == []
    (item,) = (await world.maker.get("/v1/self-registrations", params={"state": "PENDING"})).json()["items"]
    assert (item["masked_number"], item["by_proxy"], item["number_registered"]) == ("060*****1234", True, False)
    detail = (await world.maker.get(f"/v1/self-registrations/{item['registration_id']}")).json()
    assert (detail["request"], detail["proxy_name"]) == (APPLICATION["request"], "Trần Văn Bình")
    done = await _accept(world, item["registration_id"])
    assert done.status_code == 201, done.text
    assert (await world.due("S-1", "2024-09"))["total"] == 1_500_000
    assert len(await world.events("BeneficiaryRegistered")) == 1
    assert (await _look(portal, receipt)).json()["state"] == "ACCEPTED"
    assert (await world.maker.post(
        f"/v1/self-registrations/{item['registration_id']}/refuse", json={"business_date": "2024-08-26", "answer": "quá hạn rồi"}
    )).status_code == 409  # fmt: skip


async def test_a_refusal_tells_the_citizen_why(world: Any, portal: Any) -> None:
    receipt = (await _apply(portal)).json()["receipt_number"]
    (item,) = (await world.maker.get("/v1/self-registrations")).json()["items"]
    body = {"business_date": "2024-08-25", "answer": "Chưa đủ điều kiện về tuổi"}
    assert (await world.maker.post(f"/v1/self-registrations/{item['registration_id']}/refuse", json=body)).status_code == 200
    told = (await _look(portal, receipt)).json()
    assert (told["state"], told["answer"], told["decided_on"]) == ("REFUSED", body["answer"], "2024-08-25")


async def test_a_registered_number_is_shown_and_cannot_be_accepted(world: Any, portal: Any) -> None:
    await world.take([row("A-1", "060150001234")])
    receipt = (await _apply(portal)).json()["receipt_number"]
    (item,) = (await world.maker.get("/v1/self-registrations")).json()["items"]
    assert item["number_registered"]
    clash = await _accept(world, item["registration_id"])
    assert (clash.status_code, clash.json()["type"]) == (409, "/problems/duplicate-number")
    assert (await _look(portal, receipt)).json()["state"] == "PENDING"


async def test_digits_cannot_be_tried_out(portal: Any) -> None:
    receipt = (await _apply(portal)).json()["receipt_number"]
    for _ in range(5):
        assert (await _look(portal, receipt, "0000")).status_code == 404
    assert (await _look(portal, receipt)).status_code == 429
    assert (await _look(portal, "TN-0000-AAAAAAAAAA")).status_code == 404


async def test_without_a_number_the_phone_opens_the_receipt(portal: Any) -> None:
    assert (await _apply(portal, national_number=None, phone=None)).status_code == 422
    receipt = (await _apply(portal, "apply-0002", national_number=None)).json()["receipt_number"]
    assert (await _look(portal, receipt, "4567")).status_code == 200


@pytest.mark.parametrize(
    "more", [{"national_number": "60150001234"}, {"unit_code": "99999"}, {"birth_date": "2030-01-01"}, {"full_name": ""}]
)
async def test_what_cannot_be_is_refused_at_the_counter(portal: Any, more: dict[str, str]) -> None:
    assert (await _apply(portal, **more)).status_code == 422


async def test_another_commune_sees_nothing_and_only_the_portal_applies(world: Any, portal: Any) -> None:
    await _apply(portal)
    other = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="other")
    assert (await other.get("/v1/self-registrations")).json()["items"] == []
    assert (await _apply(world.maker)).status_code == 403
    async with world.db.read() as tx:
        kept = await tx.value("SELECT CAST(s AS text) FROM self_registration s")
    assert "060150001234" not in kept
    assert "0901234567" not in kept


async def test_what_was_accepted_loses_its_words_when_the_person_is_erased(world: Any, portal: Any) -> None:
    await _apply(portal, proxy={"full_name": "Trần Văn Bình", "relation": "Con"})
    (item,) = (await world.maker.get("/v1/self-registrations")).json()["items"]
    assert (await _accept(world, item["registration_id"])).status_code == 201
    person = (await world.maker.get("/v1/beneficiaries")).json()["items"][0]["beneficiary_id"]
    looked = {"purpose": "Người hưởng yêu cầu"}

    async def shown() -> Any:
        parts = (await world.maker.get(f"/v1/people/{person}/personal-data", params=looked)).json()["parts"]
        return {part["table"]: part["rows"] for part in parts}["self_registration"][0]["content"]

    assert APPLICATION["phone"] in await shown()
    asked = await world.maker.post(f"/v1/people/{person}/erasures", json={"asked_by": "PERSON", "ground": "Đơn ngày 20/11/2026"})
    assert asked.status_code == 201, asked.text
    decided = await world.checker.post(f"/v1/erasures/{asked.json()['erasure_id']}/decision", json={"approve": True, "note": "đúng người"})
    assert decided.status_code == 200, decided.text
    assert await shown() is None
    detail = (await world.maker.get(f"/v1/self-registrations/{item['registration_id']}")).json()
    assert (detail["state"], detail["request"], detail["proxy_name"]) == ("ACCEPTED", None, None)
