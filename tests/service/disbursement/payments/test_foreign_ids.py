"""An officer of another commune asks for every object by its id: 404 everywhere, and no list names a foreign object either.

Routes come from the OpenAPI document: a new one with an id of a kind not known here fails until `IDS` says where its ids come from.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from common.actor import Role
from common.ids import new_id
from disbursement.usecases.tell import PROOF_FIELD

OFFICER = tuple(role for role in Role if role not in {Role.SYSTEM, Role.PARTNER, Role.AUDITOR, Role.COMMUNE_POLICE})
HERE, ELSEWHERE = "60/593/22924", "60/593/22927"
IDS = {
    "batch_id": "payment_batch", "cycle_id": "payment_cycle", "payment_id": "payment", "statement_id": "statement",
    "settlement_id": "settlement", "recovery_id": "recovery_case", "evidence_id": "cash_evidence", "case_id": "payment_case",
    "sheet_id": "telling_sheet", "complaint_id": "complaint", "shadow_id": "shadow_month", "job_id": "job",
    "person_id": "beneficiary", "erasure_id": "erasure_request",
}  # fmt: skip
NO_UNIT = {"/v1/webhooks/partners/{partner}", "/v1/partners/{partner}/lane"}
"""A partner's own callback address, and its limits: neither belongs to a unit."""
SUMS = {"/v1/partners/{partner}/totals"}
"""Answered to everybody who may ask, with the sums of the caller's units alone."""
TECHNICAL = {"/v1/quiet", "/v1/clients", "/v1/clients/access", "/v1/clients/access/sums", "/v1/parked-events", "/v1/invariants"}
"""The state of the machine, for people who look after all of it."""
JOB = "/v1/jobs/{job_id}"
GIVEN = {
    "purpose": "Kiểm tra hồ sơ",
    "business_date": "2024-09-12",
    "form": "xlsx",
    "channel": "CASH_POST",
    "unit_code": "22924",
    "year": "2024",
    "month": "2024-09",
    "on": "2024-09-12",
}

_SEED = (
    "INSERT INTO job (id, kind, requested_by, business_date) VALUES (:id, 'statement-reconcile', 'somebody', '2024-09-10')",
    ("INSERT INTO statement (statement_id, job_id, partner, source, file_name, content, sha256, business_date, received_by)"
    " VALUES (:id, :id, 'agribank', 'UPLOAD', 'sao-ke-xa-khac.csv', '\\x00', '\\x00', '2024-09-10', 'somebody')"),
    ("INSERT INTO statement_line (statement_id, line_no, booked_on, amount, currency, direction, reference)"
    " VALUES (:id, 1, '2024-09-10', 500000, 'VND', 'OUT', :reference)"),
    ("INSERT INTO settlement (settlement_id, cycle_id, partner, programme, funding_source, unit_path, number, business_date,"
    " listed_payments, listed_amount, paid_payments, paid_amount, failed_payments, failed_amount, returned_payments, returned_amount,"
    " uncollected_payments, uncollected_amount, withdrawn_payments, withdrawn_amount, prefunded, to_be_returned, fee_basis_points, fee,"
    " proposed_by) SELECT :id, cycle_id, 'agribank', programme, funding_source, unit_path, 'QT-1', '2024-09-10',"
    " 1, 500000, 1, 500000, 0, 0, 0, 0, 0, 0, 0, 0, 500000, 0, 0, 0, 'x' FROM payment_cycle WHERE cycle_id = :cycle"),
    ("INSERT INTO recovery_case (recovery_id, beneficiary_id, programme, funding_source, amount, months, opened_on, unit_code, unit_path)"
    " SELECT :id, beneficiary_id, programme, funding_source, 500000, CAST('{2024-09-01}' AS date[]), '2024-09-10', unit_code, unit_path"
    " FROM payment WHERE payment_id = :payment"),
    ("INSERT INTO cash_evidence (evidence_id, cycle_id, media_type, sha256, content, unit_path, stored_by)"
    " VALUES (:id, :cycle, 'application/pdf', '\\x00', :sealed, :path, 'x')"),
    ("INSERT INTO payment_case (case_id, payment_id, kind, partner, unit_path, reason, opened_by, opened_on)"
    " VALUES (:id, :payment, 'INVESTIGATION', 'agribank', :path, 'NOT_RECEIVED', 'x', '2024-09-10')"),
    ("INSERT INTO telling_sheet (sheet_id, cycle_id, unit_code, unit_path, number, rows, digest, made_by, business_date,"
    " state, handed_over_on, handed_over_by, proof, proof_name, proof_sha256) VALUES (:id, :cycle, '22924', :path, 1, 1, 'd', 'x',"
    " '2024-09-10', 'HANDED_OVER', '2024-09-12', 'x', :proof, 'ky-nhan.pdf', '\\x00')"),
    ("INSERT INTO administrative_unit (unit_id, version, code, name, level, path, valid_from)"
    " VALUES (:id, 1, '22924', 'Xã', 'commune', :path, '1975-01-01')"),
    ("INSERT INTO erasure_request (erasure_id, person_id, unit_paths, asked_by, ground, proposed_by)"
    " SELECT :id, beneficiary_id, ARRAY[unit_path], 'PERSON', 'Theo đơn', 'x' FROM payment WHERE payment_id = :payment"),
    "INSERT INTO precheck (list_id, list_hash, counts) VALUES (:list, 'hash', '{}')",
    ("INSERT INTO complaint (complaint_id, payment_id, beneficiary_id, kind, told_by, note, opened_on, due_on, unit_code, unit_path,"
    " opened_by) SELECT :id, payment_id, beneficiary_id, 'NOT_RECEIVED', 'SELF', 'Chưa nhận được tiền', '2024-09-10', '2024-09-20',"
    " unit_code, unit_path, 'x' FROM payment WHERE payment_id = :payment"),
    ("INSERT INTO shadow_month (shadow_id, unit_code, unit_path, programme, funding_source, month, business_date, file_name, sha256,"
    " content, compared_by) VALUES (:id, '22924', :path, 'SOCIAL_ASSISTANCE', 'LOCAL_BUDGET', '2024-09-01', '2024-09-10', 'bang-xa.xlsx',"
    " '\\x00', '\\x00', 'x')"),
)  # fmt: skip


@pytest.fixture
async def world(world_of: Any) -> AsyncIterator[Any]:
    """One commune's month, paid by file, with an object of every kind."""
    async with world_of(channel="iso20022", payer={"name": "Sở", "account_number": "102030405060", "bank_name": "NH"}) as made:
        line, cash = made.line(), made.line(partner="vnpost", channel="CASH_POST")
        await made.approve([line, cash])
        async with made.owner() as tx:
            await tx.execute("UPDATE payment_cycle SET unit_code = '22924', unit_path = :path", path=HERE)
        await made.send()
        payment = (await made.rows("SELECT payment_id, reference FROM payment WHERE line_id = :l", l=line.line_id))[0]
        scan = {name: made.keyring.encrypt(name, b"%PDF-1.4") for name in ("cash_evidence.content", PROOF_FIELD)}
        async with made.owner() as tx:
            for sql in _SEED:
                given = {"id": new_id(), "cycle": made.cycle_id, "payment": payment["payment_id"], "path": HERE,
                         "reference": payment["reference"], "sealed": scan["cash_evidence.content"], "proof": scan[PROOF_FIELD],
                         "list": made.list_id}  # fmt: skip
                if "INTO job" in sql:
                    job_id = given["id"]
                if "INTO statement" in sql:
                    given["id"] = job_id
                await tx.execute(sql, **{name: value for name, value in given.items() if re.search(rf":{name}\b", sql)})
        yield made


async def _asked(world: Any, client: Any) -> dict[str, tuple[int, str]]:
    """Every GET route of the document with the ids that are there: path → (status, text)."""
    key = {table: next(row["c"] for row in await world.rows(_KEY, t=table)) for table in IDS.values()}
    ids = {
        name: str((await world.rows(f"SELECT {key[table]} AS id FROM {table} t ORDER BY to_jsonb(t) ->> 'partner'"))[0]["id"])
        for name, table in IDS.items()
    }
    ids["partner"] = "agribank"
    found = {}
    for path, methods in world.app.openapi()["paths"].items():
        if not path.startswith("/v1") or "get" not in methods or path.startswith("/v1/audit") or path in TECHNICAL:
            continue
        unknown = set(re.findall(r"\{(\w+)\}", path)) - set(ids)
        assert not unknown, f"{path}: say in IDS where {unknown} come from"
        wanted = {p["name"]: p for p in methods["get"].get("parameters", []) if p["in"] == "query"}
        query = {name: ids.get(name) or GIVEN[name] for name, p in wanted.items() if p["required"]}
        calls = [query, *({**query, name: ids[name]} for name in wanted if name in ids and not wanted[name]["required"])]
        for n, call in enumerate(calls):
            answer = await client.get(path.format(**ids), params=call)
            found[f"{path}{'?' if n else ''}{'&'.join(sorted(set(call) - set(query)))}"] = (answer.status_code, answer.text)
    return found


_KEY = (
    "SELECT a.attname AS c FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
    " WHERE i.indisprimary AND i.indrelid = CAST(:t AS regclass)"
)


async def test_no_id_of_another_commune_opens_anything(world: Any, client_as: Any) -> None:
    own = await _asked(world, client_as(world.app, *OFFICER, units=("60",), subject="province"))
    stranger = client_as(world.app, *OFFICER, units=(ELSEWHERE,), subject="stranger")
    foreign = await _asked(world, stranger)
    officer = client_as(world.app, *(role for role in OFFICER if role is not Role.OPERATOR), units=(ELSEWHERE,), subject="stranger")
    job = (await world.rows("SELECT id FROM job"))[0]["id"]
    assert (await officer.get(f"/v1/jobs/{job}")).status_code == 404
    assert foreign.pop(JOB)[0] == 200  # who runs the machine sees how far jobs are
    by_id = {path for path in own if "{" in path and "?" not in path} - NO_UNIT - SUMS - {JOB}
    assert {path: own[path] for path in by_id if own[path][0] != 200} == {}  # else the 404 below would prove nothing
    assert {path: foreign[path] for path in by_id if foreign[path][0] != 404} == {}
    assert {path: answer for path, answer in foreign.items() if answer[0] >= 500} == {}
    marks = await _marks(world)
    assert {path: text for path, (_, text) in foreign.items() for mark in marks if mark in text} == {}
    assert any(mark in text for path, (_, text) in own.items() if "{" not in path for mark in marks)
    totals = foreign["/v1/partners/{partner}/totals"][1]
    assert ("500000" in own["/v1/partners/{partner}/totals"][1], "500000" in totals) == (True, False)


async def _marks(world: Any) -> list[str]:
    """What an answer must not hold: ids, references and names of the other commune's objects."""
    found = ["Đặng Thị Hoà", "sao-ke-xa-khac.csv", "bang-xa.xlsx"]
    for column in ("payment_id", "beneficiary_id", "line_id", "batch_id", "cycle_id", "list_id", "reference"):
        found += [str(row["v"]) for row in await world.rows(f"SELECT DISTINCT {column} AS v FROM payment")]
    for table in IDS.values():
        key = (await world.rows(_KEY, t=table))[0]["c"]
        found += [str(row["v"]) for row in await world.rows(f"SELECT {key} AS v FROM {table}")]
    return found
