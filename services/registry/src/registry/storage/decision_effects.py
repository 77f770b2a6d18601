"""What an approved decision does to allowances: one statement per kind, over all decisions approved together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.db import Tx

__all__ = ["EVENTS", "apply"]

_MINE: Final = "d.decision_id = ANY(CAST(:ids AS uuid[]))"

# A dependant's allowance under one decision is told from the next by its ordinal.
_ORDINAL: Final = """
       (row_number() OVER (PARTITION BY d.person_id, c.code, d.number ORDER BY d.decision_id) + coalesce((
           SELECT max(o.ordinal) FROM entitlement o WHERE o.person_id = d.person_id AND o.category = c.code
           AND o.decision_number = d.number), 0))::smallint"""

_GRANT: Final = f"""
INSERT INTO entitlement (entitlement_id, person_id, programme, funding_source, category, percent, per_dependant, ordinal, benefit_line,
                         decision_number, decision_date, from_month, arrears_from, authority, authority_path, decision_id, dependant_id,
                         quantity)
SELECT d.result_id, d.person_id, c.programme, c.funding_source, c.code, coalesce(d.percent, 0), c.per_dependant, {_ORDINAL},
       c.benefit_line, d.number, d.decision_date, d.effective_month, d.arrears_from, d.authority, d.authority_path, d.decision_id,
       d.dependant_id, coalesce(d.quantity, 1)
FROM decision d JOIN benefit_category c ON c.code = d.category
WHERE {_MINE} AND d.kind = 'GRANT'
RETURNING entitlement_id
"""

# An adjustment ends the old level where the new one begins. Arrears granted explicitly keep their months: what the old level would have
# paid as arrears from the effective month on, the new one pays as arrears too, so that no month changes its line.
_CLOSE: Final = f"""
UPDATE entitlement e SET until = least(e.until, d.effective_month), status = 'ENDED', version = e.version + 1
FROM decision d WHERE {_MINE} AND d.kind = 'ADJUST' AND e.entitlement_id = d.entitlement_id
RETURNING e.entitlement_id
"""
_REPLACE: Final = f"""
INSERT INTO entitlement (entitlement_id, person_id, programme, funding_source, category, percent, per_dependant, ordinal, benefit_line,
                         decision_number, decision_date, from_month, arrears_from, authority, authority_path, decision_id,
                         quantity, dependant_id, dependant_birth_date)
SELECT d.result_id, d.person_id, c.programme, c.funding_source, c.code, coalesce(d.percent, 0), c.per_dependant, {_ORDINAL},
       c.benefit_line, d.number, d.decision_date, greatest(d.effective_month, r.regular_from),
       CASE WHEN d.effective_month < r.regular_from THEN greatest(d.effective_month, e.arrears_from) END, d.authority, d.authority_path,
       d.decision_id, CASE WHEN c.per_quantity THEN coalesce(d.quantity, e.quantity) ELSE 1 END, e.dependant_id, e.dependant_birth_date
FROM decision d
JOIN entitlement e USING (entitlement_id)
JOIN benefit_category c ON c.code = d.category
CROSS JOIN LATERAL (SELECT CASE WHEN e.arrears_from IS NULL THEN d.effective_month WHEN e.arrears_from < e.from_month THEN e.from_month
    ELSE greatest(e.from_month, (date_trunc('month', e.decision_date) + interval '1 month')::date) END AS regular_from) r
WHERE {_MINE} AND d.kind = 'ADJUST'
RETURNING entitlement_id
"""

# What was suspended stays suspended at the new level: a month that was set aside does not come back because the level changed.
_STILL_PAUSED: Final = f"""
INSERT INTO entitlement_pause (entitlement_id, from_month, until, reason, back_pay, decision_id)
SELECT d.result_id, greatest(u.from_month, d.effective_month), u.until, u.reason, u.back_pay, u.decision_id
FROM decision d JOIN entitlement_pause u USING (entitlement_id)
WHERE {_MINE} AND d.kind = 'ADJUST' AND u.until > d.effective_month
"""

_SUSPEND: Final = f"""
WITH paused AS (
    INSERT INTO entitlement_pause (entitlement_id, from_month, reason, decision_id)
    SELECT d.entitlement_id, d.effective_month, d.reason, d.decision_id FROM decision d WHERE {_MINE} AND d.kind = 'SUSPEND'
    RETURNING entitlement_id
)
UPDATE entitlement e SET status = 'SUSPENDED', version = e.version + 1 FROM paused WHERE e.entitlement_id = paused.entitlement_id
RETURNING e.entitlement_id
"""

# A suspension that ended before it took effect, or that was a false alarm, takes no month away; it stays as a record.
_UNPAUSE: Final = f"""
UPDATE entitlement_pause u SET back_pay = d.back_pay OR d.effective_month <= u.from_month,
       until = greatest(CASE WHEN d.back_pay THEN date_trunc('month', d.business_date)::date ELSE d.effective_month END,
                        (u.from_month + interval '1 month')::date)
FROM decision d WHERE {_MINE} AND d.kind = 'RESUME' AND u.entitlement_id = d.entitlement_id AND u.until = 'infinity'
RETURNING u.entitlement_id
"""
_GAP: Final = f"""
INSERT INTO entitlement_pause (entitlement_id, from_month, until, reason, decision_id)
SELECT e.entitlement_id, e.until, d.effective_month, d.reason, d.decision_id
FROM decision d JOIN entitlement e USING (entitlement_id)
WHERE {_MINE} AND d.kind = 'RESUME' AND e.status = 'ENDED' AND NOT d.back_pay AND d.effective_month > e.until
  AND NOT e.entitlement_id = ANY(CAST(:unpaused AS uuid[]))
ON CONFLICT (entitlement_id, from_month) WHERE NOT back_pay DO UPDATE SET until = excluded.until, reason = excluded.reason,
    decision_id = excluded.decision_id
"""
_RESUME: Final = f"""
UPDATE entitlement e SET status = 'GRANTED', until = 'infinity', version = e.version + 1
FROM decision d WHERE {_MINE} AND d.kind = 'RESUME' AND e.entitlement_id = d.entitlement_id
RETURNING e.entitlement_id
"""

_END: Final = f"""
UPDATE entitlement e SET status = 'ENDED', until = least(e.until, d.effective_month), version = e.version + 1
FROM decision d WHERE {_MINE} AND d.kind = 'END' AND e.entitlement_id = d.entitlement_id
RETURNING e.entitlement_id
"""

_MOVE: Final = f"""
UPDATE entitlement e SET version = e.version + 1
FROM decision d WHERE {_MINE} AND d.kind = 'TRANSFER' AND e.entitlement_id = d.entitlement_id
RETURNING e.entitlement_id
"""

EVENTS: Final = {
    "GRANT": "EntitlementGranted", "ADJUST": "EntitlementChanged", "SUSPEND": "EntitlementSuspended", "RESUME": "EntitlementResumed",
    "END": "EntitlementEnded", "TRANSFER": "EntitlementChanged",
}  # fmt: skip
"""Kind of decision → event about the allowance."""


async def apply(tx: Tx, decision_ids: Sequence[UUID]) -> dict[str, list[UUID]]:
    """Change the allowances these approved decisions are about; kind → allowances to publish. The caller holds the people lock."""
    ids = list(decision_ids)

    async def run(sql: str) -> list[UUID]:
        return [row["entitlement_id"] for row in await tx.rows(sql, ids=ids)]

    done = {"END": await run(_END), "SUSPEND": await run(_SUSPEND)}
    closed = await run(_CLOSE)
    done["ADJUST"] = closed + await run(_REPLACE)
    await tx.execute(_STILL_PAUSED, ids=ids)
    await tx.execute(_GAP, ids=ids, unpaused=await run(_UNPAUSE))
    done["RESUME"] = await run(_RESUME)
    done["GRANT"] = await run(_GRANT)
    done["TRANSFER"] = await run(_MOVE)
    return done
