"""Batches that travel as files: under which name, what was done with them by whom, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.storage.claims import DECLARED_DEAD_SQL

__all__ = ["ask_again", "by_id", "holds_dead", "name", "page", "request", "step", "steps"]

_VIEW: Final = """
SELECT b.batch_id, b.cycle_id, b.partner, b.programme, b.funding_source, b.number, b.reference, b.state, b.payments, b.amount, b.sends,
       b.file_name, encode(b.request_digest, 'hex') AS sha256, b.last_error, b.created_at, b.answered_at, b.value_date, b.after_cut_off,
       c.month, c.business_date, c.unit_path
FROM payment_batch b JOIN payment_cycle c USING (cycle_id)
"""
_CARRIED: Final = """
(SELECT count(*) FROM payment p WHERE p.batch_id = v.batch_id AND p.status <> 'CANCELLED') AS sent_payments,
(SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM payment p WHERE p.batch_id = v.batch_id AND p.status <> 'CANCELLED') AS sent_amount
"""


async def name(tx: Tx, batch_id: UUID, file_name: str | None) -> None:
    """The batch's stored bytes are a file of this name; None: they are no file."""
    if file_name is not None:
        await tx.execute("UPDATE payment_batch SET file_name = :name WHERE batch_id = :batch_id", batch_id=batch_id, name=file_name)


async def step(tx: Tx, batch_id: UUID, kind: str, note: str | None = None) -> None:
    """Record what was done with a batch's file, by the transaction's actor."""
    await tx.execute(
        "INSERT INTO batch_file_step (batch_id, kind, actor, note, sha256)"
        " SELECT batch_id, :kind, :actor, :note, request_digest FROM payment_batch WHERE batch_id = :batch_id",
        batch_id=batch_id,
        kind=kind,
        note=note,
        actor=tx.actor.subject if tx.actor else "system",
    )


async def steps(tx: Tx, batch_id: UUID) -> Sequence[RowMapping]:
    """What was done with a batch's file, oldest first."""
    return await tx.rows(
        "SELECT kind, actor, at, note, encode(sha256, 'hex') AS sha256 FROM batch_file_step WHERE batch_id = :id ORDER BY step_id",
        id=batch_id,
    )


async def page(
    tx: Tx, actor: Actor, *, cycle_id: UUID | None, partner: str | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Batches of cycles in the actor's units, ordered by id, after a cursor."""
    scope, params = actor.scope_sql("c.unit_path")
    conditions: list[str] = [scope]
    given: dict[str, Any] = {"b.cycle_id": cycle_id, "b.partner": partner, "b.state": state}
    for column, value in given.items():
        if value is not None:
            key = column[2:]
            conditions.append(f"{column} = :{key}")
            params[key] = value
    if after is not None:
        conditions.append("b.batch_id > :after")
        params["after"] = after
    return await tx.rows(f"{_VIEW} WHERE {' AND '.join(conditions)} ORDER BY b.batch_id LIMIT :limit", limit=limit, **params)


async def by_id(tx: Tx, actor: Actor, batch_id: UUID) -> RowMapping | None:
    """One batch with what its file carries, if its cycle is in the actor's units."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.row(f"SELECT v.*, {_CARRIED} FROM ({_VIEW} WHERE b.batch_id = :batch_id AND {scope}) v", batch_id=batch_id, **params)


async def request(tx: Tx, batch_id: UUID) -> bytes:
    """The stored bytes, encrypted as they lie."""
    return bytes(await tx.value("SELECT request FROM payment_batch WHERE batch_id = :batch_id", batch_id=batch_id))


async def holds_dead(tx: Tx, batch_id: UUID) -> bool:
    """Whether a payment in the batch's file was declared dead: whoever executes this file once more pays it. The batch is locked."""
    await tx.execute("SELECT 1 FROM payment_batch WHERE batch_id = :batch_id FOR SHARE", batch_id=batch_id)
    return bool(await tx.value(f"SELECT {DECLARED_DEAD_SQL} FROM payment_batch WHERE batch_id = :batch_id", batch_id=batch_id))


async def ask_again(tx: Tx, batch_id: UUID) -> bool:
    """A person wants the same file uploaded again; False unless the batch waits for an acknowledgement and nothing of it is dead."""
    touched = await tx.execute(
        "UPDATE payment_batch SET state = 'RESEND', next_at = now() WHERE batch_id = :batch_id AND state = 'UNCERTAIN'"
        f" AND NOT {DECLARED_DEAD_SQL}",
        batch_id=batch_id,
    )
    return touched == 1
