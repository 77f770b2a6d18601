"""The trace of a payment is that of the approval that made its batch: whoever brings a result, what follows goes on with it.

What the payment was made from (what the registry, the verification and the accounts said, and the list) has traces of its own: each line
keeps which (`led_by`), and the spans of lists and batches are linked with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common import tracing
from common.db import Tx

__all__ = ["Led", "events_sql", "lines_sql", "link_list", "of_batch", "of_payment", "tell"]

_MOST: Final = 100
_AT_MOST: Final = tracing.LINKS_AT_MOST
_TRACE: Final = "substr(x, 4, 32)"

# One context of each trace that is kept (the last digit says so).
_LED_SQL: Final = f"""
 JOIN (
    SELECT o.beneficiary_id, ARRAY(
        SELECT DISTINCT ON ({_TRACE}) x
        FROM unnest(ARRAY[b.traceparent, d.traceparent, v.traceparent, r.traceparent, m.traceparent, a.traceparent]) AS x
        WHERE x ~ '[13579bdf]$' ORDER BY {_TRACE}) AS led_by
    FROM outcome o
    LEFT JOIN beneficiary b USING (beneficiary_id)
    LEFT JOIN dues d USING (beneficiary_id)
    LEFT JOIN verification v ON v.beneficiary_id = o.beneficiary_id AND v.subject_id = o.beneficiary_id
    LEFT JOIN verification r ON r.beneficiary_id = o.beneficiary_id AND r.subject_id = o.payee_id AND o.payee_id <> o.beneficiary_id
    LEFT JOIN payout_method m ON m.beneficiary_id = o.beneficiary_id
    LEFT JOIN payout_account a ON a.account_id = o.account_id
) led USING (beneficiary_id)"""

# The traces that led to most lines come first; `traces` counts them all.
_FOUND: Final = f"""
SELECT min(x) AS context, count(*) OVER () AS traces FROM {{lines}} CROSS JOIN unnest(l.led_by) AS x
GROUP BY {_TRACE} ORDER BY count(*) DESC, min(x) LIMIT {_AT_MOST}
"""
_OF_LIST: Final = _FOUND.format(lines="(SELECT led_by FROM list_line WHERE list_id = :id) l")
_OF_BATCH: Final = _FOUND.format(lines="(SELECT i.led_by FROM payment p JOIN list_line i USING (line_id) WHERE p.batch_id = :id) l")

_MOVED: Final = f"""
WITH moved AS MATERIALIZED (SELECT p.batch_id, m.line_id, m.status FROM payment_moved m JOIN payment p USING (payment_id)),
found AS (
    SELECT m.batch_id, min(x) AS context, row_number() OVER (PARTITION BY m.batch_id ORDER BY count(*) DESC, min(x)) AS place
    FROM moved m JOIN list_line l USING (line_id) CROSS JOIN unnest(l.led_by) AS x GROUP BY m.batch_id, {_TRACE}
)
SELECT b.traceparent, b.reference, min(m.status) AS status, count(*) AS payments, s.traceparent AS formed,
       ARRAY(SELECT f.context FROM found f WHERE f.batch_id = b.batch_id AND f.place <= {_AT_MOST} ORDER BY f.place) AS led,
       (SELECT count(*) FROM found f WHERE f.batch_id = b.batch_id AND f.place > {_AT_MOST}) AS left_out
FROM moved m JOIN payment_batch b USING (batch_id) JOIN payment_list s USING (list_id)
WHERE b.traceparent IS NOT NULL GROUP BY b.batch_id, s.list_id ORDER BY 1, 2 LIMIT :most
"""

_OF_PAYMENT: Final = """
SELECT x FROM (
    SELECT 1 AS place, b.traceparent AS x FROM payment p JOIN payment_batch b USING (batch_id) WHERE p.payment_id = :id
    UNION ALL SELECT 2, s.traceparent FROM payment p JOIN payment_list s USING (list_id) WHERE p.payment_id = :id
    UNION ALL SELECT 3, x FROM payment p JOIN list_line l USING (line_id) CROSS JOIN unnest(l.led_by) AS x WHERE p.payment_id = :id
) found WHERE x IS NOT NULL ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Led:
    """Traces that led to something: one context of each, and how many more there were."""

    links: tuple[str | None, ...] = ()
    left_out: int = 0


def lines_sql(sql: str) -> str:
    """The statement that stores a list's lines: as it is, and where traces are made with what led to each line."""
    return sql.format(column=", led_by", source=_LED_SQL) if tracing.on() else sql.format(column="", source="")


async def _found(tx: Tx, sql: str, of: UUID) -> Led:
    rows = await tx.rows(sql, id=of)
    return Led(tuple(row["context"] for row in rows), rows[0]["traces"] - len(rows) if rows else 0)


async def link_list(tx: Tx, list_id: UUID) -> None:
    """Link the span that forms a list with what led to its lines."""
    if tracing.on():
        led = await _found(tx, _OF_LIST, list_id)
        tracing.link(led.links, led.left_out)


async def of_batch(tx: Tx, batch_id: UUID) -> Led:
    """What led to a batch: the list's forming, then what led to its lines."""
    if not tracing.on():
        return Led()
    formed = await tx.value(
        "SELECT s.traceparent FROM payment_list s JOIN payment_batch b USING (list_id) WHERE b.batch_id = :id", id=batch_id
    )
    led = await _found(tx, _OF_BATCH, batch_id)
    return Led((formed, *led.links), led.left_out)


async def of_payment(tx: Tx, payment_id: UUID) -> list[str]:
    """Ids of the traces of a payment: its own, that of the list's forming, those of what it was made from."""
    found = (tracing.trace_id_of(row["x"]) for row in await tx.rows(_OF_PAYMENT, id=payment_id))
    return list(dict.fromkeys(trace for trace in found if trace is not None))


def events_sql(sql: str) -> str:
    """`sql` of payments' events (with `payment_id`), each with the trace context of its payment's batch."""
    return f"""
        SELECT e.*, coalesce(b.traceparent, {tracing.HERE_SQL}) AS traceparent
        FROM ({sql}) e JOIN payment p USING (payment_id) JOIN payment_batch b USING (batch_id) ORDER BY e.payment_id
    """


async def tell(tx: Tx) -> None:
    """A span per batch whose payments stand in `payment_moved`, in its trace, linked with what brought the result and what led there."""
    if not tracing.on():
        return
    here = tracing.current()
    for row in await tx.rows(_MOVED, most=_MOST):
        links = (here, row["formed"], *row["led"])
        about = {"ansinh_batch": row["reference"], "ansinh_links_left_out": row["left_out"]}
        with tracing.span("payments move", parent=row["traceparent"], links=links, **about) as span:
            if span is not None:
                span.note(ansinh_payments=row["payments"], ansinh_status=row["status"])
