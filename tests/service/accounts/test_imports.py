"""Account lists: per-row verdicts, second person, waiting rows, the same again changes nothing."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from accounts.domain.rows import CheckedRow, check_row
from accounts.providers.directory import load_directory
from accounts.storage import imports
from common.actor import Role
from common.ids import new_id, stable_id

ACCOUNT = ("BT-1", "Trần Thị Hoà", "Bản thân", "Tài khoản", "Agribank", "0123456789", "TRAN THI HOA", "")


def waiting_row() -> CheckedRow:
    names = ("file_code", "beneficiary", "payee", "method", "provider", "account_number", "holder", "home_reason")
    return check_row(dict(zip(names, ACCOUNT, strict=True)), load_directory())


async def test_a_list_is_checked_approved_and_applied(world) -> None:
    await world.hear(
        [world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An"), world.person("BT-3", "Y Moan Êban")]
    )
    done = await world.taken(
        [
            ACCOUNT,
            ("BT-2", "Lê Văn An", "", "Tiền mặt tại bưu điện", "", "", "", ""),
            ("BT-3", "Y Moan Êban", "Bản thân", "Tiền mặt tại nhà", "", "", "", "liệt hai chân"),
            ("BT-3", "Y Moan Êban", "Bản thân", "Tiền mặt tại bưu điện", "", "", "", ""),
            ("BT-9", "Người Lạ", "", "Tài khoản", "Nhà băng lạ", "123456", "", ""),
        ]
    )
    assert {name: done[name] for name in done if name.startswith("rows_")} == {
        "rows_total": 5, "rows_good": 3, "rows_refused": 2, "rows_waiting": 0, "rows_applied": 3, "rows_unchanged": 0, "rows_left_out": {},
    }  # fmt: skip
    assert done["state"] == "APPLIED"
    methods = {body["beneficiary_id"]: body for _, body in await world.events("PayoutMethodChosen")}
    found = {code: methods[str(stable_id("person", code))] for code in ("BT-1", "BT-2", "BT-3")}
    assert [(body["method"], body["payee_kind"], body["reason"]) for body in found.values()] == [
        ("ACCOUNT", "SELF", None), ("CASH_POST", "SELF", "PREFERENCE"), ("CASH_HOME", "SELF", "FORCE_MAJEURE"),
    ]  # fmt: skip
    assert found["BT-1"]["account_id"] is not None
    assert "liệt" not in str(methods)  # why somebody is paid at home may tell of an illness
    errors = await world.officer.get(f"/v1/imports/{done['import_id']}/errors")
    assert errors.text.startswith("\ufeff")
    assert [line.split(",")[0] for line in errors.text.splitlines()[1:]] == ["6", "7"]
    assert "DUPLICATE_ROW" in errors.text
    assert "PROVIDER_UNKNOWN" in errors.text


async def test_numbers_are_encrypted_wherever_they_lie(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    await world.taken([ACCOUNT])
    await world.drain()
    async with world.db.read() as tx:
        for table in ("import_file", "import_row", "account", "outbox", "job", "audit_log", "idempotency_key", "payout_method"):
            rows = await tx.rows(f"SELECT t::text AS line FROM {table} t")
            assert all("0123456789" not in row["line"] and "\\x30313233343536373839" not in row["line"] for row in rows), table


async def test_the_sender_cannot_approve_and_a_dry_run_never_can_be(world, client_as) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà")])
    import_id = (await world.send([ACCOUNT])).json()["import_id"]
    early = await world.approver.post(f"/v1/imports/{import_id}/approve")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/import-not-approvable")  # not checked yet
    await world.work()
    same = client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="officer")
    assert (await same.post(f"/v1/imports/{import_id}/approve")).json()["type"] == "/problems/same-person"
    assert (await world.officer.post(f"/v1/imports/{import_id}/approve")).status_code == 403
    stranger = client_as(world.app, Role.APPROVER, units=("61",), subject="stranger")
    assert (await stranger.post(f"/v1/imports/{import_id}/approve")).status_code == 404
    dry = (await world.send([ACCOUNT], dry_run="true")).json()["import_id"]
    await world.work()
    assert (await world.approver.post("/v1/imports/approve", json={"import_ids": [dry]})).status_code == 409
    assert await world.events() == []


async def test_the_same_again_changes_nothing(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    first = await world.taken([ACCOUNT])
    await world.drain()
    before = await world.events()
    again = (await world.send([ACCOUNT])).json()
    assert (again["import_id"], again["already_imported"]) == (first["import_id"], True)
    other_bytes = await world.taken([(*ACCOUNT[:5], "0123 456 789", *ACCOUNT[6:])])
    await world.drain()
    assert (other_bytes["rows_applied"], other_bytes["rows_unchanged"]) == (0, 1)
    assert await world.events() == before


async def test_rows_wait_for_people_not_registered_yet(world) -> None:
    waiting = await world.taken([ACCOUNT, ("BT-2", "Lê Văn An", "Lê Thị Bình", "Tài khoản", "Nam Á", "999888777", "", "")])
    assert (waiting["rows_waiting"], waiting["rows_applied"], waiting["state"]) == (2, 0, "APPLIED")
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An")])
    await world.drain()
    assert (await world.officer.get(f"/v1/imports/{waiting['import_id']}")).json()["rows_waiting"] == 1  # the representative is missing
    await world.hear([world.representative("BT-2", "Lê Thị Bình", "060180000002")])
    await world.drain()
    done = (await world.officer.get(f"/v1/imports/{waiting['import_id']}")).json()
    assert (done["rows_waiting"], done["rows_applied"]) == (0, 2)
    assert {body["payee_kind"] for _, body in await world.events("PayoutMethodChosen")} == {"SELF", "GUARDIAN"}


async def test_rows_that_waited_are_applied_also_when_the_worker_dies_on_the_way(world, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found to be good in one transaction, applied in the next: a death between the two must not leave them lying in an applied list."""
    waiting = await world.taken([ACCOUNT])
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])

    async def dies(_ids: object) -> int:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(world.importer, "apply_some", dies)
        with pytest.raises(RuntimeError, match="killed"):
            await world.importer.retry_waiting()
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM import_row WHERE verdict = 'GOOD' AND retry") == 1, "a cut-off waits for it"
    await world.drain()
    done = (await world.officer.get(f"/v1/imports/{waiting['import_id']}")).json()
    assert (done["rows_waiting"], done["rows_applied"], done["state"]) == (0, 1, "APPLIED")
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM import_row WHERE retry") == 0
    assert len(await world.events("PayoutMethodChosen")) == 1


async def test_a_person_who_arrives_while_a_list_is_checked_is_not_missed(world) -> None:
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001")
    import_id = (await world.send([ACCOUNT])).json()["import_id"]
    async with world.db.transaction() as tx:  # the check has looked for the person, and has not committed
        await imports.resolve(tx, [])
        arrival = asyncio.create_task(world.hear([person]))
        done, _ = await asyncio.wait([arrival], timeout=0.2)
        assert not done  # the arrival comes after the rows that wait for it can be seen
        await tx.execute("UPDATE import_file SET state = 'CHECKED'")
        await imports.stage(tx, [imports.staged_values(world.db.keyring, UUID(import_id), 3, waiting_row())])
        await tx.execute("UPDATE import_row SET verdict = 'WAITING'")
    await arrival
    await world.drain()
    assert (await world.officer.get(f"/v1/imports/{import_id}")).json()["rows_good"] == 1


async def test_people_and_their_representatives_may_arrive_while_their_list_is_held(world) -> None:
    row = ("BT-1", "Trần Thị Hoà", "Lê Thị Bình", "Tiền mặt", "", "", "", "")
    import_id = (await world.send([row])).json()["import_id"]
    await world.work()
    async with world.db.transaction() as tx:
        await tx.value("SELECT state FROM import_file WHERE import_id = :id FOR NO KEY UPDATE", id=import_id)
        both = [world.person("BT-1", "Trần Thị Hoà"), world.representative("BT-1", "Lê Thị Bình", "060180000002")]
        async with asyncio.timeout(40):
            await world.hear(both)  # touches the waiting row twice in one transaction
    await world.drain()
    assert (await world.officer.get(f"/v1/imports/{import_id}")).json()["rows_good"] == 1


async def test_a_mistyped_file_code_never_redirects_money(world) -> None:
    other = {"unit_code": "22930", "unit_path": "60/594/22930"}
    await world.hear([world.person("BT-1", "Nguyễn Văn Khác"), world.person("BT-2", "Lê Văn An", **other)])
    done = await world.taken([ACCOUNT, ("BT-2", "Lê Văn An", "", "Tiền mặt", "", "", "", "")])
    assert (done["rows_refused"], done["rows_applied"]) == (2, 0)
    errors = (await world.officer.get(f"/v1/imports/{done['import_id']}/errors")).text
    assert "OTHER_PERSON" in errors
    assert "OTHER_UNIT" in errors


async def test_a_file_that_is_no_list_is_refused_at_once(world) -> None:
    answer = await world.officer.post(
        "/v1/imports",
        data={"unit_code": "22924", "business_date": "2024-08-20"},
        files={"file": ("x.csv", b"a,b,c\n1,2,3\n")},
        headers={"Idempotency-Key": new_id().hex},
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/import-file-refused")
    unknown = await world.send([ACCOUNT], unit_code="99999")
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/unknown-unit")


async def test_more_rows_than_one_transaction_takes(world) -> None:
    people = [world.person(f"BT-{index}", "Lê Văn An") for index in range(8)]
    await world.hear(people)
    done = await world.taken([(f"BT-{index}", "Lê Văn An", "", "TM", "", "", "", "") for index in range(8)])
    assert (done["rows_applied"], done["state"]) == (8, "APPLIED")
