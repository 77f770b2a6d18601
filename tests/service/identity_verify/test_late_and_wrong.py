"""What comes too late, under a wrong date or after an answer that was wrong: decisions stand, nobody stays dead by mistake."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from common import clock
from common.actor import Role
from common.contracts.registry_v1 import BeneficiaryStatus
from common.ids import new_id
from common.outside import Throttle
from identity_verify.usecases.cut_off import pass_on_once
from identity_verify.usecases.plan import plan_rechecks, work_day
from identity_verify.usecases.verify import Verifier

DAY = date(2024, 8, 20)
NUMBER = "060150123456"
DECISION = {"verdict": "VERIFIED", "note": "Đã đối chiếu căn cước bản gốc", "business_date": "2024-08-21"}


def client(world, client_as, role=Role.COMMUNE_POLICE, subject="police", units=("60/593",)):
    return client_as(world.app, role, units=units, subject=subject)


async def decided(world, client_as, person) -> None:
    for subject in ("first", "second"):
        answer = await client(world, client_as, subject=subject).post(f"/v1/verifications/{person.beneficiary_id}/decision", json=DECISION)
    assert answer.status_code == 200, answer.text


async def asked(world, meanwhile) -> None:
    """Take one batch through; `meanwhile` happens after the question left and before its answer is recorded."""
    real = world.adapter.check

    async def check(people):
        answers = await real(people)
        await meanwhile()
        return answers

    world.adapter.check = check
    try:
        await world.verifier.run_once()
    finally:
        world.adapter.check = real


async def test_what_two_people_decide_while_the_source_is_asked_stands(world, client_as) -> None:
    person = world.person()
    world.knows(NUMBER, name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    await plan_rechecks(world.db, world.settings, DAY + timedelta(days=50))
    await asked(world, lambda: decided(world, client_as, person))
    assert (await world.verdicts())[person.beneficiary_id] == "VERIFIED"
    versions = [body["version"] for _, body in await world.events()]
    assert versions == [1, 2, 3]


async def test_who_was_said_to_be_dead_by_mistake_is_asked_about_again(world, client_as) -> None:
    person = world.person()
    world.knows(NUMBER, status="DECEASED", death_date="2024-08-01")
    await world.hear([person])
    await world.drain()
    path, body = f"/v1/verifications/{person.beneficiary_id}/question", {"note": "Đến xã, còn sống", "business_date": "2024-08-21"}
    officer = client(world, client_as, Role.COMMUNE_OFFICER, "officer")
    assert (await client(world, client_as, Role.AUDITOR).post(path, json=body)).status_code == 403
    assert (await client(world, client_as, units=("60/594",)).post(path, json=body)).status_code == 404
    assert (await officer.post(path, json=body | {"business_date": "2199-01-01"})).status_code == 422
    assert (await officer.post(path, json=body)).status_code == 202
    assert (await officer.post(path, json=body)).status_code == 202
    assert await world.waiting() == {person.beneficiary_id: "REQUESTED"}
    assert (await world.verdicts())[person.beneficiary_id] == "DECEASED", "the last answer counts until the new one"
    world.knows(NUMBER)
    await world.drain()
    assert (await world.events())[-1][0] == "BeneficiaryVerified"
    assert sum(map(len, world.population.asked)) == 2
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'verification.asked_again'") == 1
    await world.hear([person.model_copy(update={"status": BeneficiaryStatus.LEFT, "version": 2})])
    assert (await officer.post(path, json=body)).status_code == 409


async def test_a_date_that_has_not_come_ages_nobodys_evidence_and_lasts_for_nobody(world, client_as) -> None:
    far = date(2199, 1, 1)
    world.knows(NUMBER)
    world.knows("060150000002")
    settings = world.settings.model_copy(update={"business_date": None})
    await world.hear([world.person(), world.person(number="060150000002", business_date=far)])
    async with world.db.read() as tx:
        assert await work_day(tx, settings) <= clock.today()
    await world.drain()
    async with world.db.read() as tx:
        assert await tx.value("SELECT max(checked_on) FROM verification") <= clock.today()
    person = world.person(number="060150000003")
    world.knows("060150000003", name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    late = DECISION | {"business_date": far.isoformat()}
    answer = await client(world, client_as).post(f"/v1/verifications/{person.beneficiary_id}/decision", json=late)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "business_date")
    department = client(world, client_as, Role.DEPARTMENT_OFFICER)
    body = {"business_date": far.isoformat()}
    again = await department.post("/v1/verification/rechecks", json=body, headers={"Idempotency-Key": new_id().hex})
    assert again.status_code == 422


async def request_number(world, client_as, person, **more) -> tuple[str, httpx.Response]:
    commune = client(world, client_as, Role.COMMUNE_OFFICER, "commune")
    body = {"beneficiary_id": str(person.beneficiary_id), "reason": "CANNOT_TRAVEL", "business_date": "2024-08-20", **more}
    made = await commune.post("/v1/verification/issue-requests", json=body, headers={"Idempotency-Key": new_id().hex})
    assert made.status_code == 201, made.text
    path = f"/v1/verification/issue-requests/{made.json()['request_id']}"
    return path, await commune.get(path)


async def test_a_request_for_somebody_with_an_unknown_number_stays_open_until_the_database_knows_one(world, client_as) -> None:
    person = world.person(number="060150999999")
    await world.hear([person])
    await world.drain()
    path, _ = await request_number(world, client_as, person)
    police = client(world, client_as)
    await world.hear([person.model_copy(update={"version": 2, "file_code": "BT-1"})])
    assert (await police.get(path)).json()["state"] == "REQUESTED"
    world.knows(NUMBER)
    await world.hear([world.person(number=NUMBER, version=3, beneficiary_id=person.beneficiary_id)])
    await world.drain()
    assert (await police.get(path)).json()["state"] == "REGISTERED"


async def test_a_request_for_a_representative_is_done_when_the_register_has_the_number(world, client_as) -> None:
    person = world.person()
    carer = world.representative(person.beneficiary_id, "Lê Thị Hoa", None)
    await world.hear([person, carer])
    await world.drain()
    path, _ = await request_number(world, client_as, person, subject_id=str(carer.representative_id))
    known = world.representative(person.beneficiary_id, "Lê Thị Hoa", "060180000003", representative_id=carer.representative_id, version=2)
    await world.hear([known])
    assert (await client(world, client_as).get(path)).json()["state"] == "REGISTERED"


async def test_the_commune_withdraws_its_request_and_takes_no_other_step(world, client_as) -> None:
    person = world.person(number=None)
    await world.hear([person])
    await world.drain()
    path, shown = await request_number(world, client_as, person)
    commune = client(world, client_as, Role.COMMUNE_OFFICER, "commune")
    headers = {"If-Match": shown.headers["ETag"]}
    for state, status in (("ACCEPTED", 403), ("WITHDRAWN", 200)):
        move = {"state": state, "business_date": "2024-08-21"}
        assert (await commune.post(f"{path}/moves", json=move, headers=headers)).status_code == status


async def test_the_cut_off_waits_for_old_evidence_that_was_being_asked_about_already(world) -> None:
    person = world.person()
    world.knows(NUMBER)
    await world.hear([person])
    await world.drain()
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE verification SET checked_on = checked_on - 50")
    await world.markers([person])
    await plan_rechecks(world.db, world.settings, DAY)  # between the last marker and the look for old evidence
    assert not await pass_on_once(world.db, world.settings), "one is being asked about"
    await world.drain()
    assert await pass_on_once(world.db, world.settings)


@pytest.mark.parametrize("by_file", [False, True])
async def test_no_cut_off_waits_for_lists_that_people_carry(world, client_as, by_file) -> None:
    person = world.person()
    await world.hear([person])
    settings = world.settings
    if by_file:
        settings = settings.model_copy(update={"population_mode": "file"})
    else:
        body = {"unit_path": "60/593/22924", "business_date": "2024-08-20"}
        made = await client(world, client_as).post("/v1/verification/exchanges", json=body, headers={"Idempotency-Key": new_id().hex})
        assert made.status_code == 201
    await world.markers([person])
    assert await pass_on_once(world.db, settings)
    assert sum(body["unanswered"] for kind, body in await world.events() if kind == "CutOffReached") == 1


async def test_a_lease_lasts_as_long_as_its_turn_is_waited_for(world, monkeypatch) -> None:
    world.knows(NUMBER)
    await world.hear([world.person()])

    async def turn(*_: object) -> float:
        return 120.0

    async def no_sleep(_: float) -> None:
        async with world.db.read() as tx:
            left = await tx.value("SELECT extract(epoch FROM lease_until - now()) FROM check_request")
        assert left > 120

    monkeypatch.setattr(Throttle, "turn", turn)
    monkeypatch.setattr("identity_verify.usecases.verify.asyncio.sleep", no_sleep)
    assert await Verifier(world.db, world.adapter, world.settings).run_once()
    assert len(await world.verdicts()) == 1


async def test_the_feed_goes_on_page_by_page(world) -> None:
    world.population.deaths = [f"06015000000{n}" for n in range(5)]
    while await world.feed.poll_once():
        pass
    assert world.population.feed_reads == [None, "2", "4"]


async def test_a_number_written_into_a_note_is_not_kept(world, client_as) -> None:
    person = world.person()
    world.knows(NUMBER, name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    path = f"/v1/verifications/{person.beneficiary_id}"
    body = DECISION | {"note": f"Đã xem căn cước {NUMBER} bản gốc"}
    assert (await client(world, client_as).post(f"{path}/decision", json=body)).status_code == 202
    asked_again = {"note": f"Căn cước {NUMBER} đã cải chính", "business_date": "2024-08-21"}
    assert (await client(world, client_as).post(f"{path}/question", json=asked_again)).status_code == 202
    async with world.db.read() as tx:
        kept = [dict(row) for table in ("decision", "audit_log") for row in await tx.rows(f"SELECT * FROM {table}")]
    assert NUMBER not in str(kept)
    assert "Đã xem căn cước ***" in str(kept)


async def test_answers_to_a_closed_list_are_not_approved(world, client_as) -> None:
    person = world.person()
    await world.hear([person])
    police, approver = client(world, client_as), client(world, client_as, Role.APPROVER, "approver")
    body = {"unit_path": "60/593/22924", "business_date": "2024-08-20"}
    made = await police.post("/v1/verification/exchanges", json=body, headers={"Idempotency-Key": new_id().hex})
    path = f"/v1/verification/exchanges/{made.json()['exchange_id']}"
    file = (await police.get(f"{path}/file", params={"purpose": "Giao công an xã", "form": "csv"})).text
    answered = file.replace(",,,,,,,,\r\n", ",Không tìm thấy,,,,,,,\r\n")
    taken = await police.post(f"{path}/answers", files={"file": ("a.csv", answered.encode(), "text/csv")})
    assert taken.status_code == 202, taken.text
    assert (await police.post(f"{path}/close")).json() == {"unanswered": 1}
    late = await approver.post(f"/v1/verification/answers/{taken.json()['answer_id']}/approve")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/answers-not-open")


async def test_a_decision_is_of_the_name_that_was_seen_not_of_any_that_differs_likewise(world, client_as) -> None:
    person = world.person()
    world.knows(NUMBER, name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    await decided(world, client_as, person)
    for days, name, verdict in ((50, "Trần Thị Phượng", "VERIFIED"), (100, "Trần Thị Phướng", "REVIEW")):
        world.knows(NUMBER, name=name)
        await plan_rechecks(world.db, world.settings, DAY + timedelta(days=days))
        await world.drain()
        assert (await world.verdicts())[person.beneficiary_id] == verdict
