"""Cash lists, custody and proof: every đồng is in somebody's hands, and every collection is proven once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from common.auth import Role

PNG = b"\x89PNG\r\n\x1a\n" + b"scan of a list" * 10


@pytest.fixture
async def officer(world: Any, client_as: Any) -> Any:
    async with world.owner() as tx:
        await tx.execute(
            "INSERT INTO administrative_unit (unit_id, version, code, name, level, path, valid_from)"
            " VALUES (gen_random_uuid(), 1, '22924', 'Phú Thủy', 'commune', '60/593/22924', '1900-01-01')"
        )
    return client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",))


async def _collected(world: Any) -> tuple[Any, Any]:
    post, home = world.line(partner="vnpost", channel="CASH_POST"), world.line(partner="vnpost", channel="CASH_HOME", amount=720_000)
    await world.approve([post, home, world.line()])
    await world.send("vnpost")
    await world.notice(await world.result("COLLECTED", post), partner="vnpost")
    return post, home


async def _custody(world: Any, officer: Any, kind: str, amount: int, number: str, **more: Any) -> Any:
    body = {
        "cycle_id": str(world.cycle_id), "partner": "vnpost", "unit_code": "22924", "kind": kind, "holder": "Lê Văn Bình", "amount": amount,
        "document_number": number, "witness": "Nguyễn Thị Lan", "on_date": "2024-09-05",
    } | more  # fmt: skip
    return await officer.post("/v1/custody", json=body, headers={"Idempotency-Key": f"custody-{number}-{kind}"})


async def _balance(world: Any, officer: Any) -> dict[str, int]:
    answer = await officer.get("/v1/custody/balance", params={"cycle_id": str(world.cycle_id), "partner": "vnpost"})
    [unit] = answer.json()["units"]
    found: dict[str, int] = unit
    return found


async def test_the_list_names_people_and_sums_and_nothing_private(world: Any, officer: Any) -> None:
    await _collected(world)
    page = (await officer.get(f"/v1/cycles/{world.cycle_id}/cash-list", params={"unit_code": "22924"})).text
    assert page.count("<tr>") == 3  # the head and two people; who is paid by account is not on it
    assert "1.220.000" in page
    assert "một triệu hai trăm hai mươi nghìn đồng" in page
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page
    home = (await officer.get(f"/v1/cycles/{world.cycle_id}/cash-list", params={"unit_code": "22924", "channel": "CASH_HOME"})).text
    assert home.count("<tr>") == 2
    assert (await officer.get(f"/v1/cycles/{world.cycle_id}/cash-list", params={"unit_code": "60"})).status_code == 404


async def test_cash_is_in_somebodys_hands(world: Any, officer: Any) -> None:
    await _collected(world)
    assert (await _custody(world, officer, "RECEIVED", 1_220_000, "PXK1")).status_code == 201
    assert (await _balance(world, officer))["in_hand"] == 720_000
    again = await _custody(world, officer, "RECEIVED", 1_220_000, "PXK1", note="lần hai")
    assert (again.status_code, again.json()["type"]) == (422, "/problems/idempotency-mismatch")
    await _custody(world, officer, "LOST", 20_000, "BB1")
    await _custody(world, officer, "GIVEN_BACK", 700_000, "PNK1")
    balance = await _balance(world, officer)
    assert (balance["received"], balance["collected"], balance["lost"], balance["given_back"], balance["in_hand"]) == (
        1_220_000, 500_000, 20_000, 700_000, 0,
    )  # fmt: skip
    items = (await officer.get("/v1/custody", params={"cycle_id": str(world.cycle_id)})).json()["items"]
    assert [item["kind"] for item in items] == ["RECEIVED", "LOST", "GIVEN_BACK"]


async def test_the_log_is_never_changed_and_a_holder_is_no_witness(world: Any, officer: Any) -> None:
    await _collected(world)
    await _custody(world, officer, "RECEIVED", 1, "PXK1")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.owner() as tx:
            await tx.execute("UPDATE custody_entry SET amount = 2")
    assert (await _custody(world, officer, "RECEIVED", 1, "PXK2", witness="Lê Văn Bình")).status_code == 422
    elsewhere = await _custody(world, officer, "RECEIVED", 1, "PXK3", unit_code="99999")
    assert elsewhere.status_code in {404, 422}


async def test_each_collection_is_proven_once_and_only_collections_are(world: Any, officer: Any) -> None:
    post, home = await _collected(world)
    references = [await world.value("SELECT reference FROM payment WHERE line_id = :id", id=line.line_id) for line in (post, home)]
    stored = await officer.post(
        "/v1/cash-evidence",
        data={"cycle_id": str(world.cycle_id), "unit_code": "22924"},
        files={"file": ("x.png", PNG, "image/png")},
        headers={"Idempotency-Key": "scan-00000001"},
    )
    assert stored.status_code == 201, stored.text
    evidence_id = stored.json()["evidence_id"]
    assert PNG not in bytes(await world.value("SELECT content FROM cash_evidence"))

    def form(*refs: str) -> dict[str, Any]:
        proofs = [{"reference": ref, "collected_on": "2024-09-05", "collected_by": "SELF", "kind": "SIGNED_LIST"} for ref in refs]
        return {"cycle_id": str(world.cycle_id), "paid_by": "Lê Văn Bình", "evidence_id": evidence_id, "proofs": proofs}

    wrong = await officer.post("/v1/cash-proofs", json=form(*references), headers={"Idempotency-Key": "proof-0000001"})
    assert (wrong.status_code, [error["row"] for error in wrong.json()["errors"]]) == (422, [2])
    assert (await _balance(world, officer))["unproven_payments"] == 1
    for key, new in (("proof-0000002", 1), ("proof-0000003", 0)):
        right = await officer.post("/v1/cash-proofs", json=form(references[0]), headers={"Idempotency-Key": key})
        assert right.json() == {"rows": 1, "new": new}
    assert (await _balance(world, officer))["unproven"] == 0
    read = await officer.get(f"/v1/cash-evidence/{evidence_id}", params={"purpose": "khiếu nại của người hưởng"})
    assert (read.content, read.headers["content-type"]) == (PNG, "image/png")
    assert await world.value("SELECT purpose FROM audit_log WHERE action = 'cash.evidence_read'") == "khiếu nại của người hưởng"


async def test_a_file_that_is_no_scan_is_refused(world: Any, officer: Any) -> None:
    await _collected(world)
    answer = await officer.post(
        "/v1/cash-evidence",
        data={"cycle_id": str(world.cycle_id), "unit_code": "22924"},
        files={"file": ("x.png", b"<script>", "image/png")},
        headers={"Idempotency-Key": "scan-00000002"},
    )
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/cash-evidence-refused")
