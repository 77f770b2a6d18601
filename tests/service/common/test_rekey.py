"""Rotation of at-rest keys: processes follow the file, everything is sealed again while writers write, and the old key opens nothing."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ansinh.keys_command import add_event_keys, add_key, retire, rotate
from common import testing
from common.ids import new_id
from common.rekey import COMMON_FIELDS, Progress, reseal, wait_for_older
from common.sealing import FOLLOW_SECONDS, Keyring, SealBroken
from disbursement.usecases.receive_notice import NOTICE_FIELD

ROOT = Path(__file__).parents[3]
ROWS = 1_300
_CONSTANT = re.compile(r'^(_?[A-Z][A-Z_]*)(?:: Final(?:\[str\])?)? = "([^"]+)"$', re.MULTILINE)
_ENCRYPT = re.compile(r'\.encrypt\((?:"([^"]+)"|(_?[A-Z][A-Z_]*)),')
_SEALED = re.compile(r"^SEALED = (\(.*?\))$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(testing.keyring_data("reporting")), encoding="utf-8")
    path.chmod(0o640)
    return path


@pytest.fixture
def owner(database: Callable[[str], testing.TestDatabase], file: Path) -> str:
    dsn = database("reporting").owner_url.replace("+psycopg", "")
    ring = Keyring.load(file, "reporting")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE thing (id integer PRIMARY KEY, number bytea, kept jsonb, other bytea)")
        with connection.cursor().copy("COPY thing FROM STDIN") as copy:
            for place in range(ROWS):
                sealed = ring.encrypt("number", f"{place:012d}")
                kept = json.dumps({"was": ["\\x" + ring.encrypt("number", str(place)).hex()], "plain": "\\x00", "n": None})
                copy.write_row((place, sealed, kept if place % 10 == 0 else None, b"\x02other"))
        connection.execute(
            "CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;"
            "CREATE TRIGGER history AFTER UPDATE ON thing FOR EACH ROW EXECUTE FUNCTION fired()"
        )
    return dsn


def _nothing(_progress: Progress) -> None:
    return


def _opens(dsn: str, ring: Keyring) -> int:
    with psycopg.connect(dsn) as connection:
        for place, number, kept, other in connection.execute("SELECT id, number, kept, other FROM thing ORDER BY id"):
            assert ring.decrypt("number", number) == f"{place:012d}"
            if kept is not None:
                assert ring.decrypt("number", bytes.fromhex(kept["was"][0][2:])) == str(place)
                assert (kept["plain"], kept["n"]) == ("\\x00", None)
            assert bytes(other) == b"\x02other"
        row = connection.execute("SELECT count(*) FROM thing").fetchone()
    return int(row[0]) if row else 0


async def test_everything_is_sealed_again_while_writers_write(owner: str, file: Path) -> None:
    serving = Keyring.load(file, "reporting")
    new = add_key(file)
    assert add_key(file) == new, "a rotation that was stopped goes on with its key"
    assert file.stat().st_mode & 0o777 == 0o640
    done = asyncio.Event()

    async def write() -> int:
        place = ROWS
        async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
            while not done.is_set():
                values = (place, serving.encrypt("number", f"{place:012d}"), None, b"\x02other")
                await connection.execute("INSERT INTO thing VALUES (%s, %s, %s, %s)", values)
                place += 1
                await asyncio.sleep(0.005)
        return place

    writer = asyncio.create_task(write())
    async with asyncio.timeout(FOLLOW_SECONDS + 40):
        while not serving.encrypt("number", "0")[1:].startswith(new.encode()):
            await asyncio.sleep(0.05)
    told: list[Progress] = []
    total = await asyncio.to_thread(reseal, owner, Keyring.load(file, "reporting"), ["number"], told.append)
    retired = retire(file, new)
    done.set()
    written = await writer
    assert total >= ROWS + ROWS // 10
    assert {(item.table, item.column) for item in told} >= {("thing", "number"), ("thing", "kept")}
    assert retired == ["t1"]
    only_new = Keyring.load(file, "reporting")
    assert only_new.at_rest_ids == [new]
    assert _opens(owner, only_new) == written > ROWS
    assert await asyncio.to_thread(reseal, owner, only_new, ["number"], _nothing) == 0


def test_a_run_that_was_stopped_goes_on(owner: str, file: Path) -> None:
    add_key(file)

    def stop(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal(owner, Keyring.load(file, "reporting"), ["number"], stop)
    left = reseal(owner, Keyring.load(file, "reporting"), ["number"], _nothing)
    assert 0 < left < ROWS + ROWS // 10
    retire(file, add_key(file))
    assert _opens(owner, Keyring.load(file, "reporting")) == ROWS


def test_what_no_field_opens_stops_the_rotation(owner: str, file: Path) -> None:
    add_key(file)
    with pytest.raises(SealBroken):
        reseal(owner, Keyring.load(file, "reporting"), ["another"], _nothing)


def test_what_was_in_hand_when_the_key_changed_is_sealed_again_too(
    database: Callable[[str], testing.TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice is encrypted, waits for a connection, and is inserted when the first pass has found nothing under the old key."""
    path = tmp_path / "keys-disbursement.json"
    path.write_text(json.dumps(testing.keyring_data("disbursement")), encoding="utf-8")
    dsn = database("disbursement").owner_url.replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id integer PRIMARY KEY, body bytea)")
    serving = Keyring.load(path, "disbursement")
    in_hand = serving.encrypt(NOTICE_FIELD, b"accepted")
    told: list[str] = []
    slept: list[float] = []

    def say(line: str) -> None:
        told.append(line)
        if " values now under " in line and sum(" values now under " in earlier for earlier in told) == 1:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("INSERT INTO thing VALUES (1, %s)", (in_hand,))

    monkeypatch.setattr("ansinh.keys_command.time.sleep", slept.append)
    assert rotate({"disbursement": path}, {"disbursement": dsn}, say) == 0
    assert told[-1].endswith("retired: t1")
    with psycopg.connect(dsn) as connection:
        (body,) = connection.execute("SELECT body FROM thing").fetchone() or (b"",)
    assert Keyring.load(path, "disbursement").decrypt_bytes(NOTICE_FIELD, body) == b"accepted"
    assert 40 < sum(slept) <= FOLLOW_SECONDS + 61, "a minute for what processes have in hand"


def test_a_transaction_that_has_written_nothing_yet_is_waited_for(owner: str) -> None:
    """It may have encrypted long ago and wait for a lock: it has no number by which snapshots know it."""
    with psycopg.connect(owner) as writer, psycopg.connect(owner, autocommit=True) as looking, ThreadPoolExecutor(1) as thread:
        assert writer.execute("SELECT pg_current_xact_id_if_assigned()").fetchone() == (None,)
        waiting = thread.submit(wait_for_older, looking)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        writer.execute("INSERT INTO thing VALUES (99999, 'x', NULL, NULL)")
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        writer.commit()
        writer.execute("SELECT 1")  # a later one is not waited for
        waiting.result(40)


def test_running_processes_follow_the_file(file: Path) -> None:
    sealing, opening = Keyring.load(file, "reporting"), Keyring.load(file, "reporting")
    before = sealing.encrypt("x", "1")
    token = sealing.seal("reporting", new_id(), "x", "1")
    kid = add_key(file)
    events = add_event_keys({"reporting": file})
    deadline = time.monotonic() + 40
    while (after := sealing.encrypt("x", "2"))[1:].startswith(b"t1"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert after[1:].startswith(kid.encode())
    sealed = sealing.seal("reporting", new_id(), "x", "2")
    assert events["reporting"] in sealed
    assert [opening.decrypt("x", before), opening.decrypt("x", after), opening.open(token), opening.open(sealed)] == ["1", "2", "1", "2"]


@pytest.mark.parametrize("package", ["registry", "identity_verify", "accounts", "disbursement"])
def test_every_sealed_field_is_named_where_rotation_looks(package: str) -> None:
    """Whatever a service encrypts under is in its `SEALED`: else a rotation would stop on it."""
    folder = ROOT / "services" / package.replace("_", "-") / "src" / package
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    everywhere = {name: value for text in texts for name, value in _CONSTANT.findall(text)}
    used = set()
    for text in texts:
        own = everywhere | dict(_CONSTANT.findall(text))
        used |= {literal or own[name] for literal, name in _ENCRYPT.findall(text)}
    (sealed,) = [set(ast.literal_eval(found[1])) for text in texts if (found := _SEALED.search(text))]
    assert used - set(COMMON_FIELDS) == sealed
