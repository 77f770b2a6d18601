"""A partner's results, from a notice, an inquiry or an answer: judged, applied in one transaction, doubtful ones set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from common import audit
from common.db import Tx
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.cases import ResultNotPossible
from disbursement.domain.payment import DEADLY
from disbursement.storage import claims, payment_moves, results
from disbursement.storage.payment_moves import Moved
from disbursement.usecases import moves_told

__all__ = ["Recorded", "Told", "record_results"]

_APPLIERS_LOCK = "SELECT pg_advisory_xact_lock(7203501)"
"""One applier at a time: results of one payment may come by notice and inquiry at once, and locks are then taken in one order."""


@dataclass(frozen=True, slots=True)
class Told:
    """One result and where it came from (`source_id`: notice, inquiry or batch)."""

    source_id: str
    result: PartnerResult


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a set of results."""

    moved: tuple[Moved, ...]
    quarantined: int

    @property
    def payments(self) -> int:
        """How many moves were made."""
        return sum(moved.payments for moved in self.moved)


async def record_results(tx: Tx, partner: str, source: str, told: Sequence[Told]) -> Recorded:
    """Apply results inside the caller's transaction: states, allocations, ledger, events and one audit row together.

    Results are reduced to one per payment first. A result is believed only if reference, partner, amount and currency are
    ours; contradictions, unknown codes and broken ones are quarantined, the good ones applied. Repeats have no effect.
    What two people declare dead (source MANUAL) must not leave us at the same moment: raises ResultNotPossible then.
    """
    await tx.execute(_APPLIERS_LOCK)
    deadly = [item.result.reference for item in told if source == "MANUAL" and item.result.status in DEADLY]
    if deadly and await claims.being_sent(tx, deadly):
        raise ResultNotPossible("Its batch is being sent this very moment: say so again in a minute")
    await payment_moves.prepare(tx)
    await results.prepare(tx)
    rows = (
        (
            ordinal,
            partner,
            source,
            item.source_id,
            item.result.reference,
            item.result.status.value,
            item.result.amount,
            item.result.currency,
            item.result.reason,
            item.result.partner_reference,
            item.result.occurred_at,
            orjson.dumps(dict(item.result.said), option=orjson.OPT_SORT_KEYS).decode(),
            item.result.message_id,
        )
        for ordinal, item in enumerate(told)
    )
    await results.load(tx, rows, messages=any(item.result.message_id is not None for item in told))
    await results.judge(tx)
    moved: list[Moved] = []
    for wave in (1, 2):
        if await results.prepare_moves(tx, wave):
            moved += await payment_moves.apply(tx)
    quarantined = await results.quarantine_judged(tx)
    recorded = Recorded(tuple(moved), quarantined)
    what = moves_told.told(moved, source=source, results=len(told), quarantined=quarantined)
    await audit.record(tx, "results.record", "partner", partner, what)
    return recorded
