"""The trace of a payment is that of the approval that made its batch: whoever brings a result, what follows goes on with it."""

from __future__ import annotations

from typing import Final

from common import tracing
from common.db import Tx

__all__ = ["events_sql", "tell"]

_MOST: Final = 100
_MOVED: Final = """
SELECT b.traceparent, b.reference, min(m.status) AS status, count(*) AS payments
FROM payment_moved m JOIN payment p USING (payment_id) JOIN payment_batch b USING (batch_id)
WHERE b.traceparent IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LIMIT :most
"""


def events_sql(sql: str) -> str:
    """`sql` of payments' events (with `payment_id`), each with the trace context of its payment's batch."""
    return f"""
        SELECT e.*, coalesce(b.traceparent, nullif(current_setting('{tracing.SESSION_SETTING}', true), '')) AS traceparent
        FROM ({sql}) e JOIN payment p USING (payment_id) JOIN payment_batch b USING (batch_id) ORDER BY e.payment_id
    """


async def tell(tx: Tx) -> None:
    """A span per batch whose payments stand in `payment_moved`, in its own trace, linked with what brought the result."""
    if not tracing.on():
        return
    here = tracing.current()
    for row in await tx.rows(_MOVED, most=_MOST):
        elsewhere = here is not None and tracing.trace_id_of(here) != tracing.trace_id_of(row["traceparent"])
        links = [here] if here and elsewhere else []
        with tracing.span("payments move", parent=row["traceparent"], links=links, ansinh_batch=row["reference"]) as span:
            if span is not None:
                span.note(ansinh_payments=row["payments"], ansinh_status=row["status"])
