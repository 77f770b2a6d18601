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

_AGES = (5, 13, 16, 40, 89, 91, 400)


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
    assert [(row["object_type"], row["detail"]) for row in rows] == [
        ("idempotency_key", {"rows": 2, "days": 90}), ("parked_event", {"rows": 2, "days": 90}),
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
