"""Deleting what is past the replay window: published outbox rows and inbox rows, in bounded pieces."""

from __future__ import annotations

from typing import Final

from common.actor import SYSTEM
from common.db import Database

__all__ = ["clean"]

_PIECE: Final = 20_000


async def clean(db: Database, window_days: int) -> bool:
    """Delete one piece; True when more may be left. Inbox rows are kept a day longer than what may be published again."""
    async with db.transaction(SYSTEM("housekeeping")) as tx:
        published = await tx.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE published_at < now() - make_interval(days => :days) LIMIT :piece)",
            days=window_days,
            piece=_PIECE,
        )
        received = await tx.execute(
            "DELETE FROM inbox WHERE ctid IN"
            " (SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => :days) LIMIT :piece)",
            days=window_days + 1,
            piece=_PIECE,
        )
    return published == _PIECE or received == _PIECE
