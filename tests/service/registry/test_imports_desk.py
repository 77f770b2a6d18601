"""An officer's work with a list: columns shown and set, verdict beside each row, rows that wait, corrected rows, one's own approval."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import xlsxwriter
from registry_test_helpers import HEADERS, UNIT, as_csv, row

from common.actor import Role
from common.jobs import Job
from common.lists import worker
from registry.usecases.importing import CHECK, importer

FOREIGN = {"Mã hồ sơ": "Ký hiệu", "Họ và tên": "Tên đối tượng hưởng TC", "Số CCCD/định danh": "Giấy tờ"}


def foreign(rows: list[dict[str, str]]) -> bytes:
    """A list with headers of the office's own."""
    text = as_csv(rows).decode()
    for ours, theirs in FOREIGN.items():
        text = text.replace(f";{ours};", f";{theirs};", 1)
    return text.encode()


async def sent(world: Any, content: bytes, **fields: Any) -> str:
    answer = await world.send(content, **fields)
    assert answer.status_code == 202, answer.text
    await world.work()
    return str(answer.json()["import_id"])


async def view(world: Any, import_id: str) -> dict[str, Any]:
    return dict((await world.maker.get(f"/v1/imports/{import_id}")).json())


async def test_columns_are_shown_set_and_remembered(world: Any) -> None:
    import_id = await sent(world, foreign([row("A-1", "060190000001")]))
    refused = await view(world, import_id)
    assert (refused["state"], "Mã hồ sơ" in refused["refusal"]) == ("REFUSED", True)
    answer = await world.maker.get(f"/v1/imports/{import_id}/mapping")
    shown = answer.json()
    assert set(shown["missing"]) == {"file_code", "full_name", "number"}
    columns = {item["header"]: item for item in shown["columns"]}
    assert columns["Giấy tờ"]["samples"] == ["060*****0001"]
    assert columns["Loại đối tượng"]["samples"] == ["***"]  # a category may tell of an illness
    assert (columns["Loại đối tượng"]["field"], columns["Loại đối tượng"]["confidence"]) == ("category", 1.0)
    chosen = {field["field"]: field["letter"] for field in shown["fields"] if field["letter"]}
    chosen |= {"file_code": columns["Ký hiệu"]["letter"], "full_name": columns["Tên đối tượng hưởng TC"]["letter"],
               "number": columns["Giấy tờ"]["letter"]}  # fmt: skip
    body = {"columns": chosen, "header_row": shown["header_row"], "save_as": "Mẫu xã"}
    url, etag = f"/v1/imports/{import_id}/mapping", answer.headers["ETag"]
    assert (await world.maker.put(url, json=body)).status_code == 428
    assert (await world.maker.put(url, json=body, headers={"If-Match": '"9"'})).status_code == 412
    missing = await world.maker.put(url, json=body | {"columns": {"full_name": "C"}}, headers={"If-Match": etag})
    assert (missing.status_code, "file_code" in missing.text) == (422, True)
    twice = await world.maker.put(url, json=body | {"columns": chosen | {"sex": chosen["file_code"]}}, headers={"If-Match": etag})
    assert twice.status_code == 422
    beyond = await world.maker.put(url, json=body | {"columns": chosen | {"sex": "ZZ"}}, headers={"If-Match": etag})
    assert beyond.status_code == 409
    accepted = await world.maker.put(url, json=body, headers={"If-Match": etag})
    assert accepted.status_code == 202, accepted.text
    await world.work()
    assert (await view(world, import_id))["rows_good"] == 1
    next_month = await sent(world, foreign([row("A-2", "060190000002")]))
    assert (await view(world, next_month))["rows_good"] == 1
    how = (await world.maker.get(f"/v1/imports/{next_month}/mapping")).json()["columns"]
    assert {item["how"] for item in how if item["field"]} == {"SAVED"}
    (saved,) = (await world.maker.get("/v1/imports/mappings")).json()["items"]
    assert saved["name"] == "Mẫu xã"
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.get("/v1/imports/mappings")).json()["items"] == []
    assert (await stranger.delete(f"/v1/imports/mappings/{saved['mapping_id']}")).status_code == 404
    assert (await world.maker.delete(f"/v1/imports/mappings/{saved['mapping_id']}")).status_code == 204


async def test_a_wrong_guess_is_corrected_before_approval_only(world: Any) -> None:
    import_id = await sent(world, as_csv([row("A-1", "060190000001")]))
    answer = await world.maker.get(f"/v1/imports/{import_id}/mapping")
    chosen = {field["field"]: field["letter"] for field in answer.json()["fields"] if field["letter"]}
    del chosen["preference"]
    body = {"columns": chosen, "header_row": answer.json()["header_row"]}
    put = await world.maker.put(f"/v1/imports/{import_id}/mapping", json=body, headers={"If-Match": answer.headers["ETag"]})
    assert put.status_code == 202, put.text
    early = await world.checker.post(f"/v1/imports/{import_id}/approve")
    assert early.status_code == 409
    await world.work()
    assert (await world.checker.post(f"/v1/imports/{import_id}/approve")).status_code == 202
    await world.work()
    assert await world.events("PreferenceRecorded") == [] or all(
        event["body"]["preference"] == "UNKNOWN" for event in await world.events("PreferenceRecorded")
    )
    late = await world.maker.put(f"/v1/imports/{import_id}/mapping", json=body, headers={"If-Match": '"2"'})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/import-mapping-not-possible")


async def test_the_verdict_stands_beside_each_row_and_the_file_goes_back_corrected(world: Any) -> None:
    rows = [row("A-1", "060190000001"), row("A-2", "60190000002", address="=cmd()"), row("", "060190000003")]
    import_id = await sent(world, as_csv(rows))
    masked = (await world.maker.get(f"/v1/imports/{import_id}/verdicts", params={"format": "csv"})).text.removeprefix("\ufeff")
    assert "060190000001" not in masked
    assert "060*****0001" in masked
    lines = list(csv.DictReader(io.StringIO(masked)))
    assert [line["Kết quả kiểm tra"].split(" – ")[1] for line in lines] == ["good", "refused", "refused"]
    assert "số 0" in lines[1]["Lý do từ chối"]
    assert "zero" in lines[1]["Reason for refusal"]
    assert (await world.checker.get(f"/v1/imports/{import_id}/verdicts", params={"purpose": "x"})).status_code == 422
    whole = await world.maker.get(
        f"/v1/imports/{import_id}/verdicts", params={"format": "xlsx", "only": "refused", "purpose": "sửa danh sách"}
    )
    assert whole.content[:4] == b"PK\x03\x04"
    async with world.db.read() as tx:
        audited = await tx.row("SELECT subject, purpose FROM audit_log WHERE action = 'import.read-whole'")
    assert dict(audited) == {"subject": "maker", "purpose": "sửa danh sách"}
    again = await sent(world, whole.content)
    found = await view(world, again)
    assert (found["rows_total"], found["rows_refused"]) == (2, 2)
    assert [code for _, code in await world.errors(again)] == ["NUMBER_LOST_ZERO", "MISSING_FILE_CODE"]


async def test_refused_rows_wait_until_corrected_or_dismissed(world: Any) -> None:
    import_id = await sent(
        world, as_csv([row("A-1", "060190000001"), row("A-2", "60190000002"), row("A-3", birth_date="x"), row("", full_name="Lê Văn An")])
    )
    await world.checker.post(f"/v1/imports/{import_id}/approve")
    await world.work()
    assert (await view(world, import_id))["rows_applied"] == 1

    async def waiting() -> list[tuple[int, str]]:
        page = (await world.maker.get("/v1/imports/waiting", params={"limit": 2})).json()
        items = page["items"]
        while page["next_cursor"]:
            page = (await world.maker.get("/v1/imports/waiting", params={"limit": 2, "cursor": page["next_cursor"]})).json()
            items += page["items"]
        return [(item["row_number"], item["who"]["file_code"]) for item in items]

    assert await waiting() == [(5, "A-2"), (6, "A-3"), (7, "")]
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.get("/v1/imports/waiting")).json()["items"] == []
    await world.take([row("A-2", "060190000002"), row("A-4", full_name="Lê Văn An")])
    assert await waiting() == [(6, "A-3")]
    url = f"/v1/imports/{import_id}/dismiss"
    assert (await stranger.post(url, json={"rows": [6], "reason": "không còn"})).status_code == 404
    assert (await world.maker.post(url, json={"rows": [6], "reason": ""})).status_code == 422
    assert (await world.maker.post(url, json={"rows": [4], "reason": "dòng tốt"})).status_code == 422
    assert (await world.maker.post(url, json={"rows": [6], "reason": "đã chuyển đi"})).json() == {"dismissed": 1}
    assert await waiting() == []
    assert (await world.maker.post(url, json={"rows": [6], "reason": "đã chuyển đi"})).status_code == 422
    verdicts = (await world.maker.get(f"/v1/imports/{import_id}/verdicts", params={"format": "csv"})).text
    assert "đã sửa – corrected" in verdicts
    assert "đã bỏ – dismissed" in verdicts


async def test_the_same_bytes_are_another_list_for_another_unit_or_programme(world: Any) -> None:
    content = as_csv([row("A-1", "060190000001", unit_code="")])
    first = (await world.send(content)).json()
    assert (await world.send(content)).json()["import_id"] == first["import_id"]
    other = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="district")
    elsewhere = (await world.send(content, other, unit_code="22915")).json()
    merit = (await world.send(content, programme="MERIT")).json()
    assert [answer["already_imported"] for answer in (elsewhere, merit)] == [False, False]
    assert len({first["import_id"], elsewhere["import_id"], merit["import_id"]}) == 3


async def test_a_list_that_repeats_what_is_known_changes_nothing_and_needs_no_second_person(world: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002")])
    before = await world.events("BeneficiaryRegistered", "BeneficiaryUpdated", "EntitlementGranted", "DuesChanged", "PreferenceRecorded")
    one = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="one")
    import_id = (await world.send(as_csv([row("A-2", "060190000002"), row("A-1", "060190000001")]), one)).json()["import_id"]
    await world.work()
    assert not (await view(world, import_id))["needs_second"]
    assert (await one.post(f"/v1/imports/{import_id}/approve")).status_code == 202
    await world.work()
    found = await view(world, import_id)
    assert (found["rows_applied"], found["rows_unchanged"], found["state"]) == (0, 2, "APPLIED")
    after = await world.events("BeneficiaryRegistered", "BeneficiaryUpdated", "EntitlementGranted", "DuesChanged", "PreferenceRecorded")
    assert after == before
    changed = (await world.send(as_csv([row("A-1", "060190000001", from_month="02/2024")]), one)).json()["import_id"]
    await world.work()
    assert [code for _, code in await world.errors(changed)] == ["ENTITLEMENT_DIFFERS"]


async def test_two_children_under_one_decision_are_two_allowances(world: Any) -> None:
    headers = {**HEADERS, "dep_name": "Họ và tên con", "dep_birth": "Ngày sinh con"}
    child = {"number": "060190000001"}

    def listed(rows: list[dict[str, str]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";")
        writer.writerow(headers.values())
        for item in rows:
            writer.writerow([item.get(name, "") for name in headers])
        return out.getvalue().encode()

    async def taken(rows: list[dict[str, str]]) -> list[tuple[int, str]]:
        import_id = await sent(world, listed(rows))
        refused = await world.errors(import_id)
        assert (await world.checker.post(f"/v1/imports/{import_id}/approve")).status_code == 202
        await world.work()
        return refused

    one = row("A-1", dep_name="Nguyễn Bé Một", dep_birth="01/02/2020", **child)
    two = row("A-1", dep_name="Nguyễn Bé Hai", dep_birth="2022", **child)
    async with world.db.read() as tx:
        category = await tx.value("SELECT code FROM benefit_category WHERE per_dependant AND programme = 'SOCIAL_ASSISTANCE' ORDER BY 1")
    one["category"] = two["category"] = category
    assert await taken([one, one, two]) == [(3, "DUPLICATE_ROW")]
    three = two | {"dep_name": "Nguyễn Bé Ba"}
    await taken([three])
    await taken([two, three])
    async with world.db.read() as tx:
        rows = await tx.rows(
            "SELECT e.ordinal, d.full_name, e.dependant_birth_date"
            " FROM entitlement e JOIN person d ON d.person_id = e.dependant_id ORDER BY 1"
        )
    assert [tuple(item.values()) for item in rows] == [
        (1, "Nguyễn Bé Một", "2020-02-01"), (2, "Nguyễn Bé Hai", "2022"), (3, "Nguyễn Bé Ba", "2022"),
    ]  # fmt: skip


async def test_numbers_in_free_cells_refuse_the_row_and_are_stored_nowhere(world: Any) -> None:
    number = "060190000009"
    rows = [row(f"A-{n}") for n in range(5)]
    for item, cell in zip(rows, ("file_code", "full_name", "decision_number", "rep_certificate", "file_code"), strict=True):
        item |= {cell: f"x {number}" if cell != "rep_certificate" else number, "rep_name": "Lê Ba", "rep_kind": "Ủy quyền"}
    import_id = await sent(world, as_csv(rows))
    assert {code for _, code in await world.errors(import_id)} == {"NUMBER_IN_TEXT"}
    async with world.db.read() as tx:
        for table in ("import_file", "import_row", "audit_log", "job", "idempotency_key", "outbox"):
            rows = await tx.rows(f"SELECT t::text AS line FROM {table} t")
            assert all(number not in item["line"] for item in rows), table


async def test_old_id_phone_and_ethnicity_are_kept_encrypted(world: Any) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [*HEADERS.values(), "Số CMND cũ", "SĐT", "Dân tộc", "Thôn/bản"])
        good = row("A-1", "060190000001")
        sheet.write_row(1, 0, [*(good.get(name, "") for name in HEADERS), "260190123", "0912 345 678", "Chăm", "Thôn 3"])
        bad = row("A-2")
        sheet.write_row(2, 0, [*(bad.get(name, "") for name in HEADERS), "26019012", "12", "Kinh", ""])
    import_id = await sent(world, out.getvalue())
    assert sorted(code for _, code in await world.errors(import_id)) == ["PHONE_BAD", "SECOND_NUMBER_LOST_ZERO"]
    await world.checker.post(f"/v1/imports/{import_id}/approve")
    await world.work()
    async with world.db.read() as tx:
        kept = await tx.row("SELECT * FROM person WHERE file_code = 'A-1'")
    assert world.db.keyring.decrypt("second_number", kept["second_number"]) == "260190123"
    assert world.db.keyring.decrypt("phone", kept["phone"]) == "0912345678"
    assert world.db.keyring.decrypt("ethnicity", kept["ethnicity"]) == "Chăm"
    assert kept["hamlet"] == "Thôn 3"


async def test_a_check_that_dies_between_batches_goes_on_behind_them(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(f"A-{n}", f"0601900000{n:02d}") for n in range(1, 11)]
    answer = (await world.send(as_csv(rows))).json()
    lists = importer(world.db, apply_rows=3, check_rows=4)
    job = Job(uuid4(), CHECK, {"import_id": answer["import_id"]}, "maker", date(2024, 8, 20), 1)

    def dies(name: str) -> None:
        raise asyncio.CancelledError(name)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "hit", dies)
        with pytest.raises(asyncio.CancelledError):
            await lists.check(job)
    async with world.db.read() as tx:
        assert await tx.value("SELECT staged_to FROM import_file") == 7
        assert await tx.value("SELECT count(*) FROM import_row") == 4
    both = await asyncio.gather(lists.check(job), lists.check(job))
    assert {done["state"] for done in both} <= {"CHECKED", "TAKEN_OVER"}
    await lists.check(job)
    found = await view(world, answer["import_id"])
    assert (found["state"], found["rows_total"], found["rows_good"]) == ("CHECKED", 10, 10)


async def test_totals_and_progress_are_shown(world: Any) -> None:
    content = as_csv([row("A-1", "060190000001"), row("A-2", "060190000002")]) + "Tổng cộng;2\r\n".encode()
    answer = (await world.send(content)).json()
    await world.work()
    job = (await world.maker.get(f"/v1/jobs/{answer['job_id']}")).json()
    assert job["done"] == job["total"] > 0
    found = await view(world, answer["import_id"])
    assert (found["rows_total"], found["rows_left_out"]) == (2, {"TOTAL": 1})
    approved = (await world.checker.post(f"/v1/imports/{answer['import_id']}/approve")).json()
    await world.work()
    job = (await world.checker.get(f"/v1/jobs/{approved['job_id']}")).json()
    assert (job["done"], job["total"], job["result"]) == (2, 2, {"imports": 1, "rows": 2})
    assert found["unit_code"] == UNIT


async def test_years_of_seniority_come_by_a_column_of_the_list(world: Any) -> None:
    more = {"category": "MR_SENIORITY", "from_month": "07/2024"}
    rows = [
        row("M-1", "060130000001", **more, quantity="5"), row("M-2", "060130000002", **more),
        row("M-3", "060130000003", category="MR_MOTHER", quantity="5"),
    ]  # fmt: skip
    taken = await world.take(rows, programme="MERIT")
    assert await world.errors(taken["import_id"]) == [(5, "BAD_QUANTITY"), (6, "NO_QUANTITY")]
    assert (await world.due("M-1", "2024-08"))["total"] == 5 * 529_000
