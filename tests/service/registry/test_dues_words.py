"""One person's month in words: what counts, what is set aside by which rule, what changes next."""

from __future__ import annotations

from datetime import date
from typing import Any

from registry_law_model import Decision, Person, Span, at, insert
from registry_test_helpers import UNIT_PATH

from common.actor import SYSTEM, Role
from registry.storage import dues
from registry.storage.publishing import take_people_lock

START = at(2024, 5)


async def explained(world: Any, person: Person, month: str, day: date = date(2026, 10, 6), client: Any = None) -> dict[str, Any]:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        person_id = await insert(tx, person, UNIT_PATH)
        await dues.recompute(tx, [person_id], day)
    answer = await (client or world.maker).get(f"/v1/beneficiaries/{person_id}/dues", params={"month": month})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["explanation"])


async def test_what_counts_and_what_is_set_aside_can_be_read_to_the_person(world: Any) -> None:
    said = await explained(
        world, Person(at(1964, 8), (Decision("SA6_S", START), Decision("SA8", START), Decision("CS_HH_XS", START))), "2024-09"
    )
    assert said["heading"] == {
        "vi": "Tháng 9/2024 được chi trả tổng cộng 1.500.000 đồng.", "en": "For September 2024 a total of 1,500,000 đồng is due.",
    }  # fmt: skip
    by_number = {item["decision_number"]: item for item in said["decisions"]}
    assert {number: item["outcome"] for number, item in by_number.items()} == {"0/QĐ": "COUNTS", "1/QĐ": "HIGHEST_ONLY", "2/QĐ": "COUNTS"}
    counts, aside = by_number["0/QĐ"], by_number["1/QĐ"]
    assert counts["vi"].startswith("Quyết định số 0/QĐ (A01), ")
    assert "được tính 1.000.000 đồng. Căn cứ: " in counts["vi"]
    assert "counts with 1,000,000 đồng. Legal basis: " in counts["en"]
    assert "(mức 750.000 đồng): không được tính. Lý do: chỉ hưởng một mức cao nhất." in aside["vi"]
    assert "Được hưởng theo Quyết định số 0/QĐ 1.000.000 đồng." in aside["vi"]
    assert "Nghị định 20/2021/NĐ-CP Điều 6" in aside["vi"]
    assert [(item["from_month"], item["total"]) for item in said["next"]] == [("2026-07", 1_620_000)]
    assert "mức mới" in said["next"][0]["vi"]


async def test_the_next_birthday_and_the_end_are_told(world: Any) -> None:
    child = await explained(world, Person(at(2021, 3), (Decision("SA1_LT4", START),)), "2024-09")
    assert [(item["from_month"], item["total"]) for item in child["next"]] == [("2025-03", 750_000), ("2026-07", 810_000), ("2037-04", 0)]
    assert child["next"][0]["vi"] == "Từ tháng 3/2025 tổng cộng 750.000 đồng (đủ 4 tuổi)."
    assert child["next"][2]["vi"] == "Từ tháng 4/2037 không còn khoản hằng tháng (đủ 16 tuổi)."
    carer = await explained(world, Person(None, (Decision("SA4", START, child_born=at(2008, 11)),)), "2024-10")
    assert carer["next"][-1]["en"] == "From December 2024 nothing is due any more (the dependant reaches the age of 16)."
    ended = await explained(world, Person(None, (Decision("SA8", START, end=at(2024, 12)),)), "2024-10")
    assert ended["next"][0]["vi"] == "Từ tháng 12/2024 không còn khoản hằng tháng (đã thôi hưởng)."


async def test_missing_rates_pauses_and_months_without_anything(world: Any) -> None:
    missing = await explained(world, Person(None, (Decision("MR_PRISON", START),)), "2026-08")
    assert "mức chưa được nạp" in missing["heading"]["vi"]
    assert missing["decisions"][0]["outcome"] == "RATE_MISSING"
    paused = await explained(world, Person(None, (Decision("SA8", START, pauses=(Span(at(2024, 9), at(2024, 9)),)),)), "2024-09")
    assert paused["heading"]["en"] == "Nothing is due for September 2024."
    assert "đang tạm dừng" in paused["decisions"][0]["vi"]
    assert (await explained(world, Person(None, ()), "2024-09"))["decisions"] == []


async def test_names_that_tell_of_health_are_for_officers_of_the_unit(world: Any) -> None:
    person = Person(None, (Decision("SA6_S", START), Decision("SA7", START)))
    auditor = world.client_as(world.app, Role.AUDITOR, units=("60",), subject="auditor")
    officer = str(await explained(world, person, "2024-09"))
    other = str(await explained(world, person, "2024-09", client=auditor))
    assert "khuyết tật" in officer
    for word in ("khuyết tật", "disab", "HIV", "SA6", "khoản 6", "khoản 7"):
        assert word not in other, word
    far = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="far")
    person_id = (await world.maker.get("/v1/beneficiaries")).json()["items"][0]["beneficiary_id"]
    assert (await far.get(f"/v1/beneficiaries/{person_id}/dues", params={"month": "2024-09"})).status_code == 404
