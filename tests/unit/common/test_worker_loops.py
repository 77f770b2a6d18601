"""A worker's loops go on after a defect; only who asks them ends them."""

from __future__ import annotations

import asyncio

import pytest

from common import worker
from common.worker import Loop


@pytest.mark.parametrize("defect", [ValueError("a defect"), asyncio.CancelledError()])
async def test_a_loop_that_ends_by_itself_is_started_again(defect: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancellation that nobody asked for comes out of a client library; it ended the loop for good, and no log said so."""
    monkeypatch.setattr(worker, "_RESTART_SECONDS", 0.0)
    begun, stop = 0, asyncio.Event()

    async def breaks_once(stop: asyncio.Event) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise defect
        stop.set()

    await asyncio.wait_for(worker._keep(Loop("breaks", breaks_once), stop), 5)
    assert begun == 2


async def test_a_loop_that_is_told_to_end_ends() -> None:
    begun = asyncio.Event()

    async def waits(_stop: asyncio.Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(worker._keep(Loop("waits", waits), asyncio.Event()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
