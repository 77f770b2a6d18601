"""The four lists of plan 152 and the list of people without an identity number: who is on them, what they never say."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role
from common.tabular import ColumnSpec, read_rows

ON = {"on": "2024-08-20"}
REP = {"rep_name": "Trần Văn Bình", "rep_birth": "1970", "rep_number": "060070000009", "rep_kind": "Giám hộ", "rep_from": "01/01/2024"}


@pytest.fixture
async def people(world: Any) -> Any:
    await world.take([
        row("A-1", "060190000001", full_name="=HYPERLINK(1)Hoa"), row("A-2", "060190000002", preference="TM"),
        row("A-3", "060190000003", **REP), row("A-4", "060190000004", **(REP | {"rep_to": "31/07/2024"})),
        row("A-5", "", full_name="Lê Thị An"),
    ])  # fmt: skip
    await world.take([row("M-1", "060190000011", category="MR_MOTHER"), row("M-2", "", category="MR_MOTHER", **REP)], programme="MERIT")
    return world


async def _codes(world: Any, group: str, receiver: str, **params: Any) -> list[str]:
    answer = await world.maker.get(f"/v1/lists/plan-152/{group}/{receiver}", params=ON | params)
    assert answer.status_code == 200, answer.text
    return sorted(item["file_code"] for item in answer.json()["items"])


async def test_each_person_is_on_one_of_the_four_lists(people: Any) -> None:
    assert await _codes(people, "ASSISTANCE", "SELF") == ["A-1", "A-4", "A-5"]
    assert await _codes(people, "ASSISTANCE", "REPRESENTATIVE") == ["A-3"]
    assert await _codes(people, "ASSISTANCE", "REPRESENTATIVE", on="2024-07-31", registered_only=False) == ["A-3", "A-4"]
    assert await _codes(people, "MERIT", "SELF") == ["M-1"]
    assert await _codes(people, "MERIT", "REPRESENTATIVE") == ["M-2"]
    assert await _codes(people, "ASSISTANCE", "SELF", registered_only=False) == ["A-1", "A-2", "A-4", "A-5"]
    assert await _codes(people, "ASSISTANCE", "SELF", on="2023-12-31", registered_only=False) == []


async def test_a_list_of_a_day_reads_by_the_answers_of_that_day(people: Any) -> None:
    path = f"/v1/beneficiaries/{await people.id_of('A-1')}"
    version = (await people.maker.get(path)).headers["etag"]
    body = {"preference": "DECLINES", "business_date": "2024-09-10"}
    answer = await people.maker.patch(path, json=body, headers={"If-Match": version})
    assert answer.status_code == 200, answer.text
    before = ["A-1", "A-4", "A-5"]
    for on, codes in (("2024-08-19", []), ("2024-08-20", before), ("2024-09-09", before), ("2024-09-10", ["A-4", "A-5"])):
        assert await _codes(people, "ASSISTANCE", "SELF", on=on) == codes


async def test_pages_end_and_areas_hold(people: Any) -> None:
    first = (await people.maker.get("/v1/lists/plan-152/ASSISTANCE/SELF", params=ON | {"limit": 2})).json()
    rest = (await people.maker.get("/v1/lists/plan-152/ASSISTANCE/SELF", params=ON | {"limit": 2, "cursor": first["next_cursor"]})).json()
    assert len(first["items"] + rest["items"]) == 3
    assert rest["next_cursor"] is None
    stranger = people.client_as(people.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.get("/v1/lists/plan-152/ASSISTANCE/SELF", params=ON)).json()["items"] == []
    assert (await stranger.get("/v1/lists/no-id", params=ON)).json()["items"] == []


async def test_files_are_masked_safe_and_by_given_name(people: Any) -> None:
    path = "/v1/lists/plan-152/ASSISTANCE/SELF/file"
    text = (await people.maker.get(path, params=ON | {"format": "csv"})).text
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert lines[0][0].startswith("Danh sách đối tượng đăng ký nhận trợ giúp xã hội qua tài khoản")
    assert [line[1] for line in lines[2:]] == ["A-5", "A-1", "A-4"]
    assert lines[3][2] == "'=HYPERLINK(1)Hoa"
    assert lines[3][5] == "060*****0001"
    assert "060190000001" not in text
    sheet = (await people.maker.get(path, params=ON | {"format": "xlsx"})).content
    table = read_rows(sheet, "list.xlsx", [ColumnSpec(name, (name,)) for name in ("Mã hồ sơ", "Họ và tên", "Số CCCD/định danh")])
    found = {item.get("Mã hồ sơ"): item.get("Số CCCD/định danh") for item in table.rows}
    assert found == {"A-5": "", "A-4": "060*****0004", "A-1": "060*****0001"}


async def test_whole_numbers_need_the_right_a_purpose_and_leave_a_trace(people: Any) -> None:
    path, params = "/v1/lists/plan-152/ASSISTANCE/REPRESENTATIVE/file", ON | {"format": "csv", "whole_numbers": True}
    assert (await people.maker.get(path, params=params)).status_code == 422
    auditor = people.client_as(people.app, Role.AUDITOR, units=("60",), subject="auditor")
    assert (await auditor.get(path, params=params | {"purpose": "chỉ xem thử"})).status_code == 403
    text = (await people.maker.get(path, params=params | {"purpose": "gửi ngân hàng mở tài khoản"})).text
    assert "060190000003" in text
    assert "060070000009" in text
    async with people.db.read() as tx:
        assert await tx.value("SELECT purpose FROM audit_log WHERE action = 'list.read-numbers'") == "gửi ngân hàng mở tài khoản"


async def test_health_facts_appear_in_no_list(people: Any) -> None:
    async with people.db.read() as tx:
        told = [item["name_vi"] for item in await tx.rows("SELECT name_vi FROM benefit_category")]
        codes = [item["code"] for item in await tx.rows("SELECT code FROM benefit_category")]
    for path in (
        "/v1/lists/plan-152/ASSISTANCE/SELF", "/v1/lists/plan-152/ASSISTANCE/SELF/file", "/v1/lists/no-id", "/v1/lists/no-id/file",
        "/v1/lists/plan-152/MERIT/REPRESENTATIVE", "/v1/lists/plan-152/MERIT/REPRESENTATIVE/file",
    ):  # fmt: skip
        text = (await people.maker.get(path, params=ON | ({"format": "csv"} if path.endswith("file") else {}))).text
        assert not [word for word in [*told, *codes] if word in text], path
        assert "HIV" not in text


async def test_people_without_a_number_with_the_reason(people: Any) -> None:
    async with people.db.transaction() as tx:
        await tx.execute("UPDATE person SET no_number_reason = 'NO_ID' WHERE file_code = 'A-5'")
        await tx.execute("UPDATE person SET no_number_reason = 'NOT_IN_POPULATION_DB' WHERE file_code = 'A-1'")
    items = (await people.maker.get("/v1/lists/no-id", params=ON)).json()["items"]
    assert {item["file_code"]: item["reason"] for item in items} == {"A-1": "NOT_IN_POPULATION_DB", "A-5": "NO_ID", "M-2": "NOT_STATED"}
    only = (await people.maker.get("/v1/lists/no-id", params=ON | {"reason": "NO_ID"})).json()["items"]
    assert [item["file_code"] for item in only] == ["A-5"]
    text = (await people.maker.get("/v1/lists/no-id/file", params=ON | {"format": "csv"})).text
    assert "Chưa được cấp CCCD/số định danh" in text
