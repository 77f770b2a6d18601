"""Nobody is paid, and nobody collects, on one person's word: what registrations and appointments propose, and who answers."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from registry_test_helpers import as_csv, row

from common.actor import Role

DAY = "2024-08-20"
GRANT = {"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}
NEW = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": DAY, "file_code": "S-1", "full_name": "Nguyễn Thị Hoà",
    "birth_date": "1950-03-02", "sex": "F", "entitlements": [GRANT],
}  # fmt: skip
REP = {"full_name": "Trần Văn Bình", "kind": "AUTHORISED", "birth_date": "1970", "valid_from": DAY, "certificate_number": "15/UQ"}
HUNG = {"person": {"full_name": "Nguyễn Văn Hùng"}, "kind": "AUTHORISED", "valid_from": DAY, "business_date": DAY}


async def _register(world: Any, key: str = "register-1", client: Any = None, **more: Any) -> Any:
    return await (client or world.maker).post("/v1/beneficiaries", json=NEW | more, headers={"Idempotency-Key": key})


async def _approve(client: Any, ids: list[str]) -> Any:
    return await client.post("/v1/decisions/approve", json={"business_date": DAY, "decision_ids": ids})


async def test_a_registration_pays_nothing_before_the_level_that_decides_approves(world: Any, office: Any) -> None:
    """A commune officer registers a Heroic Mother: the person is there, the allowance is the department's to approve."""
    made = await _register(world, programme="MERIT", entitlements=[GRANT | {"category": "MR_MOTHER", "signer": "Trần Văn Nam"}])
    assert made.status_code == 201, made.text
    body = made.json()
    assert "người thứ hai" in body["notice_vi"]
    assert "second person" in body["notice_en"]
    assert (await world.due("S-1", "2024-09"))["total"] == 0
    assert (len(await world.events("BeneficiaryRegistered")), await world.events("EntitlementGranted", "DuesChanged")) == (1, [])
    own = await _approve(world.maker, body["decision_ids"])
    assert (own.status_code, own.json()["type"]) == (409, "/problems/same-person")
    for subject, unit, role in (
        ("colleague", "60/593/22924", Role.COMMUNE_OFFICER), ("district", "60/593", Role.DISTRICT_OFFICER),
    ):  # fmt: skip
        assert (await _approve(office.client(subject, unit, role), body["decision_ids"])).status_code == 403, subject
    assert (await world.due("S-1", "2024-09"))["total"] == 0
    view = (await world.maker.get(f"/v1/decisions/{body['decision_ids'][0]}")).json()
    assert (view["kind"], view["state"], view["authority"], view["signer"]) == ("GRANT", "PROPOSED", "DEPARTMENT", "Trần Văn Nam")
    assert (await _approve(world.checker, body["decision_ids"])).json() == {"answered": 1}
    assert (await world.due("S-1", "2024-09"))["total"] > 0
    assert len(await world.events("EntitlementGranted")) == len(await world.events("DuesChanged")) == 1


async def test_what_is_rejected_is_never_due(world: Any) -> None:
    ids = (await _register(world)).json()["decision_ids"]
    answer = {"business_date": DAY, "decision_ids": ids, "reason": "Không đủ hồ sơ"}
    assert (await world.checker.post("/v1/decisions/reject", json=answer)).status_code == 200
    assert (await world.due("S-1", "2024-09"))["total"] == 0
    anew = (await _register(world, "register-2")).json()["decision_ids"]
    assert anew != ids
    assert (await _approve(world.checker, anew)).status_code == 200
    assert (await world.due("S-1", "2024-09"))["total"] == 1_000_000


async def test_the_same_allowance_is_proposed_once(world: Any) -> None:
    first = (await _register(world)).json()
    assert (await _register(world, "register-2")).json() == first
    for more in ({"decision_number": "2/QĐ"}, {"from_month": "2024-06"}):
        clash = await _register(world, f"other-{more}"[:40].encode().hex()[:30], entitlements=[GRANT | more])
        assert (clash.status_code, clash.json()["type"]) == (409, "/problems/already-entitled"), more
        assert clash.json()["errors"][0]["code"] == "GRANT_PROPOSED"
    await _approve(world.checker, first["decision_ids"])
    assert (await _register(world, "register-3")).json()["decision_ids"] == [], "held by this decision already"
    assert (await world.due("S-1", "2024-09"))["total"] == 1_000_000


async def test_an_integrators_bulk_is_one_paper_for_each_number(world: Any) -> None:
    portal = world.client_as(world.app, Role.INTEGRATOR, units=("60",), subject="portal")
    numbers = ("1/QĐ", "1/QĐ", "2/QĐ")
    items = [
        NEW | {"file_code": f"B-{n}", "full_name": f"Lê Văn {n}", "entitlements": [GRANT | {"decision_number": number}]}
        for n, number in enumerate(numbers)
    ]
    body = (await portal.post("/v1/bulk/beneficiaries", json={"items": items}, headers={"Idempotency-Key": "bulk-00001"})).json()
    assert (body["done"], body["refused"]) == (3, 0)
    assert "người thứ hai" in body["notice_vi"]
    ids = [item["decision_ids"][0] for item in body["items"]]
    papers = [(await world.maker.get(f"/v1/decisions/{one}")).json()["bulk_id"] for one in ids]
    assert papers[0] == papers[1] != papers[2]
    assert await world.events("DuesChanged") == []
    assert (await _approve(portal, ids)).status_code == 403, "an integrator approves nothing"
    answer = {"business_date": DAY, "bulk_id": papers[0]}
    assert (await world.checker.post("/v1/decisions/approve", json=answer)).json() == {"answered": 2}
    assert [(await world.due(f"B-{n}", "2024-09"))["total"] for n in range(3)] == [1_000_000, 1_000_000, 0]


async def test_an_accepted_application_waits_too(world: Any) -> None:
    portal = world.client_as(world.app, Role.INTEGRATOR, units=("60",), subject="portal")
    said = {name: NEW[name] for name in ("programme", "unit_code", "business_date", "full_name", "birth_date", "sex")}
    application = said | {"phone": "0901234567", "request": "Đề nghị hưởng trợ cấp"}
    assert (await portal.post("/v1/self-registrations", json=application, headers={"Idempotency-Key": "apply-0001"})).status_code == 201
    (item,) = (await world.maker.get("/v1/self-registrations")).json()["items"]
    path = f"/v1/self-registrations/{item['registration_id']}/accept"
    body = {"business_date": DAY, "file_code": "S-1", "entitlements": [GRANT]}
    done = await world.maker.post(path, json=body, headers={"Idempotency-Key": "accept-001"})
    assert done.status_code == 201, done.text
    assert (await world.due("S-1", "2024-09"))["total"] == 0
    assert (await _approve(world.checker, done.json()["decision_ids"])).status_code == 200
    assert (await world.due("S-1", "2024-09"))["total"] == 1_000_000


async def test_a_file_of_another_area_gets_no_allowance(world: Any, office: Any) -> None:
    await _register(world)
    far = office.client("far", "60/593/22915", Role.COMMUNE_OFFICER)
    other = await _register(world, "register-2", far, unit_code="22915", entitlements=[GRANT | {"category": "CS_HH_XS"}])
    assert other.status_code == 404, other.text


async def test_who_collects_by_a_registration_waits_and_needs_a_certificate(world: Any) -> None:
    bare = await _register(world, representative=REP | {"certificate_number": None})
    assert [item["code"] for item in bare.json()["errors"]] == ["REP_NO_CERTIFICATE"]
    made = (await _register(world, "register-2", representative=REP)).json()
    assert await world.events("RepresentativeAppointed") == []
    detail = f"/v1/beneficiaries/{made['beneficiary_id']}"
    assert (await world.checker.get(detail)).json()["representatives"] == []
    path = f"/v1/representatives/proposals/{made['representative_proposals'][0]}/decision"
    own = await world.maker.post(path, json={"approve": True, "business_date": DAY})
    assert (own.status_code, own.json()["type"]) == (409, "/problems/same-person")
    assert (await world.checker.post(path, json={"approve": True, "business_date": DAY})).json()["state"] == "CONFIRMED"
    (event,) = await world.events("RepresentativeAppointed")
    assert (event["body"]["full_name"], event["body"]["valid_to"]) == ("Trần Văn Bình", "2025-08-20")
    assert len((await world.checker.get(detail)).json()["representatives"]) == 1


async def test_an_appointment_is_a_proposal_and_is_answered_once(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    route = f"/v1/beneficiaries/{await world.id_of('A-1')}/representatives"
    bare = await office.post(route, HUNG)
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (422, "certificate_number")
    made = await office.post(route, HUNG | {"certificate_number": "15/UQ"})
    assert (made.status_code, made.json()["state"]) == (202, "PROPOSED"), made.text
    assert (await office.post(route, HUNG | {"kind": "GUARDIAN"})).status_code == 202, "another person of that name, without a number"
    waiting = (await world.checker.get("/v1/representatives/proposals", params={"state": "PROPOSED"})).json()["items"]
    assert [item["kind"] for item in waiting] == ["AUTHORISED", "GUARDIAN"]
    path = f"/v1/representatives/proposals/{made.json()['proposal_id']}/decision"
    stranger = office.client("stranger", "60/593/22915", Role.COMMUNE_OFFICER)
    assert (await stranger.get("/v1/representatives/proposals")).json()["items"] == []
    assert (await stranger.post(path, json={"approve": True, "business_date": DAY})).status_code == 404
    assert (await world.checker.post(path, json={"approve": False, "business_date": DAY})).status_code == 422, "a refusal says why"
    no = {"approve": False, "reason": "Giấy không hợp lệ", "business_date": DAY}
    assert (await world.checker.post(path, json=no)).json()["state"] == "REJECTED"
    late = await world.checker.post(path, json={"approve": True, "business_date": DAY})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/not-possible-in-state")
    other = f"/v1/representatives/proposals/{waiting[1]['proposal_id']}/decision"
    assert (await world.maker.post(other, json={"approve": False, "business_date": DAY})).json()["state"] == "WITHDRAWN"
    assert await world.events("RepresentativeAppointed", "RepresentativeRevoked") == []


async def test_a_right_stays_as_it_is_until_its_extension_is_confirmed(world: Any, office: Any) -> None:
    person = (await _register(world, representative=REP)).json()
    (proposal,) = person["representative_proposals"]
    yes = {"approve": True, "business_date": DAY}
    appointed = (await world.checker.post(f"/v1/representatives/proposals/{proposal}/decision", json=yes)).json()
    path = f"/v1/beneficiaries/{person['beneficiary_id']}/representatives/{appointed['representative_id']}"
    longer = {"valid_to": "2026-01-31", "business_date": "2025-06-30"}
    asked = await world.maker.patch(path, json=longer, headers={"If-Match": '"1"'})
    assert (asked.status_code, asked.json()["action"]) == (202, "EXTEND")
    assert (await world.maker.get(path)).json()["valid_to"] == "2025-08-20"
    assert (await world.maker.patch(path, json=longer, headers={"If-Match": '"1"'})).status_code == 422, "one question at a time"
    end = {"reason": "người hưởng yêu cầu", "business_date": "2025-07-01"}
    assert (await world.maker.post(path + "/revoke", json=end, headers={"If-Match": '"1"'})).status_code == 200, "one person ends a right"
    answer = await world.checker.post(f"/v1/representatives/proposals/{asked.json()['proposal_id']}/decision", json=yes)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-possible-in-state")


@pytest.mark.parametrize(
    ("category", "month", "more", "refused"),
    [
        ("SA5D", "2024-08", {}, None),
        ("SA5D", "2024-01", {}, "2024-08"),
        ("SA5D", "2024-01", {"event_date": "2024-01-09"}, "2024-08"),
        ("SA6_S", "2024-03", {}, "2024-08"),
        ("SA6_S", "2024-03", {"event_date": "2024-03-09"}, None),
        ("SA6_S", "2024-02", {"event_date": "2024-03-09"}, "2024-03"),
        ("SA5C", "2024-05", {}, None),
        ("SA5C", "2024-04", {}, "2024-05"),
    ],
)
async def test_a_grant_begins_in_the_laws_month_or_says_why(
    world: Any, office: Any, category: str, month: str, more: dict[str, str], refused: str | None
) -> None:
    """Signed on 12 August 2024; the person is 80 in May 2024; a certificate's date counts for disability only."""
    await world.take([row("A-1", category="CS_HH_XS", birth_date="03/05/1944")])
    item = {"beneficiary_id": await world.id_of("A-1"), "category": category}
    made = await office.propose("GRANT", "NEW", items=[item], effective_month=month, **more)
    if refused is None:
        assert made.status_code == 201, made.text
        return
    (error,) = made.json()["errors"]
    assert (error["field"], refused in error["detail"], refused in error["detail_vi"]) == ("items.0.effective_month", True, True)
    why = item | {"arrears_reason": "Quyết định ký chậm do xác minh"}
    told = await office.propose("GRANT", "NEW", items=[why], effective_month=month, **more)
    assert told.status_code == 201, told.text
    view = (await world.maker.get(f"/v1/decisions/{told.json()['decision_ids'][0]}")).json()
    assert view["arrears_reason"] == why["arrears_reason"]


async def test_a_registration_before_the_laws_month_is_refused_or_says_why(world: Any) -> None:
    early = [GRANT | {"from_month": "2024-02"}]
    bad = await _register(world, entitlements=early)
    assert [(item["code"], "05/2024" in item["detail_vi"]) for item in bad.json()["errors"]] == [("BEFORE_LAW", True)], bad.text
    arrears = await _register(world, "register-2", entitlements=[GRANT | {"arrears_from": "2024-02"}])
    assert [(item["code"], item["field"]) for item in arrears.json()["errors"]] == [("BEFORE_LAW", "arrears_from")]
    assert (await _register(world, "register-3", entitlements=[early[0] | {"certificate_date": "2024-02-11"}])).status_code == 201
    why = {"arrears_reason": "Quyết định ký chậm do xác minh"}
    said = await _register(world, "register-4", file_code="S-2", full_name="Lê Thị Mai", entitlements=[early[0] | why])
    assert said.status_code == 201, said.text
    ahead = await _register(world, "register-5", file_code="S-3", entitlements=[GRANT | {"decision_date": "2024-08-21"}])
    assert "DECISION_AHEAD" in [item["code"] for item in ahead.json()["errors"]]


async def test_an_age_that_does_not_fit_is_told_and_refuses_nothing(world: Any, office: Any) -> None:
    young = {"category": "SA5C", "from_month": "2024-05"}
    made = await _register(world, birth_date="1990-01-01", entitlements=[GRANT | young])
    assert made.status_code == 201
    (warning,) = made.json()["warnings"]
    assert (warning["code"], "80" in warning["detail_vi"], "80" in warning["detail"]) == ("AGE_BELOW", True, True)
    assert (await _register(world, "register-2", file_code="S-2", full_name="Lê Ba", birth_date="1940")).json()["warnings"] == []
    item = {"beneficiary_id": made.json()["beneficiary_id"], "category": "SA1_GE4"}
    proposed = (await office.propose("GRANT", "NEW", items=[item], effective_month="2024-08")).json()
    assert [(one["field"], one["code"]) for one in proposed["warnings"]] == [("items.0", "AGE_ABOVE")]
    sent = await world.send(as_csv([row("A-1", category="SA5C"), row("A-2", "060144000002", category="SA5C", birth_date="1944")]))
    await world.work()
    told = (await world.checker.get(f"/v1/imports/{sent.json()['import_id']}/errors")).text.removeprefix("\ufeff")
    found = [(line["mã hồ sơ"], line["kết quả"], line["mã lỗi"]) for line in csv.DictReader(io.StringIO(told)) if "AGE" in line["mã lỗi"]]
    assert found == [("A-1", "WARNING", "AGE_BELOW")]


async def _waiting(client: Any) -> dict[str, int]:
    answer = await client.get("/v1/work", params={"business_date": DAY})
    return {item["kind"]: item["count"] for item in answer.json()["items"]}


async def test_my_work_holds_what_i_may_decide_and_never_what_i_proposed(world: Any, office: Any) -> None:
    made = await _register(world, programme="MERIT", entitlements=[GRANT | {"category": "MR_MOTHER", "signer": "Trần Văn Nam"}])
    assert "decisions" not in await _waiting(world.maker)
    assert "decisions" not in await _waiting(office.client("colleague", "60/593/22924", Role.COMMUNE_OFFICER))  # the department's to sign
    assert "decisions" not in await _waiting(office.client("elsewhere", "60/594", Role.DEPARTMENT_OFFICER))
    assert (await _waiting(world.checker))["decisions"] == 1
    await _approve(world.checker, made.json()["decision_ids"])
    assert "decisions" not in await _waiting(world.checker)
