"""Cut-off markers: counted at the very moment the marker is reached, after everything before it in its partition."""

from __future__ import annotations

from common.consumer import Incoming
from common.contracts.registry_v1 import CutOffReached
from common.db import Tx
from disbursement.domain.months import first_day
from disbursement.storage import cut_off

__all__ = ["reached"]


async def reached(tx: Tx, events: list[Incoming]) -> None:
    """Store each marker beside our own totals. A marker that names another place than it stands in is a defect: parked."""
    for event in events:
        marker = event.parse(CutOffReached)
        if (marker.topic, marker.partition) != (event.topic, event.partition):
            raise ValueError(f"marker for {marker.topic}/{marker.partition} stands in {event.topic}/{event.partition}")
        month = first_day(marker.month)
        ours = await cut_off.count_ours(tx, marker.topic, marker.partition, month, marker.programme.value)
        await cut_off.record_marker(tx, marker, month, ours)
