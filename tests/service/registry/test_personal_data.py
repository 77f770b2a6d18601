"""A person's own data: given out whole, erased by two people where no law keeps it, kept and named elsewhere; dated terms."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from registry_test_helpers import row

from common.actor import Role
from common.retention import apply_terms
from registry.storage.personal_data import HOLDING

NEW = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "file_code": "S-1",
    "full_name": "Nguyễn Thị Hoà", "birth_date": "1950", "sex": "F", "national_number": "060150001234",
    "entitlements": [{"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
    "ethnicity": "Raglai", "phone": "0912345678",
}  # fmt: skip
PURPOSE = {"purpose": "Người hưởng yêu cầu cung cấp dữ liệu"}
ASKED = {"asked_by": "PERSON", "ground": "Đơn ngày 20/11/2026"}
YES = {"approve": True, "note": "Đã đối chiếu đơn"}


async def _registered(world: Any) -> str:
    answer = await world.register(NEW, "register-1")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["beneficiary_id"])


async def _everything(world: Any) -> str:
    """All tables as text, by the owner."""
    with psycopg.connect(world.settings.owner_database_url.replace("+psycopg", "")) as owner:
        tables = owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'").fetchall()
        return "\n".join(
            str(owner.execute(f'SELECT string_agg(CAST(t AS text), chr(10)) FROM "{name}" t').fetchone())  # type: ignore[arg-type]
            for (name,) in tables
            if name not in ("outbox", "idempotency_key")
        )


async def test_a_person_gets_everything_opened_and_the_read_is_audited(world: Any) -> None:
    person = await _registered(world)
    path = f"/v1/people/{person}/personal-data"
    assert (await world.maker.get(path)).status_code == 422
    answer = await world.maker.get(path, params=PURPOSE)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    parts = {part["table"]: part for part in given["parts"]}
    (who,) = parts["person"]["rows"]
    assert (who["full_name"], who["national_number"], who["phone"], who["ethnicity"]) == (
        "Nguyễn Thị Hoà", "060150001234", "0912345678", "Raglai",
    )  # fmt: skip
    assert parts["person"]["labels"]["full_name"] == "Họ và tên"
    assert parts["entitlement"]["rows"][0]["category"] == "SA6_S_CE", "a fact of health is the person's own"
    assert {"decision", "due_interval", "record_history"} <= set(parts)
    assert all(
        "number_blind" not in item and "national_number" not in (item.get("before") or {}) for item in parts["record_history"]["rows"]
    )
    assert given["kept"][0]["law"].startswith("Luật Lưu trữ")
    page = await world.maker.get(path, params=PURPOSE | {"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "BẢN CUNG CẤP DỮ LIỆU CÁ NHÂN" in page.text
    assert "060150001234" in page.text
    assert "Họ và tên" in page.text
    again = {part["table"]: part for part in (await world.maker.get(path, params=PURPOSE)).json()["parts"]}
    looked = again["audit_log"]["rows"]
    assert [(item["action"], item["roles"]) for item in looked] == [("personal-data.give", ["COMMUNE_OFFICER"])] * 2, "by role, not by name"
    auditor = world.client_as(world.app, Role.AUDITOR, units=("60",), subject="auditor")
    rows = (await auditor.get("/v1/audit", params={"action": "personal-data.give"})).json()["items"]
    assert [(item["purpose"], item["detail"]["format"]) for item in rows] == [
        (PURPOSE["purpose"], form) for form in ("json", "html", "json")
    ]
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="far")
    assert (await stranger.get(path, params=PURPOSE)).status_code == 404
    assert (await stranger.post(f"/v1/people/{person}/erasures", json=ASKED)).status_code == 404
    assert (await auditor.get(path, params=PURPOSE)).status_code == 403


async def test_two_people_erase_what_no_law_keeps_and_the_rest_is_named(world: Any) -> None:
    person = await _registered(world)
    asked = await world.maker.post(f"/v1/people/{person}/erasures", json=ASKED)
    assert asked.status_code == 201, asked.text
    told = asked.json()
    assert {item["table"]: item["rows"] for item in told["erased"]}["person"] == 1
    assert (await world.maker.post(f"/v1/people/{person}/erasures", json=ASKED)).status_code == 409, "one open request"
    path = f"/v1/erasures/{told['erasure_id']}"
    own = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="maker")
    assert (await own.post(f"{path}/decision", json=YES)).status_code == 403, "not by whoever asked"
    assert (await world.checker.get(path)).json()["state"] == "PROPOSED"
    done = (await world.checker.post(f"{path}/decision", json=YES)).json()
    assert done["state"] == "DONE"
    assert {item["what_vi"] for item in done["erased"]} == {
        "Số điện thoại",
        "Dân tộc",
        "Điện thoại, dân tộc trong danh sách đã nhập",
        "Các trường trên trong lịch sử hồ sơ",
    }
    assert [item["until"] for item in done["kept"]] == [None]
    assert (await world.checker.post(f"{path}/decision", json=YES)).status_code == 409
    parts = {p["table"]: p for p in (await world.maker.get(f"/v1/people/{person}/personal-data", params=PURPOSE)).json()["parts"]}
    (who,) = parts["person"]["rows"]
    assert (who["phone"], who["ethnicity"], who["full_name"], who["national_number"]) == (None, None, "Nguyễn Thị Hoà", "060150001234")
    assert all(item["before"] is None or item["before"].get("masked_phone") is None for item in parts["record_history"]["rows"])
    assert (await world.events("BeneficiaryUpdated"))[-1]["body"]["phone"] == {}, "the other services' copies lose it too"


async def test_somebody_never_entitled_is_erased_to_the_last_name(world: Any) -> None:
    with psycopg.connect(world.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as owner:
        made = owner.execute(
            "INSERT INTO person (file_code, full_name, name_folded, sex, unit_code, unit_path, programmes, identity_fingerprint,"
            " created_by, is_beneficiary, address) VALUES ('Z-1', 'Lò Thị Xoáhẳn', 'LO THI XOAHAN', 'F', '22924', '60/593/22924', '{}',"
            " 'f', 'an', true, 'Thôn Xoáhẳn') RETURNING person_id"
        ).fetchone()
        assert made is not None
        owner.execute("UPDATE person SET version = version + 1, address = 'Thôn Xoáhẳn 2' WHERE person_id = %s", made)
    person = str(made[0])
    assert "Xoáhẳn" in await _everything(world)
    erasure = (await world.maker.post(f"/v1/people/{person}/erasures", json=ASKED)).json()["erasure_id"]
    done = await world.checker.post(f"/v1/erasures/{erasure}/decision", json=YES)
    assert done.status_code == 200, done.text
    assert done.json()["kept"] == []
    left = await _everything(world)
    assert "Xoáhẳn" not in left
    assert "XOAHAN" not in left
    assert (await world.events("BeneficiaryUpdated"))[-1]["body"]["full_name"] == "[đã xoá]"
    with psycopg.connect(world.settings.database_url.replace("+psycopg", "")) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("UPDATE record_history SET before = '{}'")
        application.rollback()
        with pytest.raises(psycopg.errors.RaiseException, match="nobody asked"):
            application.execute("SELECT erase_in_history(%s)", (person,))


async def test_a_term_of_two_people_empties_old_lists_and_a_dry_run_says_so(world: Any) -> None:
    found = await world.take([row("A-1", "060190000001")])
    auditor = world.client_as(world.app, Role.AUDITOR, units=("60",), subject="auditor")
    rules = {item["rule"]: item for item in (await auditor.get("/v1/retention")).json()["items"]}
    assert rules["import_files"]["days"] is None, "nobody has said how long: nothing goes"
    assert rules["import_files"]["question_vi"]
    assert await apply_terms(world.db, HOLDING.retention) is False
    term = {"days": 30, "valid_from": "2024-01-01", "legal_source": "Quyết định 12/QĐ-SNV"}
    assert (await world.checker.post("/v1/retention/nothing/terms", json=term)).status_code == 404
    made = await world.checker.post("/v1/retention/import_files/terms", json=term)
    assert made.status_code == 201, made.text
    again = await world.checker.post("/v1/retention/import_files/terms", json=term)
    assert again.json() == made.json(), "who got no answer asks again"
    path = f"/v1/retention-terms/{made.json()['term_id']}/decision"
    assert (await world.checker.post(path, json={"approve": True})).status_code == 403
    approver = world.client_as(world.app, Role.APPROVER, units=("60",), subject="approver")
    assert (await approver.post(path, json={"approve": True})).json()["state"] == "ACTIVE"
    with psycopg.connect(world.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("UPDATE import_file SET applied_at = now() - interval '31 days'")
    rules = {item["rule"]: item for item in (await auditor.get("/v1/retention")).json()["items"]}
    assert (rules["import_files"]["days"], rules["import_files"]["due"]) == (30, 1)
    assert await apply_terms(world.db, HOLDING.retention) is False
    gone = await world.checker.get(f"/v1/imports/{found['import_id']}/mapping")
    assert (gone.status_code, gone.json()["type"].rsplit("/", 1)[-1]) == (404, "import-not-found")
    assert (await world.checker.get(f"/v1/imports/{found['import_id']}")).status_code == 200, "that it was is kept"
    rows = (await auditor.get("/v1/audit", params={"action": "retention.erase"})).json()["items"]
    assert [(item["object_id"], item["detail"]["count"]) for item in rows] == [("import_files", 1)]
    assert json.dumps(rows).count("060190000001") == 0


async def test_a_number_in_what_somebody_writes_is_kept_nowhere(world: Any, office: Any) -> None:
    """Grounds, evidence, notes and reasons are shown as they are, to whoever sees the record."""
    number = "060190004567"
    said = f"bản chụp CCCD {number} của người chị"
    await world.take([row(f"A-{n}", f"06019000000{n}") for n in range(4)])
    who = [await world.id_of(f"A-{n}") for n in range(4)]
    day = {"business_date": "2024-08-20"}
    paper = {"number": "12/QĐ", "decision_date": "2024-08-10", "signer": "Trần Văn Nam"}
    suspend = {"kind": "SUSPEND", "reason": "UNCOLLECTED", "items": [{"entitlement_id": await office.allowance("A-1")}]}
    for path, body in (
        (f"/v1/beneficiaries/{who[0]}/change-requests", day | {"ground": said, "full_name": "Lê Thị Hoa"}),
        ("/v1/decisions", day | paper | suspend | {"note": said}),
        ("/v1/life-events", day | {"kind": "PRISON", "event_date": "2024-08-05", "beneficiary_ids": [who[2]], "evidence": said,
                                   "decision": paper}),
        ("/v1/transfers", day | paper | {"beneficiary_id": who[3], "to_unit_code": "22915", "dossier": said}),
    ):  # fmt: skip
        answer = await office.post(path, body)
        assert answer.status_code == 201, (path, answer.text)
    kept = await _everything(world)
    assert "bản chụp CCCD *** của người chị" in kept
    assert number not in kept
