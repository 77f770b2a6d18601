"""After a restore partners are asked about everything that may have been sent since the moment the database was put back to.

References are deterministic and the partners' books know more than we: what stands as not sent and is known there was sent in the time
that is gone. Nothing is sent meanwhile: the pause stands since the restore was noted, and only two people end it, once all is read back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.telemetry import get_logger
from disbursement.channels.protocol import CannotBuild, CannotBuildBatch, NoAnswer
from disbursement.domain.cycle import CycleAction
from disbursement.domain.payment import ResultStatus
from disbursement.storage import batches, payment_moves, read_back
from disbursement.usecases.payment_context import PartnerLane, PaymentContext
from disbursement.usecases.record_results import Told, record_results
from disbursement.usecases.send_batches import REQUEST_FIELD, batch_head, instruction

__all__ = ["BookedOut", "NotBegun", "booked_while_restored", "read_back_round", "view_restores"]

_AT_ONCE: Final = 1_000
_AGAIN_SECONDS: Final = 10
_log = get_logger(__name__)

BookedOut = Callable[[Tx, RowMapping, int, int], Awaitable[None]]
"""Called with a statement and a span of its lines, before these settle what they book."""


class NotBegun(ConnectionError):
    """A restore was found and our own events are still being read: a statement waits for that."""


async def view_restores(db: Database, actor: Actor, limit: int) -> list[dict[str, Any]]:
    """Restores, newest first, with what is still to be read back before two people may resume."""
    async with db.read(actor) as tx:
        found = [dict(row) for row in await read_back.restores(tx, limit)]
        return [
            {**row, "missing": {} if row["pause_state"] == "RESUMED" else await read_back.missing(tx, row["restore_id"])} for row in found
        ]


async def read_back_round(context: PaymentContext) -> bool:
    """One step of reading back; True when there was something to ask."""
    async with context.db.transaction(context.actor) as tx:
        restore = await read_back.open_restore(tx)
        if restore is None:
            return False
        if not restore["begun"]:
            asked = await read_back.begin(tx, restore)
            what = audit.Changed({"begun": False, "questions": 0}, {"begun": True, "questions": asked})
            await audit.record(tx, "restore.read_back", "restore", restore["restore_id"], what)
            _log.warning("restore.read_back", restore=str(restore["restore_id"]), questions=asked)
            return True
    done = [await _ask(context, lane, restore["restore_id"]) for lane in context.lanes.values()]
    return any(done)


async def _ask(context: PaymentContext, lane: PartnerLane, restore_id: UUID) -> bool:
    """Claim → ask → record, for one partner. Who answers no inquiries is believed by its statement only."""
    async with context.db.transaction(context.actor) as tx:
        asked = await read_back.claim_questions(tx, restore_id, lane.partner.name, _AT_ONCE, _AGAIN_SECONDS)
        if asked and not lane.channel.answers_inquiries:
            await read_back.answered(tx, restore_id, {row["reference"]: "STATEMENT" for row in asked}, lane.lease_seconds)
    if not asked or not lane.channel.answers_inquiries:
        return bool(asked)
    inquiry_id = new_id()
    try:
        answers = await lane.channel.inquire([row["reference"] for row in asked], inquiry_id)
    except NoAnswer as error:
        _log.warning("restore.no_answer", partner=lane.partner.name, payments=len(asked), reason=error.reason)
        return False
    ours = {row["reference"] for row in asked if row["payment_id"] is not None}
    known = [answer for answer in answers if answer.status is not ResultStatus.NOT_FOUND and answer.reference in ours]
    async with context.db.transaction(context.actor) as tx:
        await _were_sent(tx, context, lane, [answer.reference for answer in known])
        if known:
            await record_results(tx, lane.partner.name, "INQUIRY", [Told(str(inquiry_id), answer) for answer in known])
        told = {answer.reference: answer.status.value for answer in answers}
        await read_back.answered(tx, restore_id, told, lane.lease_seconds)
    _log.info("restore.answers", partner=lane.partner.name, asked=len(asked), known=len(known))
    return True


async def _were_sent(tx: Tx, context: PaymentContext, lane: PartnerLane, references: Sequence[str]) -> None:
    """Payments that stand as not sent and that their partner knows become UNKNOWN, in a batch with their bytes, past no gate."""
    for batch_id in await read_back.sent_batches(tx, references):
        split = await read_back.split_sent(tx, batch_id, references, context.owner)
        lines = [instruction(row) for row in await batches.instruction_lines(tx, split)]
        head = await batch_head(tx, split)
        body = lane.channel.build(head, lines)
        sealed, digest = context.keyring.encrypt(REQUEST_FIELD, body), hashlib.sha256(body).digest()
        await batches.store_request(tx, split, context.owner, sealed, digest, expected_seconds=lane.partner.expected_seconds)
        await payment_moves.prepare(tx)
        await batches.prepare_submitting(tx, split)
        moved = await payment_moves.apply(tx)
        await batches.finish(tx, split, context.owner, "UNCERTAIN", "sent before the restore")
        await batches.prepare_unknown(tx, split, "TAKEN_OVER", "TAKE_OVER")
        await payment_moves.apply(tx)
        for item in moved:
            await batches.advance_cycle(tx, item.cycle_id, CycleAction.START_SENDING)
        what = audit.Bulk.of(
            (line.reference for line in lines),
            before={"status": "APPROVED"},
            after={"status": "UNKNOWN"},
            partner=lane.partner.name,
            of_batch=batch_id,
        )
        await audit.record(tx, "batch.was_sent", "batch", split, what)


def booked_while_restored(context: PaymentContext) -> BookedOut:
    """While a restore is read back, what a statement books as paid out and stands here as not sent was sent in the time that is gone.

    It becomes UNKNOWN, as after an inquiry, and the line then settles it. Raises NotBegun before versions are above what was published.
    """

    async def take(tx: Tx, statement: RowMapping, after: int, until: int) -> None:
        references = await read_back.booked_out(tx, statement["statement_id"], after, until)
        if references is None:
            raise NotBegun("own events are not read back yet: the statement waits")
        lane = context.lanes.get(statement["partner"])
        if references and lane is not None:
            await _were_sent(tx, context, lane, await _buildable(tx, lane, references))

    return take


async def _buildable(tx: Tx, lane: PartnerLane, references: Sequence[str]) -> list[str]:
    """Those whose bytes can be had. The others stay as they are, with a difference that keeps them from being sent."""
    wanted, can = set(references), list[str]()
    for batch_id in await read_back.sent_batches(tx, references):
        head = await batch_head(tx, batch_id)
        lines = [instruction(row) for row in await batches.instruction_lines(tx, batch_id) if row["reference"] in wanted]
        while lines:
            try:
                lane.channel.build(head, lines)
            except CannotBuild as error:
                lines = [line for line in lines if line.reference not in error.references]
                continue
            except CannotBuildBatch as error:
                _log.error("restore.cannot_be_built", partner=lane.partner.name, batch=str(batch_id), reason=error.reason)
                break
            can += [line.reference for line in lines]
            break
    return can
