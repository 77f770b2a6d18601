"""Account lists have what the registry's lists have: columns shown and set, verdicts beside rows, rows that wait, one's own approval."""

from __future__ import annotations

import csv
import io
from typing import Any

from accounts.main import make_app
from accounts.providers.directory import load_directory
from accounts.usecases.importing import APPLY, CHECK, Importer
from common.actor import Role
from common.ids import new_id
from common.jobs import JobRunner

GOOD = ("BT-1", "Trần Thị Hoà", "Bản thân", "Tài khoản", "Agribank", "0123456789", "TRAN THI HOA", "")
ILL = ("BT-2", "Lê Văn An", "", "Tiền mặt tại nhà", "", "", "", "liệt hai chân")
BAD = ("BT-3", "Y Moan Êban", "", "Tài khoản", "Agribank", "1.23457E+11", "", "")


async def refusals(world: Any, import_id: str) -> dict[int, str]:
    text = (await world.officer.get(f"/v1/imports/{import_id}/errors")).text.removeprefix("\ufeff")
    return {int(line["dòng"]): line["mã lỗi"] for line in csv.DictReader(io.StringIO(text))}


async def test_verdicts_hide_numbers_and_why_somebody_is_paid_at_home(world: Any) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà"), world.person("BT-2", "Lê Văn An"), world.person("BT-3", "Y Moan Êban")])
    import_id = (await world.send([GOOD, ILL, BAD])).json()["import_id"]
    await world.work()
    text = (await world.officer.get(f"/v1/imports/{import_id}/verdicts", params={"format": "csv"})).text
    assert "23456" not in text
    assert "…6789" in text
    assert "liệt" not in text
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [line["Mã lỗi"] for line in lines] == ["", "", "SPREADSHEET_DAMAGE"]
    whole = await world.officer.get(f"/v1/imports/{import_id}/verdicts", params={"format": "csv", "purpose": "sửa danh sách"})
    assert "0123456789" in whole.text
    shown = (await world.officer.get(f"/v1/imports/{import_id}/mapping")).json()
    assert {item["field"] for item in shown["columns"] if item["field"]} >= {"file_code", "beneficiary", "method", "account_number"}


async def test_a_number_in_a_free_cell_is_kept_nowhere(world: Any) -> None:
    number = "060150000001"
    rows = [("BT-1", f"Trần Thị Hoà {number}", "", "Tiền mặt", "", "", "", ""), (number, "An", "", "TM", "", "", "", "")]
    import_id = (await world.send(rows)).json()["import_id"]
    await world.work()
    assert set((await refusals(world, import_id)).values()) == {"NUMBER_IN_TEXT"}
    async with world.db.read() as tx:
        for table in ("import_file", "import_row", "job", "audit_log", "outbox"):
            rows = await tx.rows(f"SELECT t::text AS line FROM {table} t")
            assert all(number not in row["line"] for row in rows), table


async def test_a_corrected_row_takes_the_waiting_one_off(world: Any) -> None:
    await world.hear([world.person("BT-3", "Y Moan Êban")])
    first = await world.taken([BAD])
    assert len((await world.officer.get("/v1/imports/waiting")).json()["items"]) == 1
    assert first["rows_refused"] == 1
    await world.taken([("BT-3", "Y Moan Êban", "", "Tiền mặt", "", "", "", "")])
    assert (await world.officer.get("/v1/imports/waiting")).json()["items"] == []


async def test_lists_up_to_a_set_size_may_be_approved_by_their_sender(world: Any, client_as: Any) -> None:
    importer = Importer(world.db, load_directory(), apply_rows=3, second_above=1)
    jobs = JobRunner(world.db, {CHECK: importer.check, APPLY: importer.apply}, owner="test")
    app = make_app(world.settings, world.db)
    both = client_as(app, Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, units=("60/593/22924",), subject="both")
    ends = []
    for people in (1, 2):
        rows = "\n".join(f"BT-{people}{n},An,TM" for n in range(people))
        content = f"Mã hồ sơ,Họ tên người hưởng,Hình thức nhận\n{rows}\n".encode()
        sent = await both.post(
            "/v1/imports",
            data={"unit_code": "22924", "business_date": "2024-08-20"},
            files={"file": ("x.csv", content)},
            headers={"Idempotency-Key": new_id().hex},
        )
        while await jobs.run_one():
            pass
        ends.append((await both.post(f"/v1/imports/{sent.json()['import_id']}/approve")).status_code)
    assert ends == [202, 409]


async def _sent(world: Any, **fields: str) -> Any:
    content = "Mã hồ sơ,Họ tên người hưởng,Hình thức nhận,Ngân hàng,Số tài khoản\nBT-1,Trần Thị Hoà,Tài khoản,Agribank,0123456789\n"
    return await world.officer.post(
        "/v1/imports", data={"unit_code": "22924", "business_date": "2024-08-20"} | fields, files={"file": ("x.csv", content.encode())},
        headers={"Idempotency-Key": new_id().hex},
    )  # fmt: skip


async def test_a_list_names_where_its_accounts_are_known_from_with_the_consent(world: Any) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà")])
    for fields, field in (
        ({"source": "VNEID"}, "consent_on"), ({"source": "BANK_LIST", "consent_on": "2024-08-01"}, "consent_evidence"),
        ({"consent_on": "2024-08-21"}, "consent_on"),
    ):  # fmt: skip
        refused = await _sent(world, **fields)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text
    sent = await _sent(world, source="VNEID", consent_on="2024-08-01", consent_evidence="Đồng ý trên VNeID 01/8")
    assert sent.status_code == 202, sent.text
    import_id = sent.json()["import_id"]
    await world.work()
    shown = (await world.officer.get(f"/v1/imports/{import_id}")).json()
    assert (shown["source"], shown["consent_on"], shown["consent_evidence"]) == ("VNEID", "2024-08-01", "Đồng ý trên VNeID 01/8")
    assert (await world.approver.post(f"/v1/imports/{import_id}/approve")).status_code == 202
    await world.drain()
    async with world.db.read() as tx:
        kept = await tx.row("SELECT source, CAST(consent_on AS text) AS consent_on, consent_evidence FROM account")
    assert dict(kept or {}) == {name: shown[name] for name in ("source", "consent_on", "consent_evidence")}
    assert world.partner.asked == [], "data of VNeID is not passed on while the setting forbids it"


async def test_a_communes_list_is_consent_on_its_business_date(world: Any) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà")])
    import_id = (await _sent(world)).json()["import_id"]
    await world.work()
    await world.approver.post(f"/v1/imports/{import_id}/approve")
    await world.work()
    async with world.db.read() as tx:
        kept = await tx.row("SELECT source, CAST(consent_on AS text) AS consent_on, consent_evidence FROM account")
    assert dict(kept or {}) == {"source": "IMPORT", "consent_on": "2024-08-20", "consent_evidence": f"import {import_id}"}
