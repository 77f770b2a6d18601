"""A difference between a partner's statement and our books is ended by two people, with evidence."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, clock
from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.reconciliation import BreakAction, Resolution, move, result_of
from disbursement.domain.reconciliation_errors import ResolutionNotPossible, SameResolver
from disbursement.storage import statements
from disbursement.usecases.record_results import Told, record_results

__all__ = ["decide", "propose"]


async def _found(tx: Tx, actor: Actor, break_id: UUID) -> RowMapping:
    row = await statements.break_of(tx, actor, break_id)
    if row is None:
        raise NotFound("No such difference")
    return row


async def propose(db: Database, actor: Actor, break_id: UUID, resolution: Resolution, note: str, evidence: str) -> RowMapping:
    """The first person says how it ends. Raises IllegalBreakMove, or ResolutionNotPossible when no payment stands behind it."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, break_id)
        state = move(row["state"], BreakAction.PROPOSE)
        if resolution is Resolution.LATER_STATEMENT:
            raise ResolutionNotPossible("Only a later statement says that")
        if result_of(resolution) is not None and row["payment_id"] is None:
            raise ResolutionNotPossible("No payment of ours stands behind this difference")
        stored = await statements.set_break(
            tx,
            break_id,
            {
                "state": state.value, "resolution": resolution.value, "note": note, "evidence": evidence, "proposed_by": actor.subject,
                "decided_by": None, "decided_at": None,
            },
        )  # fmt: skip
        await audit.record(tx, "break.propose", "break", break_id, {"resolution": resolution.value, "note": note, "evidence": evidence})
        return stored


async def decide(db: Database, actor: Actor, break_id: UUID, *, confirm: bool, note: str) -> RowMapping:
    """The second person confirms (what it says of a payment is then applied) or refuses. Raises SameResolver, IllegalBreakMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, break_id)
        state = move(row["state"], BreakAction.CONFIRM if confirm else BreakAction.REFUSE)
        if row["proposed_by"] == actor.subject:
            raise SameResolver()
        if confirm:
            await _apply(tx, row)
            values: dict[str, object] = {"state": state.value, "decided_by": actor.subject, "decided_at": clock.now()}
        else:
            values = {"state": state.value, "resolution": None, "evidence": None, "proposed_by": None, "note": note}
        stored = await statements.set_break(tx, break_id, values)
        await audit.record(
            tx, "break.confirm" if confirm else "break.refuse", "break", break_id, {"resolution": row["resolution"], "note": note}
        )
        return stored


async def _apply(tx: Tx, row: RowMapping) -> None:
    """What two people say of a payment counts like a partner's word: same judgement, same effects."""
    result = result_of(Resolution(row["resolution"]))
    if result is None:
        return
    told = PartnerResult(
        reference=row["payment_reference"],
        status=result,
        amount=row["payment_amount"],
        currency="VND",
        reason=None,
        partner_reference=None,
        occurred_at=clock.now(),
        said={"break_id": str(row["break_id"]), "resolution": row["resolution"]},
    )
    recorded = await record_results(tx, row["partner"], "MANUAL", [Told(str(row["break_id"]), told)])
    if not recorded.payments:
        raise ResolutionNotPossible(
            f"The payment is {row['payment_status']} and cannot become {result}; a wrongly told failure is corrected at POST"
            " /v1/payments/{payment_id}/corrections, which ends the difference",
            payment_status=row["payment_status"],
        )
