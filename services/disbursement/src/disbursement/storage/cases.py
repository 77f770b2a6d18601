"""Cases of investigation and recall, with every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.domain.cases import STATUS_OUTCOMES

__all__ = ["add", "belongs", "change", "close_answered", "close_by_result", "find", "page", "said_last", "steps"]

_VIEW: Final = """
SELECT c.*, p.reference, p.partner_reference, p.amount, p.channel, p.status AS payment_status, p.month, p.occurred_at, p.beneficiary_id,
       p.batch_id, b.reference AS batch_reference, l.payee_name, l.provider_code, a.masked_number
FROM payment_case c JOIN payment p USING (payment_id) JOIN payment_batch b USING (batch_id) JOIN list_line l ON l.line_id = p.line_id
LEFT JOIN payout_account a ON a.account_id = l.account_id
"""


async def add(tx: Tx, values: Mapping[str, Any], actor: str) -> UUID | None:
    """Open a case; None when the payment has a living one of this kind."""
    names, holders = ", ".join(values), ", ".join(f":{name}" for name in values)
    row = await tx.row(
        f"INSERT INTO payment_case ({names}) VALUES ({holders})"
        " ON CONFLICT (payment_id, kind) WHERE state NOT IN ('CLOSED', 'CANCELLED') DO NOTHING RETURNING case_id, reason",
        **values,
    )
    if row is None:
        return None
    await _step(tx, row["case_id"], "OPEN", row["reason"], actor)
    case_id: UUID = row["case_id"]
    return case_id


async def _step(tx: Tx, case_id: UUID, action: str, note: str | None, actor: str) -> None:
    await tx.execute(
        "INSERT INTO payment_case_step (case_id, version, action, state, note, actor)"
        " SELECT case_id, version, :action, state, :note, :actor FROM payment_case WHERE case_id = :case_id",
        case_id=case_id,
        action=action,
        note=note,
        actor=actor,
    )


async def said_last(tx: Tx, case_id: UUID, action: str, note: str | None, actor: str, values: Mapping[str, Any]) -> bool:
    """Whether a case's last step is this one: same person, same words, same columns (names are ours)."""
    same = " AND ".join(f"c.{name} = :{name}" for name in values)
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM payment_case c JOIN payment_case_step s ON s.case_id = c.case_id AND s.version = c.version"
            f" WHERE c.case_id = :case_id AND s.action = :action AND s.actor = :actor AND s.note IS NOT DISTINCT FROM :note AND {same})",
            case_id=case_id,
            action=action,
            actor=actor,
            note=note,
            **values,
        )
    )


async def change(tx: Tx, case_id: UUID, action: str, note: str | None, actor: str, values: Mapping[str, Any]) -> None:
    """Set columns of a case (names are ours) and keep the step."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    ended = ", closed_by = :closer, closed_at = clock_timestamp()" if action in {"CLOSE", "CANCEL"} else ""
    closer = {"closer": actor} if ended else {}
    await tx.execute(f"UPDATE payment_case SET {sets}{ended}, version = version + 1 WHERE case_id = :id", id=case_id, **closer, **values)
    await _step(tx, case_id, action, note, actor)


async def belongs(tx: Tx, case_id: UUID, payment_id: UUID) -> bool:
    """Whether a living case is about this payment."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT 1 FROM payment_case WHERE case_id = :case_id AND payment_id = :payment_id"
            " AND state NOT IN ('CLOSED', 'CANCELLED'))",
            case_id=case_id,
            payment_id=payment_id,
        )
    )


async def close_by_result(tx: Tx, case_id: UUID, outcome: str, by: str, note: str) -> None:
    """Two people's result ends the case it came from."""
    living = await tx.value("SELECT 1 FROM payment_case WHERE case_id = :id AND state NOT IN ('CLOSED', 'CANCELLED')", id=case_id)
    if living is not None:
        await change(tx, case_id, "CLOSE", note, by, {"state": "CLOSED", "outcome": outcome})


async def find(tx: Tx, actor: Actor, case_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One case of a payment in the actor's units."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.row(f"{_VIEW} WHERE c.case_id = :id AND {scope} {'FOR UPDATE OF c, p' if lock else ''}", id=case_id, **params)


async def page(
    tx: Tx,
    actor: Actor,
    *,
    kind: str | None,
    state: str | None,
    partner: str | None,
    payment_id: UUID | None,
    overdue_on: date | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Cases in the actor's units, oldest first; `overdue_on`: only those whose answer was due before that day."""
    scope, params = actor.scope_sql("c.unit_path")
    conditions: list[str] = [scope]
    for column, value in (("kind", kind), ("state", state), ("partner", partner), ("payment_id", payment_id)):
        if value is not None:
            conditions.append(f"c.{column} = :{column}")
            params[column] = value
    if overdue_on is not None:
        conditions.append("c.state = 'SENT' AND c.due_on < CAST(:overdue_on AS date)")
        params["overdue_on"] = overdue_on
    if after is not None:
        conditions.append("c.case_id > :after")
        params["after"] = after
    return await tx.rows(f"{_VIEW} WHERE {' AND '.join(conditions)} ORDER BY c.case_id LIMIT :limit", limit=limit, **params)


async def steps(tx: Tx, case_id: UUID) -> Sequence[RowMapping]:
    """Every step of a case, oldest first."""
    return await tx.rows(
        "SELECT version, action, state, note, actor, taken_at FROM payment_case_step WHERE case_id = :id ORDER BY version", id=case_id
    )


_ANSWERS: Final = ", ".join(
    f"('{kind}','{status}','{outcome}')" for kind, found in STATUS_OUTCOMES.items() for status, outcome in found.items()
)
_CLOSE_ANSWERED: Final = f"""
WITH answer (kind, status, outcome) AS (VALUES {_ANSWERS}),
closed AS (
    UPDATE payment_case c
    SET state = 'CLOSED', outcome = a.outcome, closed_by = :actor, closed_at = clock_timestamp(), version = c.version + 1
    FROM payment p, answer a, payment_case_step s, payment_history h
    WHERE c.state NOT IN ('CLOSED', 'CANCELLED') AND p.payment_id = c.payment_id AND a.kind = c.kind AND a.status = p.status
      AND s.case_id = c.case_id AND s.version = 1 AND h.payment_id = p.payment_id AND h.version = p.version AND h.recorded_at > s.taken_at
    RETURNING c.case_id, c.version, h.source
)
INSERT INTO payment_case_step (case_id, version, action, state, note, actor)
SELECT case_id, version, 'CLOSE', 'CLOSED', source, :actor FROM closed
RETURNING case_id
"""


async def close_answered(tx: Tx, actor: str) -> list[UUID]:
    """End the cases whose payment reached, after they were opened, what they asked for; which."""
    return [row["case_id"] for row in await tx.rows(_CLOSE_ANSWERED, actor=actor)]
