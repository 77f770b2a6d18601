"""Figures of statutory reports that are no indicators: what decisions in force owe, money still to recover, units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.unit_trees import KnownUnit
from reporting.storage.lines import BELOW, below

__all__ = ["dues", "recoveries", "trees", "unit_name"]

# The dues of each person as last told up to a number of the log. A month without a loaded rate is counted, never guessed.
_DUES: Final = f"""
WITH told AS (
    SELECT DISTINCT ON (key) key AS beneficiary_id, body ->> 'unit_path' AS unit_path, body -> 'lines' AS lines
    FROM event_log WHERE type = 'DuesChanged' AND seq <= :seq ORDER BY key, CAST(body ->> 'version' AS bigint) DESC
),
owed AS (
    SELECT beneficiary_id, split_part(unit_path, '/', :depth) AS segment, x.programme, x.funding_source || '/' || x.benefit_line AS line,
           CAST(i.amount AS bigint) AS amount, i.status,
           greatest(CAST(i.from_month || '-01' AS date), :first) AS a, least(coalesce(CAST(i.to_month || '-01' AS date), :last), :last) AS b
    FROM (SELECT * FROM told WHERE {BELOW}) AS t
    CROSS JOIN LATERAL jsonb_to_recordset(t.lines) AS x (programme text, funding_source text, benefit_line text, intervals jsonb)
    CROSS JOIN LATERAL jsonb_to_recordset(x.intervals) AS i (from_month text, to_month text, amount bigint, status text)
),
within AS (
    SELECT *, (extract(year FROM b) - extract(year FROM a)) * 12 + extract(month FROM b) - extract(month FROM a) + 1 AS months
    FROM owed WHERE a <= b
)
SELECT programme, segment, grouping(programme) AS all_programmes, grouping(segment) AS all_units,
       count(DISTINCT beneficiary_id) AS people, count(DISTINCT (beneficiary_id, line)) AS lines,
       coalesce(sum(amount) FILTER (WHERE a = :first AND status = 'DUE'), 0)::bigint AS first_month_dong,
       coalesce(sum(amount * months) FILTER (WHERE status = 'DUE'), 0)::bigint AS period_dong,
       count(DISTINCT (beneficiary_id, line)) FILTER (WHERE status <> 'DUE') AS rate_missing_lines
FROM within GROUP BY GROUPING SETS ((programme, segment), (programme), (segment), ())
ORDER BY all_programmes, programme, all_units DESC, segment
"""

_RECOVERIES: Final = f"""
SELECT programme, unit_path, count(DISTINCT beneficiary_id) AS people, sum(amount)::bigint AS dong
FROM recovery WHERE amount > 0 AND {BELOW} GROUP BY programme, unit_path
"""

_TREES: Final = """
WITH pair AS (
    SELECT DISTINCT split_part(u.path, '/', 1) AS now, split_part(o.path, '/', 1) AS before
    FROM unit AS u CROSS JOIN LATERAL jsonb_to_recordset(u.formed_from) AS o (path text)
),
concerned AS (
    SELECT :province AS code UNION SELECT now FROM pair WHERE before = :province UNION SELECT before FROM pair WHERE now = :province
    UNION SELECT p.before FROM pair AS p JOIN pair AS q ON q.now = p.now WHERE q.before = :province
)
SELECT u.unit_id, u.path, u.name, u.valid_from, u.valid_to, u.formed_from
FROM unit AS u WHERE split_part(u.path, '/', 1) IN (SELECT code FROM concerned) ORDER BY u.path, u.valid_from
"""


async def dues(tx: Tx, first: date, last: date, unit_path: str, seq: int) -> Sequence[RowMapping]:
    """Per programme and next lower unit what the decisions in force owe from one month to another, as told up to a number of the log."""
    return await tx.rows(_DUES, first=first, last=last, seq=seq, depth=unit_path.count("/") + 2, **below(unit_path))


async def recoveries(tx: Tx, unit_path: str) -> Sequence[RowMapping]:
    """Per programme and unit the people who were paid too much, and what is still to come back."""
    return await tx.rows(_RECOVERIES, **below(unit_path))


async def trees(tx: Tx, unit_path: str) -> list[KnownUnit]:
    """The units of all days of the province a path lies in, and of those it was made from or became."""
    rows = await tx.rows(_TREES, province=unit_path.split("/", 1)[0])
    return [
        KnownUnit(
            row["unit_id"], row["path"], row["name"], row["valid_from"], row["valid_to"],
            tuple((UUID(origin["unit_id"]), origin["kind"] == "WHOLE") for origin in row["formed_from"] or ()),
        )
        for row in rows
    ]  # fmt: skip


async def unit_name(tx: Tx, path: str, day: date) -> str | None:
    """The name a path had on a day."""
    name: str | None = await tx.value(
        "SELECT name FROM unit WHERE path = :path AND valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)", path=path, day=day
    )
    return name
