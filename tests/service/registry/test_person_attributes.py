"""What is kept of a person besides identity, and the filters of the list."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import UNIT_PATH, row

from common.actor import Role

NEW = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "file_code": "S-1",
    "full_name": "Nguyễn Thị Hoà", "birth_date": "1950", "sex": "M", "national_number": "060150001234",
    "entitlements": [{"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
    "second_number": "250 123 456", "ethnicity": "Raglai", "phone": "+84 912 345 678", "hamlet": "Thôn 2",
}  # fmt: skip


async def _register(world: Any, key: str = "register-1", **more: Any) -> Any:
    body = {name: value for name, value in (NEW | more).items() if value is not None}
    return await world.register(body, key)


async def test_attributes_are_kept_and_the_sensitive_ones_need_a_purpose(world: Any) -> None:
    answer = await _register(world)
    assert answer.status_code == 201, answer.text
    assert [item["code"] for item in answer.json()["warnings"]] == ["NUMBER_SEX"]
    path = f"/v1/beneficiaries/{answer.json()['beneficiary_id']}"
    plain = (await world.maker.get(path)).json()
    assert (plain["masked_second_number"], plain["masked_phone"], plain["hamlet"]) == ("250*****3456", "…678", "Thôn 2")
    assert (plain["second_number"], plain["phone"], plain["ethnicity"], plain["birth_date"]) == (None, None, None, "1950")
    assert plain["name_folded"] == "NGUYEN THI HOA"
    whole = (await world.maker.get(path, params={"purpose": "đối chiếu hồ sơ"})).json()
    assert (whole["second_number"], whole["phone"], whole["ethnicity"]) == ("250123456", "0912345678", "Raglai")


async def test_two_spellings_of_a_name_have_one_comparison_form(world: Any) -> None:
    await world.take([row("A-1", "060190000001", full_name="Trần Thị Hoà"), row("A-2", "060190000002", full_name="TRẦN THỊ HÒA")])
    keys = [(await world.maker.get(f"/v1/beneficiaries/{await world.id_of(code)}")).json()["name_key"] for code in ("A-1", "A-2")]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("second_number", "12345678", "SECOND_NUMBER_LOST_ZERO"),
        ("second_number", "060150001234", "SECOND_NUMBER_BAD"),
        ("phone", "912345678", "PHONE_BAD"),
        ("no_number_reason", "NO_ID", "HAS_NUMBER"),
    ],
)
async def test_wrong_attributes_are_refused_by_name_and_nothing_is_registered(world: Any, field: str, value: str, code: str) -> None:
    answer = await _register(world, **{field: value})
    assert (answer.status_code, [(item["field"], item["code"]) for item in answer.json()["errors"]]) == (422, [(field, code)])
    assert (await world.maker.get("/v1/beneficiaries")).json()["items"] == []


@pytest.mark.parametrize("why", ["NO_ID", "NOT_IN_POPULATION_DB"])
async def test_people_without_a_number_are_registered_and_owed(world: Any, why: str) -> None:
    answer = await _register(world, national_number=None, no_number_reason=why)
    assert answer.status_code == 201, answer.text
    assert (await world.due("S-1", "2024-09"))["total"] == 1_000_000
    found = (await world.maker.get("/v1/beneficiaries", params={"no_number_reason": why, "has_number": False})).json()["items"]
    assert [(item["file_code"], item["no_number_reason"]) for item in found] == [("S-1", why)]
    assert (await world.maker.get("/v1/beneficiaries", params={"has_number": True})).json()["items"] == []


async def test_a_number_given_later_ends_the_reason(world: Any) -> None:
    person = (await _register(world, national_number=None, no_number_reason="NO_ID")).json()["beneficiary_id"]
    done = await world.change_identity(person, national_number="060150001234")
    assert (done["no_number_reason"], done["masked_number"]) == (None, "060*****1234")


async def test_a_patch_sets_takes_away_counts_up_and_is_audited_without_values(world: Any) -> None:
    person = (await _register(world)).json()["beneficiary_id"]
    path = f"/v1/beneficiaries/{person}"
    body = {"business_date": "2024-08-20", "phone": "", "second_number": "250999999", "hamlet": "Thôn 5"}
    done = await world.maker.patch(path, json=body, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    assert (done.json()["masked_phone"], done.json()["masked_second_number"], done.json()["hamlet"]) == (None, "250*****9999", "Thôn 5")
    by_old = await world.maker.post("/v1/beneficiaries/search", json={"second_number": "250999999"})
    assert [item["beneficiary_id"] for item in by_old.json()["items"]] == [person]
    assert (await world.maker.post("/v1/beneficiaries/search", json={"second_number": "250123456"})).json()["items"] == []
    assert (await world.maker.post("/v1/beneficiaries/search", json={})).status_code == 422
    async with world.db.read() as tx:
        told = await tx.value("SELECT detail FROM audit_log WHERE action = 'beneficiary.change'")
    assert (told["before"]["masked_second_number"], told["after"]["masked_second_number"]) == ("250*****3456", "250*****9999")
    assert (told["before"]["masked_phone"], told["after"]["masked_phone"], told["after"]["hamlet"]) == ("…678", None, "***")
    assert not [word for word in ("250999999", "Thôn 5", "0912345678") if word in str(told)]


async def test_sensitive_attributes_are_in_no_event_no_list_and_nowhere_in_clear(world: Any) -> None:
    person = (await _register(world)).json()["beneficiary_id"]
    await world.maker.patch(
        f"/v1/beneficiaries/{person}", json={"business_date": "2024-08-20", "hamlet": "Thôn 9"}, headers={"If-Match": '"1"'}
    )
    listed = (await world.maker.get("/v1/beneficiaries")).text
    async with world.db.read() as tx:
        tables = [item["tablename"] for item in await tx.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for secret in ("250123456", "0912345678", "Raglai", "060150001234"):
            assert secret not in listed
            for table in tables:
                found = await tx.value(f"SELECT count(*) FROM {table} t WHERE CAST(t AS text) LIKE :n", n=f"%{secret}%")
                assert found == 0, (table, secret)


async def test_filters_combine_and_pages_join_without_gap_or_repetition(world: Any) -> None:
    names = ["Nguyễn Thị Nga", "Nguyễn Văn Hoà", "Trần Thị Ngân", "Lê Hoa", "Ngô Nghĩa", "Hồ Thị Lan", "Y Ngông Niê Kđăm"]
    await world.take([
        row(f"A-{n}", "" if n == 3 else f"06019000000{n}", full_name=name, preference="TM" if n % 2 else "", unit_code="22924")
        for n, name in enumerate(names)
    ])  # fmt: skip

    async def all_of(limit: int = 2, **params: Any) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await world.checker.get("/v1/beneficiaries", params=params | {"limit": limit} | cursor)
            assert answer.status_code == 200, answer.text
            found += [item["full_name"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                return found
            cursor = {"cursor": answer.json()["next_cursor"]}

    assert sorted(await all_of()) == sorted(names)
    # "ng" begins two parts of "Nguyễn Thị Nga" and of "Ngô Nghĩa": each is found once
    assert sorted(await all_of(name="ng")) == sorted(name for name in names if name not in ("Lê Hoa", "Hồ Thị Lan"))
    assert sorted(await all_of(name="HOA")) == ["Lê Hoa", "Nguyễn Văn Hoà"]
    assert await all_of(name="thị nga") == await all_of(name="thi nga") == ["Nguyễn Thị Nga", "Trần Thị Ngân"]
    assert await all_of(name="thi ngan") == ["Trần Thị Ngân"]
    assert sorted(await all_of(preference="DECLINES")) == sorted(names[1::2])
    assert sorted(await all_of(preference="UNKNOWN")) == sorted(names[0::2])
    assert await all_of(has_number=False) == ["Lê Hoa"]
    assert await all_of(has_number=True, name="ho", preference="DECLINES") == ["Hồ Thị Lan", "Nguyễn Văn Hoà"]
    assert await all_of(programme="MERIT") == await all_of(status="DECEASED") == await all_of(unit_path="60/594") == []
    assert len(await all_of(unit_path="60/593")) == len(await all_of(unit_path=UNIT_PATH)) == len(names)


async def test_an_index_of_names_finds_the_same_as_walking_the_area(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Nguyễn Thị Nga", "Nga Nguyễn", "Ngô Nga Nga", "K'Brơi", "Trần Thị Hoa"]
    await world.take([row(f"A-{n}", f"06019000000{n}", full_name=name) for n, name in enumerate(names)])
    walked, indexed = [], []
    for found, most in ((walked, 10_000), (indexed, -1)):
        monkeypatch.setattr("registry.storage.search.SMALL_AREA", most)
        for name in ("ng", "nga", "nga n", "kb", "hoa", "thi"):
            for limit in (1, 50):
                found.append((await world.maker.get("/v1/beneficiaries", params={"name": name, "limit": limit})).json())
    assert walked == indexed
    assert sorted(item["full_name"] for item in walked[1]["items"]) == ["Nga Nguyễn", "Nguyễn Thị Nga", "Ngô Nga Nga"]


async def test_a_scope_of_several_units_sees_those_and_no_other(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    for units, count in ((("60/593/22924", "60/595"), 1), (("60/593", "60/593/22924"), 1), (("60/594", "60/595"), 0), (("60/59",), 0)):
        client = world.client_as(world.app, Role.AUDITOR, units=units)
        for params in ({}, {"name": "hoa"}):
            assert len((await client.get("/v1/beneficiaries", params=params)).json()["items"]) == count, (units, params)


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "bnVsbA", "%00", "WzEsMl0"])
async def test_a_wrong_cursor_is_named(world: Any, cursor: str) -> None:
    answer = await world.maker.get("/v1/beneficiaries", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")
    assert (await world.maker.get("/v1/beneficiaries", params={"name": "12"})).status_code == 422


async def test_a_text_with_nul_is_refused_not_a_defect_of_ours(world: Any) -> None:
    for params in ({"file_code": "a\x00b"}, {"hamlet": "\x00"}):
        assert (await world.maker.get("/v1/beneficiaries", params=params)).status_code == 422, params
    assert (await _register(world, hamlet="Thôn\x00")).status_code == 422


async def test_the_phone_and_the_index_of_the_number_travel_sealed_for_the_counter(world: Any, keyring: Any) -> None:
    answer = await _register(world)
    assert answer.status_code == 201
    (event,) = await world.events("BeneficiaryRegistered")
    body = event["body"]
    theirs = keyring("disbursement")
    assert theirs.open(body["phone"]["disbursement"]) == "0912345678"
    assert body["number_index"] == {"disbursement": theirs.lookups("national_number", "060150001234")[0]}
    assert "disbursement" not in body["national_number"]
    assert not {"0912345678", "060150001234"} & set(str(body).replace("'", " ").split())
