"""An inspector's sample: seeded, stratified, drawn again by anybody, closed only when every case has a result."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from reporting_builders import ASSISTANCE, MERIT, MONTH, Reporting, S, World, incoming

from common.actor import Role
from common.contracts.disbursement_v1 import Channel
from reporting.domain.sampling import rank

ClientAs = Callable[..., httpx.AsyncClient]
UNITS = ("60/593/22924", "60/593/22927", "60/594/22930")


@pytest.fixture
async def month(reporting: Reporting) -> Reporting:
    world = World()
    for path, name in (("60", "Tỉnh Bình Thuận"), ("60/593", "Thành phố Phan Thiết"), ("60/594", "Thị xã La Gi")):
        world.unit(path, name)
    for number in range(40):
        world.paid(UNITS[number % 3], MERIT if number % 4 == 0 else ASSISTANCE, Channel.BANK, [S.SETTLED], amount=500_000 + number)
    await reporting.hear(incoming(world.events))
    return reporting


def form(**changes: Any) -> dict[str, Any]:
    return {
        "unit_path": "60", "month": MONTH, "strata": "UNIT_AND_PROGRAMME", "size": 12, "seed": "KT-2024", "subject": "Kiểm tra quý III",
        "drawn_on": "2024-10-02",
    } | changes  # fmt: skip


async def draw(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/inspection-samples", json=form(**changes), headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def cases(client: httpx.AsyncClient, sample: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"/v1/inspection-samples/{sample['sample_id']}/cases")).json()["items"]
    return found


async def test_the_same_seed_draws_the_same_cases_which_anybody_can_recompute(month: Reporting, client_as: ClientAs) -> None:
    inspector = client_as(month.app, Role.AUDITOR, subject="ha")
    first, second, other = [await draw(inspector), await draw(inspector), await draw(inspector, seed="another")]
    drawn = [await cases(inspector, sample) for sample in (first, second, other)]
    names = [[(case["beneficiary_id"], case["cycle_id"]) for case in found] for found in drawn]
    assert names[0] == names[1] != names[2]
    assert first["population_hash"] == other["population_hash"]
    assert first["population"] == 40
    by_stratum = {row["stratum"]: row["drawn"] for row in first["strata_found"]}
    assert Counter(case["stratum"] for case in drawn[0]) == by_stratum
    assert set(by_stratum) == {f"{unit} {programme}" for unit in ("60/593", "60/594") for programme in ("MERIT", "SOCIAL_ASSISTANCE")}
    # By hand: every line of the month, ranked by SHA-256 of seed and key; the digest over sorted keys and amounts.
    async with month.db.read() as tx:
        lines = await tx.rows("SELECT beneficiary_id, programme, cycle_id, amount, split_part(unit_path, '/', 2) AS unit FROM payment")
    for stratum, count in by_stratum.items():
        unit, programme = stratum.split(" ")
        mine = [line for line in lines if f"60/{line['unit']}" == unit and line["programme"] == programme]
        chosen = sorted(mine, key=lambda line: rank("KT-2024", line["beneficiary_id"], line["programme"], line["cycle_id"]))[:count]
        assert [str(line["beneficiary_id"]) for line in chosen] == [c["beneficiary_id"] for c in drawn[0] if c["stratum"] == stratum]
    keys = sorted((f"{line['beneficiary_id']}|{line['programme']}|{line['cycle_id']}", line["amount"]) for line in lines)
    digest = hashlib.sha256(b"".join(hashlib.sha256(f"{key}|{amount}".encode()).digest() for key, amount in keys)).hexdigest()
    assert digest == first["population_hash"]


async def test_drawing_again_tells_whether_the_month_changed(month: Reporting, client_as: ClientAs) -> None:
    inspector = client_as(month.app, Role.AUDITOR)
    sample = await draw(inspector, strata="NONE")
    reader = client_as(month.app, Role.COMMUNE_OFFICER, units=("60",))
    place = f"/v1/inspection-samples/{sample['sample_id']}"
    again = (await reader.post(f"{place}/redraw")).json()
    assert (again["same_population"], again["same_cases"], again["proved"]) == (True, True, True)
    async with month.db.transaction() as tx:
        await tx.execute("UPDATE payment SET amount = amount + 1 WHERE payment_id = (SELECT payment_id FROM payment LIMIT 1)")
    changed = (await reader.post(f"{place}/redraw")).json()
    assert (changed["same_population"], changed["same_cases"]) == (False, True)  # the same people, another amount
    async with month.db.transaction() as tx:
        await tx.execute(
            "DELETE FROM payment WHERE beneficiary_id = CAST(:who AS uuid)", who=(await cases(inspector, sample))[0]["beneficiary_id"]
        )
    gone = (await reader.post(f"{place}/redraw")).json()
    assert (gone["same_cases"], gone["only_then"], gone["only_now"]) == (False, 1, 1)
    assert (changed["proved"], gone["proved"]) == (True, True), "what it was drawn from is kept with it"
    owner = psycopg.connect(month.home.owner_url.replace("+psycopg", ""), autocommit=True)  # the service's own role may not
    with owner:  # somebody who chooses a case by hand is found
        owner.execute(
            "UPDATE sample_case SET beneficiary_id = (SELECT l.beneficiary_id FROM sample_line l WHERE NOT EXISTS"
            " (SELECT FROM sample_case c WHERE c.beneficiary_id = l.beneficiary_id) LIMIT 1) WHERE position = 2"
        )
    wrong = await reader.post(f"{place}/redraw")
    assert wrong.json().get("proved") is False, wrong.text
    with psycopg.connect(month.home.owner_url.replace("+psycopg", "")) as owner:
        owner.execute("DELETE FROM sample_line")
    assert (await reader.post(f"{place}/redraw")).json()["proved"] is None, "a sample from before it was kept"


async def test_findings_are_kept_per_case_and_the_sample_closes_when_all_are_in(month: Reporting, client_as: ClientAs) -> None:
    inspector = client_as(month.app, Role.AUDITOR, subject="ha")
    sample = await draw(inspector, strata="UNIT", size=4)
    place = f"/v1/inspection-samples/{sample['sample_id']}"
    right = {"result": "RIGHT", "found_on": "2024-10-08"}
    wrong = {"result": "DEVIATION", "finding": "WRONG_AMOUNT", "amount_found": 400_000, "note": "Sai mức hưởng", "found_on": "2024-10-08"}
    assert (
        await inspector.put(f"{place}/cases/1/finding", json=right | {"finding": "LATE"}, headers={"If-Match": '"1"'})
    ).status_code == 422
    early = await inspector.put(f"{place}/cases/1/finding", json=right | {"found_on": "2024-10-01"}, headers={"If-Match": '"1"'})
    assert early.json()["type"] == "/problems/day-too-early"
    done = await inspector.put(f"{place}/cases/1/finding", json=wrong, headers={"If-Match": '"1"'})
    assert (done.status_code, done.json()["finding_text"]["vi"]) == (200, "Sai mức, sai số tiền"), done.text
    assert (await inspector.put(f"{place}/cases/1/finding", json=right, headers={"If-Match": '"1"'})).status_code == 412
    ending = {"conclusion": "Chi đúng, một trường hợp sai mức", "business_date": "2024-10-15"}
    unfinished = await inspector.post(f"{place}/closing", json=ending, headers={"If-Match": '"1"'})
    assert (unfinished.json()["type"], unfinished.json()["left"]) == ("/problems/sample-unfinished", 3)
    for position in (2, 3, 4):
        assert (await inspector.put(f"{place}/cases/{position}/finding", json=right, headers={"If-Match": '"1"'})).status_code == 200
    closed = (await inspector.post(f"{place}/closing", json=ending, headers={"If-Match": '"1"'})).json()
    strata = {row["stratum"]: row for row in closed["strata_found"]}
    hit = next(row for row in strata.values() if row["deviations"])
    assert closed["results"] == {"RIGHT": 3, "DEVIATION": 1, "NOT_REACHED": 0}
    assert closed["deviations_estimated"] == (2 * hit["population"] + hit["drawn"]) // (2 * hit["drawn"])
    assert hit["dong_wrong"] == done.json()["amount"] - 400_000
    late = await inspector.put(f"{place}/cases/2/finding", json=right, headers={"If-Match": '"2"'})
    assert late.json()["type"] == "/problems/sample-closed"
    file = await inspector.get(f"{place}/file", params={"form": "csv"})
    assert file.text.count("Đã chi trả qua tài khoản") == 4


async def test_samples_stay_in_their_unit_and_with_inspectors(month: Reporting, client_as: ClientAs) -> None:
    inspector = client_as(month.app, Role.AUDITOR)
    sample = await draw(inspector, size=2_000)
    assert sample["size"] == 40  # everybody: there are no more
    commune = client_as(month.app, Role.COMMUNE_OFFICER, units=(UNITS[0],))
    place = f"/v1/inspection-samples/{sample['sample_id']}"
    assert (await commune.get(place)).status_code == 404
    assert (await commune.post("/v1/inspection-samples", json=form(), headers={"Idempotency-Key": str(uuid4())})).status_code == 403
    nobody = await inspector.post("/v1/inspection-samples", json=form(month="2023-01"), headers={"Idempotency-Key": str(uuid4())})
    assert nobody.json()["type"] == "/problems/nothing-to-sample"
    async with month.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'sample.drawn'") == 1
