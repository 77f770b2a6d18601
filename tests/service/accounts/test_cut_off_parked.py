"""One person whose event cannot be applied is told as unanswered; and accounts are locked in one order."""

from __future__ import annotations

import asyncio
from typing import Any

from accounts.storage.accounts import take_record_lock
from accounts.usecases.cut_off import pass_on_once
from common.contracts.registry_v1 import BeneficiaryRegistered
from common.topics import partition_of

NUMBER = "0123456789"
LIST_ROW = ("BT-1", "Trần Thị Hoà", "", "Tài khoản", "Agribank", NUMBER, "", "")


def broken(event: BeneficiaryRegistered) -> BeneficiaryRegistered:
    """The same event as a defect would send it: PostgreSQL cannot store such a name."""
    return event.model_copy(update={"full_name": event.full_name + "\x00"})


async def linked(world) -> BeneficiaryRegistered:
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001")
    await world.hear([person])
    world.partner.has(NUMBER, "TRAN THI HOA", "060150000001")
    await world.taken([LIST_ROW])
    await world.drain()
    return person


async def markers_out(world) -> list[dict[str, Any]]:
    return [body for _, body in await world.events("CutOffReached")]


async def unanswered(world) -> dict[int, int]:
    return {body["_partition"]: body["unanswered"] for body in await markers_out(world) if body["unanswered"]}


async def test_a_new_person_who_is_parked_stops_nobody_else(world) -> None:
    good, bad = [world.person(f"BT-{number}", "Lê Văn An") for number in range(2, 20)], world.person("BT-1", "Trần Thị Hoà")
    await world.hear([*good[:9], broken(bad), *good[9:]])
    cut_off_id = await world.markers([*good, bad])
    assert await pass_on_once(world.db, world.settings)
    where = partition_of(bad.beneficiary_id)
    assert await unanswered(world) == {where: 1}
    view = (await world.approver.get(f"/v1/cut-offs/{cut_off_id}")).json()
    assert (view["state"], view["unanswered"]) == ("PASSED", 1)
    assert [(item["partition"], item["parked"], item["lagging"]) for item in view["partitions"] if item["parked"]] == [
        (where, 1, {"beneficiaries": 1, "beneficiary_versions": 1})
    ]
    # No way to be paid was said of this person: whom the payer finds verified is paid in cash, with the reason NO_ACCOUNT.
    assert await world.events("PayoutMethodChosen", "AccountLinked") == []


async def test_a_known_account_stays_as_it_was_said_while_a_newer_event_is_parked(world) -> None:
    person = await linked(world)
    changed = world.person("BT-1", "Trần Thị Khác", "060150000001", version=2)
    await world.hear([broken(changed)])
    await world.markers([changed])
    assert await pass_on_once(world.db, world.settings)
    where = partition_of(person.beneficiary_id)
    # The payer may pay into it, as into the account of a person whose partner is away: nothing newer was published, the
    # totals say so to the version, and a changed identity is held by its own gate until it is verified again.
    [(kind, said)] = await world.events("AccountLinked", "AccountRejected", "AccountClosed")
    assert (kind, said["status"], said["version"]) == ("AccountLinked", "ACTIVE", 1)
    [marker] = [body for body in await markers_out(world) if body["_partition"] == where]
    assert (marker["counts"]["accounts"], marker["counts"]["account_versions"], marker["unanswered"]) == (1, 1, 1)
    assert await world.replay(changed)
    await world.drain()
    [_, (_, now)] = await world.events("AccountLinked", "AccountRejected", "AccountClosed")
    assert (now["version"], now["status"]) == (2, "REJECTED"), "after the replay the account is asked about again, under the new name"


async def test_a_person_missing_without_being_parked_blocks_beside_one_who_is(world) -> None:
    bad, missing = world.person("BT-1", "Trần Thị Hoà"), None
    for number in range(2, 200):
        missing = world.person(f"BT-{number}", "Lê Văn An")
        if partition_of(missing.beneficiary_id) == partition_of(bad.beneficiary_id):
            break
    await world.hear([broken(bad)])
    cut_off_id = await world.markers([bad, missing])
    assert not await pass_on_once(world.db, world.settings)
    assert (await world.approver.get(f"/v1/cut-offs/{cut_off_id}")).json()["state"] == "DIFFERS"


async def test_a_waiting_cut_off_passes_by_itself_after_the_replay(world) -> None:
    person, bad = world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An")
    await world.hear([person, broken(bad)])
    world.partner.has(NUMBER, "TRAN THI HOA", "060150000001")
    await world.taken([LIST_ROW])
    await world.markers([person, bad])
    assert not await pass_on_once(world.db, world.settings), "an account has no answer yet"
    assert await world.replay(bad)
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    assert await unanswered(world) == {}


async def test_people_who_move_wait_for_a_recorder_without_holding_its_accounts(world) -> None:
    """Recorder and projection once met in opposite order: one was the deadlock's victim."""
    await linked(world)
    moved = world.person("BT-1", "Trần Thị Hoà", "060150000001", version=2, unit_code="22927", unit_path="60/593/22927")
    async with world.db.transaction() as recorder:
        await take_record_lock(recorder)
        projection = asyncio.create_task(world.hear([moved]))
        async with asyncio.timeout(40):
            while not await recorder.value(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ):
                await asyncio.sleep(0)
        await recorder.execute("SET LOCAL lock_timeout = '500ms'")
        await recorder.execute("UPDATE account SET updated_at = now()")
        await recorder.execute("UPDATE payout_method SET reason = reason")
    await projection
    assert [body["unit_path"] for _, body in await world.events("AccountLinked")] == ["60/593/22924", "60/593/22927"]
