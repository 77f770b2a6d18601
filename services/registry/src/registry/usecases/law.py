"""Reading the law as the register knows it."""

from __future__ import annotations

from typing import Any

from common.db import Database
from registry.storage import policy

__all__ = ["questions"]


async def questions(db: Database) -> list[dict[str, Any]]:
    """What the law leaves open, with the answers in force, by code."""
    async with db.read() as tx:
        rows = await policy.page(tx)
    return [{name: value for name, value in row.items() if name != "version"} for row in rows]
