"""Representatives: appointed with scope and dates, extended, revoked, expired; heirs; carers; lists and the form to print."""

from __future__ import annotations

from typing import Any

from registry_test_helpers import row

from common.actor import Role
from common.contracts import registry_v1

HUNG = {"full_name": "Nguyễn Văn Hùng", "birth_date": "1980", "sex": "M", "national_number": "060080004321"}
DAY = "2024-08-20"


async def _appoint(world: Any, office: Any, code: str = "A-1", **more: Any) -> Any:
    """Appointed as two people do; the right, or the first refusal."""
    body = {"person": HUNG, "kind": "AUTHORISED", "valid_from": DAY, "business_date": DAY, "certificate_number": "15/2024/UQ"} | more
    return await _confirmed(world, await office.post(f"/v1/beneficiaries/{await world.id_of(code)}/representatives", body), body)


async def _confirmed(world: Any, asked: Any, body: dict[str, Any]) -> Any:
    if asked.status_code != 202:
        return asked
    proposal = asked.json()
    answer = {"approve": True, "business_date": body["business_date"]}
    said = await world.checker.post(f"/v1/representatives/proposals/{proposal['proposal_id']}/decision", json=answer)
    return await world.checker.get(await _path(world, asked)) if said.status_code == 200 else said


async def _path(world: Any, appointed: Any) -> str:
    found = appointed.json()
    return f"/v1/beneficiaries/{found['beneficiary_id']}/representatives/{found['representative_id']}"


async def test_an_authorisation_has_scope_and_an_end_even_when_none_is_given(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    made = await _appoint(world, office, programmes=["SOCIAL_ASSISTANCE"], certificate_number="15/2024/UQ")
    assert made.status_code == 200, made.text
    found = made.json()
    assert (found["valid_to"], found["programmes"], found["basis"]) == ("2025-08-20", ["SOCIAL_ASSISTANCE"], "STANDING")
    assert found["masked_number"] == "060*****4321"
    (event,) = await world.events("RepresentativeAppointed")
    registry_v1.RepresentativeAppointed.model_validate(event["body"])
    assert event["body"]["programmes"] == ["SOCIAL_ASSISTANCE"]
    again = await _appoint(world, office)
    assert "appointed already" in again.json()["errors"][0]["detail"]


async def test_extended_at_the_version_read_and_revoked_with_an_event(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    made = await _appoint(world, office)
    path = await _path(world, made)
    body = {"valid_to": "2026-01-31", "business_date": "2025-06-30"}
    assert (await world.maker.patch(path, json=body)).status_code == 428
    assert (await world.maker.patch(path, json=body, headers={"If-Match": '"9"'})).status_code == 412
    longer = await _confirmed(world, await world.maker.patch(path, json=body, headers={"If-Match": made.headers["ETag"]}), body)
    assert (longer.status_code, longer.json()["valid_to"]) == (200, "2026-01-31")
    too_long = await world.maker.patch(path, json=body | {"valid_to": "2026-07-01"}, headers={"If-Match": longer.headers["ETag"]})
    assert "12 months at most: until 2026-06-30" in too_long.json()["errors"][0]["detail"]
    end = {"reason": "người hưởng yêu cầu", "business_date": "2025-07-01"}
    revoked = await world.maker.post(path + "/revoke", json=end, headers={"If-Match": longer.headers["ETag"]})
    assert (revoked.json()["revoked_on"], revoked.json()["revoked_why"]) == ("2025-07-01", "người hưởng yêu cầu")
    again = await world.maker.post(path + "/revoke", json=end, headers={"If-Match": revoked.headers["ETag"]})
    assert again.json()["type"] == "/problems/representative-refused"
    (event,) = await world.events("RepresentativeRevoked")
    registry_v1.RepresentativeRevoked.model_validate(event["body"])
    assert event["body"]["version"] > (await world.events("RepresentativeAppointed"))[-1]["body"]["version"]
    back = await _appoint(world, office, valid_from="2025-08-01", business_date="2025-08-01")
    assert (back.status_code, back.json()["revoked_on"], back.json()["version"]) == (200, None, 4)


async def test_the_longest_authorisation_is_a_setting_a_guardian_has_no_end(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    too_long = await _appoint(world, office, valid_to="2025-08-21")
    assert too_long.json()["errors"][0]["detail_vi"] == "Ủy quyền tối đa 12 tháng: đến 20/08/2025"
    world.settle("REPRESENTATIVE_MAX_MONTHS", "24")
    assert (await _appoint(world, office, valid_to="2025-08-21")).status_code == 200
    guardian = await _appoint(world, office, kind="GUARDIAN", person={"full_name": "Lê Văn Giám"})
    assert guardian.json()["valid_to"] is None


async def test_an_heir_is_appointed_after_the_death_and_only_then(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    await _appoint(world, office)
    assert (await _appoint(world, office, person={"full_name": "Con Trai"}, heir=True)).json()["type"] == "/problems/representative-refused"
    await office.event("DEATH", "2024-08-11", "A-1")
    late = await _appoint(world, office, person={"full_name": "Người Khác"})
    assert late.json()["errors"][0]["field"] == "heir"
    early = await _appoint(world, office, person={"full_name": "Con Trai"}, heir=True, valid_from="2024-08-01")
    assert early.json()["type"] == "/problems/representative-refused"
    heir = await _appoint(world, office, person={"full_name": "Con Trai"}, heir=True)
    assert (heir.status_code, heir.json()["basis"], heir.json()["kind"]) == (200, "HEIR", "AUTHORISED")
    (ended,) = await world.events("RepresentativeRevoked")
    assert ended["body"]["full_name"] == "Nguyễn Văn Hùng", "who acted for the living does not act for the heirs"
    assert (await world.due("A-1", "2024-08"))["total"] == 750_000


async def test_a_representative_who_dies_represents_nobody(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002", full_name="Lê Văn Đức")])
    await _appoint(world, office, person={"person_id": await world.id_of("A-2")})
    await office.event("DEATH", "2024-08-11", "A-2")
    (ended,) = await world.events("RepresentativeRevoked")
    assert (ended["body"]["full_name"], ended["body"]["revoked_on"]) == ("Lê Văn Đức", DAY)


async def test_the_sweep_ends_what_is_past_once(world: Any, office: Any) -> None:
    await world.take([row(f"A-{n}", f"06019000000{n}") for n in range(1, 5)])
    for n in (1, 2, 3):
        await _appoint(world, office, f"A-{n}", valid_to=f"2024-09-{n:02d}")
    for day, expired in (("2024-09-02", 1), ("2024-09-10", 2), ("2024-09-10", 0)):
        answer = await office.post("/v1/representatives/expire", {"business_date": day}, world.checker)
        await world.work()
        job = (await world.checker.get(f"/v1/jobs/{answer.json()['job_id']}")).json()
        assert (job["state"], job["result"]) == ("DONE", {"expired": expired})
    revoked = await world.events("RepresentativeRevoked")
    assert [e["body"]["revoked_on"] for e in revoked] == ["2024-09-02", "2024-09-03", "2024-09-04"]

    async def nobody_left(day: str) -> list[int]:
        items = (await world.maker.get("/v1/work", params={"business_date": day})).json()["items"]
        return [item["count"] for item in items if item["kind"] == "collectors_ended"]

    assert await nobody_left("2024-09-10") == [3], "who is paid in cash since, as nobody collects any more, waits for the commune"
    await _appoint(world, office, "A-1", valid_from="2024-09-10", business_date="2024-09-10")
    assert (await nobody_left("2024-09-10"), await nobody_left("2025-01-10")) == ([2], [])


async def test_expiring_rights_are_listed_sixty_days_ahead_by_unit_with_a_cursor(world: Any, office: Any) -> None:
    await world.take([row(f"A-{n}", f"06019000000{n}") for n in range(1, 5)])
    for n, end in ((1, "2024-10-19"), (2, "2024-10-20"), (3, "2024-09-01"), (4, "2024-08-25")):
        await _appoint(world, office, f"A-{n}", valid_to=end)
    seen, cursor = [], None
    while True:
        query = {"business_date": DAY, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await world.maker.get("/v1/representatives/expiring", params=query)).json()
        seen += [(item["file_code"], item["days_left"]) for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [("A-4", 5), ("A-3", 12), ("A-1", 60)]
    work = (await world.maker.get("/v1/work", params={"business_date": DAY})).json()["items"]
    soon = next(item for item in work if item["kind"] == "authorisations_expiring")
    assert (soon["count"], soon["deadline"]) == (2, "2024-08-25"), "those of the next thirty days"
    stranger = office.client("stranger", "60/593/22915", Role.COMMUNE_OFFICER)
    assert (await stranger.get("/v1/representatives/expiring", params={"business_date": DAY})).json()["items"] == []
    wrong = await world.maker.get("/v1/representatives/expiring", params={"business_date": DAY, "cursor": "bm90"})
    assert wrong.status_code == 422


async def test_somebody_who_collects_for_many_is_listed_with_the_count(world: Any, office: Any) -> None:
    await world.take([row(f"A-{n}", f"06019000000{n}") for n in range(1, 4)])
    for n, kind in ((1, "AUTHORISED"), (2, "AUTHORISED"), (3, "GUARDIAN")):
        await _appoint(world, office, f"A-{n}", kind=kind)
    (found,) = (await world.maker.get("/v1/representatives/of-many", params={"business_date": DAY})).json()["items"]
    assert (found["beneficiaries"], found["as_authorised"], found["as_guardian"]) == (3, 2, 1)
    none = await world.maker.get("/v1/representatives/of-many", params={"business_date": DAY, "at_least": 4})
    assert none.json()["items"] == []


async def test_a_carer_is_payee_and_receives_an_allowance_of_their_own(world: Any, office: Any) -> None:
    await world.take([row("A-1", category="SA6_XS")])
    made = (await _appoint(world, office, kind="CARER")).json()
    carer = made["representative_id"]
    item = {"beneficiary_id": carer, "category": "CS_FOSTER_XS", "dependant_id": await world.id_of("A-1")}
    await office.decide("GRANT", "NEW", items=[item], effective_month="2024-08")
    dues = (await world.checker.get(f"/v1/beneficiaries/{carer}/dues", params={"month": "2024-08"})).json()
    assert dues["total"] == 750_000
    registered = (await world.events("BeneficiaryRegistered"))[-1]
    assert (str(registered["key"]), registered["body"]["programmes"]) == (carer, ["SOCIAL_ASSISTANCE"])
    assert (await world.due("A-1", "2024-08"))["total"] == 1_000_000


async def test_the_form_to_print_has_heading_signatures_and_no_number(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001", full_name="Nguyễn Thị <Hoà>")])
    made = await _appoint(world, office, programmes=["SOCIAL_ASSISTANCE"])
    page = await world.maker.get(await _path(world, made) + "/form")
    assert page.headers["content-type"].startswith("text/html")
    for words in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "GIẤY ỦY QUYỀN", "NGƯỜI NHẬN THAY", "20/08/2025", "&lt;Hoà&gt;", "trợ giúp xã hội"):
        assert words in page.text, words
    assert "060190000001" not in page.text
    assert "060080004321" not in page.text


async def test_an_appointment_that_breaks_a_rule_is_refused(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002")])
    await _appoint(world, office, "A-2")
    for more, kind in (
        ({"person": HUNG | {"full_name": "Người Khác"}}, "duplicate-number"),
        ({"person": {"full_name": "X", "birth_date": "2030"}}, "representative-refused"),
        ({"person": {}}, "invalid-input"),
        ({"valid_to": "2024-08-19"}, "representative-refused"),
    ):
        assert (await _appoint(world, office, **more)).json()["type"] == f"/problems/{kind}"


async def test_nobody_represents_themselves_and_no_stranger_appoints(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    person = await world.id_of("A-1")
    own = await _appoint(world, office, person={"person_id": person})
    assert own.json()["errors"][0]["detail"] == "the representative is the beneficiary"
    stranger = office.client("stranger", "60/593/22915", Role.COMMUNE_OFFICER)
    body = {"person": HUNG, "kind": "AUTHORISED", "valid_from": DAY, "business_date": DAY}
    assert (await office.post(f"/v1/beneficiaries/{person}/representatives", body, stranger)).status_code == 404
