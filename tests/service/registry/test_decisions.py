"""Decisions: proposed, approved by another, worked into allowances and dues to the đồng; every refusal says why."""

from __future__ import annotations

from typing import Any

import pytest
from registry_decision_helpers import HEAD
from registry_test_helpers import as_csv, row

from common.actor import Role
from common.contracts import registry_v1

MERIT = {"programme": "MERIT"}


async def test_a_grant_is_proposed_by_one_and_approved_by_another(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    item = {"beneficiary_id": await world.id_of("A-1"), "category": "CS_HH_XS"}
    made = await office.propose("GRANT", "NEW", items=[item], effective_month="2024-08")
    assert made.status_code == 201, made.text
    assert await office.months("A-1", "2024-08") == {"2024-08": 750_000}
    bulk = made.json()["bulk_id"]
    own = await office.answer("approve", bulk, world.maker)
    assert (own.status_code, own.json()["type"]) == (409, "/problems/same-person")
    assert (await office.answer("approve", bulk)).json() == {"answered": 1}
    assert await office.months("A-1", "2024-07", "2024-08") == {"2024-07": 750_000, "2024-08": 1_250_000}
    again = await office.answer("approve", bulk)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/decision-not-open")
    view = (await world.maker.get(f"/v1/decisions/{made.json()['decision_ids'][0]}")).json()
    assert (view["state"], view["maker"], view["checker"], view["authority"], view["authority_path"]) == (
        "APPROVED", "maker", "checker", "DISTRICT_CHAIR", "60/593",
    )  # fmt: skip
    granted = await world.events("EntitlementGranted")
    assert granted[-1]["body"]["entitlement_id"] == view["result_id"]


async def test_rejected_and_withdrawn_proposals_change_nothing(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    allowance = await office.allowance("A-1")
    before = len(await world.events("DuesChanged"))
    first = (await office.propose("END", "REFUSED", allowance, event_date="2024-08-01")).json()["bulk_id"]
    assert (await office.answer("reject", first)).json()["errors"] == [{"field": "reason", "detail": "a refusal says why"}]
    assert (await office.answer("withdraw", first, world.maker)).status_code == 200
    second = (await office.propose("END", "REFUSED", allowance, event_date="2024-08-01")).json()["bulk_id"]
    stranger = await office.answer("withdraw", second, office.client("other", "60/593/22924", Role.COMMUNE_OFFICER))
    assert stranger.json()["type"] == "/problems/same-person"
    assert (await office.answer("reject", second, reason="thiếu đơn")).status_code == 200
    assert [item["state"] for item in (await world.maker.get("/v1/decisions")).json()["items"]] == ["WITHDRAWN", "REJECTED"]
    assert len(await world.events("DuesChanged")) == before


async def test_a_false_alarm_pays_every_suspended_month_back(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_PRISON", from_month="07/2024")], **MERIT)
    allowance = await office.allowance("M-1")
    await office.decide("SUSPEND", "FRAUD_SUSPECTED", allowance)
    assert await office.months("M-1", "2024-07", "2024-08", "2025-03") == {"2024-07": 1_673_000, "2024-08": 0, "2025-03": 0}
    day = {"business_date": "2024-11-20", "decision_date": "2024-11-18"}
    await office.decide("RESUME", "FALSE_ALARM", allowance, **day)
    assert set((await office.months("M-1", "2024-08", "2024-09", "2024-10", "2024-11", "2025-03")).values()) == {1_673_000}
    assert [e["type"] for e in await world.events("EntitlementSuspended", "EntitlementResumed")] == [
        "EntitlementSuspended", "EntitlementResumed",
    ]  # fmt: skip
    await office.decide("SUSPEND", "FRAUD_SUSPECTED", allowance, effective_month="2024-08")  # the same month may begin another pause
    assert await office.months("M-1", "2024-07", "2024-08") == {"2024-07": 1_673_000, "2024-08": 0}


async def test_prison_stops_from_the_judgement_and_resumes_the_month_after_release_without_back_pay(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_PRISON", from_month="07/2024")], **MERIT)
    allowance = await office.allowance("M-1")
    await office.decide("SUSPEND", "PRISON", allowance, event_date="2024-08-05")
    day = {"business_date": "2024-12-20", "decision_date": "2024-12-18"}
    await office.decide("RESUME", "RELEASED", allowance, event_date="2024-12-10", **day)
    assert await office.months("M-1", "2024-07", "2024-08", "2024-12", "2025-01") == {
        "2024-07": 1_673_000, "2024-08": 0, "2024-12": 0, "2025-01": 1_673_000,
    }  # fmt: skip


async def test_suspended_assistance_is_resumed_without_back_pay_and_ends_after_three_months(world: Any, office: Any) -> None:
    await world.take([row("A-1"), row("A-2", "060190000001")])
    one, two = await office.allowance("A-1"), await office.allowance("A-2")
    await office.decide("SUSPEND", "NOT_REASSESSED", one, two)
    assert await office.months("A-1", "2024-08", "2024-09") == {"2024-08": 750_000, "2024-09": 0}
    early = await office.propose("END", "NOT_REASSESSED", two, business_date="2024-11-29", decision_date="2024-11-29")
    assert early.json()["errors"][0]["detail"] == "three months of suspension end in 2024-12"
    day = {"business_date": "2024-12-02", "decision_date": "2024-12-02"}
    await office.decide("END", "NOT_REASSESSED", two, **day)
    await office.decide("RESUME", "REMEDIED", one, **day)
    assert await office.months("A-1", "2024-11", "2024-12") == {"2024-11": 0, "2024-12": 750_000}
    assert await office.months("A-2", "2024-08", "2024-12", "2025-06") == {"2024-08": 750_000, "2024-12": 0, "2025-06": 0}


async def test_an_open_question_of_the_law_is_a_setting_that_changes_the_answer(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    allowance = await office.allowance("A-1")
    await office.decide("SUSPEND", "UNCOLLECTED", allowance)
    world.settle("BACK_PAY_AFTER_SUSPENSION", "YES")
    await office.decide("RESUME", "REMEDIED", allowance, business_date="2024-12-02", decision_date="2024-12-02")
    assert set((await office.months("A-1", "2024-08", "2024-09", "2024-11", "2024-12")).values()) == {750_000}


async def test_an_adjustment_changes_the_level_from_its_month_and_keeps_what_was(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_WOUNDED", percent="61", from_month="07/2024")], **MERIT)
    allowance = await office.allowance("M-1")
    await office.decide("ADJUST", "CHANGED", items=[{"entitlement_id": allowance, "percent": 81}], effective_month="2024-10")
    assert await office.months("M-1", "2024-09", "2024-10") == {"2024-09": 5_450_000, "2024-10": 7_240_000}
    changed = await world.events("EntitlementChanged")
    assert [(e["body"]["from_month"], e["body"]["to_month"], e["body"]["status"]) for e in changed] == [
        ("2024-07", "2024-09", "ENDED"), ("2024-10", None, "GRANTED"),
    ]  # fmt: skip
    assert len({line["benefit_line"] for line in (await world.events("DuesChanged"))[-1]["body"]["lines"]}) == 1


async def test_an_adjustment_brings_no_suspended_month_back(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_WOUNDED", percent="61", from_month="07/2024")], **MERIT)
    allowance = await office.allowance("M-1")
    await office.decide("SUSPEND", "PRISON", allowance, event_date="2024-09-05", business_date="2024-09-20", decision_date="2024-09-12")
    await office.decide("RESUME", "RELEASED", allowance, event_date="2024-11-05", business_date="2024-11-20", decision_date="2024-11-12")
    higher = {"items": [{"entitlement_id": allowance, "percent": 81}], "effective_month": "2024-08"}
    await office.decide("ADJUST", "CHANGED", business_date="2024-12-20", decision_date="2024-12-12", **higher)
    assert await office.all_months("M-1", ["2024-07", "2024-08", "2024-09", "2024-11", "2024-12"]) == {
        "2024-07": 5_450_000, "2024-08": 7_240_000, "2024-09": 0, "2024-11": 0, "2024-12": 7_240_000,
    }  # fmt: skip


async def test_an_adjustment_within_explicit_arrears_moves_no_month_to_another_line(world: Any, office: Any) -> None:
    """A month that changed its line would be paid again: paid sums are remembered by line and month."""
    arrears = row("M-1", category="MR_WOUNDED", percent="61", from_month="10/2024", arrears_from="07/2024", decision_date="15/09/2024")
    await world.take([arrears], programme="MERIT", business_date="2024-09-20")

    async def lines(month: str) -> dict[str, int]:
        return {item["benefit_line"]: item["amount"] for item in (await world.due("M-1", month))["intervals"]}

    before = {month: await lines(month) for month in ("2024-07", "2024-08", "2024-10")}
    item = {"entitlement_id": await office.allowance("M-1"), "percent": 81}
    await office.decide(
        "ADJUST", "CHANGED", items=[item], effective_month="2024-08", business_date="2024-09-25", decision_date="2024-09-24"
    )
    after = {month: await lines(month) for month in before}
    assert {month: list(found) for month, found in after.items()} == {month: list(found) for month, found in before.items()}
    assert [list(after[month].values()) for month in after] == [[5_450_000], [7_240_000], [7_240_000]]


async def test_an_end_stops_the_month_after_the_loss(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    await office.decide("END", "NOT_ENTITLED", await office.allowance("A-1"), event_date="2024-08-05")
    assert await office.months("A-1", "2024-08", "2024-09") == {"2024-08": 750_000, "2024-09": 0}
    (ended,) = await world.events("EntitlementEnded")
    assert (ended["body"]["to_month"], ended["body"]["status"]) == ("2024-08", "ENDED")
    registry_v1.EntitlementEnded.model_validate(ended["body"])


async def test_many_under_one_paper_are_all_or_none(world: Any, office: Any) -> None:
    await world.take([row(f"A-{n}", f"0601900000{n:02d}") for n in range(1, 8)])
    allowances = [await office.allowance(f"A-{n}") for n in range(1, 8)]
    await office.decide("SUSPEND", "UNCOLLECTED", allowances[0])
    mixed = await office.propose("SUSPEND", "UNCOLLECTED", *allowances)
    assert (mixed.status_code, mixed.json()["type"]) == (409, "/problems/entitlement-state")
    assert [error["field"] for error in mixed.json()["errors"]] == ["items.0.entitlement_id"]
    await office.decide("SUSPEND", "UNCOLLECTED", *allowances[1:])
    assert len(await world.events("EntitlementSuspended")) == 7
    async with world.db.read() as tx:
        approvals = await tx.rows("SELECT detail FROM audit_log WHERE action = 'decision.approve' ORDER BY id")
    assert [item["detail"]["count"] for item in approvals] == [1, 6]
    assert [(item["detail"]["before"]["state"], item["detail"]["after"]["state"]) for item in approvals] == [("PROPOSED", "APPROVED")] * 2
    assert all(len(item["detail"]["digest"]) == 64 for item in approvals)
    told = approvals[1]["detail"]
    assert (told["before"]["allowances"], told["after"]["allowances"]) == ({"GRANTED": 6}, {"SUSPENDED": 6})
    page = (await world.checker.get("/v1/decisions", params={"limit": 5})).json()
    rest = (await world.checker.get("/v1/decisions", params={"limit": 5, "cursor": page["next_cursor"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (5, 2, None)


REFUSALS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("SUSPEND", "FRAUD_CONCLUDED", {}, "reason", "is no ground"),
    ("SUSPEND", "PRISON", {"event_date": "2024-08-05"}, "reason", "is no ground"),
    ("END", "NOT_ENTITLED", {}, "event_date", "counted from this date"),
    ("END", "NOT_ENTITLED", {"event_date": "2024-08-05", "effective_month": "2024-08"}, "effective_month", "by law it is 2024-09"),
    ("END", "OTHER", {}, "effective_month", "no month of its own"),
    ("END", "NOT_REASSESSED", {}, "entitlement_id", "not suspended"),
    ("ADJUST", "CHANGED", {"event_date": "2023-01-05", "category": "SA6_XS"}, "effective_month", "it begins in 2024-01"),
    ("ADJUST", "CHANGED", {"event_date": "2024-08-05"}, "category", "nothing to adjust"),
    ("ADJUST", "CHANGED", {"event_date": "2024-08-05", "category": "MR_PRISON"}, "category", "of another programme"),
    ("ADJUST", "CHANGED", {"event_date": "2024-08-05", "category": "NO_SUCH"}, "category", "not in the catalogue"),
    ("ADJUST", "CHANGED", {"event_date": "2024-08-05", "percent": 61}, "percent", "has no percentage"),
]


async def test_a_refusal_names_item_field_and_rule(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    allowance = await office.allowance("A-1")
    for kind, reason, given, field, words in REFUSALS:
        more = dict(given)
        item = {"entitlement_id": allowance} | {name: more.pop(name) for name in ("category", "percent") if name in more}
        answer = await office.propose(kind, reason, items=[item], **more)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/decision-refused"), (kind, reason, answer.text)
        (error,) = answer.json()["errors"]
        assert error["field"] == f"items.0.{field}"
        assert words in error["detail"]
        assert error["detail_vi"] not in ("", error["detail"])
        if words == "is no ground":
            assert error["detail"].endswith("possible: DETAINED, NOT_REASSESSED, OTHER, UNCOLLECTED")
    assert (await world.maker.get("/v1/decisions")).json()["items"] == []


async def test_states_that_do_not_allow_a_decision_are_refused(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    allowance = await office.allowance("A-1")
    assert (await office.propose("RESUME", "REMEDIED", allowance)).json()["type"] == "/problems/entitlement-state"
    await office.propose("SUSPEND", "UNCOLLECTED", allowance)
    second = await office.propose("END", "REFUSED", allowance, event_date="2024-08-01")
    assert "another proposal" in second.json()["errors"][0]["detail"]
    bulk = (await world.maker.get("/v1/decisions")).json()["items"][0]["bulk_id"]
    await office.answer("approve", bulk)
    await office.decide("END", "REFUSED", allowance, event_date="2024-08-01")
    for kind, reason in (("SUSPEND", "UNCOLLECTED"), ("END", "REFUSED"), ("ADJUST", "CHANGED")):
        assert (await office.propose(kind, reason, allowance)).json()["type"] == "/problems/entitlement-state"
    reopened = await office.propose("RESUME", "REMEDIED", allowance)
    assert "grant it anew" in reopened.json()["errors"][0]["detail"]


async def test_a_category_held_already_is_not_granted_twice(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    item = {"beneficiary_id": await world.id_of("A-1"), "category": "SA6_S"}
    made = await office.propose("GRANT", "NEW", items=[item], effective_month="2024-08")
    refused = await office.answer("approve", made.json()["bulk_id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-entitled")
    other = item | {"category": "SA5A_GE80"}
    twice = await office.propose("GRANT", "NEW", items=[other, other], effective_month="2024-08")
    assert (await office.answer("approve", twice.json()["bulk_id"])).json()["type"] == "/problems/already-entitled"


async def test_months_of_an_allowance_that_has_ended_are_not_granted_again(world: Any, office: Any) -> None:
    """Two decisions of one category for one month would pay it twice: by a decision, a list, or by taking the older one up again."""
    listed = row("M-1", category="MR_WOUNDED", percent="61", from_month="07/2024")
    await world.take([listed], **MERIT)
    first = await office.allowance("M-1")
    late = {"business_date": "2024-11-20", "decision_date": "2024-11-12"}
    await office.decide("END", "NOT_ENTITLED", first, event_date="2024-10-05", **late)
    item = {"beneficiary_id": await world.id_of("M-1"), "category": "MR_WOUNDED", "percent": 61, "arrears_reason": "Sửa sai sót"}
    months = {"effective_month": "2024-11", "items": [item | {"arrears_from": "2024-10"}]}
    for more in ({"effective_month": "2024-10", "items": [item]}, months):
        made = await office.propose("GRANT", "NEW", **late, **more)
        refused = await office.answer("approve", made.json()["bulk_id"], business_date="2024-11-20")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-entitled")
    sent = await world.send(
        as_csv([listed | {"from_month": "10/2024", "decision_number": "99/QĐ"}]), **MERIT | {"business_date": "2024-11-20"}
    )
    await world.work()
    assert await world.errors(sent.json()["import_id"]) == [(4, "ALREADY_ENTITLED")]
    await office.decide("GRANT", "NEW", items=[item], effective_month="2024-11", **late)
    detail = (await world.checker.get(f"/v1/beneficiaries/{item['beneficiary_id']}")).json()["entitlements"]
    second = next(one["entitlement_id"] for one in detail if one["entitlement_id"] != first)
    later = {"business_date": "2025-02-20", "decision_date": "2025-02-12"}
    await office.decide("END", "NOT_ENTITLED", second, event_date="2025-01-05", **later)
    back = await office.propose("RESUME", "FALSE_ALARM", first, **later)
    refused = await office.answer("approve", back.json()["bulk_id"], business_date="2025-02-20")
    assert refused.json()["type"] == "/problems/already-entitled"
    assert await office.all_months("M-1", ["2024-10", "2024-11", "2025-01", "2025-02"]) == {
        "2024-10": 5_450_000, "2024-11": 5_450_000, "2025-01": 5_450_000, "2025-02": 0,
    }  # fmt: skip


async def test_the_authority_follows_programme_and_date_for_lists_and_decisions(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    await world.take([row("M-1", category="MR_PRISON")], **MERIT)
    async with world.db.read() as tx:
        found = await tx.rows("SELECT programme, authority, authority_path FROM entitlement ORDER BY programme")
    assert [tuple(item.values()) for item in found] == [
        ("MERIT", "DEPARTMENT", "60"), ("SOCIAL_ASSISTANCE", "DISTRICT_CHAIR", "60/593"),
    ]  # fmt: skip
    listed = (await world.maker.get("/v1/decisions/authorities")).json()
    assert [(item["programme"], item["authority"], item["applies_from"]) for item in listed] == [
        ("MERIT", "DEPARTMENT", "1900-01-01"), ("SOCIAL_ASSISTANCE", "DISTRICT_CHAIR", "1900-01-01"),
        ("SOCIAL_ASSISTANCE", "COMMUNE_CHAIR", "2025-07-01"), ("SOCIAL_PENSION", "COMMUNE_CHAIR", "2025-07-01"),
    ]  # fmt: skip
    late = {"decision_date": "2025-07-01", "business_date": "2025-07-02"}
    await office.propose("SUSPEND", "UNCOLLECTED", await office.allowance("A-1"), **late)
    shown = (await world.maker.get("/v1/decisions")).json()["items"][-1]
    assert (shown["authority"], shown["authority_path"]) == ("COMMUNE_CHAIR", "60/593/22924")


async def test_a_decision_of_the_department_is_not_approved_at_the_commune(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_PRISON")], **MERIT)
    made = await office.propose("SUSPEND", "FRAUD_SUSPECTED", await office.allowance("M-1"))
    commune = office.client("second", "60/593/22924", Role.COMMUNE_OFFICER)
    assert (await office.answer("approve", made.json()["bulk_id"], commune)).status_code == 403
    assert (await office.answer("approve", made.json()["bulk_id"])).status_code == 200


async def test_another_commune_sees_and_decides_nothing(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    allowance = await office.allowance("A-1")
    made = (await office.propose("SUSPEND", "UNCOLLECTED", allowance)).json()
    stranger = office.client("stranger", "60/593/22915", Role.COMMUNE_OFFICER)
    assert (await stranger.get("/v1/decisions")).json()["items"] == []
    assert (await stranger.get(f"/v1/decisions/{made['decision_ids'][0]}")).status_code == 404
    assert (await office.answer("approve", made["bulk_id"], stranger)).status_code == 404
    foreign = await office.post(
        "/v1/decisions",
        {"kind": "SUSPEND", "reason": "UNCOLLECTED", "number": "1", "decision_date": "2024-08-01", "signer": "x",
         "business_date": "2024-08-20", "items": [{"entitlement_id": allowance}]},
        stranger,
    )  # fmt: skip
    assert foreign.status_code == 404


async def test_the_schema_itself_refuses_one_person_for_both(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    await office.propose("SUSPEND", "UNCOLLECTED", await office.allowance("A-1"))
    with pytest.raises(Exception, match="violates check constraint"):
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE decision SET state = 'APPROVED', checker = maker")


async def test_attachments_are_told_by_content_kept_encrypted_and_read_with_a_purpose(world: Any) -> None:
    async def send(content: bytes, media_type: str, key: str) -> Any:
        return await world.maker.post(
            "/v1/attachments", data={"kind": "DECISION", "unit_code": "22924", "business_date": "2024-08-20"},
            files={"file": ("HIV nguyen van a.pdf", content, media_type)}, headers={"Idempotency-Key": key},
        )  # fmt: skip

    sent = await send(b"%PDF-1.7 quyet dinh", "application/pdf", "attach-001")
    assert (sent.status_code, sent.json()["media_type"]) == (201, "application/pdf")
    path = f"/v1/attachments/{sent.json()['attachment_id']}"
    assert (await world.maker.get(path + "/content")).status_code == 422
    read = await world.maker.get(path + "/content", params={"purpose": "đối chiếu hồ sơ"})
    assert (read.content, read.headers["content-type"]) == (b"%PDF-1.7 quyet dinh", "application/pdf")
    async with world.db.read() as tx:
        stored = await tx.row("SELECT content, CAST(a AS text) AS everything FROM attachment a")
        assert await tx.value("SELECT purpose FROM audit_log WHERE action = 'attachment.read'") == "đối chiếu hồ sơ"
    assert b"quyet dinh" not in bytes(stored["content"])
    assert "HIV" not in stored["everything"]
    for content, media_type in ((b"MZ\x90 program", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "application/pdf"), (b"", "image/png")):
        assert (await send(content, media_type, f"attach-{len(content)}-{media_type}")).json()["type"] == "/problems/attachment-refused"
    big = await send(b"%PDF-" + bytes(world.settings.attachment_max_bytes), "application/pdf", "attach-big")
    assert big.status_code == 413
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.get(path)).status_code == 404
    with pytest.raises(Exception, match="permission denied"):
        async with world.db.transaction() as tx:
            await tx.execute("DELETE FROM attachment")


async def test_a_seniority_supplement_is_paid_by_the_years(world: Any, office: Any) -> None:
    await world.take([row("M-1", category="MR_BEFORE_1945_LEFT", from_month="07/2024")], programme="MERIT")
    person = await world.id_of("M-1")
    base = (await world.due("M-1", "2024-10"))["total"]
    item = {"beneficiary_id": person, "category": "MR_SENIORITY"}
    grant = HEAD | {"kind": "GRANT", "reason": "NEW", "effective_month": "2024-08"}
    missing = await office.post("/v1/decisions", grant | {"items": [item]})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "items.0.quantity")
    wrong = {"beneficiary_id": person, "category": "MR_MOTHER", "quantity": 2}
    refused = await office.post("/v1/decisions", grant | {"items": [wrong]})
    assert refused.json()["errors"][0]["detail_vi"] == "loại này không hưởng theo số lượng"
    made = await office.post("/v1/decisions", grant | {"items": [item | {"quantity": 7}]})
    assert made.status_code == 201, made.text
    shown = (await world.checker.get(f"/v1/decisions/{made.json()['decision_ids'][0]}")).json()
    assert shown["quantity"] == 7
    assert (await office.answer("approve", made.json()["bulk_id"])).status_code == 200
    assert (await world.due("M-1", "2024-10"))["total"] == base + 7 * 529_000
    held = (await world.checker.get(f"/v1/beneficiaries/{person}")).json()["entitlements"]
    (supplement,) = [one["entitlement_id"] for one in held if one["category"] == "MR_SENIORITY"]
    await office.decide("ADJUST", "CHANGED", items=[{"entitlement_id": supplement, "quantity": 8}], effective_month="2024-10")
    owed = [(await world.due("M-1", month))["total"] - base for month in ("2024-09", "2024-10")]
    assert owed == [7 * 529_000, 8 * 529_000]
