"""An erasure destroys keys: what a backup from before holds opens until the keys of that day are gone, and then with nothing we have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansinh.keys_command import add_event_keys, add_key, holders, retire, retire_event_keys
from common import testing
from common.auth import Role
from common.db import Database
from common.erasure_keys import WAITING, note_destroyed
from common.ids import new_id
from common.invariants import MECHANISMS, check
from common.rekey import reseal
from common.sealing import Keyring, SealBroken
from registry.main import SEALED, make_app
from registry.settings import Settings

ASKED = {"asked_by": "PERSON", "ground": "Đơn ngày 20/11/2026"}
YES = {"approve": True, "note": "Đã đối chiếu đơn"}
PURPOSE = {"purpose": "Người hưởng yêu cầu cung cấp dữ liệu"}
INVARIANT = next(item for item in MECHANISMS if item.name == "erased_keys_are_destroyed")


class Office:
    """A registry whose keyring is a file, with two people in it who have a telephone each."""

    def __init__(self, home: testing.TestDatabase, file: Path) -> None:
        self.file = file
        self.owner = home.owner_url.replace("+psycopg", "")
        self.db = Database(home.app_url, keyring=Keyring.load(file, "registry"))
        self.settings = Settings(database_url=home.app_url, keys_file=file, environment="development", erasure_key_days=45)
        self.app = make_app(self.settings, self.db)
        self.app.state.authenticator.issuer = "http://issuer.test"
        self.app.state.authenticator.use_keys(testing.jwks())
        self.people = [self._person(code, phone) for code, phone in (("Z-1", "0912345678"), ("Z-2", "0987654321"))]

    def _person(self, code: str, phone: str) -> str:
        sealed = Keyring.load(self.file, "registry").encrypt("phone", phone)
        with psycopg.connect(self.owner, autocommit=True) as owner:
            made = owner.execute(
                "INSERT INTO person (file_code, full_name, name_folded, sex, unit_code, unit_path, programmes, identity_fingerprint,"
                " created_by, is_beneficiary, phone) VALUES (%s, 'Lò Thị A', 'LO THI A', 'F', '22924', '60/593/22924',"
                " '{SOCIAL_ASSISTANCE}', 'f', 'an', true, %s) RETURNING person_id",
                (code, sealed),
            ).fetchone()
        assert made is not None
        return str(made[0])

    def backup(self) -> list[bytes]:
        """The telephones as a backup of this moment holds them."""
        with psycopg.connect(self.owner) as owner:
            return [bytes(row[0]) for row in owner.execute("SELECT phone FROM person WHERE phone IS NOT NULL ORDER BY file_code")]

    def rotate(self) -> None:
        """As `./ansinh keys rotate` does it."""
        new = add_key(self.file)
        reseal(self.owner, Keyring.load(self.file, "registry"), SEALED, lambda _progress: None)
        retire(self.file, new)


@pytest.fixture
def office(database: Callable[[str], testing.TestDatabase], tmp_path: Path) -> Office:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(testing.keyring_data("registry")), encoding="utf-8")
    return Office(database("registry"), file)


@pytest.mark.promise("running.erasure")
async def test_what_a_backup_holds_of_an_erased_person_opens_with_no_key_we_have(office: Office, client_as: Any) -> None:
    maker = client_as(office.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="maker")
    checker = client_as(office.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="checker")
    before = office.backup()
    gone, other = office.people
    asked = (await maker.post(f"/v1/people/{gone}/erasures", json=ASKED)).json()
    assert (asked["keys"], asked["keys_due_on"], asked["keys_destroyed_on"]) == ([], None, None)
    path = f"/v1/erasures/{asked['erasure_id']}"
    alive = Keyring.load(office.file, "registry").key_ids
    assert "at_rest/t1" in alive
    done = (await checker.post(f"{path}/decision", json=YES)).json()
    assert (done["keys"], done["keys_destroyed_on"]) == (alive, None)
    assert done["keys_due_on"] > done["decided_at"][:10]
    assert len(office.backup()) == 1
    ring = Keyring.load(office.file, "registry")
    assert [ring.decrypt("phone", value) for value in before] == ["0912345678", "0987654321"], "not yet destroyed, and not said to be"
    assert await note_destroyed(office.db, 45) == 0

    await asyncio.to_thread(office.rotate)
    ring = Keyring.load(office.file, "registry")
    for value in before:
        with pytest.raises(SealBroken):
            ring.decrypt("phone", value)
    theirs = (await maker.get(f"/v1/people/{other}/personal-data", params=PURPOSE)).json()
    assert theirs["parts"][0]["rows"][0]["phone"] == "0987654321", "somebody else's value was put under the new key"
    assert await note_destroyed(office.db, 45) == 0, "the keys of events of that day are still there"
    assert (await checker.get(path)).json()["keys_destroyed_on"] is None

    consumers = sorted(json.loads(office.file.read_text(encoding="utf-8"))["event"])
    made = add_event_keys(dict.fromkeys(consumers, office.file))
    for consumer in consumers:
        ring_now = json.loads(office.file.read_text(encoding="utf-8"))["event"][consumer]
        retire_event_keys({consumer: office.file}, consumer, [kid for kid in ring_now if kid != made[consumer]])
    assert await note_destroyed(office.db, 45) == 1
    told = (await checker.get(path)).json()
    assert told["keys_destroyed_on"] is not None
    assert not set(told["keys"]) & set(Keyring.load(office.file, "registry").key_ids)
    auditor = client_as(office.app, Role.AUDITOR, units=("60",), subject="auditor")
    (row,) = (await auditor.get("/v1/audit", params={"action": "erasure.keys-destroyed"})).json()["items"]
    assert row["detail"]["requests"] == [asked["erasure_id"]]
    assert await note_destroyed(office.db, 45) == 0


async def test_an_erasure_that_waits_too_long_for_its_keys_is_found(office: Office, client_as: Any) -> None:
    maker = client_as(office.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="maker")
    checker = client_as(office.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="checker")
    ids = []
    for person, approve in zip(office.people, (True, False), strict=True):
        erasure = (await maker.post(f"/v1/people/{person}/erasures", json=ASKED)).json()["erasure_id"]
        answer = await checker.post(f"/v1/erasures/{erasure}/decision", json=YES | {"approve": approve})
        assert answer.status_code == 200, answer.text
        ids.append(erasure)
    async with office.db.read() as tx:
        assert await check(tx, INVARIANT) == (0, [])
    with psycopg.connect(office.owner, autocommit=True) as owner:
        row = owner.execute(WAITING.encode()).fetchone()
        assert row is not None
        assert row[0] == 1, "what was refused waits for nothing"
        owner.execute(
            "UPDATE erasure_request SET decided_at = now() - interval '46 days', keys = NULL, keys_due_on = NULL WHERE state = 'DONE'"
        )
    assert await note_destroyed(office.db, 45) == 0, "one from before keys were noted is given those that are alive"
    async with office.db.read() as tx:
        assert await check(tx, INVARIANT) == (1, [ids[0]])


async def test_event_keys_are_destroyed_when_nothing_needs_them(database: Callable[[str], testing.TestDatabase], tmp_path: Path) -> None:
    files, dsns = {}, {}
    for name in ("registry", "disbursement"):
        files[name] = tmp_path / f"{name}.json"
        files[name].write_text(json.dumps(testing.keyring_data(name)), encoding="utf-8")
        dsns[name] = database(name).owner_url.replace("+psycopg", "")
    producer, consumer = (Keyring.load(file, name) for name, file in files.items())
    (old,) = consumer.event_ids
    token = producer.seal("disbursement", new_id(), "phone", "0912345678")
    index = producer.lookup("disbursement", "national_number", "060150001234")
    with psycopg.connect(dsns["disbursement"], autocommit=True) as owner:
        owner.execute("CREATE TABLE copy_of (id integer PRIMARY KEY, phone_token text, number_index text)")
        owner.execute("INSERT INTO copy_of VALUES (1, %s, %s), (2, NULL, NULL)", (token, index))
    with psycopg.connect(dsns["registry"], autocommit=True) as owner:
        owner.execute("CREATE TABLE sent AS SELECT %s::text AS body", (token,))
        owner.execute("ALTER TABLE outbox RENAME TO outbox_of_the_service")
        owner.execute("ALTER TABLE sent RENAME TO outbox")
    add_event_keys(files)
    assert await asyncio.to_thread(holders, dsns, "disbursement", old) == [
        "registry: 1 events of the replay window", "disbursement: 1 values of copy_of.phone_token",
    ]  # fmt: skip
    renewed = await asyncio.to_thread(
        reseal, dsns["disbursement"], Keyring.load(files["disbursement"], "disbursement"), [], lambda _p: None
    )
    assert renewed == 1
    with psycopg.connect(dsns["registry"], autocommit=True) as owner:
        owner.execute("DELETE FROM outbox")
    assert await asyncio.to_thread(holders, dsns, "disbursement", old) == []
    retire_event_keys(files, "disbursement", [old])
    consumer, producer = (Keyring.load(files[name], name) for name in ("disbursement", "registry"))
    with psycopg.connect(dsns["disbursement"]) as owner:
        row = owner.execute("SELECT phone_token, number_index FROM copy_of WHERE id = 1").fetchone()
    assert row is not None
    assert consumer.open(row[0]) == "0912345678"
    assert index in consumer.lookups("national_number", "060150001234"), "people are still found by their number"
    assert producer.lookup("disbursement", "national_number", "060150001234") in consumer.lookups("national_number", "060150001234")
    with pytest.raises(SealBroken):
        consumer.open(token)
    assert not [kid for ring in (consumer, producer) for kid in ring.key_ids if kid == f"event/disbursement/{old}"]
