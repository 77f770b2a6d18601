"""Retention: what is past its days goes, what is not stays; a dry run counts the same and changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ansinh.cli import main
from common import testing
from common.housekeeping import clean
from common.retention import Keep, apply_terms

_AGES = (5, 13, 16, 40, 89, 91, 400)


_EMPTIED = Keep("sheets", "sheet", "t.since", "Trang", "Sheets", "Luật 91/2025/QH15", 30, holds="t.content <> ''", sets={"content": "''"})
_DELETED = Keep("slips", "slip", "t.since", "Phiếu", "Slips", "Luật 91/2025/QH15", 30)


@pytest.fixture
async def made(database: Callable[[str], testing.TestDatabase]) -> testing.TestDatabase:
    made = database("reporting")
    with psycopg.connect(made.owner_url.replace("+psycopg", "")) as connection:
        for age in _AGES:
            moment = f"now() - interval '{age} days'"
            connection.execute(
                "INSERT INTO idempotency_key (client, key, route, fingerprint, status, answer, created_at)"
                f" VALUES ('an', '{age}', 'POST /v1/x', 'x', 201, 'sealed', {moment});"
                'INSERT INTO parked_event (consumer, topic, partition, "offset", key, event_id, type, headers, body, error, replayed_at)'
                f" VALUES ('reporting', 't', 0, {age}, uuidv7(), uuidv7(), 'T', '{{}}', 'sealed', 'e', {moment});"
                f"INSERT INTO inbox (consumer, event_id, received_at) VALUES ('reporting', uuidv7(), {moment})"
            )
        connection.execute(
            'INSERT INTO parked_event (consumer, topic, partition, "offset", key, event_id, type, headers, body, error, parked_at)'
            " VALUES ('reporting', 't', 0, 999, uuidv7(), uuidv7(), 'T', '{}', 'sealed', 'e', now() - interval '400 days')"
        )
    return made


async def left(made: testing.TestDatabase) -> dict[str, int]:
    async with made.db.read() as tx:
        return {table: int(await tx.value(f"SELECT count(*) FROM {table}")) for table in ("idempotency_key", "parked_event", "inbox")}


async def test_rows_go_after_their_days_and_what_is_about_people_is_audited(made: testing.TestDatabase) -> None:
    assert await clean(made.db, 14) is False
    assert await left(made) == {"idempotency_key": 5, "parked_event": 6, "inbox": 2}, "a parked event never applied stays"
    assert await clean(made.db, 14) is False
    async with made.db.read() as tx:
        rows = await tx.rows("SELECT object_type, detail FROM audit_log WHERE action = 'retention.delete' ORDER BY object_type")
    assert all(len(row["detail"]["digest"]) == 64 for row in rows)
    assert [(row["object_type"], {name: row["detail"][name] for name in ("count", "days")}) for row in rows] == [
        ("idempotency_key", {"count": 2, "days": 90}), ("parked_event", {"count": 2, "days": 90}),
    ]  # fmt: skip


async def test_a_dry_run_names_the_services_own_rules_and_what_is_not_decided(
    database: Callable[[str], testing.TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNTS_OWNER_DATABASE_URL", database("accounts").owner_url)
    assert await asyncio.to_thread(main, ["retention", "--service", "accounts", "--json", str(tmp_path / "due.json")]) == 0
    rules = {item["rule"]: item for item in json.loads((tmp_path / "due.json").read_text()) if "rule" in item}
    assert rules["import_files"] | {"law": ""} == {
        "service": "accounts", "rule": "import_files", "table": "import_file", "days": None, "due": 0, "law": "",
    }  # fmt: skip
    assert "Giữ tệp gốc bao lâu" in capsys.readouterr().out


async def test_the_days_are_a_setting_and_a_dry_run_says_what_would_go(
    made: testing.TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTING_OWNER_DATABASE_URL", made.owner_url)
    monkeypatch.setenv("REPORTING_RETENTION_DAYS", '{"idempotency_key": 30}')
    before = await left(made)
    assert await asyncio.to_thread(main, ["retention", "--service", "reporting", "--json", str(tmp_path / "due.json")]) == 0
    due = {item["table"]: (item["days"], item["due"]) for item in json.loads((tmp_path / "due.json").read_text())}
    assert due == {"outbox": (14, 0), "inbox": (15, 5), "idempotency_key": (30, 4), "parked_event": (90, 2)}
    assert await left(made) == before
    await clean(made.db, 14, {"idempotency_key": 30})
    after = await left(made)
    assert {table: before[table] - after[table] for table in before} == {"idempotency_key": 4, "parked_event": 2, "inbox": 5}


async def test_a_large_table_is_taken_in_pieces_and_each_block_read_once(database: Callable[[str], testing.TestDatabase]) -> None:
    made = database("reporting")
    rows = 2_100  # 15 blocks of 8 KiB hold 100 of them: three pieces of 64 blocks and one that is not full
    with psycopg.connect(made.owner_url.replace("+psycopg", "")) as connection:
        for table in ("sheet", "slip"):
            connection.execute(
                f"CREATE TABLE {table} (id integer PRIMARY KEY, since timestamptz, content text STORAGE PLAIN);"
                f"INSERT INTO {table} SELECT n, now() - CASE WHEN n % 3 = 0 THEN interval '29 days' ELSE interval '31 days' END,"
                f" repeat('x', 1100) FROM generate_series(1, {rows}) n; GRANT SELECT, UPDATE, DELETE ON {table} TO reporting_app"
            )
    places: dict[str, int] = {}
    pieces = 1
    while await apply_terms(made.db, [_EMPTIED, _DELETED], places):
        pieces += 1
        assert pieces < 20
    assert pieces > 3
    async with made.db.read() as tx:
        emptied = await tx.value("SELECT count(*) FROM sheet WHERE content = ''")
        left_over = await tx.rows("SELECT DISTINCT id % 3 AS third FROM slip")
        told = await tx.rows(
            "SELECT action, sum(CAST(detail ->> 'count' AS integer)) AS rows FROM audit_log GROUP BY action ORDER BY action"
        )
    assert emptied == rows * 2 // 3
    assert [row["third"] for row in left_over] == [0]
    assert [(row["action"], int(row["rows"])) for row in told] == [
        ("retention.delete", rows * 2 // 3), ("retention.erase", rows * 2 // 3),
    ]  # fmt: skip
    assert places == {"sheets": 0, "slips": 0}, "the next round begins at the first block"
