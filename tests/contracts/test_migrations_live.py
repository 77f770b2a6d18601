"""Migrations on a living system: they give way to whoever uses a table, and take nothing away that the release before still uses."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from common.migrate import downgrade, upgrade
from disbursement.settings import Settings

if TYPE_CHECKING:
    from common.testing import TestDatabase

ROOT = Path(__file__).resolve().parents[2]
TAKES_AWAY = re.compile(r"\bDROP (?:COLUMN|TABLE|VIEW)\b|\bRENAME (?:COLUMN|TO)\b|\bALTER COLUMN \w+ (?:SET DATA )?TYPE\b", re.IGNORECASE)
#: Committed before there was a release to keep: nothing ran on the schema before them.
BEFORE_THE_FIRST_RELEASE = {
    "accounts": {"0003_imports.py"},
    "disbursement": {"0006_ledger_accounts.py", "0014_heirs_and_reissues.py", "0016_calendar_and_approval.py"},
    "registry": {"0003_law.py"},
}


@pytest.mark.promise("running.upgrades")
async def test_a_migration_gives_way_to_whoever_uses_the_table(
    database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    made = database("disbursement")
    settings = Settings(
        database_url=made.app_url, owner_database_url=made.owner_url, keys_file=keys_file("disbursement"), environment="development"
    )
    await asyncio.to_thread(downgrade, settings, "disbursement", "0022")
    address = made.owner_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(address) as reader, await psycopg.AsyncConnection.connect(address) as other:
        await other.set_autocommit(True)
        await reader.execute("SELECT count(*) FROM lane_pause")  # a long report: its transaction stays open
        migration = asyncio.create_task(asyncio.to_thread(upgrade, settings, "disbursement", "0023"))
        longest, told = 0.0, ""
        async with asyncio.timeout(60):
            while told.count("gives way") < 2:
                started = time.monotonic()
                await other.execute("SELECT count(*) FROM lane_pause")  # the service goes on meanwhile
                longest = max(longest, time.monotonic() - started)
                await asyncio.sleep(0.02)
                told += capfd.readouterr().err
        assert not migration.done()
        assert longest < 5, longest
        await reader.rollback()
        await asyncio.wait_for(migration, 60)
        await other.execute("SELECT count(*) FROM restore_question")


def test_what_takes_something_away_says_that_the_release_before_does_not_use_it() -> None:
    """Expand first, contract a release later: a migration that drops, renames or retypes says `contract = "why nobody uses it"`."""
    bad = []
    for path in sorted(ROOT.glob("services/*/src/*/migrations/versions/[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        upward = text.split("def downgrade", 1)[0]
        if TAKES_AWAY.search(upward) and not re.search(r"^contract = \".+\"", text, re.MULTILINE):
            bad.append(f"{path.relative_to(ROOT).parts[1]}/{path.name}")
    known = {f"{service}/{name}" for service, names in BEFORE_THE_FIRST_RELEASE.items() for name in names}
    assert sorted(set(bad) - known) == []
