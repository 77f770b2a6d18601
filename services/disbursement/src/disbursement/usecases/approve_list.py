"""The checker decides: approve (the gate once more, budget, payments) or reject (everything is free again)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor, Role
from common.clock import today
from common.contracts.disbursement_v1 import CycleState, PaymentListApproved
from common.db import Tx
from common.problems import Forbidden, InvalidInput, NotFound
from disbursement.channels.loading import limits_of_file
from disbursement.domain.approval import RejectionReason, narrower, stages_for
from disbursement.domain.cycle import CycleAction, move
from disbursement.domain.errors import BudgetExceeded, BudgetMissing, HashMismatch, ListEmpty, PrefundingShort, SamePerson
from disbursement.domain.rulings import RulingKind, strictest
from disbursement.settings import Settings
from disbursement.storage import allocations, approvals, budget, calendar, cycles, holds, ledger, lists, rulings
from disbursement.usecases.answers import CycleView
from disbursement.usecases.create_payments import create_payments
from disbursement.usecases.cycle_events import tell

__all__ = ["Step", "approve_list", "approved_already", "check_approval", "reject_list"]

Step = Callable[[int], Awaitable[None]]
"""Told how many of :data:`STEPS` steps of an approval are done."""
STEPS: Final = 5
Days = tuple[date, date]
"""The real day (that of the installation, where one is set) and the day that the caller states."""


async def _no_step(done: int) -> None:
    """Nobody watches."""


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


def _day(cycle: RowMapping, business_date: date | None) -> date:
    """The day of a decision: never before the list's own, else a right that has run out or not begun would still do."""
    if business_date is not None and business_date < cycle["business_date"]:
        raise InvalidInput(
            errors=[{"field": "business_date", "detail": f"trước ngày lập danh sách · before the list's own day {cycle['business_date']}"}]
        )
    return business_date or cycle["business_date"]


async def _stage(tx: Tx, actor: Actor, cycle: RowMapping, head: RowMapping, days: Days) -> tuple[int, Role, str | None, int]:
    """(this stage, its role, for whom the caller stands in, stages in all). Raises Forbidden who may not decide it.

    The right to approve comes with the role or is handed on for a time; who made the list gets it neither way. Rights are judged on the
    real day as well as on the stated one: no day that somebody states gives more of them than today does.
    """
    held = []
    for on in days:
        policies = await rulings.in_force(tx, RulingKind.APPROVAL_POLICY, on, unit_path=cycle["unit_path"], programme=cycle["programme"])
        held.append(stages_for(policies, amount=head["total_amount"], lines=head["lines"]))
    stages = narrower(*held)
    stage = len(await approvals.of_list(tx, head["list_id"])) + 1
    role = stages[min(stage, len(stages)) - 1]
    if actor.has(role):
        return stage, role, None, len(stages)
    if role is Role.APPROVER:
        for given in await approvals.delegations(tx, actor.subject, days):
            covers = any(cycle["unit_path"] == path or cycle["unit_path"].startswith(path + "/") for path in given["unit_paths"])
            if covers and given["delegator"] != head["submitted_by"]:
                return stage, role, given["delegator"], len(stages)
    raise Forbidden(f"Stage {stage} of {len(stages)} is decided by {role}")


async def reject_list(
    tx: Tx,
    actor: Actor,
    settings: Settings,
    cycle_id: UUID,
    reason: str,
    reasons: Sequence[RejectionReason] = (),
    business_date: date | None = None,
) -> CycleView:
    """Send the list back to its maker with reasons; what it had committed is free again."""
    cycle, head, state = await _submitted(tx, actor, cycle_id, CycleAction.REJECT)
    await _stage(tx, actor, cycle, head, (today(settings), _day(cycle, business_date)))
    freed = await allocations.uncommit(tx, head["list_id"])
    await approvals.clear(tx, head["list_id"])
    await cycles.decide_list(tx, head["list_id"], "REJECTED", actor.subject, reason, reasons=list(reasons))
    now = await cycles.move(tx, cycle_id, state)
    what = audit.Changed.of(cycle, now, "state", "version", list_id=head["list_id"], reason=reason, reasons=list(reasons), freed=freed)
    await audit.record(tx, "list.reject", "cycle", cycle_id, what)
    return CycleView.of(now, await cycles.list_of(tx, head["list_id"]))


async def check_approval(
    tx: Tx, actor: Actor, settings: Settings, cycle_id: UUID, list_hash: str, business_date: date | None
) -> RowMapping:
    """Refuse at once what an approval by this caller would be refused for; the cycle."""
    cycle, head, _ = await _submitted(tx, actor, cycle_id, CycleAction.APPROVE)
    await _stage(tx, actor, cycle, head, (today(settings), _day(cycle, business_date)))
    if list_hash != head["list_hash"]:
        raise HashMismatch("You looked at another list", list_hash=head["list_hash"])
    return cycle


async def approved_already(tx: Tx, actor: Actor, cycle_id: UUID, list_hash: str) -> CycleView | None:
    """The cycle when this caller's approval of just this list stands already, else None."""
    cycle = await cycles.by_id(tx, cycle_id)
    head = await cycles.list_of(tx, cycle["list_id"]) if cycle is not None and cycle["list_id"] is not None else None
    if cycle is None or head is None or head["list_hash"] != list_hash:
        return None
    given = await approvals.of_list(tx, head["list_id"])
    mine = any(item["approved_by"] == actor.subject for item in given)
    return CycleView.of(cycle, head, approvals=given) if mine else None


async def approve_list(
    tx: Tx, actor: Actor, settings: Settings, cycle_id: UUID, list_hash: str, *, business_date: date | None = None, step: Step = _no_step
) -> CycleView:
    """Approve what the hash stands for. The last stage withdraws what may no longer be paid, reserves budget and creates payments.

    A list that only holds people needs no budget and makes no payment: they are told of, and the cycle can be closed.
    Raises :class:`HashMismatch` when the caller's hash, or the stored list hashed again, is another one.
    """
    cycle, head, state = await _submitted(tx, actor, cycle_id, CycleAction.APPROVE)
    list_id: UUID = head["list_id"]
    on = _day(cycle, business_date)
    days = (today(settings), on)
    stage, role, for_whom, stages = await _stage(tx, actor, cycle, head, days)
    if list_hash != head["list_hash"]:
        raise HashMismatch("You looked at another list", list_hash=head["list_hash"])
    if not await approvals.add(tx, list_id, stage, role.value, actor.subject, on_behalf_of=for_whom, list_hash=list_hash, on=on):
        raise SamePerson("You, or whom you stand in for, approved another stage of this list")
    if stage < stages:
        what = audit.Changed({"stages": stage - 1}, {"stages": stage}, {"list_id": list_id, "of": stages, "on_behalf_of": for_whom})
        await audit.record(tx, "list.approve_stage", "cycle", cycle_id, what)
        return CycleView.of(cycle, head, approvals=await approvals.of_list(tx, list_id), stages=stages)
    if await lists.hash_of(tx, cycle, head) != head["list_hash"]:
        raise HashMismatch("The stored list no longer gives its hash: it was altered")
    await step(1)
    await lists.plan_for_size(tx)
    withdrawn, withdrawn_amount = await _gate_again(tx, settings, cycle, list_id)
    await step(2)
    lines, amount = head["lines"] - withdrawn, head["total_amount"] - withdrawn_amount
    if lines == 0 and head["lines"]:
        raise ListEmpty("Every line would be withdrawn: reject the list and compute it again")
    warnings = await _money_sent(tx, cycle, list_id, days)
    rolled, _ = await ledger.free_uncollected(tx, business_date=cycle["business_date"], list_id=list_id)
    budget_id = await _budget_for(tx, cycle, amount) if lines else None
    await cycles.decide_list(tx, list_id, "APPROVED", actor.subject, None, withdrawn=withdrawn, approved_on=on)
    was, cycle = cycle, await cycles.move(tx, cycle_id, state)
    await tell(tx, PaymentListApproved, cycle, head, lines=lines, held=head["held"] + withdrawn, total_amount=amount)
    await holds.tell_holds(tx, list_id, cycle["business_date"])
    released = await holds.release_paid(tx, list_id, cycle["business_date"])
    await step(3)
    about = {
        "list_id": str(list_id), "list_hash": list_hash, "lines": lines, "withdrawn": withdrawn, "released": released, "amount": amount,
        "rolled_over": rolled, "on_behalf_of": for_whom, "stages": stages, "money_short": warnings,
    }  # fmt: skip
    await audit.record(tx, "list.approve", "cycle", cycle_id, audit.Changed.of(was, cycle, "state", "version", **about))
    if budget_id is not None:
        await create_payments(tx, cycle_id, list_id, cycle["business_date"])
        # Last, because the budget's one row is wanted by every list and every worker that settles.
        if not await budget.reserve(tx, budget_id, cycle_id, amount):
            raise BudgetExceeded(f"Another list took what was left; this one needs {amount}", needed=amount)
    await step(4)
    done = await cycles.list_of(tx, list_id)
    return CycleView.of(cycle, done, approvals=await approvals.of_list(tx, list_id), stages=stages, warnings=warnings)


async def _money_sent(tx: Tx, cycle: RowMapping, list_id: UUID, days: Days) -> list[dict[str, Any]]:
    """Partners whose prefunding does not cover the list: warned of or refused, as the setting says."""
    answer = strictest([await rulings.setting(tx, "PREFUNDING_CHECK", on) for on in days])
    if answer == "OFF":
        return []
    short = [dict(row) for row in await calendar.prefunding(tx, cycle["cycle_id"], list_id)]
    if short and answer == "REFUSE":
        raise PrefundingShort(f"{len(short)} partners need more than was sent", partners=short)
    return [{"code": "PREFUNDING_SHORT", **row} for row in short]


async def _gate_again(tx: Tx, settings: Settings, cycle: RowMapping, list_id: UUID) -> tuple[int, int]:
    """Withdraw what changed since the list was computed; how many lines and how many đồng."""
    found = await holds.withdrawals(
        tx,
        list_id,
        business_date=cycle["business_date"],
        grace_days=settings.evidence_grace_days,
        limits=limits_of_file(settings.partners_file),
    )
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
