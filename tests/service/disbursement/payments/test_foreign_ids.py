"""An officer of another commune asks for every object by its id, and would change it: 404 everywhere, and no list names a foreign object.

Routes come from the OpenAPI document (those that change something, from the matrix of rights): a new one with an id of a kind not known
here fails until `IDS` says where its ids come from.
"""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from pathlib import Path
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
    "person_id": "beneficiary", "erasure_id": "erasure_request", "repayment_id": "repayment", "manual_id": "manual_result",
    "proposal_id": "suspension_proposal", "take_over_id": "take_over", "registration_id": "api_client",
}  # fmt: skip
MATRIX = Path(__file__).parents[3] / "security" / "matrix" / "disbursement.csv"
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
    ("INSERT INTO repayment (repayment_id, recovery_id, amount, document_number, document_date, proposed_by)"
    " SELECT :id, recovery_id, 100000, 'GNT 0080', '2024-10-10', 'x' FROM recovery_case"),
    ("INSERT INTO manual_result (manual_id, payment_id, result, happened_on, note, evidence, proposed_by)"
    " VALUES (:id, :payment, 'SETTLED', '2024-09-05', 'Theo công văn', 'CV 214', 'x')"),
    ("INSERT INTO partner_notice (notice_id, partner, webhook_id, sent_at, body, body_digest, brought_by, batch_id, state)"
    " SELECT '01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b11', partner, 'file:1', now(), '\\x00', '\\x00', 'x', batch_id, 'WAITING'"
    " FROM payment_batch WHERE partner = 'agribank'"),
    ("INSERT INTO suspension_proposal (proposal_id, beneficiary_id, programme, months, amount, payment_id, business_date, unit_code,"
    " unit_path) SELECT :id, beneficiary_id, programme, ARRAY['2024-09'], 500000, payment_id, '2024-11-20', unit_code, unit_path"
    " FROM payment WHERE payment_id = :payment"),
    ("INSERT INTO take_over (take_over_id, unit_code, unit_path, programme, first_month, state, business_date, proposed_by)"
    " VALUES (:id, '22924', :path, 'MERIT', '2024-09-01', 'PROPOSED', '2024-09-10', 'x')"),
    ("INSERT INTO api_client (id, client_id, agency, contact, roles, units, per_minute, per_day, valid_from, basis, proposed_by)"
    " VALUES (:id, 'xa-22924', 'UBND xã', 'ubnd@example.vn', ARRAY['INTEGRATOR'], ARRAY[:path], 60, 5000, '2024-09-01',"
    " 'CV 12/UBND', 'x')"),
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


async def _ids(world: Any) -> dict[str, str]:
    """An id of each kind that paths name."""
    key = {table: next(row["c"] for row in await world.rows(_KEY, t=table)) for table in IDS.values()}
    ids = {
        name: str((await world.rows(f"SELECT {key[table]} AS id FROM {table} t ORDER BY to_jsonb(t) ->> 'partner'"))[0]["id"])
        for name, table in IDS.items()
    }
    return ids | {"partner": "agribank"}


async def _asked(world: Any, client: Any) -> dict[str, tuple[int, str]]:
    """Every GET route of the document with the ids that are there: path → (status, text)."""
    ids = await _ids(world)
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


def _changes() -> list[tuple[str, str]]:
    """(method, path) of what changes an object of a unit, as the matrix of rights says."""
    with MATRIX.open(encoding="utf-8", newline="") as file:
        return [(row["method"], row["path"]) for row in csv.DictReader(file) if row["other"] == "404" and row["method"] != "GET"]


async def _sent(world: Any, client: Any, routes: list[tuple[str, str]], who: str) -> dict[str, tuple[int, str]]:
    """Every one of the routes with the body of the operation's own example: route → (status, text)."""
    ids, document, found = await _ids(world), world.app.openapi(), {}
    for number, (method, path) in enumerate(routes):
        content = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        given: dict[str, Any] = {"headers": {"Idempotency-Key": f"{who}-{number:04d}"}}
        if "multipart/form-data" in content:
            said = {"handed_over_on": "2024-09-12", "reason": "Nộp nhầm bản của thôn khác"}
            given |= {"files": {"file": ("ky-nhan.pdf", b"%PDF-1.4", "application/pdf")}, "data": said}
            given["headers"]["If-Match"] = '"1"'
        elif content:
            given["json"] = _example(document, content["application/json"])
        answer = await client.request(method, path.format(**ids), **given)
        found[f"{method} {path}"] = (answer.status_code, answer.text)
    return found


def _example(document: dict[str, Any], said: dict[str, Any]) -> Any:
    shown = said.get("example") or next((each["value"] for each in said.get("examples", {}).values()), None)
    schema = document["components"]["schemas"].get(said["schema"].get("$ref", "").rpartition("/")[2], said["schema"])
    return shown or next(iter(schema.get("examples", ())), {})


async def test_nothing_of_another_commune_is_changed_by_its_id(world: Any, client_as: Any) -> None:
    routes = _changes()
    assert len(routes) > 40
    roles = tuple(role for role in OFFICER if role is not Role.OPERATOR)
    everybody = client_as(world.app, *OFFICER, units=(ELSEWHERE,), subject="stranger")
    officer = client_as(world.app, *roles, units=(ELSEWHERE,), subject="stranger")
    machines = [route for route in routes if "/clients/" in route[1]]  # who runs the machine opens and shuts doors to all units
    foreign = await _sent(world, everybody, [route for route in routes if route not in machines], "everybody")
    foreign |= await _sent(world, officer, routes, "officer")
    assert {route: answer for route, answer in foreign.items() if answer[0] != 404} == {}
    assert await world.rows("SELECT action FROM audit_log WHERE subject = 'stranger'") == []
    own = await _sent(world, client_as(world.app, *OFFICER, units=("60",), subject="province"), routes, "province")
    assert {route: answer for route, answer in own.items() if answer[0] in (404, 500)} == {}  # else the 404 above would prove nothing


_IN_BODY: dict[str, dict[str, Any]] = {
    "/v1/custody": {"partner": "vnpost", "unit_code": "22924", "kind": "RECEIVED", "holder": "Lê Văn Bình", "amount": 500_000,
                    "document_number": "PXK 1", "witness": "Nguyễn Thị Lan", "on_date": "2024-09-12"},
    "/v1/money-movements": {"kind": "PREFUND", "partner": "agribank", "amount": 500_000, "document_number": "UNC 1",
                            "document_date": "2024-08-23"},
    "/v1/settlements": {"partner": "agribank", "number": "QT-2", "business_date": "2024-09-20"},
}  # fmt: skip
"""What names another commune's cycle in its body."""


async def test_nothing_of_another_commune_is_changed_by_an_id_in_the_body(world: Any, client_as: Any) -> None:
    found: dict[str, dict[str, int]] = {}
    async with world.owner() as tx:
        await tx.execute("UPDATE payment SET status = 'COLLECTED' WHERE channel = 'CASH_POST'")
    [cash] = await world.rows("SELECT reference FROM payment WHERE channel = 'CASH_POST'")
    [evidence] = await world.rows("SELECT evidence_id FROM cash_evidence")
    proofs = {"proofs": [dict(cash) | {"collected_on": "2024-09-12", "collected_by": "SELF", "kind": "SIGNED_LIST"}]}
    named, scanned = {"paid_by": "Lê Văn Bình"} | proofs, {"evidence_id": str(evidence["evidence_id"])}
    calls = [*_IN_BODY.items(), ("/v1/cash-proofs", named), ("/v1/cash-proofs", named | scanned)]
    for who, unit in (("stranger", ELSEWHERE), ("province", "60")):
        client = client_as(world.app, *OFFICER, units=(unit,), subject=who)
        cycle = {"cycle_id": str(world.cycle_id)}
        scan = {"files": {"file": ("ky-nhan.pdf", b"%PDF-1.4", "application/pdf")}}
        for number, (path, body) in enumerate(calls):
            answer = await client.post(path, json=cycle | body, headers={"Idempotency-Key": f"{who}-{number:04d}"})
            found.setdefault(who, {})[f"{path} {number}"] = answer.status_code
        sent = {"data": cycle | {"unit_code": "22924"}, "headers": {"Idempotency-Key": f"{who}-evidence"}, **scan}
        found[who]["/v1/cash-evidence"] = (await client.post("/v1/cash-evidence", **sent)).status_code
    assert set(found["stranger"].values()) == {404}, found
    assert {path for path, status in found["province"].items() if status in (404, 422, 500)} == set(), found
    assert await world.rows("SELECT action FROM audit_log WHERE subject = 'stranger'") == []


async def _marks(world: Any) -> list[str]:
    """What an answer must not hold: ids, references and names of the other commune's objects."""
    found = ["Đặng Thị Hoà", "sao-ke-xa-khac.csv", "bang-xa.xlsx"]
    for column in ("payment_id", "beneficiary_id", "line_id", "batch_id", "cycle_id", "list_id", "reference"):
        found += [str(row["v"]) for row in await world.rows(f"SELECT DISTINCT {column} AS v FROM payment")]
    for table in IDS.values():
        key = (await world.rows(_KEY, t=table))[0]["c"]
        found += [str(row["v"]) for row in await world.rows(f"SELECT {key} AS v FROM {table}")]
    return found
