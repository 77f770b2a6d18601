"""Computing, hashing and reading a list: set-based, from one snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.contracts.disbursement_v1 import HoldReason
from common.db import Tx
from common.topics import Topic
from disbursement.domain.holds import HOLDS
from disbursement.storage.gate import OUTCOME_SQL

__all__ = [
    "compute",
    "drop_lines",
    "figures",
    "find_due",
    "hash_of",
    "holds_page",
    "lines_page",
    "plan_for_size",
    "units_without_take_over",
]

_ACTORS: Final = ", ".join(f"('{reason}', '{text.actor}')" for reason, text in HOLDS.items())

_SCOPE: Final = """
CREATE TEMP TABLE scope ON COMMIT DROP AS
SELECT s.beneficiary_id, s.unit_code, s.unit_path FROM (
    SELECT d.beneficiary_id, coalesce(b.unit_code, d.unit_code) AS unit_code, coalesce(b.unit_path, d.unit_path) AS unit_path
    FROM dues d LEFT JOIN beneficiary b USING (beneficiary_id)
) s
WHERE (s.unit_path = :unit_path OR s.unit_path LIKE :unit_path || '/%')
  AND EXISTS (SELECT FROM due_interval i WHERE i.beneficiary_id = s.beneficiary_id AND i.programme = :programme
              AND i.funding_source = :funding_source AND i.from_month <= CAST(:month AS date))
"""

# The narrowest approved take-over above each unit.
_FIRST_MONTHS: Final = """
CREATE TEMP TABLE first_month ON COMMIT DROP AS
SELECT u.unit_path, (
    SELECT t.first_month FROM take_over t
    WHERE t.state = 'APPROVED' AND t.programme = :programme AND (t.unit_path = u.unit_path OR u.unit_path LIKE t.unit_path || '/%')
    ORDER BY length(t.unit_path) DESC LIMIT 1
) AS month
FROM (SELECT DISTINCT unit_path FROM scope) u
"""

# Payable = due - paid - committed, month by month, from the first platform month (or earlier where the decision says arrears).
_DUE_NOW: Final = """
CREATE TEMP TABLE due_now ON COMMIT DROP AS
SELECT i.beneficiary_id, i.benefit_line, m.month, i.status = 'RATE_MISSING' AS rate_missing,
       CASE WHEN i.status = 'RATE_MISSING' THEN 0 ELSE i.amount - coalesce(p.paid + p.committed, 0) END AS amount
FROM scope s
JOIN first_month f USING (unit_path)
JOIN due_interval i ON i.beneficiary_id = s.beneficiary_id AND i.programme = :programme AND i.funding_source = :funding_source
     AND i.from_month <= CAST(:month AS date)
CROSS JOIN LATERAL (
    SELECT CAST(g AS date) AS month FROM generate_series(
        CAST(CASE WHEN i.explicit_arrears THEN i.from_month ELSE greatest(i.from_month, f.month) END AS timestamp),
        CAST(least(coalesce(i.to_month, CAST(:month AS date)), CAST(:month AS date)) AS timestamp), interval '1 month') AS g
) m
LEFT JOIN due_month_position p ON p.beneficiary_id = i.beneficiary_id AND p.programme = i.programme
     AND p.funding_source = i.funding_source AND p.benefit_line = i.benefit_line AND p.month = m.month
WHERE i.status = 'RATE_MISSING' OR i.amount > coalesce(p.paid + p.committed, 0)
"""

_LINES: Final = """
INSERT INTO list_line (line_id, list_id, cycle_id, beneficiary_id, payee_id, payee_kind, programme, funding_source, channel, partner,
    account_id, account_version, account_number_token, account_masked, provider_code, payee_name, beneficiary_name, file_code, cash_reason,
    amount, months, unit_code, unit_path, evidence_note)
SELECT line_id, :list_id, :cycle_id, beneficiary_id, payee_id, payee_kind, :programme, :funding_source, channel,
       CASE WHEN by_account THEN partner ELSE :cash_partner END,
       CASE WHEN by_account THEN account_id END, CASE WHEN by_account THEN account_version END,
       CASE WHEN by_account THEN account_number_token END, CASE WHEN by_account THEN masked_number END,
       CASE WHEN by_account THEN provider_code END, payee_name, beneficiary_name, file_code, cash_reason, amount, months, unit_code,
       unit_path, evidence_note
FROM outcome WHERE hold_reason IS NULL
"""

_ALLOCATIONS: Final = """
INSERT INTO allocation (line_id, list_id, beneficiary_id, programme, funding_source, benefit_line, month, amount)
SELECT o.line_id, :list_id, d.beneficiary_id, :programme, :funding_source, d.benefit_line, d.month, d.amount
FROM outcome o JOIN due_now d USING (beneficiary_id)
WHERE o.hold_reason IS NULL AND NOT d.rate_missing
"""

_HOLDS: Final = f"""
INSERT INTO hold (cycle_id, list_id, beneficiary_id, file_code, beneficiary_name, programme, funding_source, amount, months, reason, actor,
                  detail, stage, unit_code, unit_path)
SELECT :cycle_id, :list_id, o.beneficiary_id, o.file_code, o.beneficiary_name, :programme, :funding_source, o.amount, o.months,
       o.hold_reason, a.actor, 'verdict ' || o.verdict, 'COMPUTE', o.unit_code, o.unit_path
FROM outcome o JOIN (VALUES {_ACTORS}) AS a (reason, actor) ON a.reason = o.hold_reason
"""

# Somebody whose dues wait among the parked events may be owed what nobody here can know: held with what is known, nothing.
_UNKNOWN_HOLDS: Final = f"""
INSERT INTO hold (cycle_id, list_id, beneficiary_id, file_code, beneficiary_name, programme, funding_source, amount, months, reason, actor,
                  detail, stage, unit_code, unit_path)
SELECT :cycle_id, :list_id, p.key, b.file_code, b.full_name, :programme, :funding_source, 0, '{{}}', '{HoldReason.DATA_PARKED}',
       '{HOLDS[HoldReason.DATA_PARKED].actor}', 'dues not known', 'COMPUTE', coalesce(b.unit_code, :unit_code),
       coalesce(b.unit_path, :unit_path)
FROM (SELECT DISTINCT key FROM parked_event WHERE replayed_at IS NULL AND topic = '{Topic.DUES}') p
LEFT JOIN beneficiary b ON b.beneficiary_id = p.key
WHERE coalesce(b.unit_path, :unit_path) = :unit_path OR b.unit_path LIKE :unit_path || '/%'
ON CONFLICT (list_id, beneficiary_id) DO NOTHING
"""

_FIGURES: Final = """
SELECT (SELECT count(*) FROM list_line WHERE list_id = :list_id) AS lines,
       (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM list_line WHERE list_id = :list_id) AS total_amount,
       (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM allocation WHERE list_id = :list_id) AS allocated,
       (SELECT count(*) FROM hold WHERE list_id = :list_id AND stage = 'COMPUTE') AS held,
       (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM hold WHERE list_id = :list_id AND stage = 'COMPUTE') AS held_amount
"""

_OWED: Final = "SELECT count(DISTINCT beneficiary_id) AS people, CAST(coalesce(sum(amount), 0) AS bigint) AS amount FROM due_now"

# Allocations are looked up by key: rows inserted in this very transaction have no statistics, and a join would be planned for one row.
# Canonical text, 500 people a chunk so that neither side holds the list in memory. uuid order is the order of its text under COLLATE "C".
_CANONICAL: Final = """
SELECT string_agg(text, chr(10) ORDER BY beneficiary_id) || chr(10) AS chunk
FROM (
    SELECT beneficiary_id, text, (row_number() OVER (ORDER BY beneficiary_id) - 1) / 500 AS part
    FROM (
        SELECT l.beneficiary_id, concat_ws('|', 'L', l.beneficiary_id, l.payee_id, l.payee_kind, l.channel, l.partner,
                   coalesce(CAST(l.account_id AS text), '-'), coalesce(CAST(l.account_version AS text), '-'), l.unit_path, l.amount,
                   (SELECT string_agg(a.benefit_line || '=' || to_char(a.month, 'YYYY-MM') || '=' || a.amount, ','
                                      ORDER BY a.benefit_line COLLATE "C", a.month)
                    FROM allocation a WHERE a.line_id = l.line_id)) AS text
        FROM list_line l
        WHERE l.list_id = :list_id
        UNION ALL
        SELECT beneficiary_id, concat_ws('|', 'H', beneficiary_id, reason, amount, unit_path)
        FROM hold WHERE list_id = :list_id AND stage = 'COMPUTE'
    ) entries
) numbered
GROUP BY part ORDER BY part
"""


async def plan_for_size(tx: Tx) -> None:
    """Plan the bulk statements of this transaction for their real parameters: a generic plan expects a handful of rows."""
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")


async def units_without_take_over(tx: Tx) -> list[str]:
    """Units of the temporary table `first_month` that no approved take-over covers."""
    rows = await tx.rows('SELECT unit_path FROM first_month WHERE month IS NULL ORDER BY unit_path COLLATE "C" LIMIT 50')
    return [row["unit_path"] for row in rows]


async def find_due(tx: Tx, cycle: RowMapping) -> None:
    """Fill the temporary tables of a cycle: who is in scope, first months, and what is payable now."""
    params = {"programme": cycle["programme"], "month": cycle["month"]}
    await tx.execute(_SCOPE, unit_path=cycle["unit_path"], funding_source=cycle["funding_source"], **params)
    await tx.execute("ANALYZE scope")
    await tx.execute(_FIRST_MONTHS, programme=cycle["programme"])
    await tx.execute(_DUE_NOW, funding_source=cycle["funding_source"], **params)
    await tx.execute("ANALYZE due_now")


async def compute(tx: Tx, cycle: RowMapping, list_id: UUID, *, grace_days: int, cash_partner: str) -> tuple[int, int]:
    """Decide everyone in the temporary tables and store lines, allocations and holds.

    Returns what must be found in them: people (owed, or with unknown dues) and đồng.
    """
    await tx.execute(OUTCOME_SQL, business_date=cycle["business_date"], grace_days=grace_days)
    await tx.execute("ANALYZE outcome")
    common = {"list_id": list_id, "programme": cycle["programme"], "funding_source": cycle["funding_source"]}
    await tx.execute(_LINES, cycle_id=cycle["cycle_id"], cash_partner=cash_partner, **common)
    await tx.execute(_ALLOCATIONS, **common)
    await tx.execute(_HOLDS, cycle_id=cycle["cycle_id"], **common)
    unknown = await tx.execute(
        _UNKNOWN_HOLDS, cycle_id=cycle["cycle_id"], unit_code=cycle["unit_code"], unit_path=cycle["unit_path"], **common
    )
    owed = await tx.row(_OWED)
    assert owed is not None  # an aggregate has one row
    return owed["people"] + unknown, owed["amount"]


async def figures(tx: Tx, list_id: UUID) -> RowMapping:
    """Counts and sums of a stored list as it was computed: `lines, total_amount, allocated, held, held_amount`."""
    row = await tx.row(_FIGURES, list_id=list_id)
    assert row is not None  # scalar subqueries have one row
    return row


async def drop_lines(tx: Tx, list_id: UUID) -> None:
    """Remove lines, allocations and holds of a list that was never approved, before it is computed anew."""
    await tx.execute("DELETE FROM allocation WHERE list_id = :list_id", list_id=list_id)
    await tx.execute("DELETE FROM list_line WHERE list_id = :list_id", list_id=list_id)
    await tx.execute("DELETE FROM hold WHERE list_id = :list_id", list_id=list_id)


async def hash_of(tx: Tx, cycle: RowMapping, head: RowMapping) -> str:
    """SHA-256 (hex) of the canonical list: what is paid to whom through which address version, and who is held. Streams."""
    day: date = cycle["month"]
    digest = hashlib.sha256()
    title = "|".join(("list", f"{day:%Y-%m}", cycle["programme"], cycle["funding_source"], cycle["unit_path"], str(head["cut_off_id"])))
    digest.update(title.encode() + b"\n")
    async for row in tx.stream(_CANONICAL, list_id=head["list_id"]):
        digest.update(row["chunk"].encode())
    return digest.hexdigest()


async def lines_page(
    tx: Tx, list_id: UUID, scope: str, scope_params: dict[str, Any], *, after: UUID | None, limit: int, filters: dict[str, Any]
) -> Sequence[RowMapping]:
    """Lines in order of beneficiary id. Filters: `channel`, `state`, `unit_path` (with everything below)."""
    return await tx.rows(
        "SELECT * FROM list_line WHERE list_id = :list_id AND (CAST(:after AS uuid) IS NULL OR beneficiary_id > :after)"
        " AND (CAST(:channel AS text) IS NULL OR channel = :channel) AND (CAST(:state AS text) IS NULL OR state = :state)"
        " AND (CAST(:unit_path AS text) IS NULL OR unit_path = :unit_path OR unit_path LIKE :unit_path || '/%')"
        f" AND {scope} ORDER BY beneficiary_id LIMIT :limit",
        list_id=list_id,
        after=after,
        limit=limit,
        **scope_params,
        **{"channel": None, "state": None, "unit_path": None} | filters,
    )


async def holds_page(
    tx: Tx, list_id: UUID, scope: str, scope_params: dict[str, Any], *, after: UUID | None, limit: int, filters: dict[str, Any]
) -> Sequence[RowMapping]:
    """Holds in order of beneficiary id. Filters: `reason`, `unit_path` (with everything below)."""
    return await tx.rows(
        "SELECT * FROM hold WHERE list_id = :list_id AND (CAST(:after AS uuid) IS NULL OR beneficiary_id > :after)"
        " AND (CAST(:reason AS text) IS NULL OR reason = :reason)"
        " AND (CAST(:unit_path AS text) IS NULL OR unit_path = :unit_path OR unit_path LIKE :unit_path || '/%')"
        f" AND {scope} ORDER BY beneficiary_id LIMIT :limit",
        list_id=list_id,
        after=after,
        limit=limit,
        **scope_params,
        **{"reason": None, "unit_path": None} | filters,
    )
