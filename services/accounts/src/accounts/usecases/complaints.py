"""Fees that people were charged although the provider offered to waive them: recorded, put to the provider, answered."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from accounts.domain.complaints import TRANSITIONS, ComplaintState
from accounts.domain.errors import ComplaintNotFound, MoveRefused, PersonNotFound, ProviderNotFound
from accounts.storage import complaints, directory, people
from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import InvalidInput, PreconditionFailed

__all__ = ["complain", "complaint", "complaint_page", "move"]


async def complain(
    tx: Tx, *, beneficiary_id: UUID, provider_code: str, kind: str, amount: int, charged_on: date, details: str | None, business_date: date
) -> UUID:
    """Record a complaint with what the provider's offer said on the day. Raises PersonNotFound, ProviderNotFound, InvalidInput."""
    actor = tx.actor
    if actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and the keyring")
    if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
        raise PersonNotFound
    if await directory.provider(tx, provider_code) is None:
        raise ProviderNotFound(errors=[{"field": "provider_code", "detail": provider_code}])
    if charged_on > business_date:
        raise InvalidInput("charged later than today", errors=[{"field": "charged_on", "detail": charged_on.isoformat()}])
    complaint_id = new_id()
    await complaints.add(
        tx,
        complaint_id=complaint_id,
        beneficiary_id=beneficiary_id,
        provider_code=provider_code,
        kind=kind,
        amount=amount,
        charged_on=charged_on,
        details=tx.db.keyring.encrypt("complaint", details) if details else None,
        offered=await directory.fee_on(tx, provider_code, kind, charged_on),
        business_date=business_date,
        by=actor.subject,
    )
    what = audit.Created({"provider": provider_code, "kind": kind, "amount": amount})
    await audit.record(tx, "complaint.record", "fee_complaint", complaint_id, what)
    return complaint_id


async def complaint(db: Database, actor: Actor, complaint_id: UUID) -> dict[str, Any]:
    """One complaint with what the person said. Raises ComplaintNotFound."""
    async with db.read(actor) as tx:
        found = await complaints.find(tx, complaint_id, *actor.scope_sql("c.unit_path"))
    if found is None:
        raise ComplaintNotFound
    cipher = found["details_cipher"]
    return {**found, "details": db.keyring.decrypt("complaint", cipher) if cipher is not None and db.keyring is not None else None}


async def complaint_page(
    db: Database, actor: Actor, *, state: str | None, provider: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """One page of complaints of the caller's units."""
    scope, params = actor.scope_sql("c.unit_path")
    async with db.read(actor) as tx:
        rows = await complaints.page(tx, state=state, provider=provider, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in rows]


async def move(
    db: Database, actor: Actor, complaint_id: UUID, *, state: ComplaintState, answer: str | None, refunded: int | None, version: int
) -> dict[str, Any]:
    """Put it to the provider, or record its answer. Raises ComplaintNotFound, PreconditionFailed, MoveRefused, InvalidInput."""
    async with db.transaction(actor) as tx:
        found = await complaints.find(tx, complaint_id, *actor.scope_sql("c.unit_path"), lock=True)
        if found is None:
            raise ComplaintNotFound
        if found["version"] != version:
            raise PreconditionFailed
        if state not in TRANSITIONS[ComplaintState(found["state"])]:
            raise MoveRefused(f"{found['state']} → {state}")
        if state in (ComplaintState.UPHELD, ComplaintState.REFUSED) and not answer:
            raise InvalidInput("the provider's answer is missing", errors=[{"field": "answer", "detail": "required"}])
        if refunded is not None and (refunded > found["amount"] or state is not ComplaintState.UPHELD):
            raise InvalidInput("more than was charged, or not upheld", errors=[{"field": "refunded", "detail": str(refunded)}])
        await complaints.move(tx, complaint_id, state=state.value, answer=answer, refunded=refunded, by=actor.subject)
        after = {"state": state.value, "refunded": found["refunded"] if refunded is None else refunded}
        await audit.record(tx, "complaint.move", "fee_complaint", complaint_id, audit.Changed.of(found, after, "state", "refunded"))
    return await complaint(db, actor, complaint_id)
