"""Two workers of one service at once: projections, choices, inquiries and cut-offs side by side lose nothing and lock nobody out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from accounts.messaging.subscriptions import SUBSCRIPTIONS
from accounts.providers.directory import load_directory
from accounts.storage.accounts import take_record_lock
from accounts.usecases.check_accounts import AccountChecker
from accounts.usecases.cut_off import pass_on_once
from common.consumer import Consumer, Incoming
from common.db import Database
from common.ids import new_id, stable_id
from common.topics import PARTITIONS, partition_of

DAY = "2024-08-20"


def batches(events: list[Any], workers: int) -> list[list[list[Incoming]]]:
    """Events as `workers` consumers of one group poll them: each its own partitions, in batches of ten."""
    mine: list[list[Incoming]] = [[] for _ in range(workers)]
    for offset, event in enumerate(events):
        key = getattr(event, event.KEY)
        partition = partition_of(key)
        body = event.model_dump_json().encode()
        mine[partition % workers].append(Incoming(event.TOPIC, partition, offset, key, new_id(), event.type_name(), {}, body))
    return [[own[start : start + 10] for start in range(0, len(own), 10)] for own in mine]


@pytest.mark.parametrize("people", [60])
async def test_two_workers_at_once(world, people) -> None:
    second = Database(world.db.url, keyring=world.db.keyring)
    names = {f"BT-{n}": (f"06015000{n:04d}", f"48002050{n:05d}") for n in range(people)}
    first = [world.person(code, "Trần Thị Hoà", number) for code, (number, _) in names.items()]
    await world.hear(first)
    for code, (number, account) in names.items():
        shared = account if code not in ("BT-1", "BT-2") else names["BT-0"][1]
        world.partner.has(account, "TRAN THI HOA", number)
        body = {"provider": "Agribank", "account_number": shared, "source": "FORM", "consent_on": DAY, "business_date": DAY}
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE policy_setting SET value = '1000' WHERE code IN ('BULK_SECOND_PERSON', 'ALERT_BULK_CHANGES')")
        path = f"/v1/beneficiaries/{stable_id('person', code)}/accounts"
        assert (await world.officer.post(path, json=body, headers={"Idempotency-Key": new_id().hex})).status_code == 201
    moved = [world.person(code, "Trần Thị Hoà", number, version=2, unit_path="60/593/22927") for code, (number, _) in names.items()]
    consumers = [
        Consumer(db, "accounts", SUBSCRIPTIONS, bootstrap="", group="", session_ms=6000, heartbeat_ms=1000) for db in (world.db, second)
    ]
    small = world.settings.model_copy(update={"batch_size": 7})
    checkers = [AccountChecker(db, world.inquiry, load_directory(), small) for db in (world.db, second)]

    async def project(consumer: Consumer, own: list[list[Incoming]]) -> None:
        for batch in own:
            await consumer.apply(batch)

    async def check(checker: AccountChecker) -> None:
        while await checker.run_once():
            pass

    async def change() -> None:
        for code in list(names)[10:20]:
            path = f"/v1/beneficiaries/{stable_id('person', code)}/payout-method"
            now = (await world.officer.get(path)).headers.get("ETag", '"1"')
            answer = await world.officer.put(path, json={"method": "CASH_POST", "business_date": DAY}, headers={"If-Match": now})
            assert answer.status_code in (200, 404, 412), answer.text  # moved away or moved on meanwhile: read again

    shares = batches(moved, 2)
    async with asyncio.timeout(60):
        await asyncio.gather(*(project(*pair) for pair in zip(consumers, shares, strict=True)), *(check(c) for c in checkers), change())
    await check(checkers[0])
    async with world.db.read() as tx:
        parked = await tx.value("SELECT count(*) FROM parked_event")
        states = {row["reason"]: row["n"] for row in await tx.rows("SELECT reason, count(*) AS n FROM account GROUP BY 1")}
        units = {
            row["unit_path"] for row in await tx.rows("SELECT DISTINCT unit_path FROM account UNION SELECT unit_path FROM payout_method")
        }
    assert parked == 0
    assert states == {None: people - 3, "SHARED_ACCOUNT": 3}
    assert units == {"60/593/22927"}
    asked = [number for _, numbers in world.partner.asked for number in numbers]
    assert len(asked) == people  # each account once, whoever asked
    versions: dict[str, list[int]] = {}
    for _, body in await world.events("PayoutMethodChosen"):
        versions.setdefault(body["beneficiary_id"], []).append(body["version"])
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())  # told once each, in order
    await world.markers(moved)
    await asyncio.gather(pass_on_once(world.db, world.settings), pass_on_once(second, world.settings))
    assert len(await world.events("CutOffReached")) == PARTITIONS  # both tried, one passed it on
    await second.close()


async def test_people_of_whom_nothing_is_chosen_wait_for_no_recorder(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    body = {"provider": "Agribank", "account_number": "0123456789", "source": "FORM", "consent_on": DAY, "business_date": DAY}
    path = f"/v1/beneficiaries/{stable_id('person', 'BT-1')}/accounts"
    assert (await world.officer.post(path, json=body, headers={"Idempotency-Key": new_id().hex})).status_code == 201
    async with world.db.transaction() as recorder:
        await take_record_lock(recorder)
        async with asyncio.timeout(20):
            await world.hear(
                [world.person("BT-2", "Lê Văn An", "060150000002"), world.representative("BT-2", "Lê Văn Bình", "060180000002")]
            )
        moved = world.person("BT-1", "Trần Thị Hoà", "060150000001", version=2, unit_path="60/593/22927")
        waiting = asyncio.create_task(world.hear([moved]))
        async with asyncio.timeout(20):
            while not await recorder.value(
                "SELECT true FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
            ):
                await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting
    assert [body["unit_path"] for _, body in await world.events("PayoutMethodChosen")] == ["60/593/22924", "60/593/22927"]
