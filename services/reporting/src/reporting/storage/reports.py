"""The figures: coverage, channels, outcomes, totals. One statement each over the sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.indicators import CAMPAIGN
from reporting.storage.contributions import EVERYBODY
from reporting.storage.unit_sums import place, summed

__all__ = ["channels", "coverage", "outcomes", "payment_totals", "states", "unit_names"]

# All from the sums (storage.contributions says what each measure counts): a few index ranges, whatever the number of payments.
_OF_COVERAGE: Final = summed(
    "month_sum", "CHILDREN", "programme, measure, people, dong",
    "month = :month AND measure IN ('due', 'by_account', 'paid') AND (people <> 0 OR payments <> 0)",
)  # fmt: skip


def _counted(column: str, condition: str, *, once: str = "NOT once") -> str:
    """A programme by itself, or over all programmes those that pay every month."""
    return (
        f"coalesce(CASE WHEN grouping(programme) = 1 THEN sum({column}) FILTER (WHERE {condition} AND monthly AND {once})"
        f" ELSE sum({column}) FILTER (WHERE {condition}) END, 0)::bigint"
    )


_COVERAGE: Final = f"""
SELECT programme, segment, grouping(programme) AS all_programmes, grouping(segment) AS all_units,
       {_counted("people", "measure = 'due'")} AS total_people,
       {_counted("people", "measure = 'due'", once="once")} AS distinct_people,
       {_counted("people", "measure = 'by_account'")} AS paid_by_account_people,
       {_counted("dong", "measure = 'by_account'")} AS amount_paid_by_account,
       {_counted("dong", "measure = 'paid'")} AS amount_paid_total
FROM (
    SELECT programme, programme = '{EVERYBODY}' AS once, programme <> '{CAMPAIGN}' AS monthly,
           split_part(segment, '/', :depth) AS segment, measure, people, dong
    FROM ({_OF_COVERAGE}) AS c
) AS s
GROUP BY GROUPING SETS ((programme, segment), (programme), (segment), ())
HAVING grouping(programme) = 1 OR programme <> '{EVERYBODY}'
ORDER BY all_programmes, programme, all_units, segment
"""


def _of_unit(where: str) -> str:
    return f"({summed('month_sum', 'NONE', 'programme, measure, people, dong, payments', where)}) AS s"


_CHANNELS: Final = f"""
SELECT programme, split_part(measure, ':', 2) AS channel,
       coalesce(sum(people) FILTER (WHERE measure LIKE 'channel:%'), 0)::bigint AS people,
       coalesce(sum(payments) FILTER (WHERE measure LIKE 'channel:%'), 0)::bigint AS payments,
       coalesce(sum(dong) FILTER (WHERE measure LIKE 'channel:%'), 0)::bigint AS amount,
       coalesce(sum(people) FILTER (WHERE measure LIKE 'channel_paid:%'), 0)::bigint AS paid_people,
       coalesce(sum(dong) FILTER (WHERE measure LIKE 'channel_paid:%'), 0)::bigint AS paid_amount
FROM {_of_unit(f"month = :month AND measure LIKE 'channel%' AND programme <> '{EVERYBODY}'")}
GROUP BY programme, channel HAVING sum(payments) > 0 ORDER BY programme, channel
"""

_OUTCOMES: Final = f"""
SELECT split_part(measure, ':', 2) AS state, programme, nullif(regexp_replace(measure, '^([^:]*:){{3}}', ''), '') AS reason,
       nullif(max(split_part(measure, ':', 3)), '') AS actor, sum(people)::bigint AS people, sum(dong)::bigint AS amount
FROM {_of_unit(f"month = :month AND measure LIKE 'reason:%' AND programme <> '{EVERYBODY}'")}
GROUP BY 1, 2, 3 HAVING sum(payments) > 0 ORDER BY state, programme, reason
"""

_STATES: Final = f"""
SELECT split_part(measure, ':', 2) AS state, programme, sum(people)::bigint AS people, sum(dong)::bigint AS amount
FROM {_of_unit(f"month = :month AND measure LIKE 'state:%' AND programme <> '{EVERYBODY}'")}
GROUP BY 1, 2 HAVING sum(payments) > 0 ORDER BY state, programme
"""

# Every payment ever heard of, each attempt by itself: what the ledger must equal.
_TOTALS: Final = f"""
SELECT programme, split_part(measure, ':', 2) AS partner, split_part(measure, ':', 3) AS channel, split_part(measure, ':', 4) AS status,
       sum(payments)::bigint AS payments, sum(dong)::bigint AS amount
FROM {_of_unit("(CAST(:month AS date) IS NULL OR month = :month) AND measure LIKE 'attempt:%'")}
GROUP BY 1, 2, 3, 4 HAVING sum(payments) > 0 ORDER BY programme, partner, channel, status
"""

# A path names a unit as of a date; codes are re-used by later units with other names.
_NAMES: Final = """
SELECT DISTINCT ON (path) path, name, code FROM unit
WHERE path = ANY(:paths)
ORDER BY path, (valid_from <= CAST(:day AS date) AND (valid_to IS NULL OR valid_to >= CAST(:day AS date))) DESC, valid_from DESC
"""


async def coverage(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Counts and sums per programme and next lower unit, with totals (see `all_programmes`, `all_units`)."""
    return await tx.rows(_COVERAGE, month=month, depth=unit_path.count("/") + 2, **place(unit_path, "CHILDREN"))


async def channels(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """People and đồng by programme and channel: on the list, and paid."""
    return await tx.rows(_CHANNELS, month=month, **place(unit_path, "NONE"))


async def outcomes(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Everybody not paid and not on the way, by state and reason."""
    return await tx.rows(_OUTCOMES, month=month, **place(unit_path, "NONE"))


async def states(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Everybody due, by state: the sum over states is everybody."""
    return await tx.rows(_STATES, month=month, **place(unit_path, "NONE"))


async def payment_totals(tx: Tx, month: date | None, unit_path: str) -> Sequence[RowMapping]:
    """Payments and đồng by programme, partner, channel and status; all months when `month` is None."""
    return await tx.rows(_TOTALS, month=month, **place(unit_path, "NONE"))


async def unit_names(tx: Tx, paths: Sequence[str], day: date) -> dict[str, str]:
    """Path → name as of a day; a unit nobody told us of is missing."""
    rows = await tx.rows(_NAMES, paths=list(paths), day=day)
    return {row["path"]: row["name"] for row in rows}
