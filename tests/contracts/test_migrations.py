"""Every service's migrations go up, down to nothing, and up again."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from common import testing
from common.migrate import downgrade, upgrade
from common.settings import MechanismSettings

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
_OURS = (
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'S')"
)


def names(url: str) -> set[str]:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        return {row[0] for row in connection.execute(_OURS).fetchall()} - {"alembic_version"}


@pytest.mark.parametrize("service", SERVICES)
async def test_up_down_up(service: str, database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path]) -> None:
    package = service.replace("-", "_")
    made = database(service)
    settings: MechanismSettings = importlib.import_module(f"{package}.settings").Settings(
        database_url=made.app_url, owner_database_url=made.owner_url, keys_file=keys_file(service), environment="development"
    )
    before = names(made.owner_url)
    assert {"outbox", "inbox", "audit_log"} < before
    await asyncio.to_thread(downgrade, settings, package, "base")
    assert names(made.owner_url) == set()
    await asyncio.to_thread(upgrade, settings, package)
    assert names(made.owner_url) == before
