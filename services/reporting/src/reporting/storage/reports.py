"""The figures: coverage, channels, outcomes, totals. One statement each over a month's lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import BELOW, LINES, below

__all__ = ["channels", "coverage", "outcomes", "payment_totals", "states", "unit_names"]

# A person counts once per programme however many cycles (main, supplementary) the month has. Deceased are not counted: a line
# that is held because the person died is nobody's payment.
_COVERAGE: Final = f"""
WITH {LINES},
person AS (
    SELECT programme, beneficiary_id, max(split_part(unit_path, '/', :depth)) AS segment,
           bool_or(state = 'PAID_BY_ACCOUNT') AS by_account,
           coalesce(sum(amount) FILTER (WHERE state = 'PAID_BY_ACCOUNT'), 0) AS amount_by_account,
           coalesce(sum(amount) FILTER (WHERE state IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH')), 0) AS amount_paid
    FROM line WHERE NOT (state IN ('HELD', 'RELEASED') AND reason = 'DECEASED')
    GROUP BY programme, beneficiary_id
)
SELECT programme, segment, grouping(programme) AS all_programmes, grouping(segment) AS all_units,
       count(*) AS total_people, count(*) FILTER (WHERE by_account) AS paid_by_account_people,
       count(DISTINCT beneficiary_id) FILTER (WHERE TRUE) AS distinct_people,
       sum(amount_by_account)::bigint AS amount_paid_by_account, sum(amount_paid)::bigint AS amount_paid_total
FROM person
GROUP BY GROUPING SETS ((programme, segment), (programme), (segment), ())
ORDER BY all_programmes, programme, all_units, segment
"""

_CHANNELS: Final = f"""
WITH {LINES}
SELECT programme, channel, count(DISTINCT beneficiary_id) AS people, count(*) AS payments, sum(amount)::bigint AS amount,
       count(DISTINCT beneficiary_id) FILTER (WHERE state IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH')) AS paid_people,
       coalesce(sum(amount) FILTER (WHERE state IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH')), 0)::bigint AS paid_amount
FROM line WHERE channel IS NOT NULL AND state NOT IN ('HELD', 'RELEASED')
GROUP BY programme, channel ORDER BY programme, channel
"""

_OUTCOMES: Final = f"""
WITH {LINES}
SELECT state, programme, reason, max(actor) AS actor, count(DISTINCT beneficiary_id) AS people, sum(amount)::bigint AS amount
FROM line WHERE state NOT IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH', 'IN_PROGRESS')
GROUP BY state, programme, reason ORDER BY state, programme, reason
"""

_STATES: Final = f"""
WITH {LINES}
SELECT state, programme, count(DISTINCT beneficiary_id) AS people, sum(amount)::bigint AS amount
FROM line GROUP BY state, programme ORDER BY state, programme
"""

# Every payment ever heard of, each attempt by itself: what the ledger must equal.
_TOTALS: Final = f"""
SELECT programme, partner, channel, status, count(*) AS payments, sum(amount)::bigint AS amount
FROM payment WHERE (CAST(:month AS date) IS NULL OR month = :month) AND {BELOW}
GROUP BY programme, partner, channel, status ORDER BY programme, partner, channel, status
"""

# A path names a unit as of a date; codes are re-used by later units with other names.
_NAMES: Final = """
SELECT DISTINCT ON (path) path, name, code FROM unit
WHERE path = ANY(:paths)
ORDER BY path, (valid_from <= CAST(:day AS date) AND (valid_to IS NULL OR valid_to >= CAST(:day AS date))) DESC, valid_from DESC
"""


async def coverage(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Counts and sums per programme and next lower unit, with totals (see `all_programmes`, `all_units`)."""
    return await tx.rows(_COVERAGE, month=month, depth=unit_path.count("/") + 2, **below(unit_path))


async def channels(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """People and đồng by programme and channel: on the list, and paid."""
    return await tx.rows(_CHANNELS, month=month, **below(unit_path))


async def outcomes(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Everybody not paid and not on the way, by state and reason."""
    return await tx.rows(_OUTCOMES, month=month, **below(unit_path))


async def states(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Everybody due, by state: the sum over states is everybody."""
    return await tx.rows(_STATES, month=month, **below(unit_path))


async def payment_totals(tx: Tx, month: date | None, unit_path: str) -> Sequence[RowMapping]:
    """Payments and đồng by programme, partner, channel and status; all months when `month` is None."""
    return await tx.rows(_TOTALS, month=month, **below(unit_path))


async def unit_names(tx: Tx, paths: Sequence[str], day: date) -> dict[str, str]:
    """Path → name as of a day; a unit nobody told us of is missing."""
    rows = await tx.rows(_NAMES, paths=list(paths), day=day)
    return {row["path"]: row["name"] for row in rows}
