"""Every service's migrations go up, down to nothing, and up again; each step down leaves exactly what the step up had found."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from common import testing
from common.migrate import config_of, downgrade, upgrade
from common.settings import MechanismSettings

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
_OURS = (
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'S')"
)

#: Everything a schema consists of, as text.
_PARTS = {
    "column": "SELECT concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid))"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped",
    "index": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    "function": "SELECT concat_ws(' ', proname, pg_get_function_identity_arguments(p.oid), md5(prosrc)) FROM pg_proc p"
    " WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    "trigger": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "view": "SELECT concat_ws(' ', viewname, definition) FROM pg_views WHERE schemaname = 'public'",
    "privilege": "SELECT concat_ws(' ', c.relname, x.grantee::regrole, x.privilege_type) FROM pg_class c, aclexplode(c.relacl) x"
    " WHERE relnamespace = 'public'::regnamespace",
    "privilege of a column": "SELECT concat_ws(' ', attrelid::regclass, attname, x.grantee::regrole, x.privilege_type)"
    " FROM pg_attribute a, aclexplode(a.attacl) x WHERE NOT a.attisdropped",
}
#: Kept on the way down on purpose: the ledger is append-only, and a payment that was corrected stays corrected.
_STAYS = "ledger_transfer ledger_transfer_kind_check "


def parts(url: str) -> set[tuple[str, str]]:
    """The schema of a database, order of columns apart."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        return {
            (kind, row[0])
            for kind, query in _PARTS.items()
            for row in connection.execute(query.encode()).fetchall()
            if not row[0].startswith(_STAYS)
        }


def names(url: str) -> set[str]:
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        return {row[0] for row in connection.execute(_OURS).fetchall()} - {"alembic_version"}


def settings_of(made: testing.TestDatabase, package: str, keys: Path) -> MechanismSettings:
    settings: MechanismSettings = importlib.import_module(f"{package}.settings").Settings(
        database_url=made.app_url, owner_database_url=made.owner_url, keys_file=keys, environment="development"
    )
    return settings


@pytest.mark.parametrize("service", SERVICES)
async def test_up_down_up(service: str, database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path]) -> None:
    package = service.replace("-", "_")
    made = database(service)
    settings = settings_of(made, package, keys_file(service))
    before = names(made.owner_url)
    assert {"outbox", "inbox", "audit_log"} < before
    await asyncio.to_thread(downgrade, settings, package, "base")
    assert names(made.owner_url) == set()
    await asyncio.to_thread(upgrade, settings, package)
    assert names(made.owner_url) == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", SERVICES)
async def test_each_step_down_leaves_what_the_step_up_had_found(
    service: str, database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path]
) -> None:
    """What a step forgot to take away stands in the way of coming up again, and only an upgrade to the newest would show it."""
    package = service.replace("-", "_")
    made = database(service)
    settings = settings_of(made, package, keys_file(service))
    revisions = [each.revision for each in ScriptDirectory.from_config(config_of(settings, package)).walk_revisions()][::-1]
    await asyncio.to_thread(downgrade, settings, package, "base")
    found: dict[str, set[tuple[str, str]]] = {}
    for revision in revisions:
        await asyncio.to_thread(upgrade, settings, package, revision)
        found[revision] = parts(made.owner_url)
    for revision in revisions[-2::-1]:
        await asyncio.to_thread(downgrade, settings, package, revision)
        now = parts(made.owner_url)
        assert (now - found[revision], found[revision] - now) == (set(), set()), f"left and gone at {revision}"
    await asyncio.to_thread(upgrade, settings, package)
    assert parts(made.owner_url) == found[revisions[-1]]
