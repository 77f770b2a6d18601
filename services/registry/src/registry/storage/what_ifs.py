"""What a draft of the law would change, by unit, programme, line and month: computed by the engine, kept beside the live dues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import dues

__all__ = ["By", "add_batch", "create", "finish", "latest", "lines", "people", "start"]

By = Literal["programme", "line", "month", "province", "district", "commune"]

_DATES: Final = """
SELECT greatest(CAST(:as_of AS date), s.computed_on) AS as_of, array_agg(x.person_id) AS ids
FROM unnest(CAST(:ids AS uuid[])) AS x(person_id) LEFT JOIN dues_state s USING (person_id) GROUP BY 1
"""
_KEY: Final = "person_id, programme, funding_source, benefit_line, from_month, until, amount, status"

# Lines of which anything differs, by month. Months beyond the horizon are not said; those far back are.
_COUNT: Final = f"""
WITH changed AS MATERIALIZED (
    SELECT person_id, programme, funding_source, benefit_line FROM (
        (SELECT {_KEY} FROM due_before EXCEPT SELECT {_KEY} FROM due_now)
        UNION ALL (SELECT {_KEY} FROM due_now EXCEPT SELECT {_KEY} FROM due_before)
    ) AS x GROUP BY 1, 2, 3, 4
), cells AS (
    SELECT c.person_id, c.programme, c.funding_source, c.benefit_line, m.month, m.before, m.after, m.lost, m.lacks
    FROM changed c
    CROSS JOIN LATERAL (
        SELECT y.month, sum(y.before) AS before, sum(y.after) AS after, sum(y.lost) AS lost, sum(y.lacks) AS lacks
        FROM (
            SELECT n AS month, b.amount AS before, 0 AS after, CAST(b.status = 'RATE_MISSING' AS integer) AS lost, 0 AS lacks
            FROM due_before b, generate_series(month_no(b.from_month), least(month_no(b.until), :last + 1) - 1) AS n
            WHERE (b.person_id, b.programme, b.funding_source, b.benefit_line)
                = (c.person_id, c.programme, c.funding_source, c.benefit_line)
            UNION ALL
            SELECT n, 0, a.amount, 0, CAST(a.status = 'RATE_MISSING' AS integer)
            FROM due_now a, generate_series(month_no(a.from_month), least(month_no(a.until), :last + 1) - 1) AS n
            WHERE (a.person_id, a.programme, a.funding_source, a.benefit_line)
                = (c.person_id, c.programme, c.funding_source, c.benefit_line)
        ) AS y GROUP BY y.month
    ) AS m
    WHERE m.before <> m.after OR m.lost <> m.lacks
), placed AS MATERIALIZED (SELECT c.*, p.unit_path FROM cells c JOIN person p USING (person_id)),
lines AS (
    INSERT INTO law_what_if_line AS t (what_if_id, run, unit_path, programme, funding_source, benefit_line, month, people, amount_before,
                                       amount_after, missing_before, missing_after)
    SELECT :what_if, :run, unit_path, programme, funding_source, benefit_line, month_of(month), count(*), sum(before), sum(after),
           sum(lost), sum(lacks)
    FROM placed GROUP BY unit_path, programme, funding_source, benefit_line, month
    ON CONFLICT (what_if_id, run, unit_path, programme, funding_source, benefit_line, month) DO UPDATE SET
        people = t.people + excluded.people, amount_before = t.amount_before + excluded.amount_before,
        amount_after = t.amount_after + excluded.amount_after, missing_before = t.missing_before + excluded.missing_before,
        missing_after = t.missing_after + excluded.missing_after
), each AS (
    SELECT person_id, unit_path, coalesce(programme, '') AS programme, coalesce(funding_source, '') AS funding_source,
           coalesce(benefit_line, '') AS benefit_line, sum(after - before) AS more
    FROM placed GROUP BY GROUPING SETS ((person_id, unit_path), (person_id, unit_path, programme),
                                        (person_id, unit_path, programme, funding_source, benefit_line))
)
INSERT INTO law_what_if_people AS t (what_if_id, run, unit_path, programme, funding_source, benefit_line, people, gaining, losing)
SELECT :what_if, :run, unit_path, programme, funding_source, benefit_line, count(*), count(*) FILTER (WHERE more > 0),
       count(*) FILTER (WHERE more < 0)
FROM each GROUP BY unit_path, programme, funding_source, benefit_line
ON CONFLICT (what_if_id, run, unit_path, programme, funding_source, benefit_line) DO UPDATE SET
    people = t.people + excluded.people, gaining = t.gaining + excluded.gaining, losing = t.losing + excluded.losing
"""
_OUT_OF_DATE: Final = f"""
SELECT count(DISTINCT person_id) FROM (
    (SELECT {_KEY} FROM due_before EXCEPT SELECT {_KEY} FROM due_interval WHERE person_id = ANY(CAST(:ids AS uuid[])))
    UNION ALL
    (SELECT {_KEY} FROM due_interval WHERE person_id = ANY(CAST(:ids AS uuid[])) EXCEPT SELECT {_KEY} FROM due_before)
) AS x
"""


async def create(tx: Tx, what_if_id: UUID, change: Any, business_date: date, until_month: date, by: str) -> None:
    """Note a what-if that is asked for."""
    await tx.execute(
        "INSERT INTO law_what_if (what_if_id, change_id, change_version, business_date, until_month, requested_by)"
        " VALUES (:id, :change, :version, :on, :until, :by)",
        id=what_if_id, change=change["change_id"], version=change["version"], on=business_date, until=until_month, by=by,
    )  # fmt: skip


async def start(tx: Tx, what_if_id: UUID, run: int) -> Any | None:
    """The what-if; what an earlier run of it left is taken away."""
    for table in ("law_what_if_line", "law_what_if_people"):
        await tx.execute(f"DELETE FROM {table} WHERE what_if_id = :id AND run <= :run", id=what_if_id, run=run)
    return await tx.row("SELECT * FROM law_what_if WHERE what_if_id = :id", id=what_if_id)


async def add_batch(tx: Tx, row: Any, run: int, ids: Sequence[UUID]) -> int:
    """Compute these people without and with the draft and add up the differences; how many stand otherwise than they would be computed.

    Writes to the what-if's own tables only. A person is in one batch, so that people may be added up.
    """
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    out_of_date = 0
    for group in await tx.rows(_DATES, ids=list(ids), as_of=row["business_date"]):
        await dues.derive(tx, group["ids"], group["as_of"])
        await tx.execute("DROP TABLE IF EXISTS due_before")
        await tx.execute("CREATE TEMP TABLE due_before ON COMMIT DROP AS SELECT * FROM due_now")
        out_of_date += int(await tx.value(_OUT_OF_DATE, ids=group["ids"]))
        await dues.derive(tx, group["ids"], group["as_of"], row["change_id"])
        for table in ("due_before", "due_now"):
            await tx.execute(f"CREATE INDEX IF NOT EXISTS {table}_person ON {table} (person_id)")
            await tx.execute(f"ANALYZE {table}")
        await tx.execute(
            _COUNT, what_if=row["what_if_id"], run=run, last=row["until_month"].year * 12 + row["until_month"].month - 1
        )  # fmt: skip
    return out_of_date


async def finish(tx: Tx, what_if_id: UUID, run: int, out_of_date: int) -> int:
    """Say that a run is whole; how many people the draft would touch."""
    people_ = await tx.value(
        "UPDATE law_what_if w SET run = :run, finished_at = now(), out_of_date = :stale, people = (SELECT coalesce(sum(p.people), 0)"
        " FROM law_what_if_people p WHERE p.what_if_id = w.what_if_id AND p.run = :run AND p.programme = '') WHERE w.what_if_id = :id"
        " RETURNING w.people",
        id=what_if_id, run=run, stale=out_of_date,
    )  # fmt: skip
    return int(people_)


async def latest(tx: Tx, change_id: UUID, version: int | None = None) -> Any | None:
    """The last finished what-if of a change (of that version, when given), or None."""
    return await tx.row(
        "SELECT * FROM law_what_if WHERE change_id = :id AND finished_at IS NOT NULL"
        " AND (CAST(:version AS bigint) IS NULL OR change_version = :version) ORDER BY requested_at DESC LIMIT 1",
        id=change_id, version=version,
    )  # fmt: skip


# What one row of the answer is about. Units of two levels (since July 2025) have no district: their communes stay by themselves.
_GROUPS: Final[dict[str, str]] = {
    "programme": "x.programme",
    "line": "concat_ws(' ', x.programme, x.funding_source, x.benefit_line)",
    "month": "to_char(x.month, 'YYYY-MM')",
    "province": "split_part(x.unit_path, '/', 1)",
    "district": "substring(x.unit_path from '^[^/]*(?:/[^/]*)?')",
    "commune": "x.unit_path",
}
_SUMS: Final = """
    SELECT {keys}, CAST(sum(x.people) AS bigint) AS line_months,
           CAST(sum(x.amount_before) AS bigint) AS amount_before, CAST(sum(x.amount_after) AS bigint) AS amount_after,
           CAST(coalesce(sum(x.amount_after - x.amount_before) FILTER (WHERE x.month < m.month), 0) AS bigint) AS arrears,
           CAST(coalesce(sum(x.amount_after - x.amount_before) FILTER (WHERE x.month = m.month), 0) AS bigint) AS of_the_month,
           CAST(coalesce(sum(x.amount_after - x.amount_before) FILTER (WHERE x.month > m.month), 0) AS bigint) AS ahead,
           CAST(sum(x.missing_before) AS bigint) AS missing_before, CAST(sum(x.missing_after) AS bigint) AS missing_after
    FROM law_what_if_line x, (SELECT CAST(date_trunc('month', CAST(:on AS date)) AS date) AS month) AS m
    WHERE x.what_if_id = :id AND x.run = :run AND (CAST(:programme AS text) IS NULL OR x.programme = :programme) AND {scope}
    GROUP BY {numbers}
"""


async def lines(tx: Tx, actor: Actor, row: Any, by: Sequence[str], programme: str | None, offset: int, limit: int) -> Sequence[Any]:
    """Sums in the caller's area by one or more views (:data:`By`), keys `k0`, `k1` … in their order.

    `of_the_month`: the difference of the business month; `arrears`: of all months before it; `ahead`: of those after it. `people`
    counts each person once, except by month, where it counts lines (a person with two lines stands twice).
    """
    scope, params = actor.scope_sql("x.unit_path")
    span = range(len(by))
    sums = _SUMS.format(
        keys=", ".join(f"{_GROUPS[name]} AS k{n}" for n, name in enumerate(by)), scope=scope, numbers=", ".join(str(n + 1) for n in span)
    )
    order = ", ".join(f"s.k{n}" for n in span)
    if "month" in by:
        sql = f"SELECT s.*, s.line_months AS people FROM ({sums}) AS s"
    else:
        grain = (
            "x.benefit_line <> ''" if "line" in by
            else "x.benefit_line = '' AND x.programme <> ''" if programme or "programme" in by else "x.programme = ''"
        )  # fmt: skip
        same = " AND ".join(f"{_GROUPS[name]} = s.k{n}" for n, name in enumerate(by))
        sql = (
            f"SELECT s.*, (SELECT CAST(sum(x.people) AS bigint) FROM law_what_if_people x WHERE x.what_if_id = :id AND x.run = :run"
            f" AND {grain} AND (CAST(:programme AS text) IS NULL OR x.programme = :programme) AND {scope} AND {same}) AS people"
            f" FROM ({sums}) AS s"
        )
    return await tx.rows(
        f"{sql} ORDER BY {order} OFFSET :offset LIMIT :limit",
        id=row["what_if_id"], run=row["run"], on=row["business_date"], programme=programme, offset=offset, limit=limit, **params,
    )  # fmt: skip


async def people(tx: Tx, actor: Actor, row: Any) -> Sequence[Any]:
    """How many people of the caller's area the draft touches, each counted once: in all (programme '') and by programme."""
    scope, params = actor.scope_sql("x.unit_path")
    return await tx.rows(
        "SELECT x.programme, CAST(sum(x.people) AS bigint) AS people, CAST(sum(x.gaining) AS bigint) AS gaining,"
        " CAST(sum(x.losing) AS bigint) AS losing FROM law_what_if_people x WHERE x.what_if_id = :id AND x.run = :run"
        f" AND x.benefit_line = '' AND {scope} GROUP BY 1 ORDER BY 1",
        id=row["what_if_id"], run=row["run"], **params,
    )  # fmt: skip
