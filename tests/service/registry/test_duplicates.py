"""Duplicates: found after a change, shown to both communes, held, decided by two people, merged, undone."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from registry_test_helpers import as_csv, row

from common.actor import SYSTEM, Role
from registry.usecases import death_differences, people
from registry.usecases.duplicates import Scanner

DAY = "2024-08-20"
SAME = {"full_name": "Trần Thị Bưởi", "birth_date": "02/03/1940"}


async def _scan(world: Any) -> None:
    scanner = Scanner(world.db)
    while await scanner.run_once():
        pass


@pytest.fixture
async def pair(world: Any) -> Any:
    """One woman in two communes: the second file has no number and another allowance."""
    await world.take([row("A-1", "060140000001", **SAME), row("A-9", "060190000009", full_name="Lê Văn Khác")])
    other = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="other")
    sent = await world.send(
        as_csv(
            [
                row(
                    "B-1",
                    "",
                    category="SA5D",
                    unit_code="22915",
                    decision_number="77/QĐ",
                    from_month="03/2024",
                    **SAME,
                    rep_name="Trần Văn Bình",
                    rep_birth="1970",
                    rep_number="060070000009",
                    rep_kind="Ủy quyền",
                )
            ]
        ),
        other,
        unit_code="22915",
    )
    await world.work()
    await world.checker.post(f"/v1/imports/{sent.json()['import_id']}/approve")
    await world.work()
    await _scan(world)
    world.other = other
    world.a, world.b = await world.id_of("A-1"), await world.id_of("B-1")
    return world


async def _one(world: Any, client: Any = None) -> dict[str, Any]:
    answer = await (client or world.checker).get("/v1/duplicates")
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    return dict(item)


async def _decide(world: Any, candidate: str, kind: str, **more: Any) -> Any:
    body = {"kind": kind, "note": "đã đối chiếu tại nhà", "business_date": DAY} | more
    proposed = await world.maker.post(f"/v1/duplicates/{candidate}/proposal", json=body)
    assert proposed.status_code == 201, proposed.text
    return await world.checker.post(f"/v1/duplicates/{candidate}/decision", json={"approve": True})


async def _facts(world: Any) -> dict[str, Any]:
    """What the two files hold and are owed, without counters."""
    found: dict[str, Any] = {}
    for person in (world.a, world.b):
        detail = (await world.checker.get(f"/v1/beneficiaries/{person}")).json()
        detail["entitlements"] = [
            item for item in detail["entitlements"] if item["to_month"] is None or item["to_month"] >= item["from_month"]
        ]
        detail["representatives"] = [item for item in detail["representatives"] if item["revoked_on"] is None]
        detail.pop("version")
        dues = (await world.checker.get(f"/v1/beneficiaries/{person}/dues")).json()
        found[person] = (detail, dues)
    return found


async def test_both_communes_see_the_pair_side_by_side_and_masked(pair: Any) -> None:
    for client in (pair.maker, pair.other, pair.checker):
        item = await _one(pair, client)
        assert (item["a"]["file_code"], item["b"]["file_code"], item["state"], item["strong"]) == ("A-1", "B-1", "OPEN", True)
        assert (item["a"]["masked_number"], item["b"]["masked_number"]) == ("060*****0001", None)
        assert {"SAME_NAME", "SAME_BIRTH_DATE", "TWO_COMMUNES"} <= {reason["code"] for reason in item["reasons"]}
        assert "SA5D" not in str(item)
    stranger = pair.client_as(pair.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="stranger")
    assert (await stranger.get("/v1/duplicates")).json()["items"] == []
    assert (await stranger.get(f"/v1/duplicates/{item['candidate_id']}")).status_code == 404


async def test_the_later_file_is_marked_until_two_people_decided(pair: Any) -> None:
    marked = (await pair.events("BeneficiaryUpdated"))[-1]["body"]
    assert (marked["beneficiary_id"], marked["unresolved_duplicate"]) == (pair.b, True)
    item = await _one(pair)
    own = await pair.checker.post(
        f"/v1/duplicates/{item['candidate_id']}/proposal", json={"kind": "NOT_DUPLICATE", "note": "hai chị em họ", "business_date": DAY}
    )
    assert own.status_code == 201
    alone = await pair.checker.post(f"/v1/duplicates/{item['candidate_id']}/decision", json={"approve": True})
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/same-person")
    again = await pair.maker.post(
        f"/v1/duplicates/{item['candidate_id']}/proposal", json={"kind": "CONFIRM", "note": "trùng thật", "business_date": DAY}
    )
    assert again.json()["type"] == "/problems/decision-pending"
    half = await pair.maker.post(f"/v1/duplicates/{item['candidate_id']}/decision", json={"approve": True})
    assert half.status_code == 409, "the second person must see both files"
    second = pair.client_as(pair.app, Role.APPROVER, units=("60",), subject="second")
    done = await second.post(f"/v1/duplicates/{item['candidate_id']}/decision", json={"approve": True})
    assert (done.status_code, done.json()["state"]) == (200, "NOT_DUPLICATE")
    freed = (await pair.events("BeneficiaryUpdated"))[-1]["body"]
    assert (freed["beneficiary_id"], freed["unresolved_duplicate"]) == (pair.b, False)
    await _scan(pair)
    assert (await _one(pair))["state"] == "NOT_DUPLICATE", "what two people decided stays decided"


async def test_merge_moves_everything_pays_nothing_twice_and_is_undone_exactly(pair: Any) -> None:
    before = await _facts(pair)
    candidate = (await _one(pair))["candidate_id"]
    merged = await _decide(pair, candidate, "MERGE", survivor_id=pair.a, effective_month="2024-09")
    assert (merged.status_code, merged.json()["state"]) == (200, "MERGED"), merged.text
    after = await _facts(pair)
    lines = {item["decision_number"]: item for item in after[pair.a][0]["entitlements"]}
    assert {"12/QĐ-UBND", "77/QĐ"} == set(lines)
    assert lines["77/QĐ"]["from_month"] == "2024-03", "steps of age count from when it was granted; months before are set aside"
    assert [rep["full_name"] for rep in after[pair.a][0]["representatives"]] == ["Trần Văn Bình"]
    assert after[pair.b][0]["status"] == "LEFT"
    assert after[pair.b][0]["entitlements"] == [], "months both files stood were double"
    late = await pair.send(as_csv([row("B-1", "", category="CS_HH_XS", unit_code="22915", **SAME)]), pair.other, unit_code="22915")
    await pair.work()
    assert await pair.errors(late.json()["import_id"]) == [(4, "MERGED_FILE")], "nothing new is granted to a file that is gone"
    paper = {"number": "45/QĐ", "decision_date": "2024-08-12", "signer": "Trần Văn Nam", "business_date": DAY, "effective_month": "2024-09"}
    grant = paper | {"kind": "GRANT", "reason": "NEW", "items": [{"beneficiary_id": pair.b, "category": "SA6_S"}]}
    decided = await pair.other.post("/v1/decisions", json=grant, headers={"Idempotency-Key": "after-the-merge"})
    assert decided.json()["type"] == "/problems/entitlement-state", "nor by a decision"
    for month in ("2024-05", "2024-09", "2025-01"):
        due = {code: (await pair.due(code, month))["total"] for code in ("A-1", "B-1")}
        assert due["B-1"] == 0, (month, due)
        assert due["A-1"] == (1_500_000 if month >= "2024-09" else 540_000), (month, due)
    events = await pair.events("BeneficiaryUpdated", "DuesChanged", "EntitlementEnded", "RepresentativeRevoked", "RepresentativeAppointed")
    gone = [event["body"] for event in events if event["type"] == "BeneficiaryUpdated" and event["body"]["merged_into"]]
    assert [(body["beneficiary_id"], body["merged_into"], body["unresolved_duplicate"]) for body in gone] == [(pair.b, pair.a, False)]
    undone = await _decide(pair, candidate, "UNDO")
    assert (undone.status_code, undone.json()["state"]) == (200, "UNDONE"), undone.text
    assert await _facts(pair) == before
    versions = [event["body"]["version"] for event in await pair.events("BeneficiaryUpdated") if event["body"]["beneficiary_id"] == pair.b]
    assert versions == sorted(set(versions)), "every state said has a higher version than the one before"
    again = await _decide(pair, candidate, "MERGE", survivor_id=pair.a, effective_month="2024-09")
    assert again.status_code == 200, again.text
    assert await _facts(pair) == after


async def test_a_merge_keeps_the_survivors_groups_and_takes_the_days_it_was_in_none(pair: Any) -> None:
    """Two groups of a set on one day is what the schema refuses: of the other file's, only the days between the survivor's own go over."""
    own = [("POOR", "2024-03-01", "2024-05-31"), ("OTHER", "2024-01-01", None)]
    others = [("NEAR_POOR", "2024-01-01", "2024-06-30"), ("OTHER", "2023-01-01", "2024-02-29")]
    async with pair.db.transaction() as tx:
        for person, spans in ((pair.a, own), (pair.b, others)):
            for group, first, last in spans:
                await tx.execute(
                    "INSERT INTO group_membership (person_id, group_code, from_date, to_date)"
                    " VALUES (:id, :group, CAST(CAST(:first AS text) AS date), CAST(CAST(:last AS text) AS date))",
                    id=UUID(person), group=group, first=first, last=last,
                )  # fmt: skip
    before = await _facts(pair)
    item = await _one(pair)
    assert (await _decide(pair, item["candidate_id"], "MERGE", survivor_id=pair.a, effective_month="2024-09")).status_code == 200
    async with pair.db.read() as tx:
        rows = await tx.rows("SELECT * FROM group_membership WHERE person_id = :id ORDER BY from_date, group_code", id=UUID(pair.a))
    assert [(row["group_code"], str(row["from_date"]), row["to_date"] and str(row["to_date"])) for row in rows] == [
        ("OTHER", "2023-01-01", "2023-12-31"), ("NEAR_POOR", "2024-01-01", "2024-02-29"), ("OTHER", "2024-01-01", None),
        ("POOR", "2024-03-01", "2024-05-31"), ("NEAR_POOR", "2024-06-01", "2024-06-30"),
    ]  # fmt: skip
    undone = await _decide(pair, item["candidate_id"], "UNDO")
    assert undone.status_code == 200, undone.text
    assert await _facts(pair) == before


_PAPERS = ("decision", "transfer", "life_event", "merit_relation", "survey_task_person", "household_member", "household")


async def _papers(world: Any) -> dict[str, Any]:
    """Everything written about people, without counters."""
    async with world.db.read() as tx:
        return {
            table: await tx.value(
                f"SELECT jsonb_agg(to_jsonb(t) - 'version' ORDER BY CAST(to_jsonb(t) - 'version' AS text)) FROM {table} t"
            )
            for table in _PAPERS
        }


_OFFICE = "'22915', '60/593/22915'"
_WRITTEN = f"""
INSERT INTO attachment (kind, media_type, byte_size, sha256, content, unit_code, unit_path, created_by)
VALUES ('DECISION', 'image/png', 1, 'x', 'x', {_OFFICE}, 'other');
INSERT INTO decision (bulk_id, kind, person_id, entitlement_id, programme, category, percent, number, decision_date, signer, authority,
    effective_month, reason, unit_path, business_date, maker, attachment_id)
SELECT uuidv7(), 'ADJUST', e.person_id, e.entitlement_id, e.programme, e.category, 0, '5/QĐ', '2024-08-01', 'An', 'DISTRICT_CHAIR',
    '2024-10-01', 'OTHER', '60/593/22915', '2024-08-10', 'other', a.attachment_id
FROM entitlement e, attachment a WHERE e.person_id = :other;
INSERT INTO transfer (direction, person_id, from_unit_code, from_path, to_unit_code, to_path, number, decision_date, signer, dossier,
    sent_on, last_month, maker)
VALUES ('WITHIN', :other, {_OFFICE}, '22918', '60/593/22918', '9/QĐ', '2024-08-01', 'An', '1 trang', '2024-08-02', '2024-08-01', 'other');
INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, unit_path, state, maker)
VALUES ('PRISON', :other, '2024-08-01', '2024-08-02', 'Bản án 4', '60/593/22915', 'PROPOSED', 'other');
INSERT INTO merit_relation (merit_person_id, relative_id, relation, decision_number, decision_date, from_date, created_by)
SELECT :other, p.person_id, 'CHILD', '8/QĐ', '2024-01-01', '2024-01-01', 'other' FROM person p WHERE p.file_code = 'A-9';
INSERT INTO merit_relation (merit_person_id, relative_id, relation, decision_number, decision_date, from_date, created_by)
SELECT p.person_id, q, 'SPOUSE', '8/QĐ', '2024-01-01', '2024-01-01', 'other'
FROM person p, unnest(ARRAY[CAST(:survivor AS uuid), CAST(:other AS uuid)]) q WHERE p.file_code = 'A-9';
INSERT INTO household (code, head_id, unit_code, unit_path, created_by) VALUES ('H-1', :other, {_OFFICE}, 'other');
INSERT INTO household_member (household_id, person_id, relation, from_date)
SELECT household_id, :other, 'Chủ hộ', '2024-01-01' FROM household;
INSERT INTO survey (unit_code, unit_path, title, started_on, due_on, created_by)
SELECT {_OFFICE}, 'Đợt ' || n, '2024-08-01', '2024-09-30', 'other' FROM generate_series(1, 2) n;
INSERT INTO survey_task (survey_id, unit_code, unit_path, label) SELECT survey_id, {_OFFICE}, title FROM survey;
INSERT INTO survey_task_person (task_id, person_id, preference, answered_on)
SELECT task_id, :other, CASE label WHEN 'Đợt 1' THEN 'DECLINES' END, CASE label WHEN 'Đợt 1' THEN DATE '2024-08-05' END FROM survey_task;
INSERT INTO survey_task (survey_id, unit_code, unit_path, label) SELECT survey_id, {_OFFICE}, 'nhà kia' FROM survey WHERE title = 'Đợt 2';
INSERT INTO survey_task_person (task_id, person_id) SELECT task_id, :survivor FROM survey_task WHERE label = 'nhà kia'
"""


async def test_what_was_written_about_the_other_file_follows_the_survivor_and_is_put_back(pair: Any) -> None:
    people = {"survivor": UUID(pair.a), "other": UUID(pair.b)}
    async with pair.db.transaction() as tx:
        for statement in _WRITTEN.split(";"):
            await tx.execute(statement, **{name: value for name, value in people.items() if f":{name}" in statement})
    before = await _papers(pair)
    candidate = (await _one(pair))["candidate_id"]
    merged = await _decide(pair, candidate, "MERGE", survivor_id=pair.a, effective_month="2024-09")
    assert merged.status_code == 200, merged.text
    after = await _papers(pair)
    (decision,), (transfer,), (event,) = (after[name] for name in _PAPERS[:3])
    assert {item["person_id"] for item in (decision, transfer, event)} == {pair.a}
    child, *spouses = sorted(after["merit_relation"], key=lambda item: (item["relation"], item["to_date"] or ""))
    assert child["merit_person_id"] == pair.a
    assert [(item["relative_id"], item["to_date"]) for item in spouses] == [(pair.a, None), (pair.a, DAY)], "not the same relation twice"
    asked = [(item["person_id"], item["preference"]) for item in after["survey_task_person"]]
    assert sorted(asked, key=str) == [(pair.a, "DECLINES"), (pair.a, None)], "nobody is asked twice"
    assert decision["attachment_id"] == before["decision"][0]["attachment_id"] is not None
    async with pair.db.read() as tx:
        held = await tx.value(
            "SELECT CAST(person_id AS text) FROM entitlement WHERE entitlement_id = :id", id=UUID(decision["entitlement_id"])
        )
    assert held == pair.a, "the proposal is about the allowance that goes on"
    assert (transfer["from_path"], transfer["state"]) == ("60/593/22924", "SENT"), "the hand-over goes on from the survivor's unit"
    assert after["household"][0]["head_id"] == pair.a
    assert pair.a in {item["person_id"] for item in after["household_member"]}
    shown = (await pair.checker.get("/v1/transfers", params={"beneficiary_id": pair.a})).json()["items"]
    assert [item["number"] for item in shown] == ["9/QĐ"]
    undone = await _decide(pair, candidate, "UNDO")
    assert undone.status_code == 200, undone.text
    assert await _papers(pair) == before


async def test_a_merge_is_not_undone_over_later_facts_and_the_refusal_says_what_to_do(pair: Any) -> None:
    async def live_at(address: str) -> None:
        version = (await pair.checker.get(f"/v1/beneficiaries/{pair.b}")).headers["ETag"]
        body = {"business_date": DAY, "address": address}
        changed = await pair.checker.patch(f"/v1/beneficiaries/{pair.b}", json=body, headers={"If-Match": version})
        assert changed.status_code == 200, changed.text

    await live_at("Thôn 4")
    candidate = (await _one(pair))["candidate_id"]
    await _decide(pair, candidate, "MERGE", survivor_id=pair.b, effective_month="2024-09")
    detail = await pair.checker.get(f"/v1/beneficiaries/{pair.b}")
    assert detail.json()["masked_number"] == "060*****0001", "the survivor had no number and takes the other's"
    await live_at("Thôn 5")
    undone = await _decide(pair, candidate, "UNDO")
    assert (undone.status_code, undone.json()["type"]) == (409, "/problems/merge-changed-since")
    said = undone.json()
    assert said["errors"][0]["field"] == "person"
    assert "sửa lại như lịch sử ghi ở ngày gộp" in said["errors"][0]["detail_vi"]
    assert said["detail_vi"].startswith("Có thông tin ghi sau khi gộp")
    await live_at("Thôn 4")
    again = await pair.checker.post(f"/v1/duplicates/{candidate}/decision", json={"approve": True})
    assert again.status_code == 200, "what the refusal advises does help"


async def test_allowances_that_do_not_double_keep_the_months_paid_under_the_other_file(world: Any) -> None:
    await world.take([row("A-1", "060140000001", **SAME)])
    await world.take([row("B-1", "", category="CS_HH_XS", decision_number="77/QĐ", from_month="03/2024", **SAME)])
    await _scan(world)
    world.a, world.b = await world.id_of("A-1"), await world.id_of("B-1")
    before = {month: sum([(await world.due(code, month))["total"] for code in ("A-1", "B-1")]) for month in ("2024-04", "2024-08")}
    candidate = (await _one(world))["candidate_id"]
    assert (await _decide(world, candidate, "MERGE", survivor_id=world.a, effective_month="2024-08")).status_code == 200
    assert (await world.due("B-1", "2024-04"))["total"] > 0
    assert (await world.due("B-1", "2024-08"))["total"] == 0
    for month, total in before.items():
        assert sum([(await world.due(code, month))["total"] for code in ("A-1", "B-1")]) == total, month


async def _merge(world: Any, survivor: str, other: str, month: str) -> None:
    """Merge two files by their dossier codes."""
    a, b = await world.id_of(survivor), await world.id_of(other)
    items = (await world.checker.get("/v1/duplicates", params={"beneficiary_id": a})).json()["items"]
    (candidate,) = [item["candidate_id"] for item in items if {item["a"]["beneficiary_id"], item["b"].get("beneficiary_id")} == {a, b}]
    done = await _decide(world, candidate, "MERGE", survivor_id=a, effective_month=month)
    assert done.status_code == 200, done.text


async def test_a_merge_takes_away_the_months_that_doubled_and_no_others(world: Any, office: Any) -> None:
    """The survivor's own allowance ended: the one of the other file goes on, or the person would be in no list at all."""
    who = [{"full_name": name, "birth_date": f"02/03/194{n}"} for n, name in enumerate(("Trần Thị Bưởi", "Lê Thị Mận", "Hồ Thị Đào"))]
    child = {"full_name": "Trần Văn Bé", "birth_date": "02/03/2021"}
    await world.take([
        *(row(f"A-{n}", f"06014000000{n}", **one) for n, one in enumerate(who)), row("A-3", "060221000003", **child),
    ])  # fmt: skip
    ended = [await office.allowance(f"A-{n}") for n in range(3)]
    await office.decide("END", "NOT_ENTITLED", *ended, event_date="2024-02-05")
    await world.take([
        row("B-0", decision_number="77/QĐ", **who[0]),  # the same category under another decision
        row("B-1", from_month="03/2024", **who[1]),  # the very same decision, entered again
        row("B-2", category="SA5D", decision_number="77/QĐ", **who[2]),  # of which the highest counts
        row("B-3", category="SA1_LT4", decision_number="77/QĐ", from_month="03/2024", **child),
    ])  # fmt: skip
    await _scan(world)
    months = ["2024-02", "2024-03", "2024-08", "2024-09", "2025-01", "2025-05"]
    before = [await office.all_months(f"B-{n}", months) for n in range(4)]
    for n in range(4):
        await _merge(world, f"A-{n}", f"B-{n}", "2024-09")
    for n in range(3):
        one, two = await office.all_months(f"A-{n}", months), await office.all_months(f"B-{n}", months)
        assert (one["2024-02"], two["2024-02"]) == (540_000, 0), "both files stood in February: due once"
        assert {month: two[month] for month in ("2024-03", "2024-08")} == {month: before[n][month] for month in ("2024-03", "2024-08")}
        assert {month: one[month] for month in months[1:]} == dict.fromkeys(months[1:3], 0) | {m: before[n][m] for m in months[3:]}
    child_now = await office.all_months("A-3", months)
    assert (child_now["2024-09"], child_now["2025-01"], child_now["2025-05"]) == (1_250_000, 1_250_000, 750_000), "four years old"


async def test_a_death_under_either_file_stops_the_person_and_who_is_paid_for_them(world: Any, office: Any) -> None:
    await world.take([
        row("A-1", "060140000001", **SAME), row("B-1", category="SA5D", decision_number="77/QĐ", **SAME),
        row("C-1", "060170000017", full_name="Lê Thị Chăm", birth_date="01/01/1970"),
    ])  # fmt: skip
    await _scan(world)
    carer = [{"beneficiary_id": await world.id_of("C-1"), "category": "CS_HH_XS", "dependant_id": await world.id_of(of)}
             for of in ("A-1", "B-1")]  # fmt: skip
    await office.decide("GRANT", "NEW", items=carer, effective_month="2024-08")
    care = 500_000
    assert await office.months("C-1", "2024-08", "2024-11") == dict.fromkeys(("2024-08", "2024-11"), 750_000 + 2 * care)
    await _merge(world, "A-1", "B-1", "2024-09")
    assert await office.months("C-1", "2024-08", "2024-11") == {"2024-08": 750_000 + 2 * care, "2024-11": 750_000 + care}
    found = [(UUID(await world.id_of("B-1")), date(2024, 9, 25))]  # an answer that was on its way when the files were merged
    async with world.db.transaction(SYSTEM("identity")) as tx:
        await people.record_deaths(tx, found, date(2024, 9, 27))
    dead = (await world.checker.get(f"/v1/beneficiaries/{await world.id_of('A-1')}")).json()
    assert (dead["status"], dead["death_date"]) == ("DECEASED", "2024-09-25")
    assert await office.months("A-1", "2024-09", "2024-10") == {"2024-09": 1_500_000, "2024-10": 0}
    assert await office.months("C-1", "2024-09", "2024-11") == {"2024-09": 750_000 + care, "2024-11": 750_000}
    async with world.db.transaction(SYSTEM("identity")) as tx:
        await death_differences.told(tx, [(found[0][0], date(2024, 7, 10), True)], date(2024, 9, 28))
    [case] = (await world.checker.get(f"/v1/death-differences?beneficiary_id={await world.id_of('A-1')}")).json()["items"]
    say = {"keep": False, "reason": "Trích lục khai tử", "business_date": DAY}
    case = (await world.maker.post(f"/v1/death-differences/{case['difference_id']}/answer", json=say)).json()
    await world.checker.post(f"/v1/change-requests/{case['request_id']}/decision", json={"approve": True, "business_date": DAY})
    assert await office.months("C-1", "2024-08") == {"2024-08": 750_000}, "of both files: the other one was a carer's, too"


async def test_the_household_holds_two_files_of_one_person(world: Any) -> None:
    await world.take([row("A-1", "060140000001", **SAME), row("A-2", "060140000002", **SAME)])
    await _scan(world)
    assert not (await _one(world))["strong"]
    a, b = await world.id_of("A-1"), await world.id_of("A-2")
    async with world.db.transaction() as tx:
        home = await tx.value("INSERT INTO household (unit_code, unit_path, created_by) VALUES ('x', 'x', 'x') RETURNING household_id")
        await tx.execute(
            "INSERT INTO household_member (household_id, person_id, relation, from_date) SELECT :home, p, 'OTHER', '2024-01-01'"
            " FROM unnest(CAST(:ids AS uuid[])) p",
            home=home,
            ids=[a, b],
        )
    job = await world.checker.post("/v1/duplicates/scan", json={"business_date": DAY})
    assert job.status_code == 202, job.text
    await world.work()
    assert (await _one(world))["strong"]
    result = (await world.checker.get(f"/v1/jobs/{job.json()['job_id']}")).json()
    assert (result["state"], result["result"]["people"]) == ("DONE", 2)


async def test_a_refused_row_with_a_registered_number_is_a_candidate_nobody_is_held_for(world: Any) -> None:
    await world.take([row("A-1", "060140000001", **SAME)])
    await world.take([row("B-1", "060140000001", **SAME), row("B-2", "")])
    await _scan(world)
    found = (await world.checker.get("/v1/duplicates")).json()["items"]
    (item,) = [item for item in found if item["b"]["import_id"]]
    assert (item["a"]["file_code"], item["b"]["file_code"], item["b"]["row_number"], item["strong"]) == ("A-1", "B-1", 4, False)
    refused = await world.maker.post(
        f"/v1/duplicates/{item['candidate_id']}/proposal",
        json={"kind": "MERGE", "note": "không gộp được", "business_date": DAY, "survivor_id": item["a"]["beneficiary_id"],
              "effective_month": "2024-09"},
    )  # fmt: skip
    assert refused.status_code == 409
    assert (await _decide(world, item["candidate_id"], "CONFIRM")).json()["state"] == "CONFIRMED"
    await _scan(world)
    assert not any(event["body"]["unresolved_duplicate"] for event in await world.events("BeneficiaryUpdated"))


async def test_a_corrected_file_leaves_the_list_by_itself(pair: Any) -> None:
    async with pair.db.transaction() as tx:
        await tx.execute("UPDATE person SET full_name = 'Trần Thị Bơ', name_folded = 'TRAN THI BO' WHERE file_code = 'B-1'")
    await pair.checker.post("/v1/duplicates/scan", json={"business_date": DAY})
    await pair.work()
    assert (await _one(pair))["state"] == "LAPSED"
    assert (await pair.events("BeneficiaryUpdated"))[-1]["body"]["unresolved_duplicate"] is False


async def test_two_programmes_that_exclude_each_other_add_to_the_score(world: Any) -> None:
    await world.take([row("A-1", "060140000001", **SAME), row("B-1", "", **SAME)])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE person SET programmes = '{SOCIAL_PENSION}' WHERE file_code = 'B-1'")
    for day, excluded in (("2025-06-30", False), ("2025-07-01", True)):
        await world.checker.post("/v1/duplicates/scan", json={"business_date": day})
        await world.work()
        assert ("EXCLUDING_PROGRAMMES" in {reason["code"] for reason in (await _one(world))["reasons"]}) is excluded, day


async def test_the_province_decides_from_which_score_a_file_is_held(pair: Any) -> None:
    for value, strong in (("90", False), ("75", True), ("NEVER", False)):
        pair.settle("DUPLICATE_HOLD_FROM", value)
        await pair.checker.post("/v1/duplicates/scan", json={"business_date": DAY})
        await pair.work()
        assert (await _one(pair))["strong"] is strong, value
        assert (await pair.events("BeneficiaryUpdated"))[-1]["body"]["unresolved_duplicate"] is strong, value


async def test_lists_come_first_and_are_compared_afterwards(world: Any) -> None:
    await world.take([row("A-1", "060140000001", **SAME), row("B-1", "", **SAME)])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE job SET state = 'RUNNING' WHERE kind = 'import-apply'")
    assert not await Scanner(world.db).run_once()
    assert (await world.checker.get("/v1/duplicates")).json()["items"] == []
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE job SET state = 'DONE' WHERE kind = 'import-apply'")
    await _scan(world)
    assert (await _one(world))["strong"]
    assert not await Scanner(world.db).run_once(), "what a comparison says itself ends"
