"""Migrations on full databases: a paid month lies there while every service's schema goes down and comes up again.

To the release before and back, the services serve on as if nothing had been; down to the first revision, one step at a time, payments
and people stay what they were at every step.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import psycopg
import pytest
from alembic.script import ScriptDirectory

from ansinh.stack.layout import SERVICES, Layout, Service
from common.audit_chain import verify
from common.migrate import config_of, downgrade, upgrade
from common.settings import MechanismSettings

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.promise("running.upgrades")]
NAMED: Final = Path(__file__).resolve().parents[3] / "deploy/previous-release"
#: What has been there since the first revision, and is worth the most.
TOTALS: Final = {
    "registry": (
        "SELECT count(*), count(DISTINCT person_id), min(version), max(version) FROM person",
        "SELECT count(*), sum(amount) FROM due_interval",
        "SELECT count(*) FROM entitlement",
    ),
    "identity-verify": ("SELECT count(*) FROM subject", "SELECT verdict, count(*) FROM verification GROUP BY 1 ORDER BY 1"),
    "accounts": ("SELECT count(*) FROM account", "SELECT method, count(*) FROM payout_method GROUP BY 1 ORDER BY 1"),
    "disbursement": (
        "SELECT partner, status, count(*), sum(amount) FROM payment GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT state, count(*) FROM payment_list GROUP BY 1 ORDER BY 1",
        "SELECT count(*), sum(amount) FROM list_line",
    ),
    "reporting": ("SELECT count(*) FROM event_log", "SELECT status, count(*), sum(amount) FROM payment GROUP BY 1 ORDER BY 1"),
}
#: Its accounts have had other names: read where today's schema is.
LEDGER: Final = "SELECT account, sum(amount) FROM ledger_entry GROUP BY 1 ORDER BY 1"


def released() -> dict[str, str]:
    """The revision of each database as the release before left it."""
    lines = [line.split() for line in NAMED.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1] for line in lines[1:]}


def totals(dsn: str, service: str, *more: str) -> list[list[tuple[object, ...]]]:
    with psycopg.connect(dsn) as connection:
        return [connection.execute(query).fetchall() for query in (*TOTALS[service], *more)]


def settings_of(month: Month, service: Service) -> MechanismSettings:
    postgres = month.embedded.postgres
    made: MechanismSettings = importlib.import_module(f"{service.package}.settings").Settings(
        database_url=postgres.url(service),
        owner_database_url=postgres.url(service, owner=True),
        keys_file=month.embedded.secrets.keyrings()[service.name],
        environment="development",
        **({"partners_file": month.embedded.secrets.partners()} if service.name in ("accounts", "disbursement") else {}),
        **({"population_url": "http://127.0.0.1:9"} if service.name == "identity-verify" else {}),
    )
    return made


def walk(month: Month, service: Service) -> None:
    """Down to the first revision, one step at a time, and up again; nothing that counts is lost on the way."""
    settings, dsn = settings_of(month, service), month.embedded.dsns[service.name]
    before = totals(dsn, service.name)
    script = ScriptDirectory.from_config(config_of(settings, service.package))
    for revision in [each.revision for each in script.walk_revisions()][1:]:
        downgrade(settings, service.package, revision)
        # The first tables of disbursement's payments come with its second revision.
        queries_hold = not (service.name == "disbursement" and revision == "0001")
        if queries_hold:
            assert totals(dsn, service.name) == before, f"{service.name} at {revision}"
        if service.name == "disbursement" and revision == "0002":
            break  # the step below drops the payments themselves
    upgrade(settings, service.package)
    assert totals(dsn, service.name) == before


async def serving(month: Month, layout: Layout) -> None:
    """Every process is ready and every worker has looked whether anything is amiss."""
    await month.everything_back()
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        for service in SERVICES:
            assert (await http.get(f"{layout.url(service.name)}/health/ready")).status_code == 200


async def test_a_paid_month_stays_while_the_schema_goes_down_and_up(month: Month) -> None:
    ours = [f"{service.name}-{kind}" for service in SERVICES for kind in ("api", "worker")]
    await month.embedded.up()
    try:
        assert (await month.month())["differences"] == [], month.story
        await month.everything_back()
        await month.embedded.supervisor.pause(ours)
        dsns, revisions = month.embedded.dsns, released()
        before = {name: totals(dsn, name, *([LEDGER] if name == "disbursement" else [])) for name, dsn in dsns.items()}
        assert before["disbursement"][0]
        for service in SERVICES:
            settings = settings_of(month, service)
            await asyncio.to_thread(downgrade, settings, service.package, revisions[service.name])
            await asyncio.to_thread(upgrade, settings, service.package)
        assert {name: totals(dsn, name, *([LEDGER] if name == "disbursement" else [])) for name, dsn in dsns.items()} == before
        for name, dsn in dsns.items():
            assert verify(dsn, name).problems == [], name
        await month.embedded.supervisor.resume(ours)
        await serving(month, month.layout)
        again = await month.month()
        assert again["differences"] == [], month.story
        await month.embedded.supervisor.pause(ours)
        for service in SERVICES:
            await asyncio.to_thread(walk, month, service)
        await month.embedded.supervisor.resume(ours)
        await serving(month, month.layout)
    finally:
        await month.embedded.down(drain_first=False)
