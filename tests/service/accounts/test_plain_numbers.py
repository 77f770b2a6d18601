"""After a scenario through every door, no account or national number stands in plain text in any table, event, answer or log."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import orjson
import pytest

from accounts.main import make_app
from common import clock, webhooks
from common.contracts.registry_v1 import PreferenceRecorded
from common.ids import new_id, stable_id

DAY = "2024-08-20"
INBOUND = "whsec_" + "aW5ib3VuZCBzZWNyZXQgb2YgdGhlIHRlc3RzISE="
NATIONAL = ("060150000001", "060150000002", "060180000003")
NUMBERS = ("4800205011111", "99MM22222M33333333", "0988444555", "4800205066666", "4800205077777")


async def scan(db: Any) -> dict[str, list[str]]:
    """Table.column → the plain numbers found in it, over every table and every column of this database."""
    found: dict[str, list[str]] = {}
    async with db.read() as tx:
        columns = await tx.rows(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        )
        for column in columns:
            name = f'"{column["column_name"]}"'
            text = f"encode({name}, 'escape')" if column["data_type"] == "bytea" else f"CAST({name} AS text)"
            for number in (*NATIONAL, *NUMBERS):
                if await tx.value(f'SELECT true FROM "{column["table_name"]}" WHERE {text} LIKE :n LIMIT 1', n=f"%{number}%"):
                    found.setdefault(f"{column['table_name']}.{column['column_name']}", []).append(number)
    return found


@pytest.fixture
def app(world: Any, tmp_path: Path) -> Any:
    file = tmp_path / "partners.json"
    file.write_text(json.dumps({"partners": {"agribank": {"url": "http://x", "outbound_secret": INBOUND, "inbound_secrets": [INBOUND]}}}))
    return make_app(world.settings.model_copy(update={"partners_file": file}), world.db)


async def scenario(world: Any, bank: Any, answers: list[str]) -> None:
    """Registered, imported, opened, rejected, reviewed, failed; every answer is kept."""

    async def call(method: str, path: str, client: Any = None, **more: Any) -> Any:
        headers = {"Idempotency-Key": new_id().hex, **more.pop("headers", {})}
        answer = await (client or world.officer).request(method, path, headers=headers, **more)
        answers.append(f"{path} {dict(answer.headers)} {answer.text}")
        return answer

    await world.hear([
        world.person("BT-1", "Trần Thị Hoà", NATIONAL[0]), world.person("BT-2", "Lê Văn An", NATIONAL[1]),
        world.representative("BT-2", "Lê Văn Bình", NATIONAL[2]),
        PreferenceRecorded(
            version=1, business_date=DAY, beneficiary_id=stable_id("person", "BT-2"), preference="WANTS_ACCOUNT", recorded_on=DAY,
            evidence="phiếu", unit_code="22924", unit_path="60/593/22924",
        ),
    ])  # fmt: skip
    world.partner.has(NUMBERS[0], "TRAN HOA", NATIONAL[0])
    people = {code: stable_id("person", code) for code in ("BT-1", "BT-2")}
    for number, provider in ((NUMBERS[0], "Agribank"), (NUMBERS[1], "Momo"), (NUMBERS[2], "Viettel Money"), ("12 ", "Agribank")):
        body = {"provider": provider, "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY}
        await call("POST", f"/v1/beneficiaries/{people['BT-1']}/accounts", json=body)
    await world.drain()
    wanted = {"unit_code": "22924", "provider_code": "AGRIBANK", "business_date": DAY}
    await call("POST", "/v1/openings", json=wanted)
    await call("POST", "/v1/opening-batches", json=wanted)
    request_id = (await call("GET", "/v1/openings")).json()["items"][0]["request_id"]
    for body in (
        orjson.dumps({"business_date": DAY, "results": [{"request_id": request_id, "status": "OPENED", "account_number": NUMBERS[3]}]}),
        orjson.dumps({"business_date": DAY, "results": [{"request_id": NUMBERS[4], "status": "?", "account_number": NUMBERS[4]}]}),
    ):
        signed = webhooks.sign(INBOUND, new_id().hex, clock.now(), body)
        await call("POST", "/v1/webhooks/openings/agribank/AGRIBANK", bank, content=body, headers=signed)
    listing = f"Mã yêu cầu,Kết quả,Số tài khoản\n{new_id()},Đã mở,{NUMBERS[4]}\n{NUMBERS[4]},Đã mở,{NUMBERS[4]}\n".encode()
    data = {"provider_code": "AGRIBANK", "business_date": DAY}
    await call("POST", "/v1/opening-results", data=data, files={"file": ("x.csv", listing, "text/csv")})
    await world.drain()
    for path in (
        "/v1/accounts", "/v1/reviews", "/v1/alerts", "/v1/openings", "/v1/opening-batches", f"/v1/beneficiaries/{people['BT-1']}/accounts",
        f"/v1/beneficiaries/{people['BT-1']}/payout-history", f"/v1/beneficiaries/{people['BT-1']}/payout-method", "/v1/rechecks",
        "/v1/lists/MERIT/self?unit_code=22924&format=csv&on=2024-08-20", "/v1/counters?unit_code=22924&on=2024-08-20", "/v1/progress",
    ):  # fmt: skip
        answer = await call("GET", path)
        assert answer.status_code == 200, (path, answer.text)


async def test_no_plain_number_anywhere(world, app, client_as, caplog, capsys) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[str] = []
    await scenario(world, client_as(app), answers)
    assert len(answers) > 18
    assert await scan(world.db) == {}
    plain = (*NATIONAL, *NUMBERS)
    assert [(number, answer[:80]) for answer in answers for number in plain if number in answer] == []
    out, err = capsys.readouterr()
    assert [number for number in plain if number in out + err + caplog.text] == []


async def test_the_scan_finds_what_it_looks_for(world) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO audit_log (subject, roles, units, action, object_type, object_id, detail)"
            " VALUES ('x', '{}', '{}', 'x', 'x', 'x', CAST(:detail AS jsonb))",
            detail={"deep": [{"number": NUMBERS[0]}]},
        )
        await tx.execute(
            "INSERT INTO opening_result (provider_code, origin, content_cipher, rows, state, business_date, sent_by)"
            " VALUES ('X', 'x', :content, 1, 'APPLIED', '2024-08-20', 'x')",
            content=f"plain {NATIONAL[0]}".encode(),
        )
    assert await scan(world.db) == {"audit_log.detail": [NUMBERS[0]], "opening_result.content_cipher": [NATIONAL[0]]}
