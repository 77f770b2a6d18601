"""Payments nobody knows about are asked for: claim → ask → record. 'Not found' is not a failure."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping

from common.db import Tx
from common.ids import new_id
from common.telemetry import get_logger
from disbursement.channels.protocol import NoAnswer
from disbursement.domain.cycle import CycleAction
from disbursement.domain.payment import ResultStatus
from disbursement.storage import batches, inquiries, lanes
from disbursement.usecases.payment_context import PaymentContext
from disbursement.usecases.record_results import Told, record_results

__all__ = ["inquire_round"]

REFERENCES_AT_ONCE = 1_000
_log = get_logger(__name__)


async def inquire_round(context: PaymentContext, partner: str) -> bool:
    """Ask a partner about its UNKNOWN payments, and about accepted ones that stayed silent too long. True when any were due.

    A payment the partner does not know goes again only if its batch's send has ended without an answer: the same bytes
    under the same reference, which the partner takes at most once. Who answers no inquiries (files) is not asked: their payments
    wait for an acknowledgement or a statement, and only a person has a file sent again.
    """
    lane = context.lanes[partner]
    async with context.db.transaction(context.actor) as tx:
        due = await _due(tx, partner) if lane.channel.answers_inquiries else ()
        for cycle_id in await batches.settle_uncertain(tx, partner):
            await batches.advance_cycle(tx, cycle_id, CycleAction.ALL_SENT)
    if not due:
        return False
    inquiry_id = new_id()
    try:
        answers = await lane.channel.inquire([row["reference"] for row in due], inquiry_id)
    except NoAnswer as error:
        async with context.db.transaction(context.actor) as tx:
            await lanes.BREAKER.failed(tx, partner, f"{error.reason}: {error.detail}")
        _log.warning("inquiry.no_answer", partner=partner, payments=len(due), reason=error.reason, detail=error.detail)
        return False
    missing = [answer.reference for answer in answers if answer.status is ResultStatus.NOT_FOUND]
    told = [Told(str(inquiry_id), answer) for answer in answers if answer.status is not ResultStatus.NOT_FOUND]
    async with context.db.transaction(context.actor) as tx:
        await lanes.BREAKER.ok(tx, partner)
        if told:
            await record_results(tx, partner, "INQUIRY", told)
        if missing:
            await inquiries.lost_by_partner(tx, missing, str(inquiry_id))
            again = await batches.ask_to_resend(tx, missing)
            _log.info("inquiry.not_found", partner=partner, payments=len(missing), batches_again=again)
        for cycle_id in await batches.settle_uncertain(tx, partner):
            await batches.advance_cycle(tx, cycle_id, CycleAction.ALL_SENT)
    return True


async def _due(tx: Tx, partner: str) -> Sequence[RowMapping]:
    """What to ask about now, within the partner's rate (inquiries and batches share it)."""
    if not await inquiries.any_due(tx, partner) or not await lanes.take_turn(tx, partner):
        return ()
    return await inquiries.claim_due(tx, partner, REFERENCES_AT_ONCE)
