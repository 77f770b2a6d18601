"""The dated tree: both trees and their links, names, codes used again, later changes by two people."""

from __future__ import annotations

from typing import Any

from common.actor import Role
from registry.main import load_reference_data

OLD, NEW = "2025-06-30", "2025-07-01"


async def units(world: Any, on: str, **params: Any) -> list[dict[str, Any]]:
    answer = await world.maker.get("/v1/units", params={"on": on, "limit": 1000} | params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def one(world: Any, code: str, on: str) -> dict[str, Any]:
    answer = await world.maker.get(f"/v1/units/{code}", params={"on": on})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_counts_of_both_trees(world: Any) -> None:
    before = (await world.maker.get("/v1/units/counts", params={"on": OLD})).json()
    after = (await world.maker.get("/v1/units/counts", params={"on": NEW})).json()
    assert before["levels"] == {"province": 63, "district": 696, "commune": 10035}
    assert after["levels"] == {"province": 34, "commune": 3321}
    kinds = {(item["level"], item["type"]): item["units"] for item in after["types"]}
    assert (kinds["commune", "xa"], kinds["commune", "phuong"], kinds["commune", "dac_khu"]) == (2621, 687, 13)
    assert (kinds["province", "tinh"], kinds["province", "thanh_pho_tw"]) == (28, 6)


async def test_links_of_the_reform(world: Any) -> None:
    async with world.db.read() as tx:
        rows = await tx.rows(
            "SELECT l.kind, count(*) AS n, count(DISTINCT o.unit_id) AS old FROM unit_link l"
            " JOIN administrative_unit o ON o.unit_id = l.old_unit_id WHERE o.level <> 'province' GROUP BY l.kind ORDER BY l.kind"
        )
        counted = {row["kind"]: (row["n"], row["old"]) for row in rows}
        assert counted == {"PART": (1033, 471), "WHOLE": (9569, 9569)}
        islands = await tx.rows(
            "SELECT o.code FROM unit_link l JOIN administrative_unit o ON o.unit_id = l.old_unit_id WHERE o.level = 'district' ORDER BY 1"
        )
        assert [row["code"] for row in islands] == ["318", "471", "498", "536", "755"]
        provinces = await tx.value(
            "SELECT count(*) FROM unit_link l JOIN administrative_unit o ON o.unit_id = l.old_unit_id WHERE o.level = 'province'"
        )
        assert provinces == 63
        missing = await tx.value(
            "SELECT count(*) FROM administrative_unit u WHERE u.level = 'commune' AND u.valid_to = '2025-06-30'"
            " AND NOT EXISTS (SELECT 1 FROM unit_link l WHERE l.old_unit_id = u.unit_id)"
        )
        assert missing == 0
        reused = await tx.value(
            "SELECT count(*) FROM administrative_unit n JOIN administrative_unit o USING (code)"
            " WHERE n.level = 'commune' AND o.level = 'commune' AND n.valid_from = '2025-07-01' AND o.valid_to = '2025-06-30'"
        )
        assert reused == 3316


async def test_a_code_is_not_a_unit(world: Any) -> None:
    before, after = await one(world, "91", OLD), await one(world, "91", NEW)
    assert (before["name"], after["name"]) == ("Tỉnh Kiên Giang", "Tỉnh An Giang")
    assert sorted(item["name"] for item in after["predecessors"]) == ["Tỉnh An Giang", "Tỉnh Kiên Giang"]
    assert [item["name"] for item in before["versions"]] == ["Tỉnh Kiên Giang", "Tỉnh An Giang"]
    assert [(item["code"], item["kind"]) for item in (await one(world, "89", OLD))["successors"]] == [("91", "WHOLE")]
    assert (await world.maker.get("/v1/units/89", params={"on": NEW})).status_code == 404
    assert ((await one(world, "18550", OLD))["name"], (await one(world, "18550", NEW))["name"]) == ("Xã Hương Trà", "Xã Hương Đô")
    assert "18550" in [item["code"] for item in (await one(world, "18538", OLD))["successors"]]


async def test_provinces_made_from_several(world: Any) -> None:
    made_of = {item["code"] for item in (await one(world, "68", NEW))["predecessors"]}
    assert made_of == {"60", "67", "68"}
    assert len(await units(world, NEW, parent="68", children=True)) == 124
    assert len(await units(world, OLD, parent="60", level="commune")) == 121
    huong_khe = await one(world, "444", OLD)
    assert {item["code"] for item in huong_khe["successors"]} >= {"18496", "18502", "18523", "18532", "18544", "18547", "18550"}


async def test_tree_level_by_level_and_any_depth(world: Any) -> None:
    assert len(await units(world, OLD, children=True)) == 63
    districts = await units(world, OLD, parent="60", children=True)
    assert (len(districts), {item["level"] for item in districts}) == (10, {"district"})
    assert await units(world, OLD, parent="31/318", children=True) == []
    assert (await one(world, "318", OLD))["successors"][0]["name"] == "Đặc khu Bạch Long Vĩ"


async def test_names_with_and_without_accents(world: Any) -> None:
    for asked in ("Mũi Né", "mui ne", "P. Mũi Né", "MUI", "né"):
        found = await units(world, NEW, parent="68", name=asked)
        assert ("22918", "Phường Mũi Né") in [(item["code"], item["name"]) for item in found], asked


HEAD = "Mã đơn vị;Tên đơn vị;Cấp;Loại;Mã cấp trên;Hình thành từ mã\n"
CITY = "75;Thành phố Đồng Nai;Tỉnh;Thành phố trung ương;;75\n"


def checkers(world: Any) -> tuple[Any, Any]:
    maker = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("75",), subject="an")
    return maker, world.client_as(world.app, Role.APPROVER, units=("75",), subject="binh")


async def propose(client: Any, text: str, key: str, on: str = "2026-04-30") -> Any:
    return await client.post(
        "/v1/units/changes", files={"file": ("units.csv", (HEAD + text).encode())}, headers={"Idempotency-Key": key},
        data={"effective_on": on, "legal_basis": "Nghị quyết 30/2026/QH16", "business_date": "2026-05-04"},
    )  # fmt: skip


async def test_a_later_change_takes_two_people_and_is_published(world: Any) -> None:
    an, binh = checkers(world)
    xa = (await units(world, "2026-04-29", parent="75", level="commune"))[:3]
    become = f"{xa[0]['code']};Phường Mới;Xã;Phường;75;{xa[0]['code']}+{xa[1]['code']}\n"
    part = f"{xa[2]['code']};Phường Một;Xã;Phường;75;{xa[2]['code']}*\n99901;Phường Hai;Xã;Phường;75;{xa[2]['code']}*\n"
    sent = await propose(an, CITY + become + part, "units-0001")
    assert sent.status_code == 201, sent.text
    assert sent.json()["effects"] == {"units_new": 1, "units_changed": 3, "units_closed": 4, "whole": 3, "part": 2}
    path = f"/v1/units/changes/{sent.json()['change_id']}"
    already = len(await world.events("AdministrativeUnitChanged"))
    assert (await one(world, "75", "2026-05-04"))["type"] == "tinh", "nothing changes before a second person approves"
    own = world.client_as(world.app, Role.APPROVER, units=("75",), subject="an")
    assert (await own.post(f"{path}/decision", json={"approve": True})).status_code == 409
    assert (await binh.post(f"{path}/decision", json={"approve": True})).json()["state"] == "APPROVED"
    assert (await binh.post(f"{path}/decision", json={"approve": True})).status_code == 409
    city, before = await one(world, "75", "2026-04-30"), await one(world, "75", "2026-04-29")
    assert (city["type"], before["type"], before["valid_to"]) == ("thanh_pho_tw", "tinh", "2026-04-29")
    assert len(await units(world, "2026-05-04", parent="75", level="commune")) == 95
    assert sorted(item["code"] for item in (await one(world, xa[2]["code"], "2026-04-29"))["successors"]) == sorted(
        [xa[2]["code"], "99901"]
    )
    events = (await world.events("AdministrativeUnitChanged"))[already:]
    assert len(events) == 4 + 4
    assert {event["body"]["version"] for event in events if event["body"]["valid_to"]} == {2}
    await load_reference_data(world.settings)
    assert (await one(world, "75", "2026-05-04"))["type"] == "thanh_pho_tw", "the files do not open again what a change has closed"
    assert len(await world.events("AdministrativeUnitChanged")) == already + 8


async def test_an_event_says_what_a_unit_was_made_from(world: Any) -> None:
    bodies = [event["body"] for event in await world.events("AdministrativeUnitChanged")]
    told = {(body["path"], body["valid_from"]): body["formed_from"] for body in bodies}
    assert [one["path"] for one in told["68", "2025-07-01"]] == ["60", "67", "68"]
    mui_ne = told["68/22918", "2025-07-01"]
    assert mui_ne
    assert all(one["path"].startswith("60/593/") for one in mui_ne)
    assert {one["kind"] for one in mui_ne} <= {"WHOLE", "PART"}
    assert not any(origins for (_, since), origins in told.items() if since != "2025-07-01"), "older units were made from none we know"


async def test_a_change_that_does_not_fit_is_refused_row_by_row(world: Any) -> None:
    an, binh = checkers(world)
    bad = await propose(an, "75;Thành phố Đồng Nai;Tỉnh;Thành phố trung ương;;\nxx yy;;làng;;;\n", "units-0002")
    assert (bad.status_code, bad.json()["type"]) == (422, "/problems/unit-change-refused")
    assert {error["row"] for error in bad.json()["errors"]} == {3}
    used = await propose(an, "75;Thành phố Đồng Nai;Tỉnh;Thành phố trung ương;;\n", "units-0003")
    assert [error["code"] for error in used.json()["errors"]] == ["STILL_USED"]
    first = (await propose(an, CITY, "units-0004")).json()
    second = (await propose(an, CITY, "units-0005")).json()
    await binh.post(f"/v1/units/changes/{first['change_id']}/decision", json={"approve": True})
    late = await binh.post(f"/v1/units/changes/{second['change_id']}/decision", json={"approve": True})
    assert [error["code"] for error in late.json()["errors"]] == ["ALREADY_CHANGED"]
    refused = await binh.post(f"/v1/units/changes/{second['change_id']}/decision", json={"approve": False, "reason": "đã có"})
    assert refused.json()["state"] == "REFUSED"
    listed = (await binh.get("/v1/units/changes")).json()["items"]
    assert [item["state"] for item in listed] == ["REFUSED", "APPROVED"]


async def test_a_file_that_is_no_list_is_refused(world: Any) -> None:
    an, _ = checkers(world)
    answer = await an.post(
        "/v1/units/changes", files={"file": ("units.csv", b"\x00\x01")}, headers={"Idempotency-Key": "units-0006"},
        data={"effective_on": "2026-04-30", "legal_basis": "Nghị quyết", "business_date": "2026-05-04"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/import-file-refused")
    assert (await world.maker.post("/v1/units/changes")).status_code == 403
