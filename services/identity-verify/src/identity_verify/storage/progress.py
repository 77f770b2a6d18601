"""How far verification is: what waits and why, how fast answers come, and how the source is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["pace", "source", "waiting"]

_PACE: Final = """
SELECT count(*) AS answers, coalesce(extract(epoch FROM now() - min(recorded_at)), 0) AS seconds,
       (SELECT count(*) FROM check_request WHERE state = 'PENDING' AND exchange_id IS NULL) AS queue
FROM evidence WHERE recorded_at > now() - make_interval(secs => :seconds) AND source <> 'commune-police' AND source <> 'none'
"""


async def waiting(tx: Tx, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """People without an answer in the caller's units, by why they are asked about; `on_lists`: those on a list with the police."""
    return await tx.rows(
        "SELECT c.reason, count(*) FILTER (WHERE c.exchange_id IS NULL) AS waiting, count(c.exchange_id) AS on_lists,"
        " count(*) FILTER (WHERE c.attempts > 0) AS failed_before, min(c.pending_since) AS oldest"
        " FROM check_request c JOIN subject s USING (beneficiary_id, subject_id)"
        f" WHERE c.state = 'PENDING' AND {scope} GROUP BY c.reason ORDER BY c.reason",
        **scope_params,
    )


async def pace(tx: Tx, seconds: float) -> RowMapping:
    """Answers of the last so many seconds, how long ago the first of them came, and everybody who waits, of all units."""
    row = await tx.row(_PACE, seconds=seconds)
    assert row is not None
    return row


async def source(tx: Tx) -> RowMapping:
    """The state of the source, and of its feed of deaths."""
    row = await tx.row(
        "SELECT s.failing_since, s.failures, s.last_error, s.open_until, s.open_until > now() AS held_back, f.polled_at AS deaths_read_at,"
        " f.deaths AS deaths_read, f.ours AS deaths_ours FROM source_state s, death_feed f"
        " WHERE s.source = 'population' AND f.source = 'population'"
    )
    assert row is not None
    return row
