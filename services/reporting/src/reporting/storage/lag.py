"""How far the read models are behind the topics."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["positions"]


async def positions(tx: Tx) -> Sequence[RowMapping]:
    """Per topic-partition: applied offset, end of the log as last seen, when seen."""
    return await tx.rows(
        "SELECT topic, partition, position - 1 AS applied_offset, greatest(highwater - position, 0) AS behind, updated_at"
        " FROM consumer_position WHERE consumer = 'reporting' ORDER BY topic, partition"
    )
