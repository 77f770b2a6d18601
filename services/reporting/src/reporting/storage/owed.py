"""What decisions in force will owe, year by year, kept as changes from one year to the next: the estimates are sums over them.

A decision without an end owes for ever, so a sum per year would have no end either. What a person's dues add to a year (people, benefit
lines, lines whose rate is missing, đồng of the year, đồng of its January) changes in few years only: where an interval of months begins or
ends, and in the year after. So `owed_change` holds the changes, and the changes up to a year are that year's estimate. Kept exact like the
other sums (`storage.sums`): what a person's dues added before a batch is taken off, what they add after it is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.unit_sums import Beside, place, summed

__all__ = ["OWED_SUMS", "dues", "owed"]

OWED_SUMS: Final = "month, unit_path, programme, measure, people, lines, dong"


def _months(year: str) -> str:
    """How many months of a year an interval holds."""
    until, since = f"CASE WHEN {year} = last THEN until ELSE 12 END", f"CASE WHEN {year} = first THEN since ELSE 1 END"
    return f"CASE WHEN {year} < first OR {year} > last THEN 0 ELSE {until} - {since} + 1 END"


def _january(year: str) -> str:
    return f"CASE WHEN ({year} > first OR {year} = first AND since = 1) AND {year} <= coalesce(last, {year}) THEN 1 ELSE 0 END"


def _spans(measure: str, who: str, counted: str, where: str = "TRUE") -> str:
    """One more from the year in which something begins to be owed, one less after the year in which it ends, for each of `who`."""
    people, lines = ("1", "0") if counted == "people" else ("0", "1")
    return f"""
    SELECT make_date(y, 1, 1) AS month, unit_path, programme, '{measure}' AS measure, sign * {people} AS people, sign * {lines} AS lines,
           0 AS dong
    FROM (
        SELECT unit_path, programme, unnest(range_agg(int4range(first, last + 1))) AS span
        FROM due WHERE {where} GROUP BY beneficiary_id, unit_path, programme{who}
    ) AS s CROSS JOIN LATERAL (VALUES (lower(span), 1), (upper(span), -1)) AS c (y, sign) WHERE y IS NOT NULL
    """


def owed(where: str = "TRUE", prefix: str = "") -> str:
    """SQL: the columns :data:`OWED_SUMS` of some people (`month` is January of a year); `where` chooses rows of `dues AS d`."""
    return f"""
    WITH due AS MATERIALIZED (
        SELECT d.beneficiary_id, d.unit_path, x.programme, x.funding_source || '/' || x.benefit_line AS line, i.status, i.amount,
               CAST(left(i.from_month, 4) AS int) AS first, CAST(right(i.from_month, 2) AS int) AS since,
               CAST(left(i.to_month, 4) AS int) AS last, CAST(right(i.to_month, 2) AS int) AS until
        FROM {prefix}dues AS d
        CROSS JOIN LATERAL jsonb_to_recordset(d.lines) AS x (programme text, funding_source text, benefit_line text, intervals jsonb)
        CROSS JOIN LATERAL jsonb_to_recordset(x.intervals) AS i (from_month text, to_month text, amount bigint, status text)
        WHERE (i.to_month IS NULL OR i.to_month >= i.from_month) AND {where}
    ),
    changed AS (
        SELECT unit_path, programme, amount, y, {_months("y")} - ({_months("y - 1")}) AS months,
               {_january("y")} - ({_january("y - 1")}) AS january
        FROM due CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[first, first + 1, last, last + 1]) AS y) AS year
        WHERE status = 'DUE' AND y IS NOT NULL
    )
    {_spans("owed", "", "people")} UNION ALL {_spans("owed", ", line", "lines")}
    UNION ALL {_spans("rate_missing", ", line", "lines", "status <> 'DUE'")}
    UNION ALL SELECT make_date(y, 1, 1), unit_path, programme, 'owed', 0, 0, amount * months FROM changed
    UNION ALL SELECT make_date(y, 1, 1), unit_path, programme, 'january', 0, 0, amount * january FROM changed
    """


def _dues(beside: Beside) -> str:
    rows = summed("owed_change", beside, "programme, measure, people, lines, dong", "month <= :month")
    return f"""
    SELECT programme, segment, grouping(segment) AS all_units,
           coalesce(sum(people) FILTER (WHERE measure = 'owed'), 0)::bigint AS people,
           coalesce(sum(lines) FILTER (WHERE measure = 'owed'), 0)::bigint AS lines,
           coalesce(sum(dong) FILTER (WHERE measure = 'january'), 0)::bigint AS first_month_dong,
           coalesce(sum(dong) FILTER (WHERE measure = 'owed'), 0)::bigint AS period_dong,
           coalesce(sum(lines) FILTER (WHERE measure = 'rate_missing'), 0)::bigint AS rate_missing_lines
    FROM ({rows}) AS s
    GROUP BY GROUPING SETS ((programme, segment), (programme)) HAVING sum(lines) FILTER (WHERE measure = 'owed') <> 0
    ORDER BY programme, all_units DESC, segment
    """


async def dues(tx: Tx, january: date, unit_path: str, beside: Beside = "CHILDREN") -> Sequence[RowMapping]:
    """Per programme and unit below (`segment`: its path, '' for what lies in the unit itself) what a year's decisions owe."""
    return await tx.rows(_dues(beside), month=january, **place(unit_path, beside))
