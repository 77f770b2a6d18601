"""The supervisor itself is killed in the middle of the month: nothing outlives it, and the next start goes on with what is there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from ansinh.stack.control import holder
from ansinh.stack.process import port_is_free

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = 30


async def verb(month: Month, *arguments: str) -> tuple[int, str]:
    """A verb of the launcher on this home: exit code and what it printed."""
    env = {**os.environ, "ANSINH_HOME": str(month.layout.home), "ANSINH_PORT_BASE": str(month.layout.base)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ansinh.cli", *arguments),
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def family(month: Month) -> list[psutil.Process]:
    """The supervisor of this home and everything below it, servers' own children included."""
    pid = holder(month.layout)
    assert pid is not None
    supervisor = psutil.Process(pid)
    return [supervisor, *supervisor.children(recursive=True)]


async def all_gone(month: Month, processes: list[psutil.Process]) -> None:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, SECONDS)
    assert not alive
    layout = month.layout
    ports = [
        layout.postgres_port,
        layout.kafka_port,
        layout.kafka_port + 1,
        *(layout.base + n for n in (1, 2, 3, 4, 5, 11, 12, 13, 101, 102, 103, 104, 105)),
    ]
    assert [port for port in ports if not port_is_free(port)] == []


@pytest.mark.parametrize(("stage", "share"), [("register", 0.0), ("pay", 0.3)])
async def test_the_month_goes_on_after_the_supervisor_was_killed(month: Month, on_apache_kafka: bool, stage: str, share: float) -> None:
    up = ("up", "--detach", *(["--apache-kafka"] if on_apache_kafka else []))
    code, text = await verb(month, *up)
    assert code == 0, text
    there = asyncio.Event()

    def told(name: str, done: int, total: int) -> None:
        if name == stage and done >= share * total and not there.is_set():
            there.set()

    try:
        begun = asyncio.create_task(month.month(told=told))
        async with asyncio.timeout(120):
            await asyncio.wait([begun, asyncio.create_task(there.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert there.is_set(), month.story
        assert not begun.done(), month.story
        processes = family(month)
        processes[0].send_signal(signal.SIGKILL)
        begun.cancel()
        await asyncio.gather(begun, return_exceptions=True)
        await all_gone(month, processes)

        code, text = await verb(month, *up)
        assert code == 0, text
        assert "did not end cleanly" in text
        result = await month.month()
        assert result["differences"] == [], month.story
        processes = family(month)
        code, text = await verb(month, "down")
        assert code == 0, text
        await all_gone(month, processes)
        assert (await verb(month, "status"))[0] == 3
    finally:
        await verb(month, "down", "--now")
