"""Stored notices are read and their results applied, many notices in one transaction."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import RowMapping

from common import tracing
from common.db import Tx
from common.sealing import SealBroken
from common.telemetry import get_logger
from disbursement.channels.protocol import NoticeUnreadable
from disbursement.domain.payment import DEADLY
from disbursement.storage import notices
from disbursement.storage.payment_moves import CANNOT_APPLY
from disbursement.usecases.payment_context import PaymentContext
from disbursement.usecases.receive_notice import NOTICE_FIELD
from disbursement.usecases.record_results import Told, record_results
from disbursement.usecases.set_aside import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, SET_ASIDE

__all__ = ["apply_notices_round"]

NOTICES_AT_ONCE = 10
_log = get_logger(__name__)


async def apply_notices_round(context: PaymentContext) -> bool:
    """Apply the oldest waiting notices of one partner. True when there were any.

    Where they cannot be applied together, one is tried alone; one that cannot be applied alone waits, and the others go on.
    """
    try:
        return await _apply_waiting(context, NOTICES_AT_ONCE)
    except CANNOT_APPLY as error:
        _log.warning("notices.one_by_one", error=type(error).__name__)
    try:
        return await _apply_waiting(context, 1)
    except CANNOT_APPLY as error:
        async with context.db.transaction(context.actor) as tx:
            for row in await notices.claim_waiting(tx, 1):
                await _set_aside(tx, row, error)
    return True


async def _apply_waiting(context: PaymentContext, limit: int) -> bool:
    """Apply up to `limit` notices in one transaction.

    The notices stay locked until everything they say is committed; a crash leaves them waiting, to be applied again
    from the start, which changes nothing that was applied. A notice that does not open waits; those beside it go on.
    """
    async with context.db.transaction(context.actor) as tx:
        rows = await notices.claim_waiting(tx, limit)
        if not rows:
            return False
        partner: str = rows[0]["partner"]
        lane = context.lanes.get(partner)
        told: list[Told] = []
        marks: list[tuple[UUID, str, int]] = []
        for row in rows:
            try:
                if lane is None:
                    raise NoticeUnreadable("the partner is not configured any more")
                results = lane.channel.read_notice(context.keyring.decrypt_bytes(NOTICE_FIELD, row["body"]))
            except SealBroken as error:
                await _set_aside(tx, row, error)
                continue
            except NoticeUnreadable as error:
                marks.append((row["notice_id"], "REFUSED", 0))
                await notices.quarantine_one(
                    tx,
                    partner=partner,
                    reason="UNREADABLE",
                    source="NOTICE",
                    source_id=str(row["notice_id"]),
                    said={"error": str(error)},
                    fingerprint=f"UNREADABLE|{row['notice_id']}",
                )
                continue
            if row["brought_by"] is not None and row["decided_by"] is None and any(result.status in DEADLY for result in results):
                marks.append((row["notice_id"], "WAITING", len(results)))  # unsigned, and it would have people paid again
                continue
            told += [Told(str(row["notice_id"]), result) for result in results]
            marks.append((row["notice_id"], "APPLIED", len(results)))
        links = [row["traceparent"] for row in rows if row["traceparent"]]
        with tracing.span("notices apply", links=links, ansinh_partner=partner, ansinh_notices=len(rows)):
            recorded = await record_results(tx, partner, "NOTICE", told) if told else None
        await notices.mark(tx, [mark[0] for mark in marks], [mark[1] for mark in marks], [mark[2] for mark in marks])
    _log.info(
        "notices.applied",
        partner=partner,
        notices=len(rows),
        results=len(told),
        moved=recorded.payments if recorded else 0,
        quarantined=recorded.quarantined if recorded else 0,
    )
    return True


async def _set_aside(tx: Tx, row: RowMapping, error: Exception) -> None:
    """Our own key is missing, or our own data is broken: nothing is wrong with the partner's word, it must not be refused."""
    failures = await notices.set_aside(
        tx, row["notice_id"], _words(error), first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS
    )
    SET_ASIDE.labels("notice", row["partner"]).inc()
    _log.error("notice.set_aside", notice=str(row["notice_id"]), partner=row["partner"], failures=failures, error=_words(error))


def _words(error: Exception) -> str:
    """What is kept of an error: a database's own words may hold people's data."""
    return str(error) if isinstance(error, SealBroken) else type(error).__name__
