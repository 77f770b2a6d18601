"""The checker decides: approve (the gate once more, budget, payments) or reject (everything is free again)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.contracts.disbursement_v1 import CycleState, PaymentListApproved
from common.db import Tx
from common.problems import NotFound
from disbursement.domain.cycle import CycleAction, move
from disbursement.domain.errors import BudgetExceeded, BudgetMissing, HashMismatch, ListEmpty, SamePerson
from disbursement.settings import Settings
from disbursement.storage import allocations, budget, cycles, holds, ledger, lists
from disbursement.usecases.answers import CycleView
from disbursement.usecases.create_payments import create_payments
from disbursement.usecases.cycle_events import tell

__all__ = ["approve_list", "reject_list"]


async def _submitted(tx: Tx, actor: Actor, cycle_id: UUID, action: CycleAction) -> tuple[RowMapping, RowMapping, CycleState]:
    """The locked cycle, its list's head and the state to come; refuses the maker."""
    cycle = await cycles.by_id(tx, cycle_id, lock=True)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    state = move(cycle["state"], action)
    head = await cycles.list_of(tx, cycle["list_id"])
    if head is None:
        raise LookupError(cycle["list_id"])
    if actor.subject == head["submitted_by"]:
        raise SamePerson("You submitted this list")
    return cycle, head, state


async def reject_list(tx: Tx, actor: Actor, cycle_id: UUID, reason: str) -> CycleView:
    """Send the list back to its maker with a reason; what it had committed is free again."""
    cycle, head, state = await _submitted(tx, actor, cycle_id, CycleAction.REJECT)
    freed = await allocations.uncommit(tx, head["list_id"])
    await cycles.decide_list(tx, head["list_id"], "REJECTED", actor.subject, reason)
    cycle = await cycles.move(tx, cycle_id, state)
    await audit.record(tx, "list.reject", "cycle", cycle_id, {"list_id": str(head["list_id"]), "reason": reason, "freed": freed})
    return CycleView.of(cycle, await cycles.list_of(tx, head["list_id"]))


async def approve_list(tx: Tx, actor: Actor, settings: Settings, cycle_id: UUID, list_hash: str) -> CycleView:
    """Approve what the hash stands for: lines that may no longer be paid are withdrawn, budget is reserved, payments are created.

    A list that only holds people needs no budget and makes no payment: they are told of, and the cycle can be closed.
    Raises :class:`HashMismatch` when the caller's hash, or the stored list hashed again, is another one.
    """
    cycle, head, state = await _submitted(tx, actor, cycle_id, CycleAction.APPROVE)
    list_id: UUID = head["list_id"]
    if list_hash != head["list_hash"]:
        raise HashMismatch("You looked at another list", list_hash=head["list_hash"])
    if await lists.hash_of(tx, cycle, head) != head["list_hash"]:
        raise HashMismatch("The stored list no longer gives its hash: it was altered")
    await lists.plan_for_size(tx)
    withdrawn, withdrawn_amount = await _gate_again(tx, settings, cycle, list_id)
    lines, amount = head["lines"] - withdrawn, head["total_amount"] - withdrawn_amount
    if lines == 0 and head["lines"]:
        raise ListEmpty("Every line would be withdrawn: reject the list and compute it again")
    rolled, _ = await ledger.free_uncollected(tx, business_date=cycle["business_date"], list_id=list_id)
    budget_id = await _budget_for(tx, cycle, amount) if lines else None
    await cycles.decide_list(tx, list_id, "APPROVED", actor.subject, None, withdrawn=withdrawn)
    cycle = await cycles.move(tx, cycle_id, state)
    await tell(tx, PaymentListApproved, cycle, head, lines=lines, held=head["held"] + withdrawn, total_amount=amount)
    await holds.tell_holds(tx, list_id, cycle["business_date"])
    released = await holds.release_paid(tx, list_id, cycle["business_date"])
    await audit.record(
        tx,
        "list.approve",
        "cycle",
        cycle_id,
        {
            "list_id": str(list_id),
            "list_hash": list_hash,
            "lines": lines,
            "withdrawn": withdrawn,
            "released": released,
            "amount": amount,
            "rolled_over": rolled,
        },
    )
    if budget_id is None:
        return CycleView.of(cycle, await cycles.list_of(tx, list_id))
    await create_payments(tx, cycle_id, list_id, cycle["business_date"])
    # Last, because the budget's one row is wanted by every list and every worker that settles.
    if not await budget.reserve(tx, budget_id, cycle_id, amount):
        raise BudgetExceeded(f"Another list took what was left; this one needs {amount}", needed=amount)
    return CycleView.of(cycle, await cycles.list_of(tx, list_id))


async def _gate_again(tx: Tx, settings: Settings, cycle: RowMapping, list_id: UUID) -> tuple[int, int]:
    """Withdraw what changed since the list was computed; how many lines and how many đồng."""
    found = await holds.withdrawals(tx, list_id, business_date=cycle["business_date"], grace_days=settings.evidence_grace_days)
    if not found:
        return 0, 0
    await holds.hold_lines(tx, found)
    return len(found), await allocations.release(tx, [row["line_id"] for row in found])


async def _budget_for(tx: Tx, cycle: RowMapping, amount: int) -> UUID:
    """The budget that will bear the list; refuses at once when there is none or not enough (nothing is locked yet)."""
    row = await budget.covering(tx, cycle["programme"], cycle["funding_source"], cycle["unit_path"], cycle["month"].year)
    if row is None:
        raise BudgetMissing(f"{cycle['programme']} {cycle['funding_source']} {cycle['unit_path']} {cycle['month'].year}")
    left = row["amount"] - row["reserved"] - row["spent"]
    if left < amount:
        raise BudgetExceeded(f"{left} đồng are left, the list needs {amount}", left=left, needed=amount)
    budget_id: UUID = row["budget_id"]
    return budget_id
