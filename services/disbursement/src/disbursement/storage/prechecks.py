"""The report before a list is submitted: against the main list before it, and what is odd in itself. Stored with the list's hash."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from disbursement.storage import rulings, waiting_months

__all__ = ["find", "make", "mark_read", "page", "stream"]

_BEFORE: Final = """
SELECT l.list_id, c.month FROM payment_cycle c JOIN payment_list l ON l.list_id = c.list_id AND l.state = 'APPROVED'
WHERE c.programme = :programme AND c.funding_source = :funding_source AND c.unit_path = :unit_path AND c.kind = 'MAIN' AND c.month < :month
ORDER BY c.month DESC LIMIT 1
"""

_INSERT: Final = "INSERT INTO precheck_finding (list_id, kind, beneficiary_id, file_code, name, unit_code, unit_path, before, now, detail)"

# Held people are on a list too: who moves between paid and held is neither new nor gone. Lists are joined by their key (list, person).
_AGAINST: Final = f"""
WITH b AS MATERIALIZED (SELECT * FROM list_line WHERE list_id = :before),
n AS MATERIALIZED (SELECT * FROM list_line WHERE list_id = :list_id),
pairs AS MATERIALIZED (
    SELECT coalesce(n.beneficiary_id, b.beneficiary_id) AS beneficiary_id, coalesce(n.file_code, b.file_code) AS file_code,
           coalesce(n.beneficiary_name, b.beneficiary_name) AS name, coalesce(n.unit_code, b.unit_code) AS unit_code,
           coalesce(n.unit_path, b.unit_path) AS unit_path, b.amount AS before, n.amount AS now,
           concat_ws(' ', b.channel, b.account_masked, CASE WHEN b.payee_id <> b.beneficiary_id THEN b.payee_name END) AS was,
           concat_ws(' ', n.channel, n.account_masked, CASE WHEN n.payee_id <> n.beneficiary_id THEN n.payee_name END) AS becomes,
           (b.channel, b.account_id, b.payee_id) IS DISTINCT FROM (n.channel, n.account_id, n.payee_id) AS other_way
    FROM b FULL JOIN n USING (beneficiary_id)
)
{_INSERT}
SELECT :list_id, k.kind, p.beneficiary_id, p.file_code, p.name, p.unit_code, p.unit_path, p.before, p.now,
       CASE WHEN k.kind = 'ACCOUNT_CHANGED' THEN p.was || ' → ' || p.becomes END
FROM pairs p CROSS JOIN LATERAL (VALUES
    ('NEW', p.before IS NULL AND NOT EXISTS (SELECT FROM hold h WHERE h.list_id = :before AND h.beneficiary_id = p.beneficiary_id)),
    ('GONE', p.now IS NULL AND NOT EXISTS (SELECT FROM hold h WHERE h.list_id = :list_id AND h.beneficiary_id = p.beneficiary_id)),
    ('AMOUNT_CHANGED', p.before <> p.now),
    ('ACCOUNT_CHANGED', p.before IS NOT NULL AND p.now IS NOT NULL AND p.other_way)
) AS k (kind, found) WHERE k.found ORDER BY p.unit_path COLLATE "C", p.beneficiary_id
"""

_TOTALS: Final = f"""
{_INSERT}
SELECT :list_id, 'UNUSUAL_TOTAL', NULL, NULL, NULL, coalesce(n.unit_code, b.unit_code), unit_path, coalesce(b.amount, 0),
       coalesce(n.amount, 0), coalesce(b.people, 0) || ' → ' || coalesce(n.people, 0)
FROM (SELECT unit_path, min(unit_code) AS unit_code, CAST(sum(amount) AS bigint) AS amount, count(*) AS people
      FROM list_line WHERE list_id = :before GROUP BY 1) b
FULL JOIN (SELECT unit_path, min(unit_code) AS unit_code, CAST(sum(amount) AS bigint) AS amount, count(*) AS people
           FROM list_line WHERE list_id = :list_id GROUP BY 1) n USING (unit_path)
WHERE abs(coalesce(n.amount, 0) - coalesce(b.amount, 0)) * 100 >= coalesce(b.amount, 0) * CAST(:percent AS bigint)
ORDER BY unit_path COLLATE "C"
"""

_SHARED: Final = f"""
{_INSERT}
SELECT :list_id, 'SHARED_ACCOUNT', l.beneficiary_id, l.file_code, l.beneficiary_name, l.unit_code, l.unit_path, NULL, l.amount,
       concat_ws(' ', l.provider_code, l.account_masked, '×', s.people)
FROM (SELECT account_id, count(*) AS people FROM list_line WHERE list_id = :list_id AND account_id IS NOT NULL
      GROUP BY 1 HAVING count(*) > 1) s
JOIN list_line l ON l.list_id = :list_id AND l.account_id = s.account_id ORDER BY s.account_id, l.beneficiary_id
"""

_UNUSUAL: Final = f"""
{_INSERT}
SELECT :list_id, 'UNUSUAL_AMOUNT', l.beneficiary_id, l.file_code, l.beneficiary_name, l.unit_code, l.unit_path, m.median, l.amount, NULL
FROM (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount) AS median FROM list_line WHERE list_id = :list_id) m
JOIN list_line l ON l.list_id = :list_id AND l.amount > m.median * CAST(:times AS bigint) ORDER BY l.amount DESC, l.beneficiary_id
"""


async def make(tx: Tx, cycle: RowMapping, list_id: UUID, list_hash: str, *, on: date) -> None:
    """Compare the list just computed and store what was found. Only a main list is compared; without one before it, nothing is new."""
    which = {name: cycle[name] for name in ("programme", "funding_source", "unit_path", "month")}
    before = await tx.row(_BEFORE, **which) if cycle["kind"] == "MAIN" else None
    await tx.execute(
        "INSERT INTO precheck (list_id, list_hash, compared_list_id, compared_month, counts)"
        " VALUES (:list_id, :list_hash, :before, :month, '{}')",
        list_id=list_id,
        list_hash=list_hash,
        before=before["list_id"] if before else None,
        month=before["month"] if before else None,
    )
    if before is not None:
        await tx.execute(_AGAINST, list_id=list_id, before=before["list_id"])
        percent = int(await rulings.setting(tx, "UNUSUAL_TOTAL_PERCENT", on))
        await tx.execute(_TOTALS, list_id=list_id, before=before["list_id"], percent=percent)
    await tx.execute(_SHARED, list_id=list_id)
    await tx.execute(f"{_INSERT} {waiting_months.FINDING}", list_id=list_id)
    await tx.execute(_UNUSUAL, list_id=list_id, times=int(await rulings.setting(tx, "UNUSUAL_AMOUNT_TIMES", on)))
    await tx.execute(
        "UPDATE precheck SET counts = (SELECT coalesce(jsonb_object_agg(kind, n), '{}') FROM (SELECT kind, count(*) AS n"
        " FROM precheck_finding WHERE list_id = :list_id GROUP BY kind) k) WHERE list_id = :list_id",
        list_id=list_id,
    )


async def find(tx: Tx, list_id: UUID) -> RowMapping | None:
    """The head of a list's report."""
    return await tx.row("SELECT * FROM precheck WHERE list_id = :id", id=list_id)


async def mark_read(tx: Tx, list_id: UUID, by: str) -> None:
    """Somebody read the report; the first one is kept."""
    await tx.execute("UPDATE precheck SET read_by = :by, read_at = now() WHERE list_id = :id AND read_by IS NULL", id=list_id, by=by)


async def page(
    tx: Tx, list_id: UUID, scope: str, params: dict[str, Any], *, kind: str | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Findings in the order they were found, within a scope."""
    return await tx.rows(
        f"SELECT * FROM precheck_finding WHERE list_id = :list_id AND {scope} AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
        " AND (CAST(:after AS uuid) IS NULL OR finding_id > :after) ORDER BY finding_id LIMIT :limit",
        list_id=list_id,
        kind=kind,
        after=after,
        limit=limit,
        **params,
    )


async def stream(tx: Tx, list_id: UUID, scope: str, params: dict[str, Any]) -> AsyncIterator[RowMapping]:
    """All findings within a scope, one by one."""
    sql = f"SELECT * FROM precheck_finding WHERE list_id = :list_id AND {scope} ORDER BY finding_id"
    async for row in tx.stream(sql, list_id=list_id, **params):
        yield row
