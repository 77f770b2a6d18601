"""A cycle is closed when every payment has a final state; never before."""

from __future__ import annotations

from uuid import UUID

from common import audit, outbox
from common.actor import Actor
from common.contracts.disbursement_v1 import CycleState, PaymentCycleClosed
from common.contracts.registry_v1 import Programme
from common.db import Database
from common.problems import NotFound
from disbursement.domain.cycle import CycleAction, move
from disbursement.domain.months import month_text
from disbursement.domain.payment_errors import CycleNotClosable
from disbursement.storage import cycles, payments

__all__ = ["close_cycle"]


async def close_cycle(db: Database, actor: Actor, cycle_id: UUID) -> dict[str, object]:
    """Close a cycle. Raises NotFound, IllegalCycleMove, or CycleNotClosable saying how many payments are open."""
    async with db.transaction(actor) as tx:
        cycle = await cycles.by_id(tx, cycle_id, lock=True)
        if cycle is None or not actor.sees(cycle["unit_path"]):
            raise NotFound("No such cycle")
        state = move(cycle["state"], CycleAction.CLOSE)
        waiting = await payments.open_count(tx, cycle_id)
        if any(waiting.values()):
            raise CycleNotClosable("; ".join(f"{name} {count}" for name, count in waiting.items() if count), **waiting)
        row = await cycles.move(tx, cycle_id, state)
        head = await cycles.list_of(tx, row["list_id"]) if row["list_id"] else None
        await outbox.add(
            tx,
            [
                PaymentCycleClosed(
                    version=row["version"],
                    business_date=row["business_date"],
                    cycle_id=cycle_id,
                    state=CycleState.CLOSED,
                    month=month_text(row["month"]),
                    programme=Programme(row["programme"]),
                    funding_source=row["funding_source"],
                    unit_code=row["unit_code"],
                    unit_path=row["unit_path"],
                    cut_off_id=row["cut_off_id"],
                    list_id=row["list_id"],
                    list_hash=head["list_hash"] if head else None,
                    lines=head["lines"] if head else 0,
                    held=head["held"] if head else 0,
                    total_amount=head["total_amount"] if head else 0,
                )
            ],
        )
        what = audit.Changed.of(cycle, row, "state", "version", list_hash=head["list_hash"] if head else None)
        await audit.record(tx, "cycle.close", "cycle", cycle_id, what)
    return {"cycle_id": cycle_id, "state": CycleState.CLOSED.value, "version": row["version"]}
