"""Accounts of which something else than the state has changed are published again: a setting, the partner of their provider."""

from __future__ import annotations

from typing import Final

from accounts.storage import accounts
from accounts.usecases.publish import publish_accounts
from common.actor import SYSTEM
from common.db import Database

__all__ = ["say_again_once"]

_CHUNK: Final = 2_000


async def say_again_once(db: Database) -> bool:
    """Publish a chunk. Returns whether there was any."""
    async with db.transaction(SYSTEM("accounts")) as tx:
        await accounts.take_record_lock(tx)
        taken = await accounts.take_to_say_again(tx, _CHUNK)
        await publish_accounts(tx, await accounts.settle(tx, taken))
    return bool(taken)
