"""Grace: only while the source is away, by two people, with dates; told with each person's evidence, and gone with the next answer."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from common.actor import Role
from common.contracts.identity_verify_v1 import BeneficiaryVerified
from common.ids import new_id
from identity_verify.usecases import graces
from identity_verify.usecases.plan import plan_rechecks

DAY = date(2024, 8, 20)
LATER = DAY + timedelta(days=92)
PERIOD = {
    "valid_from": LATER.isoformat(), "valid_until": (LATER + timedelta(days=20)).isoformat(), "reason": "CSDL dân cư bảo trì",
}  # fmt: skip


@pytest.fixture
async def away(world):
    """Two verified people whose evidence runs out while the source is away."""
    for number in ("060150000001", "060150000002"):
        world.knows(number)
    people = [world.person(number="060150000001"), world.person(number="060150000002"), world.person(number=None)]
    await world.hear(people)
    await world.drain()
    await plan_rechecks(world.db, world.settings, DAY + timedelta(days=60))
    world.population.script = [httpx.ConnectError("away")]
    await world.drain()
    return people


def clients(world, client_as):
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER, Role.APPROVER, subject="officer")
    approver = client_as(world.app, Role.APPROVER, subject="approver")
    return officer, approver


async def proposed(officer) -> str:
    answer = await officer.post("/v1/verification/grace-periods", json=PERIOD, headers={"Idempotency-Key": new_id().hex})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["grace_id"])


async def test_two_people_keep_evidence_alive_and_the_payer_is_told(world, away, client_as) -> None:
    officer, approver = clients(world, client_as)
    grace_id = await proposed(officer)
    day = LATER + timedelta(days=1)
    assert not await graces.apply_once(world.db, world.settings, day)
    assert not [body for _, body in await world.events() if body.get("grace_until")], "nothing before it is approved"
    same = await officer.post(f"/v1/verification/grace-periods/{grace_id}/approve")
    assert same.json()["type"] == "/problems/second-person-required"
    assert (await approver.post(f"/v1/verification/grace-periods/{grace_id}/approve")).json()["state"] == "APPROVED"
    assert (await approver.post(f"/v1/verification/grace-periods/{grace_id}/refuse")).status_code == 409
    await graces.apply_once(world.db, world.settings, day)
    told = [(kind, body) for kind, body in await world.events() if body.get("grace_until")]
    assert {body["beneficiary_id"] for _, body in told} == {str(person.beneficiary_id) for person in away[:2]}
    for kind, body in told:
        body.pop("_partition")
        assert kind == "BeneficiaryVerified"
        state = BeneficiaryVerified.model_validate(body)
        assert (state.version, state.grace_until, state.valid_until) == (2, LATER + timedelta(days=20), LATER)
    await graces.apply_once(world.db, world.settings, day)
    assert len([body for _, body in await world.events() if body.get("grace_until")]) == 2, "once each"
    page = (await approver.get("/v1/verification/grace-periods")).json()["items"]
    assert [(item["people"], item["decided_by"]) for item in page] == [(2, "approver")]
    world.population.script.clear()
    await world.all_due()
    await world.drain()
    kind, body = (await world.events())[-1]
    assert (kind, body["grace_until"], body["version"]) == ("BeneficiaryVerified", None, 3)


async def test_none_while_the_source_answers_and_none_without_end(world, client_as) -> None:
    officer, _ = clients(world, client_as)
    answer = await officer.post("/v1/verification/grace-periods", json=PERIOD, headers={"Idempotency-Key": new_id().hex})
    assert answer.json()["type"] == "/problems/source-answers"
    long = {**PERIOD, "valid_until": (LATER + timedelta(days=200)).isoformat()}
    answer = await officer.post("/v1/verification/grace-periods", json=long, headers={"Idempotency-Key": new_id().hex})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "valid_until")


async def test_who_changed_or_was_refused_an_answer_gets_none(world, away, client_as) -> None:
    officer, approver = clients(world, client_as)
    grace_id = await proposed(officer)
    await approver.post(f"/v1/verification/grace-periods/{grace_id}/approve")
    await world.hear([world.person("Tên Khác", "060150000001", version=2, beneficiary_id=away[0].beneficiary_id)])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE check_request SET attempts = 3 WHERE subject_id = :id", id=away[1].beneficiary_id)
    await graces.apply_once(world.db, world.settings, LATER + timedelta(days=1))
    assert not [body for _, body in await world.events() if body.get("grace_until")]
