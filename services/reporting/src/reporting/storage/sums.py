"""Keep the sums exact: what a batch's people and lines added before is taken off, what they add after it is added.

Before and after are the same SQL (`contributions`, `standing`) on the tables before and after the batch, so that replaced versions,
repeats and any order come out right; `rebuild` runs that SQL over everybody instead. One writer at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

from common.db import Tx
from reporting.storage.contributions import MONTH_SUMS, contributions
from reporting.storage.event_log import SeqRange
from reporting.storage.merged import MERGE_EVENTS, MERGED, TOUCHED_BY_LINES, TOUCHED_BY_MERGES, counted_twice
from reporting.storage.owed import OWED_SUMS, owed
from reporting.storage.standings import STANDING_SUMS, standing
from reporting.storage.unit_sums import ABOVE, above

__all__ = ["kept", "make_all"]

_LOCK: Final = 7_203_512
"""Writers of the sums go one after another: each must see what the one before made of the same person."""

_WORKING_TABLES: Final = """
CREATE TEMP TABLE IF NOT EXISTS touched_line (beneficiary_id uuid NOT NULL, month date NOT NULL, year date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched_person (beneficiary_id uuid NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched_owed (beneficiary_id uuid NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched_file (file uuid NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS month_delta (
    month date, unit_path text COLLATE "C", programme text, measure text, people bigint, lines bigint, dong bigint, payments bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS standing_delta (
    month date, unit_path text COLLATE "C", programme text, measure text, people bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS owed_delta (
    month date, unit_path text COLLATE "C", programme text, measure text, people bigint, lines bigint, dong bigint
) ON COMMIT DELETE ROWS
"""

# A payment may make good an earlier month (`months`), a list may take over what earlier ones could not pay, who is force majeure counts
# in every month of the person, and what is due says of which unpaid months nothing is due any more.
_TOUCHED_LINES: Final = """
INSERT INTO touched_line
SELECT DISTINCT beneficiary_id, month, CAST(date_trunc('year', month) AS date)
FROM (
    SELECT CAST(body ->> 'beneficiary_id' AS uuid) AS beneficiary_id, CAST(m.month || '-01' AS date) AS month
    FROM event_log CROSS JOIN LATERAL (
        SELECT body ->> 'month' AS month UNION SELECT jsonb_array_elements_text(body -> 'months')
    ) AS m
    WHERE seq BETWEEN :low AND :high AND type LIKE ANY(ARRAY['Payment%', 'CashCollected']) AND body ? 'beneficiary_id'
    UNION ALL
    SELECT w.beneficiary_id, w.month
    FROM (
        SELECT CAST(body ->> 'beneficiary_id' AS uuid) AS beneficiary_id, max(CAST((body ->> 'month') || '-01' AS date)) AS month
        FROM event_log
        WHERE seq BETWEEN :low AND :high AND type LIKE ANY(ARRAY['Payment%', 'CashCollected']) AND body ? 'beneficiary_id'
        GROUP BY 1
    ) AS l CROSS JOIN LATERAL (
        SELECT beneficiary_id, month FROM {prefix}payment AS p
        WHERE p.beneficiary_id = l.beneficiary_id AND p.month < l.month AND p.status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED')
        UNION SELECT beneficiary_id, month FROM {prefix}hold AS h WHERE h.beneficiary_id = l.beneficiary_id AND h.month < l.month
    ) AS w
    UNION ALL
    SELECT w.beneficiary_id, w.month
    FROM event_log AS l CROSS JOIN LATERAL (
        SELECT beneficiary_id, month FROM {prefix}payment AS p WHERE p.beneficiary_id = l.key
        UNION SELECT beneficiary_id, month FROM {prefix}hold AS h WHERE h.beneficiary_id = l.key
    ) AS w
    WHERE l.seq BETWEEN :low AND :high AND l.type = 'PreferenceRecorded'
    UNION ALL
    SELECT w.beneficiary_id, w.month
    FROM event_log AS l CROSS JOIN LATERAL (
        SELECT beneficiary_id, month FROM {prefix}payment AS p
        WHERE p.beneficiary_id = l.key AND p.status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED')
        UNION SELECT beneficiary_id, month FROM {prefix}hold AS h WHERE h.beneficiary_id = l.key
    ) AS w
    WHERE l.seq BETWEEN :low AND :high AND l.type = 'DuesChanged'
) AS t
"""

# The key of these events is the beneficiary, or the payee of an account: then everybody who is paid through that payee.
_TOUCHED_PEOPLE: Final = """
INSERT INTO touched_person
SELECT DISTINCT beneficiary_id FROM (
    SELECT CASE WHEN type = 'AccountOpeningChanged' THEN coalesce(CAST(body ->> 'beneficiary_id' AS uuid), key) ELSE key END
           AS beneficiary_id
    FROM event_log WHERE seq BETWEEN :low AND :high AND type = ANY(:types)
    UNION ALL
    SELECT m.beneficiary_id FROM event_log AS l JOIN {prefix}payout_method_month AS m ON m.payee_id = l.key
    WHERE l.seq BETWEEN :low AND :high AND l.type = ANY(:accounts)
) AS t
"""
_LINE_EVENTS: Final = ("Payment", "CashCollected", "PreferenceRecorded", "DuesChanged")
_ACCOUNT_EVENTS: Final = ("AccountLinked", "AccountRejected", "AccountClosed")
_PEOPLE_EVENTS: Final = (
    "BeneficiaryRegistered", "BeneficiaryUpdated", "BeneficiaryMoved", "BeneficiaryDeceased", "PreferenceRecorded",
    "BeneficiaryVerified", "BeneficiaryVerificationFailed", "BeneficiaryFoundDeceased", "PayoutMethodChosen",
    "AccountOpeningChanged", *_ACCOUNT_EVENTS,
)  # fmt: skip

_TOUCHED_OWED: Final = (
    "INSERT INTO touched_owed SELECT DISTINCT key FROM event_log WHERE seq BETWEEN :low AND :high AND type = 'DuesChanged'"
)

_LINES: Final = "(beneficiary_id, month) IN (SELECT beneficiary_id, month FROM touched_line)"
_YEARS: Final = (
    "p.beneficiary_id IN (SELECT beneficiary_id FROM touched_line) AND"
    " (p.beneficiary_id, date_trunc('year', p.month)) IN (SELECT beneficiary_id, year FROM touched_line)"
)
_PEOPLE: Final = "beneficiary_id IN (SELECT beneficiary_id FROM touched_person)"
_OWED: Final = "d.beneficiary_id IN (SELECT beneficiary_id FROM touched_owed)"
_TABLES: Final = (
    ("month_sum", MONTH_SUMS, "month_delta"), ("standing_change", STANDING_SUMS, "standing_delta"), ("owed_change", OWED_SUMS, "owed_delta")
)  # fmt: skip


def _signed(columns: str, sign: str, source: str) -> str:
    counts = {"people", "lines", "dong", "payments"}
    picked = ", ".join(f"{sign}{name}" if name in counts else name for name in columns.split(", "))
    return f"SELECT {picked} FROM ({source}) AS s"


_KEYS: Final = ("month", "unit_path", "programme", "measure")


def _added_up(columns: str, source: str) -> str:
    """One row a key, so that few have to be told to the units above."""
    picked = ", ".join(name if name in _KEYS else f"sum({name})::bigint AS {name}" for name in columns.split(", "))
    some = " OR ".join(f"sum({name}) <> 0" for name in columns.split(", ") if name not in _KEYS)
    return f"(SELECT {picked} FROM {source} AS d GROUP BY {', '.join(_KEYS)} HAVING {some})"


def _upsert(table: str, columns: str, source: str) -> str:
    names = columns.split(", ")
    keys = [name for name in names if name in _KEYS]
    counts = [name for name in names if name not in keys]
    added = ", ".join(f"sum({name})::bigint" for name in counts)
    changed = " OR ".join(f"sum({name}) <> 0" for name in counts)
    updates = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in counts)
    return f"""
        INSERT INTO {table} AS t ({columns})
        SELECT {", ".join(keys)}, {added} FROM {source} AS d
        GROUP BY {", ".join(keys)} HAVING {changed} ORDER BY {", ".join(keys)}
        ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {updates}
    """


def _added(prefix: str, table: str, columns: str, delta: str) -> str:
    """What is left of the changes goes to the units where it lies and, with them, to the units above: most changes undo each other."""
    here = _upsert(f"{prefix}{table}", columns, "net")
    upwards = _upsert(f"{prefix}{ABOVE[table]}", columns, f"({above(columns, 'net')})")
    return f"WITH net AS MATERIALIZED {_added_up(columns, delta)}, here AS ({here}) {upwards}"


@asynccontextmanager
async def kept(tx: Tx, span: SeqRange, types: frozenset[str] | None = None, prefix: str = "") -> AsyncIterator[None]:
    """Around the projection of a range of the log: the sums follow it. `types`: event types known to be in the range."""
    lines = types is None or any(name.startswith(_LINE_EVENTS) for name in types)
    people = types is None or not types.isdisjoint(_PEOPLE_EVENTS)
    due = types is None or "DuesChanged" in types
    if not lines and not people and not due:
        yield
        return
    await tx.execute("SELECT pg_advisory_xact_lock(:lock)", lock=_LOCK)
    await _prepare(tx)
    if lines:
        lines = await tx.execute(_TOUCHED_LINES.format(prefix=prefix), low=span.low, high=span.high) > 0  # of what is due, nearly never
        if lines:
            await tx.execute("ANALYZE touched_line")
    if people:
        await tx.execute(
            _TOUCHED_PEOPLE.format(prefix=prefix), low=span.low, high=span.high, types=list(_PEOPLE_EVENTS), accounts=list(_ACCOUNT_EVENTS)
        )
        await tx.execute("ANALYZE touched_person")
    if due:
        await tx.execute(_TOUCHED_OWED, low=span.low, high=span.high)
        await tx.execute("ANALYZE touched_owed")
    several = await _touch_files(tx, span, lines, types is None or not types.isdisjoint(MERGE_EVENTS), prefix)
    touched = _Touched(lines, people, due, several)
    await _note(tx, "-", touched, prefix)
    yield
    await _note(tx, "", touched, prefix)
    for table, columns, delta in _TABLES:
        await tx.execute(_added(prefix, table, columns, delta))
    await _empty(tx)


async def _prepare(tx: Tx) -> None:
    await tx.execute("SET LOCAL client_min_messages = warning")
    for statement in _WORKING_TABLES.split(";"):
        await tx.execute(statement)


async def _touch_files(tx: Tx, span: SeqRange, lines: bool, merges: bool, prefix: str) -> bool:
    """Whether any file of a person with several is touched, or becomes one: nearly never."""
    found = 0
    if lines:
        found += await tx.execute(TOUCHED_BY_LINES.format(prefix=prefix))
    if merges:
        found += await tx.execute(TOUCHED_BY_MERGES.format(prefix=prefix), low=span.low, high=span.high, types=list(MERGE_EVENTS))
    return found > 0


async def _empty(tx: Tx) -> None:
    """The same transaction may go on with the next batch."""
    await tx.execute("TRUNCATE touched_line, touched_person, touched_owed, touched_file, month_delta, standing_delta, owed_delta")


@dataclass(frozen=True, slots=True)
class _Touched:
    """What a batch touches at all. `several`: files of people who have several."""

    lines: bool
    people: bool
    due: bool
    several: bool


async def _note(tx: Tx, sign: str, touched: _Touched, prefix: str) -> None:
    if touched.lines:
        sql = contributions(lines=_LINES, year=_YEARS, prefix=prefix)
        await tx.execute(f"INSERT INTO month_delta ({MONTH_SUMS}) {_signed(MONTH_SUMS, sign, sql)}")
    if touched.several:
        sql = counted_twice("SELECT file FROM touched_file", prefix)
        await tx.execute(f"INSERT INTO month_delta ({MONTH_SUMS}) {_signed(MONTH_SUMS, sign, sql)}")
    if touched.people:
        sql = standing(_PEOPLE, prefix)
        await tx.execute(f"INSERT INTO standing_delta ({STANDING_SUMS}) {_signed(STANDING_SUMS, sign, sql)}")
    if touched.due:
        await tx.execute(f"INSERT INTO owed_delta ({OWED_SUMS}) {_signed(OWED_SUMS, sign, owed(_OWED, prefix))}")


async def make_all(tx: Tx, prefix: str, *, analyzed: bool = False) -> None:
    """Fill empty sums from the other read models: month by month, then years, then how people stand. `analyzed`: by whoever asks."""
    if not analyzed:
        await tx.execute("SELECT read_models_analyze(:prefix)", prefix=prefix)
    rows = await tx.rows(f"SELECT month FROM {prefix}payment UNION SELECT month FROM {prefix}hold ORDER BY month")
    months: list[date] = [row["month"] for row in rows]
    for month in months:
        sql = contributions(lines="month = CAST(:month AS date)", year="FALSE", prefix=prefix)
        await tx.execute(_upsert(f"{prefix}month_sum", MONTH_SUMS, f"({sql})"), month=month)
    for year in sorted({month.year for month in months}):
        sql = contributions(lines="FALSE", year="p.month BETWEEN CAST(:first AS date) AND CAST(:last AS date)", prefix=prefix)
        await tx.execute(_upsert(f"{prefix}month_sum", MONTH_SUMS, f"({sql})"), first=date(year, 1, 1), last=date(year, 12, 31))
    await tx.execute(_upsert(f"{prefix}month_sum", MONTH_SUMS, f"({counted_twice(MERGED.format(prefix=prefix), prefix)})"))
    await tx.execute(_upsert(f"{prefix}standing_change", STANDING_SUMS, f"({standing(prefix=prefix)})"))
    await tx.execute(_upsert(f"{prefix}owed_change", OWED_SUMS, f"({owed(prefix=prefix)})"))
    for table, columns, _ in _TABLES:
        await tx.execute(_upsert(f"{prefix}{ABOVE[table]}", columns, f"({above(columns, prefix + table)})"))
