"""From a registered person to an answer: once each, in batches, and never lost when the source fails."""

from __future__ import annotations

import httpx
import pytest

from common.contracts.registry_v1 import RepresentativeRevoked


async def test_a_registered_person_is_asked_about_and_published(world) -> None:
    person = world.person()
    world.knows("060150123456")
    await world.hear([person])
    await world.drain()
    [(kind, body)] = await world.events()
    assert kind == "BeneficiaryVerified"
    assert (body["verdict"], body["version"], body["subject_kind"]) == ("VERIFIED", 1, "BENEFICIARY")
    assert (body["checked_on"], body["valid_until"], body["reference"]) == ("2024-08-20", "2024-11-20", "PD-1")
    assert body["identity_fingerprint"] == person.identity_fingerprint
    assert "060150123456" not in str(body)


async def test_each_outcome_has_its_event(world) -> None:
    people = {
        "060150000001": ("BeneficiaryVerificationFailed", "SUSPECTED_IDENTITY", {"name": "Lê Văn Tám"}),
        "060150000002": ("BeneficiaryVerificationFailed", "REVIEW", {"name": "Trần Thị Phượng"}),
        "060150000003": ("BeneficiaryVerificationFailed", "REVIEW", {"birth_date": "1951-01-01"}),
        "060150000004": ("BeneficiaryFoundDeceased", "DECEASED", {"status": "DECEASED", "death_date": "2024-07-30"}),
        "060150000005": ("BeneficiaryVerificationFailed", "NOT_FOUND", None),
    }
    for number, (_, _, answer) in people.items():
        if answer is not None:
            world.knows(number, **answer)
    await world.hear([world.person(number=number) for number in people] + [world.person(number=None)])
    await world.drain()
    found = sorted((kind, body["verdict"]) for kind, body in await world.events())
    expected = [(kind, verdict) for kind, verdict, _ in people.values()] + [("BeneficiaryVerificationFailed", "NO_ID")]
    assert found == sorted(expected)
    assert sorted(world.population.asked[0]) == sorted(people)  # nobody asks about a person without a number


async def test_only_a_changed_identity_asks_again(world) -> None:
    person = world.person()
    world.knows("060150123456")
    await world.hear([person])
    await world.drain()
    await world.hear([person.model_copy(update={"version": 2, "unit_path": "60/593/22927"})])
    await world.drain()
    assert len(world.population.asked) == 1
    again = {"version": 3, "birth_date": "1950-03-05", "identity_fingerprint": "other", "unit_path": "60/593/22927"}
    await world.hear([person.model_copy(update=again)])
    await world.drain()
    assert len(world.population.asked) == 2
    said = [(body["version"], body["unit_path"], body["identity_fingerprint"]) for _, body in await world.events()]
    old = person.identity_fingerprint
    assert said == [(1, "60/593/22924", old), (2, "60/593/22927", old), (3, "60/593/22927", "other")]


async def test_a_lower_version_changes_nothing(world) -> None:
    person = world.person(version=5)
    world.knows("060150123456")
    await world.hear([person])
    await world.drain()
    await world.hear([person.model_copy(update={"version": 4, "full_name": "Ai Đó", "identity_fingerprint": "older"})])
    await world.drain()
    assert len(world.population.asked) == 1


async def test_one_person_in_two_roles_is_asked_about_once_a_batch(world) -> None:
    first, second = world.person("Nguyễn Văn An", "060150000001"), world.person("Nguyễn Thị Bình", "060150000002")
    carer = world.representative(first.beneficiary_id, "Lê Thị Hoa", "060180000003")
    again = world.representative(second.beneficiary_id, "Lê Thị Hoa", "060180000003", representative_id=carer.representative_id)
    world.knows("060180000003", name="Lê Thị Hoa", birth_date="1980-01-01")
    await world.hear([first, second, carer, again])
    await world.drain()
    assert len(world.population.asked[0]) == 3
    assert [kind for kind, _ in await world.events()].count("RepresentativeVerified") == 2


async def test_a_revoked_representative_is_not_asked_about(world) -> None:
    person = world.person(number=None)
    carer = world.representative(person.beneficiary_id, "Lê Thị Hoa", "060180000003")
    revoked = RepresentativeRevoked(**{**carer.model_dump(), "version": 2, "revoked_on": carer.valid_from})
    await world.hear([person, carer])
    await world.hear([revoked])
    await world.drain()
    assert world.population.asked == []


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(503),
        httpx.Response(200, text="<html>Bảo trì hệ thống</html>"),
        httpx.Response(200, json={"results": "nonsense"}),
        httpx.Response(302, headers={"Location": "http://elsewhere"}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
    ],
    ids=["503", "html", "nonsense", "redirect", "timeout", "refused"],
)
async def test_a_source_that_is_away_loses_nobody_and_is_not_hammered(world, failure) -> None:
    world.knows("060150123456")
    world.population.script = [failure]
    await world.hear([world.person()])
    await world.drain()
    assert len(world.population.asked) == 1  # the breaker is open: no second try
    assert await world.events() == []
    await world.all_due()
    await world.drain()
    assert [kind for kind, _ in await world.events()] == ["BeneficiaryVerified"]
    async with world.db.read() as tx:
        state = await tx.row("SELECT failures, failing_since FROM source_state")
    assert (state["failures"], state["failing_since"]) == (0, None)


async def test_people_without_a_number_do_not_wait_for_a_source_that_is_away(world) -> None:
    world.population.script = [httpx.Response(503)]
    await world.hear([world.person()])
    await world.drain()
    await world.hear([world.person(number=None)])
    await world.drain()
    assert [body["verdict"] for _, body in await world.events()] == ["NO_ID"]
    assert len(world.population.asked) == 1


async def test_a_sealed_number_that_does_not_open_stops_nobody_else(world) -> None:
    world.knows("060150000001")
    broken = world.person(number="060150000002").model_copy(update={"national_number": {"identity-verify": "v1:t1:x:national_number:AAAA"}})
    await world.hear([world.person(number="060150000001"), broken])
    await world.drain()
    assert [body["verdict"] for _, body in await world.events()] == ["VERIFIED"]
    assert world.population.asked == [["060150000001"]]


async def test_a_busy_source_is_given_the_time_it_asks_for(world) -> None:
    world.knows("060150123456")
    world.population.script = [httpx.Response(429, headers={"Retry-After": "37"})]
    await world.hear([world.person()])
    await world.drain()
    async with world.db.read() as tx:
        wait = await tx.value("SELECT extract(epoch FROM open_until - now()) FROM source_state")
        assert await tx.value("SELECT failing_since IS NULL FROM source_state")  # busy is not away
    assert 30 < wait <= 37
    assert len(world.population.asked) == 1
    await world.all_due()
    await world.drain()
    assert len(await world.events()) == 1


async def test_an_error_on_one_person_does_not_hold_the_others(world) -> None:
    world.knows("060150000001")
    world.knows("060150000002", status="ERROR")
    await world.hear([world.person(number="060150000001"), world.person(number="060150000002")])
    await world.drain()
    assert [kind for kind, _ in await world.events()] == ["BeneficiaryVerified"]
    async with world.db.read() as tx:
        row = await tx.row("SELECT attempts, next_try_at > now() AS later FROM check_request WHERE state = 'PENDING'")
    assert (row["attempts"], row["later"]) == (1, True)


async def test_data_changed_while_asking_is_asked_about_again(world) -> None:
    person = world.person()
    world.knows("060150123456")
    await world.hear([person])
    changed = person.model_copy(update={"version": 2, "identity_fingerprint": "changed"})
    answer = world.population.handle

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        if not world.population.asked:
            await world.hear([changed])
        return await answer(request)

    world.adapter._outside._http._transport = httpx.MockTransport(meanwhile)
    await world.drain()
    assert [body["identity_fingerprint"] for _, body in await world.events()] == ["changed"]


async def test_a_dead_workers_claim_is_taken_over(world) -> None:
    world.knows("060150123456")
    await world.hear([world.person()])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE check_request SET lease_owner = 'dead', lease_until = now() + interval '1 minute'")
    await world.drain()
    assert world.population.asked == []
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE check_request SET lease_until = now() - interval '1 second'")
    await world.drain()
    assert len(await world.events()) == 1


async def test_evidence_is_kept_and_cannot_be_changed(world) -> None:
    world.knows("060150123456")
    await world.hear([world.person()])
    await world.drain()
    async with world.db.read() as tx:
        row = await tx.row("SELECT * FROM evidence")
    assert (row["source"], row["reference"], row["verdict"]) == ("population-online", "PD-1", "VERIFIED")
    assert str(row["checked_on"]) == "2024-08-20"
    with pytest.raises(Exception, match="permission denied"):
        async with world.db.transaction() as tx:
            await tx.execute("DELETE FROM evidence")
