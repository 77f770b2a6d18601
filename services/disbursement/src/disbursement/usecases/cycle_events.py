"""Cycle events: the full state of a cycle and its list, as other services read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from common import outbox
from common.contracts.disbursement_v1 import CycleEvent, CycleState
from common.contracts.registry_v1 import Programme
from common.db import Tx
from disbursement.domain.months import month_text

__all__ = ["tell"]


async def tell(tx: Tx, event_class: type[CycleEvent], cycle: RowMapping, head: RowMapping | None = None, **figures: Any) -> None:
    """Add one cycle event. `figures` replace those of the list's head (after withdrawals)."""
    of_list: dict[str, Any] = {}
    if head is not None:
        of_list = {name: head[name] for name in ("list_id", "list_hash", "lines", "held", "total_amount")}
    event = event_class(
        version=cycle["version"],
        business_date=cycle["business_date"],
        cycle_id=cycle["cycle_id"],
        state=CycleState(cycle["state"]),
        month=month_text(cycle["month"]),
        programme=Programme(cycle["programme"]),
        funding_source=cycle["funding_source"],
        unit_code=cycle["unit_code"],
        unit_path=cycle["unit_path"],
        cut_off_id=cycle["cut_off_id"],
        **(of_list | figures),
    )
    await outbox.add(tx, [event])
