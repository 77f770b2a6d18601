"""A difference between a partner's statement and our books is ended by two people, with evidence."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, clock
from common.actor import Actor
from common.contracts.disbursement_v1 import PaymentStatus
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.payment import Reading, ResultStatus, corrects, read_result
from disbursement.domain.reconciliation import BreakAction, Resolution, move, result_of
from disbursement.domain.reconciliation_errors import ResolutionNotPossible, SameResolver
from disbursement.storage import corrections, statements
from disbursement.usecases import manual_results
from disbursement.usecases.record_results import Told, record_results

__all__ = ["decide", "propose"]

_SAYS_NOTHING: Final = {Resolution.PARTNER_CORRECTS, Resolution.NOT_OURS}
"""Ends of a difference that do not say what became of the money."""


async def _found(tx: Tx, actor: Actor, break_id: UUID) -> RowMapping:
    row = await statements.break_of(tx, actor, break_id)
    if row is None:
        raise NotFound("No such difference")
    return row


async def propose(db: Database, actor: Actor, break_id: UUID, resolution: Resolution, note: str, evidence: str) -> RowMapping:
    """The first person says how it ends. Raises IllegalBreakMove, ResolutionNotPossible."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, break_id)
        state = move(row["state"], BreakAction.PROPOSE)
        _check(row, resolution)
        stored = await statements.set_break(
            tx,
            break_id,
            {
                "state": state.value, "resolution": resolution.value, "note": note, "evidence": evidence, "proposed_by": actor.subject,
                "decided_by": None, "decided_at": None,
            },
        )  # fmt: skip
        what = audit.Changed.of(row, stored, "state", "resolution", "proposed_by", note=note, evidence=evidence)
        await audit.record(tx, "break.propose", "break", break_id, what)
        return stored


async def decide(db: Database, actor: Actor, break_id: UUID, *, confirm: bool, note: str) -> RowMapping:
    """The second person confirms (what it says of a payment is then applied) or refuses. Raises SameResolver, IllegalBreakMove,
    ResolutionNotPossible, BudgetExceeded (what went back to the budget was promised to others)."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, break_id)
        state = move(row["state"], BreakAction.CONFIRM if confirm else BreakAction.REFUSE)
        if row["proposed_by"] == actor.subject:
            raise SameResolver()
        if confirm:
            _check(row, Resolution(row["resolution"]))
            await _apply(tx, row, actor, note)
            values: dict[str, object] = {"state": state.value, "decided_by": actor.subject, "decided_at": clock.now()}
        else:
            values = {"state": state.value, "resolution": None, "evidence": None, "proposed_by": None, "note": note}
        stored = await statements.set_break(tx, break_id, values)
        before, after = {"payment_status": row["payment_status"]}, {"payment_status": stored["payment_status"]}
        fields = ("state", "resolution", "proposed_by", "decided_by")
        what = audit.Changed(
            before | {name: row[name] for name in fields}, after | {name: stored[name] for name in fields}, {"note": note}
        )  # fmt: skip
        await audit.record(tx, "break.confirm" if confirm else "break.refuse", "break", break_id, what)
        return stored


def _check(row: RowMapping, resolution: Resolution) -> None:
    """Whether a difference may end so. One that keeps months from being paid ends with what became of the money."""
    result = result_of(resolution)
    if resolution is Resolution.LATER_STATEMENT:
        raise ResolutionNotPossible("Only a later statement says that")
    if resolution is Resolution.NOT_PAID and not row["waiting"]:
        raise ResolutionNotPossible("It is said only of what we hold unpaid", payment_status=row["payment_status"])
    if resolution in _SAYS_NOTHING and row["waiting"]:
        raise ResolutionNotPossible(
            f"The months of {row['waiting']} payments wait for it and are payable again when it ends: PAID, COLLECTED, NOT_PAID or"
            " PARTNER_RETURNS",
            waiting=row["waiting"],
        )
    if result is None:
        return
    if row["payment_id"] is None:
        if resolution is not Resolution.PAID or not row["waiting"]:
            raise ResolutionNotPossible("No payment of ours stands behind this difference")
    elif not _corrected(row, result) and read_result(row["payment_status"], row["channel"], result) is not Reading.APPLY:
        wait = "; it is withdrawn when its turn to be sent comes: say so then" if row["payment_status"] == PaymentStatus.APPROVED else ""
        raise ResolutionNotPossible(
            f"The payment is {row['payment_status']} and cannot become {result}{wait}", payment_status=row["payment_status"]
        )


def _corrected(row: RowMapping, result: ResultStatus) -> bool:
    return bool(row["waiting"]) and corrects(row["payment_status"], row["channel"], result)


async def _apply(tx: Tx, row: RowMapping, actor: Actor, note: str) -> None:
    """What two people say of a payment counts like a partner's word; of one that we hold dead it is a correction."""
    result = result_of(Resolution(row["resolution"]))
    if result is None:
        return
    if row["payment_id"] is None or _corrected(row, result):
        words = await corrections.confirm_of_break(tx, row["break_id"], actor.subject, note)
        if not words or not await manual_results.correct_payments(tx, words, actor):
            raise ResolutionNotPossible(
                "The debit is not exactly what was sent of the batch and what was withdrawn: say payment by payment which were paid"
                " (POST /v1/payments/{payment_id}/corrections), then NOT_PAID of the rest",
                waiting=row["waiting"],
            )
        await corrections.match_batch(tx, row["break_id"])
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
        raise ResolutionNotPossible(f"The payment is {row['payment_status']} by now", payment_status=row["payment_status"])
