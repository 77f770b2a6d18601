"""Batches go to partners: claim (and store the bytes) → send → record. No transaction is open while the partner is asked."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import RowMapping

from common import audit, failpoints, restored, tracing
from common.db import Tx
from common.sealing import SealBroken
from common.telemetry import get_logger
from disbursement.channels.protocol import (
    BatchAnswer,
    BatchHead,
    CannotBuild,
    CannotBuildBatch,
    Delivered,
    InstructionLine,
    NoAnswer,
)
from disbursement.domain.cycle import CycleAction
from disbursement.domain.reasons import (
    ALREADY_KNOWN,
    AWAITING_ACKNOWLEDGEMENT,
    REJECTED_AFTER_RESEND,
    REQUEST_UNREADABLE,
    UNRECOGNISED_CODE,
)
from disbursement.domain.references import transfer_text
from disbursement.storage import batch_files, batches, budget_codes, claims, lanes, notices, payment_moves, read_back, traces
from disbursement.usecases.moves_told import told
from disbursement.usecases.partner_hours import moment_of
from disbursement.usecases.payment_context import PartnerLane, PaymentContext
from disbursement.usecases.set_aside import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, SET_ASIDE

__all__ = ["REQUEST_FIELD", "batch_head", "instruction", "send_round", "take_over_round"]

REQUEST_FIELD = "payment_batch.request"
LANE_STOPS: Final = Counter("ansinh_disbursement_lane_stops_total", "Automatic stops after abnormal failures", ["partner"])
"""Any growth wants two people (`GET /v1/pauses`)."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claimed:
    batch_id: UUID
    cycle_id: UUID
    reference: str
    body: bytes
    references: frozenset[str]
    traceparent: str | None
    """Trace of the approval that made it, where traces are made."""
    led: traces.Led
    again: bool
    """The partner has, or may have, these bytes already."""


async def send_round(context: PaymentContext, partner: str) -> bool:
    """Send up to the partner's concurrency of batches at once. True when something was claimed."""
    lane = context.lanes[partner]
    async with context.db.read(context.actor) as tx:
        kept = await lanes.find(tx, partner)
        if not await lanes.BREAKER.closed(tx, partner):
            return False
    parallel = _concurrency(lane, kept) if kept is None or kept["failures"] == 0 else 1
    done = await asyncio.gather(*(_send_one(context, lane) for _ in range(parallel)))
    return any(done)


def _concurrency(lane: PartnerLane, kept: RowMapping | None) -> int:
    return int(kept["concurrency"]) if kept is not None and kept["concurrency"] else lane.partner.concurrency


async def _send_one(context: PaymentContext, lane: PartnerLane) -> bool:
    async with context.db.transaction(context.actor) as tx:
        batch_id = await _claim(tx, context, lane)
    if batch_id is None:
        return False
    async with context.in_turn() as tx:
        claimed = await _prepare(tx, context, lane, batch_id)
    if claimed is None:
        return True
    failpoints.hit("disbursement.after_claim_before_send")
    with tracing.span(
        "batch send", parent=claimed.traceparent, links=claimed.led.links, ansinh_links_left_out=claimed.led.left_out,
        ansinh_partner=lane.partner.name, ansinh_batch=claimed.reference,
    ):  # fmt: skip
        try:
            answer: BatchAnswer | Delivered | NoAnswer = await lane.channel.send(claimed.reference, claimed.body, claimed.references)
        except NoAnswer as error:
            answer = error
        failpoints.hit("disbursement.after_send_before_record")
        async with context.in_turn() as tx:
            await _record(tx, context, lane, claimed, answer)
    return True


async def _claim(tx: Tx, context: PaymentContext, lane: PartnerLane) -> UUID | None:
    """Claim a batch within the partner's limits, which all workers share: one short transaction under the lane's lock.

    None also while it is not known whether the database was put back to the past.
    """
    if not await restored.known(tx):
        return None
    kept = await lanes.lock(tx, lane.partner.name)
    used = await lanes.used_today(tx, lane.partner.name)
    # A partner that failed several times is tried with one batch, whoever of the workers comes first.
    most = 1 if kept["failures"] >= lanes.BREAKER.threshold else _concurrency(lane, kept)
    if kept["left_alone"] or used["under_way"] >= most or (kept["requests_per_minute"] is not None and not kept["has_turn"]):
        return None
    row = await claims.claim(
        tx,
        kept,
        context.owner,
        lane.lease_seconds,
        moment=await moment_of(tx, lane.partner.name, context.partner_clock()),
        payments_left=_left(kept["daily_payments"], used["payments"]),
        amount_left=_left(kept["daily_amount"], used["amount"]),
    )
    if row is None:
        return None
    stop = await lanes.stop_if_abnormal(tx, kept, row["cycle_id"], context.actor.subject)
    if stop is not None:
        await claims.let_go(tx, row["batch_id"], context.owner)
        about = {"cycle_id": row["cycle_id"], **stop["detail"]}
        what = audit.Changed({"pause_id": None}, {"pause_id": stop["pause_id"]}, about)
        await audit.record(tx, "lane.stop", "lane", lane.partner.name, what)
        LANE_STOPS.labels(lane.partner.name).inc()
        _log.error("lane.stopped", partner=lane.partner.name, cycle=str(row["cycle_id"]), **stop["detail"])
        return None
    await lanes.book_turn(tx, lane.partner.name, kept["requests_per_minute"])
    batch_id: UUID = row["batch_id"]
    return batch_id


def _left(cap: int | None, used: int) -> int | None:
    return None if cap is None else cap - used


async def _prepare(tx: Tx, context: PaymentContext, lane: PartnerLane, batch_id: UUID) -> _Claimed | None:
    """Store the bytes of a claimed batch; None when nothing is to be sent. Looks at pauses once more: nothing leaves after one."""
    row = await claims.hold_claim(tx, batch_id, context.owner, lane.lease_seconds)
    if row is None:
        await claims.let_go(tx, batch_id, context.owner)
        return None
    cycle_id = row["cycle_id"]
    if row["state"] == "RESEND":
        if await claims.call_off(tx, batch_id, context.owner):
            what = audit.Changed({"state": "RESEND"}, {"state": "UNCERTAIN"}, {"partner": lane.partner.name, "why": claims.CALLED_OFF})
            await audit.record(tx, "batch.call_off", "batch", batch_id, what)
            return None
        stored = _stored_request(context, row)
        if isinstance(stored, str):
            await _set_aside(tx, context, lane, row, stored)
            return None
        body = stored
        await batches.store_request(tx, batch_id, context.owner, None, None, expected_seconds=lane.partner.expected_seconds)
    else:
        try:
            built = await _first_request(tx, context, lane, row)
        except CannotBuildBatch as error:
            await _put_off(tx, context, lane, row, error)
            return None
        if built is None:
            await batches.withdraw(tx, batch_id)
            await batches.advance_cycle(tx, cycle_id, CycleAction.START_SENDING)
            await batches.advance_cycle(tx, cycle_id, CycleAction.ALL_SENT)
            return None
        body = built
        sealed, digest = context.keyring.encrypt(REQUEST_FIELD, body), hashlib.sha256(body).digest()
        await batches.store_request(tx, batch_id, context.owner, sealed, digest, expected_seconds=lane.partner.expected_seconds)
        await batch_files.name(tx, batch_id, lane.channel.file_name(row["reference"]))
    await batches.advance_cycle(tx, cycle_id, CycleAction.START_SENDING)
    what = audit.Changed({"state": row["state"]}, {"state": "SENDING"}, {"partner": lane.partner.name})
    await audit.record(tx, "batch.send", "batch", batch_id, what)
    led = await traces.of_batch(tx, batch_id)
    return _Claimed(batch_id, cycle_id, row["reference"], body, lane.channel.references(body), row["traceparent"], led, row["again"])


def _stored_request(context: PaymentContext, row: RowMapping) -> bytes | str:
    """The exact bytes that were sent before, or why they cannot be had."""
    try:
        body = context.keyring.decrypt_bytes(REQUEST_FIELD, row["request"])
    except SealBroken as error:
        return str(error)
    if hashlib.sha256(body).digest() != bytes(row["request_digest"]):
        return "the stored request is not the one that was sent"
    return body


async def _set_aside(tx: Tx, context: PaymentContext, lane: PartnerLane, row: RowMapping, error: str) -> None:
    """Without its exact bytes a batch is never sent again: its payments stay committed and inquired, the lane goes on, a person looks."""
    batch_id, partner = row["batch_id"], lane.partner.name
    failures = await batches.set_aside(
        tx, batch_id, context.owner, error, first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS
    )
    await notices.quarantine_one(
        tx,
        partner=partner,
        reason=REQUEST_UNREADABLE,
        source="BATCH",
        source_id=str(batch_id),
        said={"batch_reference": row["reference"], "payments": row["payments"], "error": error},
        fingerprint=f"{REQUEST_UNREADABLE}|{batch_id}",
    )
    what = audit.Changed({"state": row["state"]}, {"state": "UNCERTAIN"}, {"partner": partner, "failures": failures, "error": error})
    await audit.record(tx, "batch.set_aside", "batch", batch_id, what)
    SET_ASIDE.labels("batch", partner).inc()
    _log.error("batch.request_unreadable", batch=row["reference"], partner=partner, failures=failures, error=error)


async def _first_request(tx: Tx, context: PaymentContext, lane: PartnerLane, row: RowMapping) -> bytes | None:
    """Gate once more, build the bytes of what is left and move it to SUBMITTING; None when nothing is left."""
    batch_id = row["batch_id"]
    head = await batch_head(tx, batch_id)
    await payment_moves.prepare(tx)
    if await batches.gate(tx, batch_id, business_date=row["business_date"], grace_days=context.grace_days, limits=context.limits):
        await _withdraw_moved(tx, batch_id)
    if await read_back.hold_lost(tx, batch_id):
        await _withdraw_moved(tx, batch_id)
    while lines := [instruction(item) for item in await batches.instruction_lines(tx, batch_id)]:
        try:
            body = lane.channel.build(head, lines)
        except CannotBuild as error:
            await batches.prepare_withdrawal(tx, batch_id, error.references, "DATA_PARKED")
            await _withdraw_moved(tx, batch_id)
            continue
        await batches.prepare_submitting(tx, batch_id)
        await payment_moves.apply(tx)
        return body
    return None


async def batch_head(tx: Tx, batch_id: UUID) -> BatchHead:
    """What the partner must know of a batch as a whole."""
    row = await batches.head(tx, batch_id)
    return BatchHead(
        reference=row["reference"],
        number=row["number"],
        programme=row["programme"],
        funding_source=row["funding_source"],
        business_date=row["business_date"],
        created_at=row["created_at"],
        value_date=row["value_date"],
        after_cut_off=row["after_cut_off"],
        budget=await budget_codes.valid_on(tx, row["programme"], row["funding_source"], row["business_date"]),
    )


async def _put_off(tx: Tx, context: PaymentContext, lane: PartnerLane, row: RowMapping, error: CannotBuildBatch) -> None:
    """Something the whole batch needs is not there: nothing was built, nothing leaves; it is tried again after a growing pause."""
    failures = await batches.put_off(
        tx, row["batch_id"], context.owner, str(error), first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS
    )
    await notices.quarantine_one(
        tx,
        partner=lane.partner.name,
        reason=error.reason,
        source="BATCH",
        source_id=str(row["batch_id"]),
        said={"batch_reference": row["reference"], "payments": row["payments"], "error": error.detail},
        fingerprint=f"{error.reason}|{row['batch_id']}",
    )
    SET_ASIDE.labels("batch", lane.partner.name).inc()
    _log.error("batch.cannot_be_built", batch=row["reference"], partner=lane.partner.name, failures=failures, reason=error.reason)


async def _withdraw_moved(tx: Tx, batch_id: UUID) -> None:
    chosen = await batches.moving(tx)
    withdrawn = await payment_moves.apply(tx)
    await batches.split_off(tx, batch_id, chosen, first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS)
    await batches.hold_withdrawn(tx)
    await audit.record(tx, "batch.withdraw", "batch", batch_id, told(withdrawn))


def instruction(row: RowMapping) -> InstructionLine:
    """What the partner must know of one payment."""
    return InstructionLine(
        reference=row["reference"],
        amount=row["amount"],
        payee_name=row["payee_name"],
        channel=row["channel"],
        provider_code=row["provider_code"],
        account_token=row["account_number_token"],
        unit_code=row["unit_code"],
        file_code=row["file_code"],
        beneficiary_name=row["beneficiary_name"],
        text=transfer_text(row["month"]),
    )


async def _record(
    tx: Tx, context: PaymentContext, lane: PartnerLane, claimed: _Claimed, answer: BatchAnswer | Delivered | NoAnswer
) -> None:
    """Record how a send ended. Whoever lost the lease records nothing: the batch is being inquired."""
    unknown = isinstance(answer, NoAnswer | Delivered)
    error = answer.detail if isinstance(answer, NoAnswer) else None
    if isinstance(answer, NoAnswer):
        await lanes.BREAKER.failed(tx, lane.partner.name, f"{answer.reason}: {answer.detail}")
    else:
        await lanes.BREAKER.ok(tx, lane.partner.name)
    if not await batches.finish(tx, claimed.batch_id, context.owner, "UNCERTAIN" if unknown else "SENT", error):
        _log.warning("batch.lease_lost", batch=claimed.reference)
        return
    await payment_moves.prepare(tx)
    if isinstance(answer, Delivered):
        await batches.prepare_unknown(tx, claimed.batch_id, answer.reason, "ANSWER")
        await batch_files.step(tx, claimed.batch_id, "UPLOADED" if answer.reason == AWAITING_ACKNOWLEDGEMENT else "READY")
    elif isinstance(answer, NoAnswer):
        await batches.prepare_unknown(tx, claimed.batch_id, answer.reason, "ANSWER")
        _log.warning("batch.unknown", batch=claimed.reference, partner=lane.partner.name, reason=answer.reason, detail=answer.detail)
    else:
        await batches.prepare_answer(tx, claimed.batch_id, _outcomes(answer, again=claimed.again))
        await _set_refusals_aside(tx, lane, claimed, answer)
    moved = await payment_moves.apply(tx)
    await batches.advance_cycle(tx, claimed.cycle_id, CycleAction.ALL_SENT)
    what = told(moved, partner=lane.partner.name, unknown=error)
    await audit.record(tx, "batch.answer", "batch", claimed.batch_id, what)


def _outcomes(answer: BatchAnswer, *, again: bool) -> dict[str, tuple[str, str]]:
    """Refused references → (status, reason). A code nobody knows, and 'you sent me that before', prove nothing: UNKNOWN.

    Nor does the refusal of what the partner may have taken before: the first copy may be on its way to the person.
    """
    return {
        refusal.reference: ("UNKNOWN" if again or refusal.reason in {UNRECOGNISED_CODE, ALREADY_KNOWN} else "FAILED", refusal.reason)
        for refusal in answer.refused
    }


async def _set_refusals_aside(tx: Tx, lane: PartnerLane, claimed: _Claimed, answer: BatchAnswer) -> None:
    """What was refused and is not believed is inquired, and a person sees it."""
    doubted = [
        (refusal, UNRECOGNISED_CODE if refusal.reason == UNRECOGNISED_CODE else REJECTED_AFTER_RESEND)
        for refusal in answer.refused
        if refusal.reason == UNRECOGNISED_CODE or (claimed.again and refusal.reason != ALREADY_KNOWN)
    ]
    await notices.quarantine_refused(
        tx, lane.partner.name, str(claimed.batch_id), [(refusal.reference, refusal.code, reason) for refusal, reason in doubted]
    )


async def take_over_round(context: PaymentContext, partner: str) -> bool:
    """Take over one batch whose worker died: its payments become UNKNOWN and are inquired. True when there was one."""
    async with context.db.transaction(context.actor) as tx:
        batch_id = await claims.take_over_expired(tx, partner)
        if batch_id is None:
            return False
        await payment_moves.prepare(tx)
        await batches.prepare_unknown(tx, batch_id, "TAKEN_OVER", "TAKE_OVER")
        moved = await payment_moves.apply(tx)
        await audit.record(tx, "batch.take_over", "batch", batch_id, told(moved))
    _log.warning("batch.taken_over", batch=str(batch_id), partner=partner)
    return True
