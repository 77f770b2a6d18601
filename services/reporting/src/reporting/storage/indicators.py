"""Read the sums: a few index ranges per question, whatever the number of payments and communes behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.indicators import YEAR_PEOPLE_COLUMNS
from reporting.storage.contributions import EVERYBODY, ROLLED
from reporting.storage.lines import BELOW, below
from reporting.storage.merged import TWICE
from reporting.storage.unit_sums import place, summed

__all__ = ["Below", "month_sums", "standing_sums", "starts", "tree"]

Below = Literal["NONE", "CHILDREN", "COMMUNES"]

_IN_PERIOD: Final = (
    "month BETWEEN :first AND :last AND (measure = ANY(:measures) OR measure LIKE 'reason:HELD:%')"
    " AND (measure <> 'overdue' OR month <= :overdue_until) AND (people <> 0 OR payments <> 0)"
)
# Of the whole year only what has a sum of the year: the same words as in the partial index `month_sum_yearly`.
_YEARLY: Final = ", ".join(f"'{stem}', 'year:{stem}'" for stem in YEAR_PEOPLE_COLUMNS)
_IN_YEAR: Final = (
    f"month BETWEEN :january AND :last AND measure IN ({_YEARLY}) AND measure = ANY(:yearly) AND (people <> 0 OR payments <> 0)"
)

# Who was counted in them once for each of several files: the same words as in the partial indexes `month_sum_twice` and
# `month_sum_above_twice`.
_TWICE: Final = f"month BETWEEN :january AND :last AND measure LIKE '{TWICE}%' AND people <> 0"
_COUNTED: Final = f"substr(measure, {len(TWICE) + 1})"


# What a later list of the period took over, or a later day paid: taken off. Overdue it stays until that list's own day has come.
_BARE: Final = f"substr(measure, {len(ROLLED) + 9})"
_ROLLED: Final = (
    f"month BETWEEN :first AND :last AND measure LIKE '{ROLLED}%' AND ({_BARE} = ANY(:measures) OR {_BARE} LIKE 'reason:HELD:%')"
    f" AND substr(measure, {len(ROLLED) + 1}, 7) <= CASE WHEN {_BARE} = 'overdue' THEN least(:rolled_until, :overdue_month)"
    " ELSE :rolled_until END AND (people <> 0 OR payments <> 0)"
)


def _months(beside: Below, *, yearly: bool, by_file: bool) -> str:
    rows = summed("month_sum", beside, "programme, measure, people, lines, dong, 0 AS year_people, 0 AS year_dong", _IN_PERIOD)
    rows += " UNION ALL " + summed("month_sum", beside, f"programme, {_BARE}, -people, -lines, -dong, 0, 0", _ROLLED)
    if yearly:
        rows += " UNION ALL " + summed("month_sum", beside, "programme, measure, 0, 0, 0, people, dong", _IN_YEAR)
    if yearly and not by_file:
        rows += " UNION ALL " + summed("month_sum", beside, f"programme, {_COUNTED}, 0, 0, 0, -people, 0", _TWICE)
    return f"""
    SELECT programme, segment, jsonb_object_agg(measure, jsonb_build_array(people, lines, dong, year_people, year_dong)) AS sums
    FROM (
        SELECT programme, segment, measure, sum(people) AS people, sum(lines) AS lines, sum(dong) AS dong,
               sum(year_people) AS year_people, sum(year_dong) AS year_dong
        FROM ({rows}) AS p GROUP BY 1, 2, 3
    ) AS s GROUP BY programme, segment
    """


def _standing(beside: Below) -> str:
    where = "month <= :last AND measure = ANY(:measures) AND people <> 0"
    return f"""
    SELECT programme, segment, jsonb_object_agg(measure, people) AS sums
    FROM (
        SELECT programme, segment, measure, sum(people) AS people
        FROM ({summed("standing_change", beside, "programme, measure, people", where)}) AS c GROUP BY 1, 2, 3
    ) AS s GROUP BY programme, segment
    """


# The unit beside the total to which a commune belongs: '' when it belongs to the total alone.
_SEGMENT: Final = {
    "NONE": "''",
    "CHILDREN": "CASE WHEN unit_path = :unit_from THEN '' ELSE :unit_from || '/' || split_part(unit_path, '/', :depth) END",
    "COMMUNES": "CASE WHEN unit_path = :unit_from THEN '' ELSE unit_path END",
}

# By commune: whether somebody was due in the period, and the first month paid by account (see `starts`). `lineage`: each commune with
# itself and all it was formed from, wherever those lay; `UNION` ends it where two exchanged ground under the same paths.
_ON_THE_LAST_DAY: Final = (
    "u.valid_from < CAST(:last AS date) + interval '1 month'"
    " AND (u.valid_to IS NULL OR u.valid_to >= CAST(:last AS date) + interval '1 month' - interval '1 day')"
)
_BY_ACCOUNT: Final = f"measure = 'by_account' AND programme = '{EVERYBODY}' AND people > 0 AND month <= :last"
_STARTS: Final = f"""
WITH RECURSIVE due AS (
    SELECT DISTINCT unit_path FROM month_sum
    WHERE month BETWEEN :first AND :last AND programme = '{EVERYBODY}' AND measure = 'due' AND people > 0 AND {BELOW}
),
counted AS (
    SELECT unit_path FROM due UNION SELECT unit_path FROM month_sum WHERE {_BY_ACCOUNT} AND {BELOW}
),
lineage (unit_path, older) AS (
    SELECT unit_path, unit_path FROM counted
    UNION
    SELECT l.unit_path, o.path COLLATE "C"
    FROM lineage AS l JOIN unit AS u ON u.path = l.older AND u.valid_from < CAST(:last AS date) + interval '1 month'
    CROSS JOIN LATERAL jsonb_to_recordset(u.formed_from) AS o (path text)
),
started AS (
    SELECT l.unit_path, min(s.month) AS first_month
    FROM lineage AS l CROSS JOIN LATERAL (SELECT min(month) AS month FROM month_sum WHERE unit_path = l.older AND {_BY_ACCOUNT}) AS s
    GROUP BY l.unit_path
),
gone AS (
    SELECT DISTINCT older AS unit_path FROM lineage AS l
    WHERE older <> unit_path AND NOT EXISTS (SELECT FROM unit AS u WHERE u.path = l.older AND {_ON_THE_LAST_DAY})
)
SELECT segment, count(*) FILTER (WHERE is_due) AS communes_due, count(first_month) AS communes_started,
       count(*) FILTER (WHERE is_due AND (first_month IS NULL OR first_month > :start_by)) AS communes_late, min(first_month) AS first_month
FROM (
    SELECT {{segment}} AS segment, first_month, unit_path IN (SELECT unit_path FROM due) AS is_due
    FROM started WHERE unit_path NOT IN (SELECT unit_path FROM gone)
) AS s GROUP BY segment
"""

_TREE: Final = f"""
SELECT DISTINCT ON (path) path, code, name, level FROM (SELECT *, path AS unit_path FROM unit) AS u
WHERE {BELOW} AND valid_from <= CAST(:day AS date) AND (valid_to IS NULL OR valid_to >= CAST(:day AS date))
  AND (path = :unit_from OR CASE CAST(:below AS text)
         WHEN 'CHILDREN' THEN cardinality(string_to_array(path, '/')) = :depth
         WHEN 'COMMUNES' THEN level = 'commune' ELSE FALSE END)
ORDER BY path, valid_from DESC
"""


def _in(unit_path: str, kind: Below) -> dict[str, object]:
    depth = {"depth": unit_path.count("/") + 2} if kind == "CHILDREN" else {}
    return below(unit_path) | depth


async def month_sums(
    tx: Tx,
    unit_path: str,
    kind: Below,
    first: date,
    last: date,
    *,
    measures: Sequence[str],
    yearly: Sequence[str],
    overdue_until: date,
    rolled_until: date,
    by_file: bool = False,
) -> Sequence[RowMapping]:
    """Per programme and unit: `sums`, measure → [people, lines, đồng, people of the year to date, đồng of the year to date].

    `measures`: stems of the period's months (people held by reason always come along); `yearly`: stems that also have a sum of the year.
    `rolled_until`: what a list up to this month took over from the months before it is told with that list alone.
    `by_file`: people of the year once for each of their files, though these were merged.
    """
    of_year = {"january": last.replace(month=1), "yearly": [*yearly, *(f"year:{stem}" for stem in yearly)]} if yearly else {}
    return await tx.rows(
        _months(kind, yearly=bool(yearly), by_file=by_file),
        first=first,
        last=last,
        measures=list(measures),
        overdue_until=overdue_until,
        overdue_month=overdue_until.strftime("%Y-%m"),
        rolled_until=rolled_until.strftime("%Y-%m"),
        **of_year,
        **place(unit_path, kind),
    )


async def standing_sums(tx: Tx, unit_path: str, kind: Below, last: date, measures: Sequence[str]) -> Sequence[RowMapping]:
    """Per programme and unit: `sums`, measure → people at the end of the month."""
    return await tx.rows(_standing(kind), last=last, measures=list(measures), **place(unit_path, kind))


async def starts(tx: Tx, unit_path: str, kind: Below, first: date, last: date, start_by: date) -> Sequence[RowMapping]:
    """Per unit: communes due, started and late, and the first month that was paid by account.

    A commune formed from others (Resolution 202/2025/QH15: since 1 July 2025 by new codes and paths) started when the first of those it
    was formed from did, wholly or in part, in whichever province they lay: its people were paid by account since then. A commune that
    ended is not counted beside one formed from it, only while none of these has a list or has paid by account. `start_by` is one day
    for the whole province: what single units had planned for themselves (`GO_LIVE` among the milestones) is measured there.
    """
    return await tx.rows(_STARTS.format(segment=_SEGMENT[kind]), first=first, last=last, start_by=start_by, **_in(unit_path, kind))


async def tree(tx: Tx, unit_path: str, kind: Below, day: date) -> Sequence[RowMapping]:
    """The unit and those that stand beside it, as of a day, in the order of their paths."""
    return await tx.rows(_TREE, day=day, below=kind, depth=unit_path.count("/") + 2, **below(unit_path))
