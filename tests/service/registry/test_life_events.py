"""Death, missing, prison, return: consequences by programme, for many people at once, undone by a later event; funeral and lump sums."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from registry_test_helpers import row

from common.contracts import registry_v1
from registry.storage import data_sets

MERIT = {"programme": "MERIT"}


async def _one_of_each(world: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002", category="SA6_XS")])
    await world.take([row("A-1", "060190000001", "MR_PRISON", from_month="07/2024", decision_number="77/QĐ")], **MERIT)


async def _lines(world: Any, code: str, month: str) -> dict[str, int]:
    found = (await world.due(code, month))["intervals"]
    return {item["programme"]: item["amount"] for item in found if item["amount"]}


async def test_missing_suspends_merit_ends_assistance_and_a_return_takes_both_up_again(world: Any, office: Any) -> None:
    await _one_of_each(world)
    recorded = await office.event("MISSING", "2024-08-05", "A-1", "A-2", confirm=False)
    assert recorded.status_code == 201, recorded.text
    assert await _lines(world, "A-1", "2024-09") == {"SOCIAL_ASSISTANCE": 750_000, "MERIT": 1_673_000}, "nothing before a second person"
    answer = {"event_ids": recorded.json()["event_ids"], "business_date": "2024-08-20"}
    own = await world.maker.post("/v1/life-events/confirm", json=answer)
    assert own.json()["type"] == "/problems/same-person"
    assert (await world.checker.post("/v1/life-events/confirm", json=answer)).json() == {"answered": 2}
    assert await _lines(world, "A-1", "2024-07") == {"SOCIAL_ASSISTANCE": 750_000, "MERIT": 1_673_000}
    assert await _lines(world, "A-1", "2024-08") == {"SOCIAL_ASSISTANCE": 750_000}, "merit from the month of the conclusion"
    assert await _lines(world, "A-1", "2024-09") == {}, "assistance from the month after"
    assert await office.months("A-2", "2024-08", "2024-09") == {"2024-08": 1_000_000, "2024-09": 0}
    assert {e["body"]["status"] for e in await world.events("BeneficiaryUpdated")} == {"ACTIVE", "MISSING"}
    head = {"number": "50/QĐ", "decision_date": "2024-12-02", "signer": "Lê Văn Minh"}
    back = await office.event("RETURN", "2024-12-01", "A-1", "A-2", business_date="2024-12-03", decision=head)
    assert back.status_code == 201, back.text
    assert await _lines(world, "A-1", "2024-11") == {}
    assert await _lines(world, "A-1", "2024-12") == {"SOCIAL_ASSISTANCE": 750_000}, "assistance: the month the decision is signed"
    assert await _lines(world, "A-1", "2025-01") == {"SOCIAL_ASSISTANCE": 750_000, "MERIT": 1_673_000}, "merit: the month after the request"
    events = (await world.checker.get("/v1/life-events", params={"kind": "MISSING"})).json()["items"]
    assert all(item["reversed_by"] for item in events)
    assert (await world.events("BeneficiaryUpdated"))[-1]["body"]["status"] == "ACTIVE"


async def test_an_event_recorded_by_mistake_gives_every_month_back(world: Any, office: Any) -> None:
    await _one_of_each(world)
    months = ["2024-07", "2024-08", "2024-09", "2024-10", "2025-03"]
    before = await office.all_months("A-1", months)
    await office.event("PRISON", "2024-08-05", "A-1")
    assert (await office.all_months("A-1", months))["2024-09"] == 0
    person = (await world.checker.get(f"/v1/beneficiaries/{await world.id_of('A-1')}")).json()
    assert person["status"] == "ACTIVE"
    await office.event("RETURN", "2024-08-20", "A-1", mistaken=True)
    assert await office.all_months("A-1", months) == before


async def test_a_death_takes_effect_at_once_and_is_taken_back_by_two_people(world: Any, office: Any) -> None:
    await _one_of_each(world)
    months = ["2024-07", "2024-08", "2024-09", "2025-03"]
    before = await office.all_months("A-1", months)
    made = await office.event("DEATH", "2024-08-11", "A-1", "A-2")
    assert made.status_code == 201, made.text
    assert await office.all_months("A-1", months) == before | {"2024-09": 0, "2025-03": 0}
    (_, dead) = await world.events("BeneficiaryDeceased")
    registry_v1.BeneficiaryDeceased.model_validate(dead["body"])
    plain = await office.event("RETURN", "2024-08-20", "A-1", confirm=False)
    assert plain.json()["errors"][0]["detail"] == "a recorded death is taken back only as recorded by mistake"
    await office.event("RETURN", "2024-08-20", "A-1", mistaken=True, decision=None)
    assert await office.all_months("A-1", months) == before
    assert await office.months("A-2", "2024-09") == {"2024-09": 0}
    last = (await world.events("BeneficiaryUpdated"))[-1]["body"]
    assert (last["status"], last["death_date"]) == ("ACTIVE", None)


MISFITS: list[tuple[str | None, str, str, dict[str, Any], str]] = [
    (None, "RETURN", "2024-08-11", {}, "nothing is recorded to return from"),
    (None, "PRISON", "2024-08-11", {"decision": None}, "missing"),
    ("PRISON", "PRISON", "2024-08-11", {}, "recorded already"),
    (None, "RETURN", "2024-07-01", {}, "before the PRISON"),
    ("DEATH", "PRISON", "2024-08-11", {}, "death is recorded"),
    (None, "DEATH", "2024-08-11", {}, "death is recorded"),
]


async def test_an_event_that_does_not_fit_is_refused(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    for first, then, day, more, words in MISFITS:
        if first:
            assert (await office.event(first, "2024-08-05", "A-1")).status_code == 201
        refused = await office.event(then, day, "A-1", confirm=False, **more)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/life-event-refused"), then
        assert words in refused.json()["errors"][0]["detail"]


async def test_a_rejected_event_takes_its_decisions_with_it(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    made = (await office.event("PRISON", "2024-08-05", "A-1", confirm=False)).json()
    waiting = await office.event("MISSING", "2024-08-05", "A-1", confirm=False)
    assert "waits for a second person" in waiting.json()["errors"][0]["detail"]
    decision = (await world.checker.get("/v1/decisions")).json()["items"][0]
    apart = await office.answer("approve", decision["bulk_id"])
    assert "part of a move or a life event" in apart.json()["detail"]
    body = {"event_ids": made["event_ids"], "business_date": "2024-08-20", "reason": "nhầm người"}
    assert (await world.checker.post("/v1/life-events/reject", json=body)).status_code == 200
    assert [item["state"] for item in (await world.checker.get("/v1/decisions")).json()["items"]] == ["REJECTED"]
    assert await office.months("A-1", "2024-09") == {"2024-09": 750_000}
    await office.event("PRISON", "2024-08-05", "A-1")


ORGANISER = {"full_name": "Nguyễn Văn Hùng", "birth_date": "1980", "sex": "M", "national_number": "060080004321"}
FUNERAL = {
    "organiser": ORGANISER, "number": "60/QĐ", "decision_date": "2024-09-02", "signer": "Trần Văn Nam", "business_date": "2024-09-03",
}  # fmt: skip


async def _funeral(world: Any, office: Any, code: str, **more: Any) -> Any:
    return await office.post("/v1/funerals", FUNERAL | {"beneficiary_id": await world.id_of(code)} | more)


async def _approve(world: Any, funeral_id: str, client: Any = None) -> Any:
    return await (client or world.checker).post(f"/v1/funerals/{funeral_id}/approve", json={"business_date": "2024-09-05"})


async def _paid(world: Any, person_id: str) -> list[tuple[str, str, str, int]]:
    found = (await world.checker.get(f"/v1/beneficiaries/{person_id}/dues")).json()["intervals"]
    return [(item["programme"], item["benefit_line"], item["from_month"], item["amount"]) for item in found]


async def test_funeral_support_is_twenty_standards_to_the_organiser_once(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    assert (await _funeral(world, office, "A-1")).json()["type"] == "/problems/funeral-refused", "alive"
    await office.event("DEATH", "2024-08-11", "A-1")
    made = await _funeral(world, office, "A-1")
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["programme"], found["funeral_amount"], found["lump_sum"]) == ("SOCIAL_ASSISTANCE", 20 * 500_000, 0)
    assert "060080004321" not in made.text
    second = await _funeral(world, office, "A-1", organiser={"full_name": "Người khác"})
    assert (second.status_code, second.json()["type"]) == (409, "/problems/funeral-granted")
    assert (await _approve(world, found["funeral_id"], world.maker)).json()["type"] == "/problems/same-person"
    done = await _approve(world, found["funeral_id"])
    assert (done.json()["state"], done.json()["month"]) == ("APPROVED", "2024-09")
    assert await _paid(world, found["organiser_id"]) == [("SOCIAL_ASSISTANCE", "F01", "2024-09", 10_000_000)]
    registered = (await world.events("BeneficiaryRegistered"))[-1]
    assert (str(registered["key"]), registered["body"]["programmes"]) == (found["organiser_id"], ["SOCIAL_ASSISTANCE"])
    assert (await _approve(world, found["funeral_id"])).json()["type"] == "/problems/decision-not-open"
    assert (await _funeral(world, office, "A-1")).json()["type"] == "/problems/funeral-granted", "also after approval"


async def test_merit_pays_the_insurance_sum_and_three_months_without_the_carer(world: Any, office: Any) -> None:
    """2,340,000 × 10; (7,240,000 + 1,399,000) × 3: the carer's 2,789,000 does not count. Assistance beside it is set aside."""
    rows = [
        row("M-1", "060150000009", "MR_WOUNDED", percent="81", from_month="07/2024"),
        row("M-1", "060150000009", "MR_WOUNDED_SUPPL_81", from_month="07/2024"),
        row("M-1", "060150000009", "MR_WOUNDED_CARER_81", from_month="07/2024"),
    ]
    await world.take(rows, **MERIT)
    await world.take([row("M-1", "060150000009")])
    await office.event("DEATH", "2024-08-11", "M-1")
    relative = {"full_name": "Nguyễn Thị Lan", "birth_date": "1985", "sex": "F"}
    found = (await _funeral(world, office, "M-1", relative=relative)).json()
    assert (found["programme"], found["funeral_amount"], found["lump_sum"]) == ("MERIT", 23_400_000, 25_917_000)
    assert [(item["code"], item["amount"]) for item in found["set_aside"]] == [("FUNERAL_ASSISTANCE", 10_000_000)]
    await _approve(world, found["funeral_id"])
    assert await _paid(world, found["organiser_id"]) == [("MERIT", "F01", "2024-09", 23_400_000)]
    assert await _paid(world, found["relative_id"]) == [("MERIT", "F02", "2024-09", 25_917_000)]


async def test_one_person_may_organise_and_receive_for_the_family(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_PRISON", from_month="07/2024")], **MERIT)
    await office.event("DEATH", "2024-08-11", "M-1")
    found = (await _funeral(world, office, "M-1")).json()
    await _approve(world, found["funeral_id"])
    assert await _paid(world, found["organiser_id"]) == [
        ("MERIT", "F01", "2024-09", 23_400_000), ("MERIT", "F02", "2024-09", 3 * 1_673_000),
    ]  # fmt: skip


async def test_funeral_support_that_is_not_due_is_refused(world: Any, office: Any) -> None:
    await world.take([row("A-1", category="CS_HH_XS"), row("A-2", "060190000002")])
    await office.event("DEATH", "2024-08-11", "A-1", "A-2")
    for code, more, kind in (
        ("A-1", {}, "funeral-refused"),
        ("A-2", {"paid_elsewhere": 10_000_000}, "funeral-refused"),
        ("A-2", {"organiser": None}, "invalid-input"),
        ("A-2", {"organiser": ORGANISER | {"national_number": "60080004321"}}, "representative-refused"),
    ):
        assert (await _funeral(world, office, code, **more)).json()["type"] == f"/problems/{kind}"


async def test_a_merit_death_before_the_tables_is_said_to_lack_its_rate(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_PRISON")], **MERIT)
    await office.event("DEATH", "2024-06-11", "M-1")
    assert (await _funeral(world, office, "M-1")).json()["type"] == "/problems/rate-not-loaded"


async def test_what_a_pensioner_of_the_social_insurance_gets_there_is_not_paid_again(world: Any, office: Any) -> None:
    await world.take([row("A-1", birth_date="02/03/1940")])
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO other_benefit (person_id, source, kind, from_month, told_on)"
            " SELECT person_id, 'SOCIAL_INSURANCE', 'PENSION', DATE '2024-01-01', DATE '2024-01-05' FROM person WHERE file_code = 'A-1'"
        )
    await office.event("DEATH", "2024-08-11", "A-1")
    refused = await _funeral(world, office, "A-1")
    assert refused.json()["type"] == "/problems/funeral-refused", refused.text


async def test_from_eighty_on_another_monthly_benefit_has_funeral_support_too(world: Any, office: Any) -> None:
    """Decree 20/2021 Art. 11: whoever is 80 and on a survivor's allowance, though not on assistance; born a day later, not yet."""
    rows = [row(f"A-{n}", category="CS_HH_XS", birth_date=born) for n, born in ((1, "11/08/1944"), (2, "12/08/1944"))]
    await world.take(rows)
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO other_benefit (person_id, source, kind, from_month, told_on)"
            " SELECT person_id, 'SOCIAL_INSURANCE', 'SURVIVOR', DATE '2024-01-01', DATE '2024-01-05' FROM person"
        )
    await office.event("DEATH", "2024-08-11", "A-1", "A-2")
    assert (await _funeral(world, office, "A-1")).json()["funeral_amount"] == 10_000_000
    assert (await _funeral(world, office, "A-2")).json()["type"] == "/problems/funeral-refused"


async def test_a_pension_asked_for_before_the_death_counts(world: Any, office: Any) -> None:
    await world.take([row("A-1", category="CS_HH_XS")])
    day = {"business_date": "2025-09-03"}
    await office.event("DEATH", "2025-08-11", "A-1", **day)
    late = await _funeral(world, office, "A-1", pension_requested_on="2025-08-12", **day)
    assert late.json()["type"] == "/problems/funeral-refused"
    answer = await _funeral(world, office, "A-1", pension_requested_on="2025-08-01", decision_date="2025-09-02", **day)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["programme"], found["funeral_amount"]) == ("SOCIAL_PENSION", 10_000_000)


async def test_a_death_taken_back_cancels_the_funeral_sums(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    await office.event("DEATH", "2024-08-11", "A-1")
    found = (await _funeral(world, office, "A-1")).json()
    await _approve(world, found["funeral_id"])
    await office.event("RETURN", "2024-09-06", "A-1", mistaken=True, decision=None, business_date="2024-09-06")
    assert await _paid(world, found["organiser_id"]) == []
    shown = (await world.checker.get(f"/v1/funerals/{found['funeral_id']}")).json()
    assert (shown["state"], shown["answer_reason"]) == ("CANCELLED", "death recorded by mistake")
    last = (await world.events("DuesChanged"))[-2:]
    assert {tuple(e["body"]["lines"]) for e in last if str(e["key"]) == found["organiser_id"]} == {()}
    organiser = (await world.checker.get(f"/v1/beneficiaries/{found['organiser_id']}")).json()
    assert organiser["programmes"] == []
    said = [e["body"]["programmes"] for e in await world.events("BeneficiaryUpdated") if str(e["key"]) == found["organiser_id"]]
    assert said == [[]]


async def test_who_is_paid_a_funeral_sum_only_is_on_no_list_for_other_offices(world: Any, office: Any) -> None:
    await world.take([row("A-1"), row("A-2", "060190000002"), row("A-3", "060190000003")])
    await office.event("DEATH", "2024-08-11", "A-1")
    found = (await _funeral(world, office, "A-1")).json()
    await _approve(world, found["funeral_id"])
    await office.decide("END", "NOT_ENTITLED", await office.allowance("A-3"), event_date="2024-08-05")
    body = {"unit_code": "22924", "business_date": "2024-10-02", "programmes": ["SOCIAL_ASSISTANCE"]}
    sent = await office.post("/v1/insurance-lists", body)
    assert sent.status_code == 201, sent.text
    asked = (await world.maker.get(f"/v1/insurance-lists/{sent.json()['list_id']}")).json()
    assert asked["people"] == 1, "neither the organiser nor whose allowance has ended"
    async with world.db.read() as tx:
        records = await data_sets.records(tx, "60", None, 0, UUID(int=0), 10)
    assert found["organiser_id"] not in {str(item["person_id"]) for item in records}
    assert len(records) == 3
