"""Figures of statutory reports that are no indicators: money still to recover, units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.unit_trees import KnownUnit
from reporting.storage.lines import BELOW, below
from reporting.storage.merged import of_person

__all__ = ["recovered", "recoveries", "trees", "unit_name"]

_RECOVERIES: Final = f"""
SELECT programme, unit_path, count(DISTINCT beneficiary_id) AS people, sum(amount)::bigint AS dong
FROM recovery WHERE amount > 0 AND {BELOW} GROUP BY programme, unit_path
"""

# A case by what was last told of it until a month; the path is meant as in the month of that word.
_UNTIL: Final = (
    "SELECT DISTINCT ON (recovery_id) * FROM recovery_month WHERE month <= CAST({month} AS date) ORDER BY recovery_id, version DESC"
)
_RECOVERED: Final = f"""
SELECT t.programme, t.unit_path, t.month, count(DISTINCT t.beneficiary_id) FILTER (WHERE t.rest > 0) AS people,
       sum(t.rest)::bigint AS dong, sum(t.recovered - coalesce(b.recovered, 0))::bigint AS recovered
FROM (
    SELECT *, CASE WHEN status IN ('REPAID', 'WAIVED', 'CANCELLED') THEN 0 ELSE amount END AS rest
    FROM ({_UNTIL.format(month=":last")}) AS u
) AS t LEFT JOIN ({_UNTIL.format(month=":before")}) AS b USING (recovery_id)
WHERE t.rest > 0 OR t.recovered <> coalesce(b.recovered, 0)
GROUP BY t.programme, t.unit_path, t.month
"""

# The same, and whoever still owes is one person of a unit and programme, whatever the cases and the files that were merged.
_RECOVERED_ONCE: Final = f"""
WITH RECURSIVE told AS (
    SELECT *, CASE WHEN status IN ('REPAID', 'WAIVED', 'CANCELLED') THEN 0 ELSE amount END AS rest
    FROM ({_UNTIL.format(month=":last")}) AS u
),
{of_person("SELECT DISTINCT beneficiary_id FROM told WHERE rest > 0")},
counted AS (
    SELECT t.*, t.rest > 0 AND row_number() OVER (
               PARTITION BY t.programme, t.unit_path, o.person, t.rest > 0 ORDER BY t.month DESC, t.recovery_id
           ) = 1 AS counts
    FROM told AS t LEFT JOIN of_person AS o ON o.file = t.beneficiary_id
)
SELECT t.programme, t.unit_path, t.month, count(*) FILTER (WHERE t.counts) AS people,
       sum(t.rest)::bigint AS dong, sum(t.recovered - coalesce(b.recovered, 0))::bigint AS recovered
FROM counted AS t LEFT JOIN ({_UNTIL.format(month=":before")}) AS b USING (recovery_id)
WHERE t.rest > 0 OR t.recovered <> coalesce(b.recovered, 0)
GROUP BY t.programme, t.unit_path, t.month
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


async def recoveries(tx: Tx, unit_path: str) -> Sequence[RowMapping]:
    """Per programme and unit the people who were paid too much, and what is still to come back."""
    return await tx.rows(_RECOVERIES, **below(unit_path))


async def recovered(tx: Tx, before: date, last: date, *, by_case: bool = False) -> Sequence[RowMapping]:
    """Of all units, per programme and path (as meant in `month`): what came back after the month `before` until `last`, what was left.

    `by_case`: people once for each month in which something was last told of a case of theirs, and for each file, as papers of before.
    """
    return await tx.rows(_RECOVERED if by_case else _RECOVERED_ONCE, before=before, last=last)


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
