"""Proposals to suspend allowances that nobody collected: copies of what disbursement says, and what can be decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["page", "put"]

_PUT: Final = """
INSERT INTO suspension_proposal AS t (proposal_id, version, beneficiary_id, programme, months, amount, business_date, unit_path, state)
SELECT DISTINCT ON (proposal_id) proposal_id, version, beneficiary_id, programme, months, amount, business_date, unit_path, state
FROM json_to_recordset(CAST(:bodies AS json)) AS e (proposal_id uuid, version bigint, beneficiary_id uuid, programme text, months text[],
     amount bigint, business_date date, unit_path text, state text)
ORDER BY proposal_id, version DESC
ON CONFLICT (proposal_id) DO UPDATE SET
    version = excluded.version, months = excluded.months, amount = excluded.amount, business_date = excluded.business_date,
    unit_path = excluded.unit_path, state = excluded.state
WHERE excluded.version > t.version
"""

# The allowances of the programme that could be suspended now, and whether somebody has proposed it already.
_PAGE: Final = """
SELECT t.proposal_id, t.beneficiary_id, p.file_code, p.full_name, p.unit_path, t.programme, t.months, t.amount, t.business_date, t.state,
       array(SELECT e.entitlement_id FROM entitlement e WHERE e.person_id = t.beneficiary_id AND e.programme = t.programme
             AND e.status = 'GRANTED' ORDER BY e.entitlement_id) AS entitlement_ids,
       EXISTS (SELECT FROM decision d WHERE d.person_id = t.beneficiary_id AND d.kind = 'SUSPEND' AND d.state = 'PROPOSED') AS proposed
FROM suspension_proposal t JOIN person p ON p.person_id = t.beneficiary_id
WHERE {scope} AND (CAST(:state AS text) IS NULL OR t.state = :state) AND (CAST(:after AS uuid) IS NULL OR t.proposal_id > :after)
ORDER BY t.proposal_id LIMIT :limit
"""


async def put(tx: Tx, bodies: str) -> None:
    """What disbursement proposes (`SuspensionProposed` bodies as a JSON array)."""
    await tx.execute(_PUT, bodies=bodies)


async def page(tx: Tx, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Proposals about people in the actor's units, oldest first."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.rows(_PAGE.format(scope=scope), state=state, after=after, limit=limit, **params)
