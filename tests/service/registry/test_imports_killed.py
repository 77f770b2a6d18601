"""A worker killed by SIGKILL between two batches of a list: another one goes on, and no row is lost or taken twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import Any

import pytest
from registry_test_helpers import as_csv, row

WORKER = """
import asyncio, sys
from common import failpoints
from common.db import Database
from common.sealing import Keyring
from registry.main import SERVICE, make_jobs
from registry.settings import Settings

async def main():
    settings = Settings()
    db = Database(settings.database_url, keyring=Keyring.load(settings.keys_file, SERVICE))
    failpoints.arm(sys.argv[1], production=False)
    await make_jobs(db, settings).run_one()

asyncio.run(main())
"""


async def killed(world: Any, point: str) -> int:
    """The exit code of a worker that runs one job with a failpoint armed."""
    env = {
        **os.environ, "REGISTRY_DATABASE_URL": world.settings.database_url, "REGISTRY_KEYS_FILE": str(world.settings.keys_file),
        "REGISTRY_ENVIRONMENT": "development", "REGISTRY_JOB_LEASE_SECONDS": "0.3", "REGISTRY_IMPORT_APPLY_ROWS": "3",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, point, env=env)
    return await asyncio.wait_for(process.wait(), 120)


async def taken_over(world: Any) -> None:
    """Another worker takes the job once the dead one's lease is over."""
    end = time.monotonic() + 60
    while not await world.jobs.run_one():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_killed_check_and_a_killed_application_are_finished_by_another_worker(world: Any) -> None:
    rows = [row(f"A-{n}", f"0601900000{n:02d}") for n in range(1, 9)]
    import_id = (await world.send(as_csv(rows))).json()["import_id"]
    assert await killed(world, "lists.check_between_batches") == -signal.SIGKILL
    async with world.db.read() as tx:
        assert dict(await tx.row("SELECT state, staged_to FROM import_file")) == {"state": "RECEIVED", "staged_to": 11}
    await taken_over(world)
    found = (await world.maker.get(f"/v1/imports/{import_id}")).json()
    assert (found["state"], found["rows_total"], found["rows_good"]) == ("CHECKED", 8, 8)
    await world.checker.post(f"/v1/imports/{import_id}/approve")
    assert await killed(world, "registry.import_between_batches:1") == -signal.SIGKILL
    found = (await world.maker.get(f"/v1/imports/{import_id}")).json()
    assert (found["state"], found["rows_applied"]) == ("APPROVED", 6)
    await taken_over(world)
    found = (await world.maker.get(f"/v1/imports/{import_id}")).json()
    assert (found["state"], found["rows_applied"]) == ("APPLIED", 8)
    assert len(await world.events("BeneficiaryRegistered")) == 8
    assert len(await world.events("EntitlementGranted")) == 8
