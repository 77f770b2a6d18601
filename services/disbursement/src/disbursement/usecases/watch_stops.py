"""Which stops stand over payments, as a metric: an alert on what stands cannot miss the first of them, as one on growth would."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

from disbursement.storage import lanes
from disbursement.usecases.payment_context import PaymentContext

__all__ = ["STOPS", "watch_round"]

STOPS: Final = Gauge(
    "ansinh_disbursement_stops",
    "Stops that stand over payments (`GET /v1/pauses`), by kind and partner (* where over all)",
    ["kind", "partner"],
)
_shown: set[tuple[str, str]] = set()


async def watch_round(context: PaymentContext) -> bool:
    """Show what stands now; a worker's loop."""
    async with context.db.read(context.actor) as tx:
        standing = await lanes.standing_stops(tx)
    for place in _shown | standing.keys():
        STOPS.labels(*place).set(standing.get(place, 0))
    _shown.update(standing)
    return False
