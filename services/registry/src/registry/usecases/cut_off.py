"""Answering a cut-off request: markers behind everything committed, with counts and sums per partition."""

from __future__ import annotations

from datetime import date

from common import audit, outbox
from common.contracts.disbursement_v1 import CutOffRequested
from common.contracts.registry_v1 import CutOffReached
from common.db import Tx
from common.topics import Topic
from registry.storage import cut_offs, history

__all__ = ["write_markers"]


async def write_markers(tx: Tx, request: CutOffRequested) -> bool:
    """Write `CutOffReached` to every partition of the beneficiary and dues topics; False when this cut-off has been written.

    Under the outbox barrier nobody adds events meanwhile, so the counts are exactly what stands before the markers.
    """
    if request.cut_off_id is None:
        raise ValueError("a cut-off request names its cut-off")
    cut_off_id = request.cut_off_id
    month = date.fromisoformat(request.month + "-01")
    await history.dated(tx, request.business_date)
    await outbox.barrier(tx)
    people, dues = await cut_offs.counts(tx, month, request.programme.value)
    written = {Topic.BENEFICIARY: people, Topic.DUES: dues}
    if not await cut_offs.remember(tx, cut_off_id, request.cycle_id, month, request.programme.value, written):
        return False
    for topic, counts in written.items():

        def marker(partition: int, topic: str = topic, counts: list[dict[str, int]] = counts) -> CutOffReached:
            return CutOffReached(
                version=1, business_date=request.business_date, cut_off_id=cut_off_id, cycle_id=request.cycle_id, producer="registry",
                topic=topic, partition=partition, month=request.month, programme=request.programme, counts=counts[partition],
            )  # fmt: skip

        await outbox.add_to_every_partition(tx, topic, marker)
    what = audit.Created({"month": request.month, "programme": request.programme.value})
    await audit.record(tx, "cut-off.write", "cut-off", cut_off_id, what)
    return True
