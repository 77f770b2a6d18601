"""One moment of the read models, looked at while the transaction that writes what is made of them goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from common.db import Tx
from reporting.storage import event_log

__all__ = ["Moment", "snapshot"]


@dataclass(frozen=True, slots=True)
class Moment:
    """`view` sees everything up to number `mark` of the event log and nothing after it; `at` is when that was."""

    view: Tx
    mark: int
    at: datetime


@asynccontextmanager
async def snapshot(tx: Tx) -> AsyncIterator[Moment]:
    """A second transaction, to read from. Consumers are kept out for the instant in which its snapshot is taken; a rebuild's swap waits.

    What is made is written in `tx`, which sees what others have committed in the meantime: the locks it took before this are worth
    nothing to a transaction that looks at an older moment (the edition it would count from is then an old one).
    """
    async with AsyncExitStack() as stack:
        async with event_log.consumers_kept_out(tx):
            view = await stack.enter_async_context(tx.db.read(tx.actor, isolation="REPEATABLE READ"))
            await event_log.hold_models(view)
            mark = (await event_log.bounds(view)).high
        yield Moment(view, mark, await view.value("SELECT now()"))
