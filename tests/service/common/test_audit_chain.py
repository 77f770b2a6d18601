"""The audit chain: whole as long as nobody touches it; each way of touching it is found, done as a superuser in the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from common import audit, audit_chain, outbox, testing
from common.actor import SYSTEM, Actor, Role
from common.audit_chain import Anchor, anchor_once, read_anchors, seal_once, verify
from common.invariants import MECHANISMS, check
from common.locks import Lock

SEALED = next(item for item in MECHANISMS if item.name == "audit_rows_are_sealed")
OFFICER = Actor("can.bo", "Cán bộ", frozenset({Role.COMMUNE_OFFICER}), ("60/593/22924",), request_id="r-1")


@pytest.fixture
async def made(database: Callable[[str], testing.TestDatabase]) -> testing.TestDatabase:
    return database("reporting")


@pytest.fixture
def superuser(made: testing.TestDatabase, pg_url: str) -> str:
    return f"{pg_url.rsplit('/', 1)[0]}/{made.name}"


async def write(made: testing.TestDatabase, count: int, action: str = "thing.change") -> None:
    async with made.db.transaction(OFFICER) as tx:
        for number in range(count):
            await audit.record(tx, action, "thing", number, audit.Changed({"n": number}, {"n": number + 1}))


async def seal(made: testing.TestDatabase, batch: int = 4) -> None:
    while await seal_once(made.db, batch):
        pass


async def look(dsn: str, anchors: list[Anchor] | None = None) -> dict[str, int]:
    return (await asyncio.to_thread(verify, dsn, "reporting", anchors or [])).counts


def do(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_log_nobody_touched_is_whole_and_rows_wait_until_they_are_sealed(made: testing.TestDatabase, superuser: str) -> None:
    await write(made, 10)
    waiting = await asyncio.to_thread(verify, superuser, "reporting")
    assert (waiting.whole, waiting.rows, waiting.waiting) == (True, 0, 10)
    await seal(made)
    await write(made, 3)
    await seal(made)
    await anchor_once(made.db, "reporting")
    found = await asyncio.to_thread(verify, superuser, "reporting")
    assert (found.whole, found.rows, found.waiting, found.anchors) == (True, 13, 0, 1)


async def test_rows_are_sealed_as_they_commit_not_by_their_ids(made: testing.TestDatabase, superuser: str) -> None:
    async with made.db.transaction(OFFICER) as slow:
        await audit.record(slow, "slow", "thing", 1, audit.Created({}))
        await write(made, 2, "quick")
        await seal(made)
        async with made.db.read() as tx:
            assert [row["action"] for row in await tx.rows("SELECT a.action FROM audit_chain c JOIN audit_log a ON a.id = c.audit_id")] == [
                "quick", "quick",
            ]  # fmt: skip
    await seal(made)
    async with made.db.read() as tx:
        order = await tx.rows("SELECT a.action, a.id FROM audit_chain c JOIN audit_log a ON a.id = c.audit_id ORDER BY c.position")
    assert [row["action"] for row in order] == ["quick", "quick", "slow"]
    assert order[2]["id"] < order[0]["id"]
    assert await look(superuser) == {}


async def test_rows_are_sealed_while_events_are_being_written(made: testing.TestDatabase) -> None:
    """A service that is never without an event in the making must not leave its audit log unsealed."""
    await write(made, 2)
    async with made.db.transaction(OFFICER) as cut_off:
        await outbox.barrier(cut_off)
        await seal(made)
        async with made.db.read() as tx:
            assert await tx.value("SELECT count(*) FROM audit_chain") == 2


async def test_two_sealers_do_not_both_seal(made: testing.TestDatabase, superuser: str) -> None:
    await write(made, 40)
    while any(await asyncio.gather(*(seal_once(made.db, 7) for _ in range(3)))):
        pass
    await seal(made)
    found = await asyncio.to_thread(verify, superuser, "reporting")
    assert (found.whole, found.rows, found.waiting) == (True, 40, 0)


_LOG = "subject, roles, units, action, object_type, object_id, detail"
TOUCHES: dict[str, tuple[list[str], dict[str, int]]] = {
    "who": (["UPDATE audit_log SET subject = 'nguoi.khac' WHERE id = 5"], {"changed": 1}),
    "when": (["UPDATE audit_log SET at = at - interval '1 microsecond' WHERE id = 5"], {"changed": 1}),
    "before and after": (["UPDATE audit_log SET detail = jsonb_set(detail, '{after,n}', '99') WHERE id = 5"], {"changed": 1}),
    "purpose": (["UPDATE audit_log SET purpose = 'khác' WHERE id = 5"], {"changed": 1}),
    "removed": (["DELETE FROM audit_log WHERE id = 5"], {"removed": 1}),
    "removed with its link": (
        ["DELETE FROM audit_log WHERE id = 5", "DELETE FROM audit_chain WHERE audit_id = 5"], {"chain_gap": 1, "chain_broken": 0},
    ),
    "inserted": (
        [f"INSERT INTO audit_log ({_LOG}) VALUES ('x', '{{}}', '{{}}', 'x', 'x', 'x', '{{}}')"], {"inserted": 1},
    ),
    "inserted in the middle with a link": (
        [
            "UPDATE audit_chain SET position = position + 1000 WHERE position > 5",
            "UPDATE audit_chain SET position = position - 999 WHERE position > 1000",
            f"INSERT INTO audit_log (id, {_LOG}) OVERRIDING SYSTEM VALUE VALUES (900, 'x', '{{}}', '{{}}', 'x', 'x', 'x', '{{}}')",
            "INSERT INTO audit_chain VALUES (6, 900, sha256('x'), sha256('y'))",
        ],
        {"chain_broken": 8, "changed": 1},
    ),
    "rows exchanged": (
        [
            "UPDATE audit_log a SET at = b.at, object_id = b.object_id FROM audit_log b WHERE (a.id, b.id) IN ((4, 5), (5, 4))",
        ],
        {"changed": 2},
    ),
    "links exchanged": (
        [
            "UPDATE audit_chain SET position = 999 WHERE position = 4", "UPDATE audit_chain SET position = 4 WHERE position = 5",
            "UPDATE audit_chain SET position = 5 WHERE position = 999",
        ],
        {"chain_broken": 3},
    ),
}  # fmt: skip


@pytest.mark.parametrize("touch", list(TOUCHES))
async def test_every_touch_is_found(touch: str, made: testing.TestDatabase, superuser: str) -> None:
    await write(made, 12)
    await seal(made)
    assert await look(superuser) == {}
    statements, expected = TOUCHES[touch]
    await asyncio.to_thread(do, superuser, *statements)
    assert await look(superuser) == {kind: count for kind, count in expected.items() if count}


async def test_a_tail_cut_off_and_a_chain_written_anew_contradict_the_anchors(
    made: testing.TestDatabase, superuser: str, tmp_path: Path
) -> None:
    kept = tmp_path / "anchors.jsonl"
    await write(made, 12)
    await seal(made)
    await anchor_once(made.db, "reporting", kept)
    await anchor_once(made.db, "reporting", kept)  # the head has not moved: no second anchor
    anchors = read_anchors(kept.read_text().splitlines())
    assert [(anchor.service, anchor.position) for anchor in anchors] == [("reporting", 12)]
    cut = ["DELETE FROM audit_anchor", "DELETE FROM audit_log WHERE id > 9", "DELETE FROM audit_chain WHERE position > 9"]
    await asyncio.to_thread(do, superuser, *cut)
    assert await look(superuser) == {}, "without the anchors kept elsewhere a cut tail looks like a log that ended earlier"
    assert await look(superuser, anchors) == {"anchor_missing": 1}
    anew = ["UPDATE audit_log SET subject = 'nguoi.khac' WHERE id = 5", "DELETE FROM audit_chain"]
    await asyncio.to_thread(do, superuser, *anew, "INSERT INTO audit_unsealed SELECT id FROM audit_log")
    await write(made, 3)
    await seal(made)
    assert await look(superuser) == {}
    assert await look(superuser, anchors) == {"anchor_differs": 1}


_DATED = (
    f"WITH put AS (INSERT INTO audit_log (at, {_LOG})"
    " SELECT now() {when}, 'x', array[]::text[], array[]::text[], 'x', 'x', 'x', jsonb_build_object() RETURNING id)"
    " INSERT INTO audit_unsealed SELECT id FROM put"
)


@pytest.mark.parametrize(
    ("when", "expected"),
    [("- interval '1 year'", {"back_dated": 1}), ("- interval '16 minutes'", {"back_dated": 1}), ("- interval '14 minutes'", {}),
     ("+ interval '1 year'", {"post_dated": 1})],
)  # fmt: skip
async def test_a_row_given_to_the_sealer_with_another_time_is_found(
    when: str, expected: dict[str, int], made: testing.TestDatabase, superuser: str
) -> None:
    """As a superuser does it who knows how rows come into the chain; the rows behind it are not blamed."""
    await write(made, 3)
    await seal(made)
    await asyncio.to_thread(do, superuser, _DATED.format(when=when))
    await seal(made)
    await write(made, 3)
    await seal(made)
    assert await look(superuser) == expected


async def test_an_anchor_says_how_old_what_was_sealed_before_it_is(made: testing.TestDatabase, superuser: str, tmp_path: Path) -> None:
    """A chain written anew with other times, down to its own anchors, contradicts the times of anchors kept elsewhere."""
    kept = tmp_path / "anchors.jsonl"
    await write(made, 3)
    await seal(made)
    await anchor_once(made.db, "reporting", kept)
    await asyncio.to_thread(do, superuser, _DATED.format(when="- interval '20 minutes'"), "DELETE FROM audit_anchor")
    await seal(made)
    anchors = read_anchors(kept.read_text().splitlines())
    later = [Anchor(each.service, each.position, each.digest, "2999-01-01T00:00:00+00:00") for each in anchors]
    undated = [Anchor(each.service, each.position, each.digest, "") for each in anchors]
    assert await look(superuser, undated) == {"back_dated": 1}
    assert await look(superuser, later) == {"back_dated": 1}
    (verdict,) = [await asyncio.to_thread(verify, superuser, "reporting", later, tolerance=timedelta(minutes=30))]
    assert verdict.counts == {"back_dated": 1}, "the rows sealed before it allow it, the anchor does not"


async def test_whoever_holds_the_sealer_is_named_and_what_waits_is_found(
    made: testing.TestDatabase, superuser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(audit_chain._told, "at", float("-inf"))
    with psycopg.connect(superuser, autocommit=True) as stranger:
        stranger.execute("SELECT pg_advisory_lock(%s)", (int(Lock.AUDIT_SEALER),))
        await write(made, 3)
        with capture_logs() as logged:
            assert [await seal_once(made.db), await seal_once(made.db)] == [False, False]
        (told,) = [line for line in logged if line["event"] == "audit.sealer_held"]  # not a line a second
        assert (told["pid"], told["waiting"]) == (stranger.info.backend_pid, 3)
        await asyncio.to_thread(do, superuser, "UPDATE audit_log SET at = at - interval '2 minutes' WHERE id = 2")
        async with made.db.read() as tx:
            assert await check(tx, SEALED) == (1, ["2"])
        assert await look(superuser) == {}, "a transaction may take that long"
        waited = await asyncio.to_thread(verify, superuser, "reporting", unsealed=timedelta(minutes=1))
        assert (waited.whole, waited.counts, waited.problems[0]["audit_id"]) == (False, {"unsealed": 1}, 2)
        await asyncio.to_thread(do, superuser, "UPDATE audit_log SET at = at - interval '1 day' WHERE id = 3")
        assert await look(superuser) == {"unsealed": 1}
        stranger.execute("SELECT pg_advisory_unlock(%s)", (int(Lock.AUDIT_SEALER),))
    await seal(made)
    async with made.db.read() as tx:
        assert await check(tx, SEALED) == (0, [])


async def test_a_row_gone_before_it_was_sealed_is_found(made: testing.TestDatabase, superuser: str) -> None:
    await write(made, 3)
    await asyncio.to_thread(do, superuser, "DELETE FROM audit_log WHERE id = 2")
    await seal(made)
    assert await look(superuser) == {"removed": 1}


async def test_the_command_says_what_it_found(
    made: testing.TestDatabase, superuser: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansinh.cli import main

    monkeypatch.setenv("REPORTING_OWNER_DATABASE_URL", superuser)
    kept, verdict = str(tmp_path / "anchors.jsonl"), tmp_path / "verdict.json"
    await write(made, 6)
    reporting = ("--service", "reporting", "--anchors", kept)
    await asyncio.to_thread(do, superuser, "UPDATE audit_log SET at = at - interval '1 hour'")
    assert await asyncio.to_thread(main, ["audit", "verify", "--service", "reporting", "--json", str(verdict)]) == 1
    assert json.loads(verdict.read_text())["services"][0]["counts"] == {"unsealed": 6}
    await seal(made)
    await anchor_once(made.db, "reporting")
    assert await asyncio.to_thread(main, ["audit", "anchors", *reporting]) == 0
    assert await asyncio.to_thread(main, ["audit", "verify", *reporting, "--json", str(verdict)]) == 0
    assert json.loads(verdict.read_text())["whole"] is True
    await asyncio.to_thread(do, superuser, "UPDATE audit_log SET subject = 'x' WHERE id = 2", "DELETE FROM audit_chain WHERE position > 5")
    assert await asyncio.to_thread(main, ["audit", "verify", *reporting, "--json", str(verdict)]) == 1
    (found,) = json.loads(verdict.read_text())["services"]
    assert found["counts"] == {"changed": 1, "anchor_missing": 1, "inserted": 1}
    assert {"kind": "changed", "audit_id": 2, "position": 2} in found["problems"]


def test_anchors_are_read_from_a_log_too_and_a_broken_one_is_said() -> None:
    line = json.dumps({"event": "audit.anchor", "service": "x", "anchored": "registry", "position": 3, "digest": "ab" * 32})
    assert read_anchors(["plain text", f"registry-worker: {line}", "{}"]) == [Anchor("registry", 3, "ab" * 32, "")]
    with pytest.raises(ValueError, match="line 1"):
        read_anchors([json.dumps({"service": "registry", "position": "x", "digest": "zz"})])


@pytest.mark.parametrize("service", ["registry", "identity-verify", "accounts", "disbursement", "reporting"])
async def test_the_services_own_role_may_only_append(service: str, database: Callable[[str], testing.TestDatabase]) -> None:
    made = database(service)
    async with made.db.transaction(SYSTEM("test")) as tx:
        await audit.record(tx, "thing.change", "thing", 1, audit.Created({}))
    await seal(made)
    await anchor_once(made.db, service)
    dsn = made.app_url.replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in ("audit_log", "audit_chain", "audit_anchor"):
            change = "subject = 'x'" if table == "audit_log" else "position = position + 1"
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() != (0,)
            for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


async def test_the_auditors_question(made: testing.TestDatabase, client_as: Callable[..., Any], keys_file: Callable[[str], Path]) -> None:
    from reporting.main import make_app
    from reporting.settings import Settings

    app = make_app(Settings(database_url=made.app_url, keys_file=keys_file("reporting"), environment="development"), made.db)
    await write(made, 5)
    async with made.db.transaction(SYSTEM("relay")) as tx:
        await audit.record(tx, "relay.moved", "outbox", 1, audit.Created({}))
    province, district = client_as(app, Role.AUDITOR, subject="kiem.toan"), client_as(app, Role.AUDITOR, units=("60/594",))
    first = (await province.get("/v1/audit", params={"limit": 4})).json()
    rest = (await province.get("/v1/audit", params={"limit": 4, "cursor": first["next_cursor"]})).json()
    ids = [row["id"] for row in first["items"] + rest["items"]]
    assert ids == [6, 5, 4, 3, 2, 1]
    (one,) = (await province.get("/v1/audit", params={"action": "thing.change", "object_id": "3", "request_id": "r-1"})).json()["items"]
    assert (one["subject"], one["purpose"], one["detail"]) == ("can.bo", None, {"before": {"n": 3}, "after": {"n": 4}})
    assert (await province.get("/v1/audit", params={"until": "2020-01-01T00:00:00+07:00"})).json()["items"] == []
    assert (await province.get("/v1/audit", params={"since": "2020-01-01T00:00:00"})).status_code == 422
    assert (await province.get("/v1/audit", params={"subject": "relay"})).json()["items"] == []
    assert len((await province.get("/v1/audit", params={"subject": "system:relay"})).json()["items"]) == 1
    assert (await district.get("/v1/audit")).json()["items"] == [], "another district's auditor"
    assert (await client_as(app, Role.COMMUNE_OFFICER).get("/v1/audit")).status_code == 403
    listing = await province.get("/v1/audit/file", params={"format": "csv", "action": "thing.change"})
    assert listing.text.count("thing.change") == 5
    asked = (await province.get("/v1/audit", params={"subject": "kiem.toan", "limit": 500})).json()["items"]
    assert [row["action"] for row in asked].count("audit.read") == 6
    assert [row["detail"]["filter"] for row in asked if row["action"] == "audit.export"] == [{"action": "thing.change"}]
    await seal(made)
    await anchor_once(made.db, "reporting")
    told = (await province.get("/v1/audit/anchors")).json()
    assert told["waiting"] == 0
    assert [item["position"] for item in told["items"]] == [told["sealed"]]
