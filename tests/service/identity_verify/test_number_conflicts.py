"""One number claimed by two registrations: both communes see it, neither passes by itself, and it ends when one lets go."""

from __future__ import annotations

from typing import Any

from common.actor import Role
from common.contracts.registry_v1 import BeneficiaryStatus
from common.ids import new_id
from identity_verify.usecases.verify import Verifier

NUMBER = "060150123456"
OTHER = {"unit_code": "22930", "unit_path": "60/594/22930"}


async def listed(world, client_as, unit: str, state: str = "OPEN") -> list[dict[str, Any]]:
    client = client_as(world.app, Role.COMMUNE_OFFICER, units=(unit,))
    answer = await client.get("/v1/verification/number-conflicts", params={"state": state})
    assert answer.status_code == 200, answer.text
    assert NUMBER not in answer.text
    return list(answer.json()["items"])


async def test_both_communes_see_it_and_nobody_passes_by_himself(world, client_as) -> None:
    world.knows(NUMBER)
    first, second = world.person(), world.person(beneficiary_id=new_id(), **OTHER)
    await world.hear([first])
    await world.drain()
    assert (await world.verdicts())[first.beneficiary_id] == "VERIFIED"
    await world.hear([second])
    await world.drain()
    assert set((await world.verdicts()).values()) == {"REVIEW"}
    told = {body["beneficiary_id"]: (kind, body["fields"]["number"]) for kind, body in await world.events()}
    assert set(told) == {str(first.beneficiary_id), str(second.beneficiary_id)}
    assert set(told.values()) == {("BeneficiaryVerificationFailed", "claimed-twice")}
    for unit in ("60/593/22924", "60/594/22930"):
        [conflict] = await listed(world, client_as, unit)
        assert {member["unit_path"] for member in conflict["members"]} == {"60/593/22924", "60/594/22930"}
    assert await listed(world, client_as, "60/595") == []
    assert sum(map(len, world.population.asked)) == 3, "each once, and the first once more"


async def test_it_ends_when_one_gets_another_number(world, client_as) -> None:
    world.knows(NUMBER)
    world.knows("060150999999")
    first, second = world.person(), world.person(**OTHER)
    await world.hear([first, second])
    await world.drain()
    assert set((await world.verdicts()).values()) == {"REVIEW"}
    corrected = world.person(number="060150999999", version=2, beneficiary_id=second.beneficiary_id, **OTHER)
    await world.hear([corrected])
    assert (await world.waiting())[first.beneficiary_id] == "NUMBER_FREED"
    await world.drain()
    assert set((await world.verdicts()).values()) == {"VERIFIED"}
    assert await listed(world, client_as, "60/593") == []
    [ended] = await listed(world, client_as, "60/593", "RESOLVED")
    assert sum(member["left_at"] is not None for member in ended["members"]) == 1


async def test_it_ends_when_one_registration_leaves(world, client_as) -> None:
    world.knows(NUMBER)
    first, second = world.person(), world.person(**OTHER)
    await world.hear([first, second])
    await world.drain()
    await world.hear([second.model_copy(update={"status": BeneficiaryStatus.LEFT, "version": 2})])
    await world.drain()
    assert (await world.verdicts())[first.beneficiary_id] == "VERIFIED"
    assert await listed(world, client_as, "60/593") == []


async def test_two_lanes_that_record_both_claimants_at_once_agree(world) -> None:
    world.knows(NUMBER)
    first, second = world.person(), world.person(name="Trần Thị Phương", **OTHER)
    await world.hear([first, second.model_copy(update={"identity_fingerprint": "second"})])
    lanes = [Verifier(world.db, world.adapter, world.settings.model_copy(update={"batch_size": 1})) for _ in range(2)]
    for lane in lanes:
        await lane.run_once()
    await world.drain()
    assert set((await world.verdicts()).values()) == {"REVIEW"}
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM number_conflict") == 1
        assert await tx.value("SELECT count(*) FROM number_conflict_member") == 2


async def test_one_person_in_several_roles_claims_nothing_twice(world) -> None:
    world.knows(NUMBER)
    carer, child = world.person(), world.person("Trần Văn Bé", None)
    await world.hear([carer, child])
    role = world.representative(child.beneficiary_id, "Trần Thị Phương", NUMBER, representative_id=carer.beneficiary_id)
    await world.hear([role])
    await world.drain()
    assert (await world.verdicts())[carer.beneficiary_id] in ("VERIFIED", "REVIEW")
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM number_conflict") == 0


async def test_a_stranger_with_the_number_stays_suspected_and_the_owner_is_looked_at(world) -> None:
    world.knows(NUMBER)
    owner, stranger = world.person(), world.person("Lê Văn Tám", **OTHER)
    await world.hear([owner, stranger])
    await world.drain()
    assert await world.verdicts() == {owner.beneficiary_id: "REVIEW", stranger.beneficiary_id: "SUSPECTED_IDENTITY"}
