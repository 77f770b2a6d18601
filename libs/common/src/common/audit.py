"""The audit log: one row per change or full read, written in the transaction of the change."""

from __future__ import annotations

from typing import Any

from common.db import Tx

__all__ = ["record"]


async def record(
    tx: Tx, action: str, object_type: str, object_id: object, detail: dict[str, Any] | None = None, *, purpose: str | None = None
) -> None:
    """Write who did what to which object. `detail` holds masked values; bulk work is one row with count and digest.

    The row's id is put where the sealer of :mod:`common.audit_chain` finds it once the transaction has committed.
    """
    actor = tx.actor
    if actor is None:
        raise RuntimeError("a change needs an actor: open the transaction with one")
    await tx.execute(
        "WITH written AS (INSERT INTO audit_log (subject, roles, units, request_id, action, object_type, object_id, detail, purpose)"
        " VALUES (:subject, CAST(:roles AS text[]), CAST(:units AS text[]), :request_id, :action, :object_type, :object_id, :detail,"
        " :purpose) RETURNING id) INSERT INTO audit_unsealed (audit_id) SELECT id FROM written",
        subject=actor.subject,
        roles=sorted(role.value for role in actor.roles),
        units=list(actor.unit_paths),
        request_id=actor.request_id,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        detail=detail or {},
        purpose=purpose,
    )
