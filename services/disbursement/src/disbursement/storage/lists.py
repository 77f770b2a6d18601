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
from disbursement.domain.payment import DEAD
from disbursement.storage import traces, waiting_months
from disbursement.storage.gate import DISPUTED_SQL, FACTS_SQL, OUTCOME_SQL, SUSPENDED_SQL
from disbursement.storage.waiting_months import WAITING

__all__ = [
    "CANONICAL_SQL",
    "compute",
    "digest",
    "drop_lines",
    "figures",
    "find_due",
    "hash_of",
    "holds_page",
    "lines_page",
    "plan_for_size",
    "treasury_units",
    "units_without_take_over",
]

_ACTORS: Final = ", ".join(f"('{reason}', '{text.actor}')" for reason, text in HOLDS.items())

_DEAD: Final = ", ".join(f"'{status}'" for status in sorted(DEAD))

_SCOPE: Final = """
CREATE TEMP TABLE scope ON COMMIT DROP AS
SELECT s.beneficiary_id, s.unit_code, s.unit_path, s.death_month FROM (
    SELECT d.beneficiary_id, coalesce(b.unit_code, d.unit_code) AS unit_code, coalesce(b.unit_path, d.unit_path) AS unit_path,
           CAST(date_trunc('month', b.death_date) AS date) AS death_month
    FROM dues d LEFT JOIN beneficiary b USING (beneficiary_id)
) s
WHERE (s.unit_path = :unit_path OR s.unit_path LIKE :unit_path || '/%')
  AND EXISTS (SELECT FROM due_interval i WHERE i.beneficiary_id = s.beneficiary_id AND i.programme = :programme
              AND i.funding_source = :funding_source AND i.from_month <= CAST(:month AS date))
"""

# What a re-issue may pay: months that the latest attempt released because it definitely died, of the chosen cycles and reasons.
_DEAD_SHARES: Final = f"""
CREATE TEMP TABLE dead_share ON COMMIT DROP AS
SELECT DISTINCT ON (al.beneficiary_id, al.benefit_line, al.month) al.beneficiary_id, al.benefit_line, al.month, al.amount, p.attempt
FROM payment p
JOIN payment_cycle c USING (cycle_id)
JOIN allocation al ON al.line_id = p.line_id AND al.state = 'RELEASED'
WHERE c.month = CAST(:month AS date) AND c.programme = :programme AND c.funding_source = :funding_source AND p.status IN ({_DEAD})
  AND (p.unit_path = :unit_path OR p.unit_path LIKE :unit_path || '/%')
  AND (CAST(:of_cycle AS uuid) IS NULL OR p.cycle_id = :of_cycle)
  AND (CAST(:partner AS text) IS NULL OR p.partner = :partner)
  AND (CAST(:reasons AS text[]) IS NULL OR p.reason = ANY(:reasons)) AND (CAST(:statuses AS text[]) IS NULL OR p.status = ANY(:statuses))
ORDER BY al.beneficiary_id, al.benefit_line, al.month, p.created_at DESC, p.payment_id DESC
"""

# How often what a re-issue pays was tried before; nobody in other lists.
_TRIED: Final = "CREATE TEMP TABLE tried ON COMMIT DROP AS {select}"
_TRIES: Final = "SELECT beneficiary_id, max(attempt) AS attempt FROM dead_share GROUP BY 1"
_NO_TRIES: Final = "SELECT beneficiary_id, 0 AS attempt FROM scope LIMIT 0"

# The narrowest approved take-over above each unit, and the route of the month there.
_FIRST_MONTHS: Final = """
CREATE TEMP TABLE first_month ON COMMIT DROP AS
SELECT u.unit_path, (
    SELECT t.first_month FROM take_over t
    WHERE t.state = 'APPROVED' AND t.programme = :programme AND (t.unit_path = u.unit_path OR u.unit_path LIKE t.unit_path || '/%')
    ORDER BY length(t.unit_path) DESC LIMIT 1
) AS month, coalesce((
    SELECT r.body ->> 'route' FROM ruling r
    WHERE r.kind = 'ROUTE' AND r.state = 'APPROVED' AND r.programme = :programme AND r.valid_from <= CAST(:month AS date)
      AND (r.unit_path = u.unit_path OR u.unit_path LIKE r.unit_path || '/%')
    ORDER BY length(r.unit_path) DESC, r.valid_from DESC, r.decided_at DESC LIMIT 1
), 'PAYMENT_ORG') AS route
FROM (SELECT DISTINCT unit_path FROM scope) u
"""

# Payable = due - paid - committed, month by month (paid less what the person gave back), from the first platform month (or earlier where
# the decision says arrears), never a month after the month of death, whatever else our copies say.
_DUE_NOW: Final = f"""
CREATE TEMP TABLE due_now ON COMMIT DROP AS
SELECT i.beneficiary_id, i.benefit_line, m.month, i.status = 'RATE_MISSING' AS rate_missing, u.beneficiary_id IS NOT NULL AS suspended,
       i.amount AS due, coalesce(p.paid - p.repaid + p.committed, 0) AS taken,
       CASE WHEN i.status = 'RATE_MISSING' THEN 0 ELSE i.amount - coalesce(p.paid - p.repaid + p.committed, 0) END AS amount
FROM scope s
JOIN first_month f USING (unit_path)
JOIN due_interval i ON i.beneficiary_id = s.beneficiary_id AND i.programme = :programme AND i.funding_source = :funding_source
     AND i.from_month <= CAST(:month AS date)
CROSS JOIN LATERAL (
    SELECT CAST(g AS date) AS month FROM generate_series(
        CAST(CASE WHEN i.explicit_arrears THEN i.from_month ELSE greatest(i.from_month, f.month) END AS timestamp),
        CAST(least(i.to_month, s.death_month, CAST(:month AS date)) AS timestamp), interval '1 month') AS g
) m
LEFT JOIN (
    SELECT DISTINCT e.beneficiary_id, e.benefit_line FROM entitlement_state e
    WHERE e.programme = :programme AND e.funding_source = :funding_source AND {SUSPENDED_SQL.format(month="CAST(:cycle_month AS date)")}
) u ON u.beneficiary_id = i.beneficiary_id AND u.benefit_line = i.benefit_line
LEFT JOIN due_month_position p ON p.beneficiary_id = i.beneficiary_id AND p.programme = i.programme
     AND p.funding_source = i.funding_source AND p.benefit_line = i.benefit_line AND p.month = m.month
WHERE i.status = 'RATE_MISSING' OR i.amount > coalesce(p.paid - p.repaid + p.committed, 0)
"""

_DISPUTED: Final = f"""
CREATE TEMP TABLE disputed ON COMMIT DROP AS
SELECT beneficiary_id, benefit_line, month FROM ({DISPUTED_SQL}) x WHERE programme = :programme AND funding_source = :funding_source
"""

# `{column}` and `{source}`: what led to each line (`storage.traces`).
_LINES: Final = """
INSERT INTO list_line (line_id, list_id, cycle_id, beneficiary_id, payee_id, payee_kind, programme, funding_source, channel, partner,
    account_id, account_version, account_number_token, account_masked, provider_code, payee_name, beneficiary_name, file_code, cash_reason,
    amount, months, unit_code, unit_path, route, attempt, evidence_note{column})
SELECT line_id, :list_id, :cycle_id, beneficiary_id, payee_id, payee_kind, :programme, :funding_source, channel,
       CASE WHEN NOT by_account THEN :cash_partner WHEN route = 'TREASURY_DIRECT' THEN CAST(:treasury_partner AS text)
            ELSE partner END,
       CASE WHEN by_account THEN account_id END, CASE WHEN by_account THEN account_version END,
       CASE WHEN by_account THEN account_number_token END, CASE WHEN by_account THEN masked_number END,
       CASE WHEN by_account THEN provider_code END, payee_name, beneficiary_name, file_code, cash_reason, amount, months, unit_code,
       unit_path, route, attempt, evidence_note{column}
FROM outcome{source} WHERE hold_reason IS NULL
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
_ENTRIES: Final = """
        SELECT l.beneficiary_id, concat_ws('|', 'L', l.beneficiary_id, l.payee_id, l.payee_kind, l.channel, l.partner,
                   coalesce(CAST(l.account_id AS text), '-'), coalesce(CAST(l.account_version AS text), '-'), l.unit_path, l.amount,
                   (SELECT string_agg(a.benefit_line || '=' || to_char(a.month, 'YYYY-MM') || '=' || a.amount, ','
                                      ORDER BY a.benefit_line COLLATE "C", a.month)
                    FROM allocation a WHERE a.line_id = l.line_id),
                   CASE WHEN l.attempt > 1 THEN 'attempt ' || l.attempt END) AS text
        FROM list_line l
        WHERE l.list_id = :list_id
        UNION ALL
        SELECT beneficiary_id, concat_ws('|', 'H', beneficiary_id, reason, amount, unit_path)
        FROM hold WHERE list_id = :list_id AND stage = 'COMPUTE'
"""

# Canonical text, 500 people a chunk so that neither side holds the list in memory. uuid order is the order of its text under COLLATE "C".
CANONICAL_SQL: Final = """
SELECT string_agg(text, chr(10) ORDER BY beneficiary_id) || chr(10) AS chunk
FROM (
    SELECT beneficiary_id, text, (row_number() OVER (ORDER BY beneficiary_id) - 1) / 500 AS part FROM ({entries}) entries
) numbered
GROUP BY part ORDER BY part
"""
"""The text that is hashed, from `entries` (beneficiary_id, text): one row a person."""
_CANONICAL: Final = CANONICAL_SQL.format(entries=_ENTRIES)


async def plan_for_size(tx: Tx) -> None:
    """Plan the bulk statements of this transaction for their real parameters: a generic plan expects a handful of rows."""
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")


async def units_without_take_over(tx: Tx) -> list[str]:
    """Units of the temporary table `first_month` that no approved take-over covers."""
    rows = await tx.rows('SELECT unit_path FROM first_month WHERE month IS NULL ORDER BY unit_path COLLATE "C" LIMIT 50')
    return [row["unit_path"] for row in rows]


async def treasury_units(tx: Tx) -> list[str]:
    """Units of the temporary table `first_month` that the State Treasury pays directly."""
    return [row["unit_path"] for row in await tx.rows("SELECT unit_path FROM first_month WHERE route = 'TREASURY_DIRECT' LIMIT 50")]


async def find_due(tx: Tx, cycle: RowMapping, *, as_if_from: date | None = None) -> None:
    """Fill the temporary tables of a cycle: who is in scope, first months, what is payable now, and (re-issue) what was tried before.

    `as_if_from`: a shadow month asks what would be paid if every unit were taken over from that month.
    """
    which = {name: cycle[name] for name in ("programme", "funding_source")}
    last = {"month": cycle["covers_to"]}
    await tx.execute(_SCOPE, unit_path=cycle["unit_path"], **which, **last)
    if cycle["kind"] == "REISSUE":
        chosen = cycle["selection"]
        await tx.execute(
            _DEAD_SHARES, unit_path=cycle["unit_path"], month=cycle["month"], of_cycle=chosen.get("cycle_id"),
            partner=chosen.get("partner"), reasons=chosen.get("reasons"), statuses=chosen.get("statuses"), **which,
        )  # fmt: skip
        await tx.execute("DELETE FROM scope s WHERE NOT EXISTS (SELECT FROM dead_share d WHERE d.beneficiary_id = s.beneficiary_id)")
        await tx.execute(_TRIED.format(select=_TRIES))
    else:
        await tx.execute(_TRIED.format(select=_NO_TRIES))
    await tx.execute("ANALYZE scope")
    await tx.execute(_FIRST_MONTHS, programme=cycle["programme"], month=cycle["month"])
    if as_if_from is not None:
        await tx.execute("UPDATE first_month SET month = :month", month=as_if_from)
    await tx.execute(_DUE_NOW, cycle_month=cycle["month"], **which, **last)
    if cycle["kind"] == "REISSUE":
        await tx.execute(
            "DELETE FROM due_now d WHERE NOT EXISTS (SELECT FROM dead_share s WHERE (s.beneficiary_id, s.benefit_line, s.month)"
            " = (d.beneficiary_id, d.benefit_line, d.month))"
        )
        await tx.execute(
            "UPDATE due_now d SET amount = least(d.amount, s.amount) FROM dead_share s WHERE (s.beneficiary_id, s.benefit_line, s.month)"
            " = (d.beneficiary_id, d.benefit_line, d.month)"
        )
    await tx.execute(_DISPUTED, **which)
    await tx.execute("ANALYZE disputed")
    await waiting_months.leave_out(tx)
    await tx.execute("ANALYZE due_now")


async def compute(
    tx: Tx, cycle: RowMapping, list_id: UUID, *, grace_days: int, cash_partner: str, treasury_partner: str | None, limits: str = "[]"
) -> tuple[int, int]:
    """Decide everyone in the temporary tables and store lines, allocations and holds.

    `limits`: JSON rows (partner, payment, day, month) of what one account may receive. Returns what must be found in them: people
    (owed, or with unknown dues) and đồng.
    """
    await tx.execute(FACTS_SQL, business_date=cycle["business_date"], grace_days=grace_days, programme=cycle["programme"], limits=limits)
    await tx.execute("ANALYZE facts")
    await tx.execute(OUTCOME_SQL, in_cash=bool(cycle["selection"].get("in_cash")))
    await tx.execute("ANALYZE outcome")
    common = {"list_id": list_id, "programme": cycle["programme"], "funding_source": cycle["funding_source"]}
    await tx.execute(
        traces.lines_sql(_LINES), cycle_id=cycle["cycle_id"], cash_partner=cash_partner, treasury_partner=treasury_partner, **common
    )
    await tx.execute(_ALLOCATIONS, **common)
    await tx.execute(_HOLDS, cycle_id=cycle["cycle_id"], **common)
    await waiting_months.keep(tx, list_id)
    unknown = 0
    if cycle["kind"] != "REISSUE":  # those were on a list: their dues are known
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
    await waiting_months.drop(tx, list_id)
    await tx.execute("DELETE FROM precheck WHERE list_id = :list_id", list_id=list_id)
    await tx.execute("DELETE FROM list_input WHERE list_id = :list_id", list_id=list_id)


async def digest(tx: Tx, cycle: RowMapping, head: RowMapping | dict[str, Any], sql: str, **params: Any) -> str:
    """SHA-256 (hex) of the title of a cycle's list and the chunks that `sql` gives. Streams."""
    day: date = cycle["month"]
    found = hashlib.sha256()
    months = f"{day:%Y-%m}" if cycle["covers_to"] == day else f"{day:%Y-%m}..{cycle['covers_to']:%Y-%m}"
    title = "|".join(("list", months, cycle["programme"], cycle["funding_source"], cycle["unit_path"], str(head["cut_off_id"])))
    found.update(title.encode() + b"\n")
    async for row in tx.stream(sql, **params):
        found.update(row["chunk"].encode())
    return found.hexdigest()


async def hash_of(tx: Tx, cycle: RowMapping, head: RowMapping | dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical list: what is paid to whom through which address version, and who is held."""
    return await digest(tx, cycle, head, _CANONICAL, list_id=head["list_id"])


async def lines_page(
    tx: Tx, list_id: UUID, scope: str, scope_params: dict[str, Any], *, after: UUID | None, limit: int, filters: dict[str, Any]
) -> Sequence[RowMapping]:
    """Lines in order of beneficiary id. Filters: `channel`, `state`, `unit_path` (with everything below)."""
    return await tx.rows(
        f"SELECT t.*, {WAITING} FROM list_line t WHERE list_id = :list_id AND (CAST(:after AS uuid) IS NULL OR beneficiary_id > :after)"
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
        f"SELECT t.*, {WAITING} FROM hold t WHERE list_id = :list_id AND (CAST(:after AS uuid) IS NULL OR beneficiary_id > :after)"
        " AND (CAST(:reason AS text) IS NULL OR reason = :reason)"
        " AND (CAST(:unit_path AS text) IS NULL OR unit_path = :unit_path OR unit_path LIKE :unit_path || '/%')"
        f" AND {scope} ORDER BY beneficiary_id LIMIT :limit",
        list_id=list_id,
        after=after,
        limit=limit,
        **scope_params,
        **{"reason": None, "unit_path": None} | filters,
    )
