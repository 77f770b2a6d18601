"""Re-mapping people on a date: counted, approved by a second person, nothing lost, nothing twice; split communes by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from registry_test_helpers import row

from common import jobs
from common.actor import SYSTEM, Role
from common.contracts import registry_v1

ON = "2025-07-01"
DAY = "2025-07-05"
WHOLE, SPLIT = "22924", "22978"
OLD_SPLIT = "60/595/22978"


@pytest.fixture
async def place(world: Any) -> Any:
    """Six people in a commune that went wholly into one, four in one that was split; a household, an institution."""
    world.an = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60", "68"), subject="an")
    world.binh = world.client_as(world.app, Role.APPROVER, units=("60", "68"), subject="binh")
    rows = [row(f"W-{i}", f"06019000100{i}", unit_code=WHOLE) for i in range(5)]
    rows.append(row("W-5", "060190001005", rep_name="Trần Văn Bình", rep_kind="Ủy quyền", rep_number="060070009999", rep_from="01/01/2024"))
    await world.take(rows)
    return world


async def people(world: Any, path: str) -> int:
    async with world.db.read() as tx:
        return int(await tx.value("SELECT count(*) FROM person WHERE unit_path = :path", path=path))


async def dues(world: Any) -> Any:
    async with world.db.read() as tx:
        return [
            dict(item)
            for item in await tx.rows(
                "SELECT person_id, programme, benefit_line, from_month, CAST(until AS text) AS until, amount, status, basis"
                " FROM due_interval ORDER BY 1, 2, 3, 4"
            )
        ]


async def count(world: Any, key: str = "remap-0001", **more: Any) -> dict[str, Any]:
    body = {"effective_on": ON, "unit_path": "60", "business_date": DAY} | more
    answer = await world.an.post("/v1/units/remaps", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def run(world: Any, key: str = "remap-0001") -> dict[str, Any]:
    remap = await count(world, key)
    approved = await world.binh.post(f"/v1/units/remaps/{remap['remap_id']}/approve")
    assert approved.status_code == 202, approved.text
    await world.work()
    done = (await world.an.get(f"/v1/units/remaps/{remap['remap_id']}")).json()
    assert done["state"] == "DONE", done
    return dict(done)


async def test_a_dry_run_moves_nobody_and_needs_a_second_person(place: Any) -> None:
    remap = await count(place)
    totals = {item["treatment"]: item for item in remap["totals"]}
    assert (totals["MOVE"]["people"], totals["MOVE"]["beneficiaries"]) == (7, 6), "the representative goes too"
    assert totals["SPLIT"]["units"] == 2
    assert (totals["MOVE"]["units"], totals["NO_SUCCESSOR"]["units"]) == (119 + 1, 10), (
        "119 communes and the province; districts go nowhere"
    )
    assert await people(place, f"60/593/{WHOLE}") == 7
    own = place.client_as(place.app, Role.APPROVER, units=("60",), subject="an")
    assert (await own.post(f"/v1/units/remaps/{remap['remap_id']}/approve")).json()["type"] == "/problems/same-person"
    elsewhere = place.client_as(place.app, Role.DEPARTMENT_OFFICER, units=("38",), subject="cuc")
    assert (await elsewhere.get(f"/v1/units/remaps/{remap['remap_id']}")).status_code == 404
    early = await place.an.post(
        "/v1/units/remaps", json={"effective_on": ON, "unit_path": "60", "business_date": "2025-06-30"},
        headers={"Idempotency-Key": "remap-0009"},
    )  # fmt: skip
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "business_date")
    listed = await place.an.get(f"/v1/units/remaps/{remap['remap_id']}/units", params={"treatment": "SPLIT"})
    assert [item["new_path"] for item in listed.json()["items"]] == [None, None]


async def test_the_same_people_the_same_amounts_another_unit(place: Any) -> None:
    before = await dues(place)
    seen = {kind: len(await place.events(kind)) for kind in ("BeneficiaryMoved", "DuesChanged", "RepresentativeAppointed")}
    done = await run(place)
    new = (await place.an.get(f"/v1/units/{WHOLE}", params={"on": "2025-06-30"})).json()["successors"][0]["path"]
    assert (done["result"]["people_before"], done["result"]["people_after"], done["result"]["moved"]) == (7, 7, 7)
    assert done["result"]["left"] == 0
    assert (await people(place, f"60/593/{WHOLE}"), await people(place, new)) == (0, 7)
    assert await dues(place) == before
    moved = (await place.events("BeneficiaryMoved"))[seen["BeneficiaryMoved"] :]
    assert (len(moved), {item["body"]["unit_path"] for item in moved}) == (6, {new})
    told = (await place.events("DuesChanged"))[seen["DuesChanged"] :]
    assert (len(told), {item["body"]["unit_path"] for item in told}) == (6, {new})
    named = (await place.events("RepresentativeAppointed"))[seen["RepresentativeAppointed"] :]
    assert [item["body"]["unit_path"] for item in named] == [new]
    for kind, items in (("BeneficiaryMoved", moved), ("DuesChanged", told), ("RepresentativeAppointed", named)):
        for item in items:
            getattr(registry_v1, kind).model_validate(item["body"])
    async with place.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM import_file WHERE unit_path LIKE '60/%'") == 0


async def test_run_again_it_changes_nothing_twice(place: Any) -> None:
    await run(place)
    async with place.db.read() as tx:
        versions = [dict(item) for item in await tx.rows("SELECT person_id, version FROM person ORDER BY 1")]
    events = len(await place.events("BeneficiaryMoved", "DuesChanged"))
    again = await run(place, "remap-0002")
    assert again["result"]["moved"] == 0
    async with place.db.read() as tx:
        assert [dict(item) for item in await tx.rows("SELECT person_id, version FROM person ORDER BY 1")] == versions
    assert len(await place.events("BeneficiaryMoved", "DuesChanged")) == events
    repeated = await place.binh.post(f"/v1/units/remaps/{again['remap_id']}/approve")
    assert repeated.status_code == 409


async def test_a_worker_that_dies_half_way_is_followed_by_one_that_ends_it(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    remap = await count(place)
    await place.binh.post(f"/v1/units/remaps/{remap['remap_id']}/approve")
    progress = jobs.progress

    async def die(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "progress", die)
    with pytest.raises(KeyboardInterrupt):  # the first batch of three is committed
        await place.jobs.run_one()
    monkeypatch.setattr(jobs, "progress", progress)
    assert await people(place, f"60/593/{WHOLE}") == 4
    async with place.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE kind = 'unit-remap'")
    await place.work()
    done = (await place.an.get(f"/v1/units/remaps/{remap['remap_id']}")).json()
    assert (done["state"], done["result"]["moved"], done["result"]["left"]) == ("DONE", 7, 0)
    moved = await place.events("BeneficiaryMoved")
    assert (len(moved), len({item["key"] for item in moved})) == (6, 6)


async def split(place: Any) -> list[str]:
    """Four people of a split commune, two hamlets, one household; after the re-mapping. Their ids, W-order."""
    officer = place.client_as(place.app, Role.COMMUNE_OFFICER, units=(OLD_SPLIT,), subject="xa")
    hamlets = ("Thôn 1", "Thôn 1", "Thôn 12", "Thôn 2")
    for i, hamlet in enumerate(hamlets):
        body = {
            "programme": "SOCIAL_ASSISTANCE", "unit_code": SPLIT, "business_date": "2025-05-20", "file_code": f"S-{i}",
            "full_name": "Nguyễn Thị Hoà", "birth_date": "1950", "sex": "F", "address": f"{hamlet}, xã cũ",
            "entitlements": [{"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
            "representative": {"full_name": f"Trần Văn {i}", "kind": "AUTHORISED", "birth_date": "1970", "valid_from": "2024-06-01",
                               "certificate_number": f"{i}/UQ"},
        }  # fmt: skip
        answer = await place.register(body, f"split-000{i}", officer)
        assert answer.status_code == 201, answer.text
    ids = [await place.id_of(f"S-{i}") for i in range(4)]
    async with place.db.transaction(SYSTEM("test")) as tx:
        household = await tx.value(
            "INSERT INTO household (head_id, unit_code, unit_path, created_by) VALUES (:head, :code, :path, 't') RETURNING household_id",
            head=UUID(ids[0]), code=SPLIT, path=OLD_SPLIT,
        )  # fmt: skip
        await tx.execute(
            "INSERT INTO household_member (household_id, person_id, relation, from_date) VALUES (:h, :p, 'HEAD', '2024-01-01')",
            h=household, p=UUID(ids[0]),
        )  # fmt: skip
    done = await run(place)
    assert done["result"]["work_list"] == 4
    return ids


async def test_a_split_commune_goes_to_the_work_list(place: Any) -> None:
    ids = await split(place)
    assert await people(place, OLD_SPLIT) == 8, "nobody was guessed away"
    (summary,) = (await place.an.get("/v1/units/work-list/summary", params={"effective_on": ON})).json()["items"]
    assert (summary["old_path"], summary["people"], summary["open"]) == (OLD_SPLIT, 4, 4)
    first, second = (item["code"] for item in summary["candidates"][:2])
    candidate = summary["candidates"][0]["path"]
    officer = place.client_as(place.app, Role.COMMUNE_OFFICER, units=(candidate,), subject="lan")
    other = place.client_as(place.app, Role.COMMUNE_OFFICER, units=("68/24868",), subject="xa-khac")
    assert (await other.get("/v1/units/work-list", params={"effective_on": ON})).json()["items"] == []
    assert len((await officer.get("/v1/units/work-list", params={"effective_on": ON})).json()["items"]) == 4

    hamlet = {"effective_on": ON, "old_path": OLD_SPLIT, "words": "thon 1", "unit_code": first}
    by_hamlet = await officer.post("/v1/units/work-list/proposals/by-address", json=hamlet)
    assert (by_hamlet.status_code, by_hamlet.json()["proposed"]) == (200, 2), "Thôn 12 is another hamlet"
    chosen = [{"person_id": ids[2], "unit_code": "24868"}, {"person_id": ids[3], "unit_code": second}]
    by_hand = (await officer.post("/v1/units/work-list/proposals", json={"effective_on": ON, "people": chosen})).json()
    assert (by_hand["proposed"], [item["reason"] for item in by_hand["refused"]]) == (1, ["NOT_A_SUCCESSOR"])
    content = f"Mã hồ sơ;Thôn;Mã xã mới\nS-2;;{second}\nS-9;;{second}\n".encode()
    by_file = await officer.post(
        "/v1/units/work-list/proposals/by-file", files={"file": ("thon.csv", content)}, data={"effective_on": ON, "old_path": OLD_SPLIT}
    )
    assert (by_file.json()["proposed"], by_file.json()["rows_without_people"]) == (1, [{"row": 3, "reason": "NOBODY"}])

    approve = {"effective_on": ON, "old_path": OLD_SPLIT, "business_date": "2025-07-20"}
    own = (await officer.post("/v1/units/work-list/approve", json=approve)).json()
    assert own == {"approved": 0, "own": 4, "job_id": None}
    before = await dues(place)
    approved = (await place.binh.post("/v1/units/work-list/approve", json=approve)).json()
    assert approved["approved"] == 4
    await place.work()
    assert (await place.an.get(f"/v1/jobs/{approved['job_id']}")).json()["result"] == {"moved": 4, "stale": 0}
    assert await people(place, OLD_SPLIT) == 0, "the representatives went with the people they act for"
    assert (await people(place, candidate), await people(place, summary["candidates"][1]["path"])) == (4, 4)
    assert await dues(place) == before
    async with place.db.read() as tx:
        assert await tx.value("SELECT unit_path FROM household WHERE head_id = :id", id=UUID(ids[0])) == candidate
    again = await run(place, "remap-0003")
    assert again["result"]["work_list"] == 0
    (summary,) = (await place.an.get("/v1/units/work-list/summary", params={"effective_on": ON})).json()["items"]
    assert (summary["applied"], summary["open"]) == (4, 0)


async def test_who_left_meanwhile_is_not_moved_by_the_list(place: Any) -> None:
    ids = await split(place)
    (summary,) = (await place.an.get("/v1/units/work-list/summary", params={"effective_on": ON})).json()["items"]
    body = {"effective_on": ON, "people": [{"person_id": ids[0], "unit_code": summary["candidates"][0]["code"]}]}
    await place.an.post("/v1/units/work-list/proposals", json=body)
    async with place.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE person SET unit_code = '1', unit_path = '68/1' WHERE person_id = :id", id=UUID(ids[0]))
    approve = {"effective_on": ON, "old_path": OLD_SPLIT, "business_date": "2025-07-20", "people": [ids[0]]}
    job = (await place.binh.post("/v1/units/work-list/approve", json=approve)).json()["job_id"]
    await place.work()
    assert (await place.an.get(f"/v1/jobs/{job}")).json()["result"] == {"moved": 0, "stale": 1}
    assert await people(place, "68/1") == 1


async def test_records_and_moves_on_their_way_follow(place: Any) -> None:
    person = UUID(await place.id_of("W-0"))
    old = {"code": WHOLE, "path": f"60/593/{WHOLE}"}
    async with place.db.transaction(SYSTEM("test")) as tx:
        await tx.execute(
            "INSERT INTO institution (code, name, unit_code, unit_path, valid_from)"
            " VALUES ('TT1', 'Trung tâm', :code, :path, '2020-01-01')",
            **old,
        )
        await tx.execute("INSERT INTO household (code, unit_code, unit_path, created_by) VALUES ('H1', :code, :path, 't')", **old)
        await tx.execute(
            "INSERT INTO attachment (kind, media_type, byte_size, sha256, content, unit_code, unit_path, created_by)"
            " VALUES ('DOSSIER', 'image/png', 1, '', '', :code, :path, 't')",
            **old,
        )
        await tx.execute(
            "INSERT INTO transfer (direction, person_id, from_unit_code, from_path, to_unit_code, to_path, number, decision_date,"
            " signer, dossier, sent_on, last_month, maker) VALUES ('WITHIN', :person, :code, :path, '22918', '60/593/22918', '1',"
            " '2025-06-20', 'x', 'y', '2025-06-20', '2025-06-01', 't')",
            person=person, **old,
        )  # fmt: skip
    done = await run(place)
    assert {name: done["result"]["records"][name] for name in ("institution", "household", "attachment", "transfer")} == {
        "institution": 1, "household": 1, "attachment": 1, "transfer": 1,
    }  # fmt: skip
    async with place.db.read() as tx:
        for table in ("institution", "household", "attachment"):
            assert await tx.value(f"SELECT unit_path FROM {table}") == "68/22924"
        sent = await tx.row("SELECT from_unit_code, from_path, to_unit_code, to_path FROM transfer")
        assert tuple(sent.values()) == ("22924", "68/22924", "22918", "68/22918")


async def test_history_tells_both_units(place: Any) -> None:
    person = await place.id_of("W-0")
    await run(place)
    path = f"/v1/history/person/{person}"
    for as_of, known_on, unit in (
        ("2025-06-30", "2025-12-31", f"60/593/{WHOLE}"), ("2025-07-01", "2025-07-04", f"60/593/{WHOLE}"), ("2025-07-01", DAY, "68/"),
    ):  # fmt: skip
        told = (await place.an.get(path, params={"as_of": as_of, "known_on": known_on})).json()
        assert told["record"]["unit_path"].startswith(unit), (as_of, known_on)
