"""One step of a change of the law or of a campaign, in a transaction of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from common.actor import Actor
from common.db import Database, Tx

__all__ = ["step"]

T = TypeVar("T")


async def step(db: Database, actor: Actor, effect: Callable[[Tx], Awaitable[T]]) -> T:
    """Run one use case; it commits before the answer is given."""
    async with db.transaction(actor) as tx:
        return await effect(tx)
