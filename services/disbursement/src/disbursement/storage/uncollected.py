"""Who did not collect three months in a row: proposed to the register's officers, never stopped by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.actor import Actor
from common.contracts.disbursement_v1 import SuspensionProposed
from common.contracts.registry_v1 import Programme
from common.db import Tx

__all__ = ["MONTHS_IN_A_ROW", "close", "find", "page", "propose_for_moved", "take_up", "withdraw_for_moved"]

MONTHS_IN_A_ROW: Final = 3
"""Decree 20/2021 Art. 8; Circular 02/2021/TT-BLĐTBXH Art. 2: three consecutive months not collected."""

# A month counts by its cycle and once, whatever was tried in it; it does not count when anything of it was paid after all. Paid
# later months break the row.
_PROPOSE: Final = f"""
WITH who AS MATERIALIZED (
    SELECT DISTINCT ON (beneficiary_id) beneficiary_id, payment_id FROM payment_moved
    WHERE status = 'UNCOLLECTED' AND programme = '{Programme.SOCIAL_ASSISTANCE}' ORDER BY beneficiary_id, payment_id DESC
), months AS (
    SELECT p.beneficiary_id, p.month, CAST(p.month || '-01' AS date) AS day, bool_or(p.status = 'UNCOLLECTED')
           AND NOT bool_or(p.status IN ('SETTLED', 'COLLECTED')) AS uncollected
    FROM payment p JOIN who USING (beneficiary_id) WHERE p.programme = '{Programme.SOCIAL_ASSISTANCE}' GROUP BY 1, 2, 3
), latest AS (
    SELECT m.*, row_number() OVER (PARTITION BY beneficiary_id ORDER BY day DESC) AS back FROM months m
), rows_of_months AS (
    SELECT beneficiary_id, array_agg(month ORDER BY day) AS months, max(day) AS last, min(day) AS first
    FROM latest WHERE uncollected AND back <= {MONTHS_IN_A_ROW} GROUP BY 1 HAVING count(*) = {MONTHS_IN_A_ROW}
)
INSERT INTO suspension_proposal (beneficiary_id, programme, months, amount, payment_id, business_date, unit_code, unit_path)
SELECT r.beneficiary_id, p.programme, r.months, p.amount, p.payment_id, p.business_date, p.unit_code, p.unit_path
FROM rows_of_months r JOIN who USING (beneficiary_id) JOIN payment p USING (payment_id)
WHERE r.last = r.first + make_interval(months => {MONTHS_IN_A_ROW} - 1)
ON CONFLICT (beneficiary_id, programme) WHERE state = 'OPEN'
DO UPDATE SET months = excluded.months, amount = excluded.amount, payment_id = excluded.payment_id,
    version = suspension_proposal.version + 1
RETURNING proposal_id
"""

_SAID: Final = """
SELECT t.beneficiary_id AS key, uuidv7() AS event_id, json_build_object(
    'version', t.version, 'business_date', coalesce(t.closed_on, t.business_date), 'proposal_id', t.proposal_id,
    'beneficiary_id', t.beneficiary_id, 'programme', t.programme, 'months', t.months, 'amount', t.amount, 'state', t.state,
    'unit_code', t.unit_code, 'unit_path', t.unit_path) AS body
FROM suspension_proposal t WHERE t.proposal_id = ANY(CAST(:ids AS uuid[])) ORDER BY t.proposal_id
"""

# A suspension decided before the proposal was made says nothing of it.
_TAKE_UP: Final = """
UPDATE suspension_proposal t SET state = 'TAKEN_UP', closed_by = :by, closed_at = now(), closed_on = e.decided_on, version = t.version + 1,
    decision_number = coalesce(e.decision_number, '–')
FROM (
    SELECT DISTINCT ON (beneficiary_id, programme) beneficiary_id, programme, decision_number, business_date AS decided_on
    FROM json_to_recordset(CAST(:bodies AS json)) AS x (beneficiary_id uuid, programme text, status text, decision_number text,
                                                        business_date date)
    WHERE status = 'SUSPENDED' ORDER BY beneficiary_id, programme, business_date DESC
) e
WHERE t.state = 'OPEN' AND t.beneficiary_id = e.beneficiary_id AND t.programme = e.programme AND e.decided_on >= t.business_date
RETURNING t.proposal_id
"""


async def propose_for_moved(tx: Tx) -> int:
    """Propose everyone in `payment_moved` whose last three months were not collected; how many (an open proposal is brought up to date)."""
    ids = [row["proposal_id"] for row in await tx.rows(_PROPOSE)]
    await _say(tx, ids)
    return len(ids)


# A month that was collected after all breaks the row: whoever was proposed for it is not proposed any more.
_WITHDRAW: Final = """
UPDATE suspension_proposal t SET state = 'DISMISSED', closed_by = :by, closed_at = now(), closed_on = greatest(t.business_date, c.day),
    note = 'Đính chính: tháng này đã nhận tiền · corrected: it was collected', version = t.version + 1
FROM (SELECT p.beneficiary_id, p.programme, array_agg(p.month) AS months, max(p.business_date) AS day
      FROM payment_moved m JOIN payment p USING (payment_id) WHERE m.status = 'COLLECTED' GROUP BY 1, 2) c
WHERE t.state = 'OPEN' AND t.beneficiary_id = c.beneficiary_id AND t.programme = c.programme AND t.months && c.months
RETURNING t.proposal_id
"""


async def withdraw_for_moved(tx: Tx, by: str) -> list[UUID]:
    """Close the open proposals that rest on a month of which `payment_moved` says that it was collected after all; which."""
    ids = [row["proposal_id"] for row in await tx.rows(_WITHDRAW, by=by)]
    await _say(tx, ids)
    return ids


async def _say(tx: Tx, ids: Sequence[UUID]) -> None:
    """The register hears of proposals as they stand now."""
    if ids:
        await outbox.insert_select(tx, SuspensionProposed, _SAID, ids=list(ids))


async def take_up(tx: Tx, bodies: str, by: str) -> int:
    """Close the proposals of everyone whose allowance the register suspended (`EntitlementState` bodies); how many."""
    ids = [row["proposal_id"] for row in await tx.rows(_TAKE_UP, bodies=bodies, by=by)]
    await _say(tx, ids)
    return len(ids)


_VIEW: Final = """
SELECT t.*, b.file_code, b.full_name AS beneficiary_name FROM suspension_proposal t LEFT JOIN beneficiary b USING (beneficiary_id)
"""


async def page(tx: Tx, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Proposals in the actor's units, oldest first."""
    scope, params = actor.scope_sql("t.unit_path")
    return await tx.rows(
        f"{_VIEW} WHERE {scope} AND (CAST(:state AS text) IS NULL OR t.state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR t.proposal_id > :after) ORDER BY t.proposal_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **params,
    )


async def find(tx: Tx, proposal_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One proposal."""
    return await tx.row(f"{_VIEW} WHERE t.proposal_id = :id {'FOR UPDATE OF t' if lock else ''}", id=proposal_id)


async def close(
    tx: Tx, proposal_id: UUID, state: str, *, by: str, on: date, decision_number: str | None, note: str | None
) -> RowMapping | None:
    """Write what the register's officer did with a proposal; None when it is closed already."""
    row = await tx.row(
        "UPDATE suspension_proposal SET state = :state, closed_by = :by, closed_at = now(), closed_on = :on,"
        " decision_number = :decision_number, note = :note, version = version + 1 WHERE proposal_id = :id AND state = 'OPEN' RETURNING *",
        id=proposal_id,
        state=state,
        by=by,
        on=on,
        decision_number=decision_number,
        note=note,
    )
    if row is not None:
        await _say(tx, [proposal_id])
    return row
