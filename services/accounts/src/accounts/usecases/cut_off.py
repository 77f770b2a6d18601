"""Cut-offs: take the registry's markers, and pass them on when this service's own work up to them is done."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from accounts.domain.cut_off import difference, split
from accounts.settings import Settings
from accounts.storage import cut_offs, people
from accounts.storage.cut_offs import Compared
from common import outbox
from common.actor import SYSTEM
from common.contracts.registry_v1 import CutOffReached, Programme
from common.db import Database, Tx
from common.telemetry import get_logger
from common.topics import Topic

__all__ = ["pass_on_once", "take_marker"]

_ACTOR: Final = SYSTEM("accounts")
_TOTALS: Final = ("accounts", "account_versions", "methods", "method_versions")
_log = get_logger(__name__)


async def take_marker(tx: Tx, marker: CutOffReached) -> None:
    """Compare what the registry announced for a partition with what is held here at this very point of the log.

    Who is parked is counted at the same point: a replay before the cut-off is passed on must not turn a difference that
    was explained into one that blocks.
    """
    found = await people.counts_in_partition(tx, marker.partition)
    parked = await cut_offs.parked_people(tx, marker.partition)
    gaps, lagging = split(difference(marker.counts, found), parked)
    if gaps:
        _log.error("cut_off_differs", cut_off=str(marker.cut_off_id), partition=marker.partition, difference=gaps, parked=parked)
    elif lagging:
        _log.warning("cut_off_lags", cut_off=str(marker.cut_off_id), partition=marker.partition, lagging=lagging, parked=parked)
    await cut_offs.add_marker(tx, marker, Compared(found, gaps, lagging, parked))


async def pass_on_once(db: Database, settings: Settings) -> bool:
    """Pass on the cut-offs that are ready. Returns whether any was.

    One whose totals differ is never passed on, a person must look; unless the people whose events are parked explain the
    difference: they are told as unanswered, and the month goes on for everybody else.
    """
    async with db.read(_ACTOR) as tx:
        ready = [cut_off_id for cut_off_id in await cut_offs.open_ids(tx) if await _ready(tx, cut_off_id, settings)]
    for cut_off_id in ready:
        await _pass_on(db, cut_off_id)
    return bool(ready)


async def _ready(tx: Tx, cut_off_id: UUID, settings: Settings) -> bool:
    state = await cut_offs.waiting(tx, cut_off_id, tries=settings.cut_off_tries, away_seconds=settings.cut_off_away_seconds)
    if state is None or (state["hopeful"] == 0 and state["applying"] == 0):
        return True
    return bool(state["waited_seconds"] >= settings.cut_off_longest_seconds)


async def _pass_on(db: Database, cut_off_id: UUID) -> None:
    async with db.transaction(_ACTOR) as tx:
        await outbox.barrier(tx)
        cut_off = await cut_offs.lock_open(tx, cut_off_id)
        if cut_off is None:
            return
        counts = await cut_offs.published_counts(tx)
        await outbox.add_to_every_partition(
            tx,
            Topic.PAYOUT,
            lambda partition: CutOffReached(
                version=1,
                business_date=cut_off["business_date"],
                cut_off_id=cut_off_id,
                cycle_id=cut_off["cycle_id"],
                producer="accounts",
                topic=Topic.PAYOUT,
                partition=partition,
                month=cut_off["month"],
                programme=Programme(cut_off["programme"]),
                counts={name: counts[partition][name] for name in _TOTALS},
                unanswered=counts[partition]["unanswered"],
            ),
        )
        await cut_offs.mark_passed(tx, cut_off_id, counts)
