"""Cut-offs: take the registry's markers, and pass them on when every subject known at the marker is answered."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from common.contracts.registry_v1 import CutOffReached
from common.cut_offs import CutOffs, Totals
from common.db import Database, Tx
from common.topics import Topic
from identity_verify.settings import Settings
from identity_verify.storage import cut_offs, subjects
from identity_verify.usecases.plan import recheck_before_cut_off

__all__ = ["TOTALS", "pass_on_once", "take_marker"]

TOTALS: Final = Totals(
    members="beneficiaries",
    required=("beneficiaries", "beneficiary_versions"),
    optional=("representatives", "representative_versions"),
)
_CUT_OFFS: Final = CutOffs(
    "identity-verify", Topic.BENEFICIARY, Topic.VERIFICATION, TOTALS, subjects.counts_in_partition, cut_offs.published_counts
)


async def take_marker(tx: Tx, marker: CutOffReached) -> None:
    """Compare what the registry announced for a partition with what is held here at this very point of the log."""
    await _CUT_OFFS.take_marker(tx, marker)


async def pass_on_once(db: Database, settings: Settings) -> bool:
    """Pass on the cut-offs that are ready. Returns whether any was.

    Each first has everybody asked about whose evidence is too old on its business date: no list is computed on that.
    """
    async with db.read() as tx:
        new = await cut_offs.not_rechecked(tx)
    for cut_off in new:
        await recheck_before_cut_off(db, settings, cut_off["cut_off_id"], cut_off["business_date"])

    async def ready(tx: Tx, cut_off_id: UUID) -> bool:
        state = await cut_offs.waiting(tx, cut_off_id, settings.cut_off_tries, online=settings.population_mode == "online")
        if state is None or state["hopeful"] == 0:
            return True
        # An outside that is away does not block the month: the marker says how many people are unanswered.
        return bool(state["away_seconds"] >= settings.cut_off_away_seconds or state["waited_seconds"] >= settings.cut_off_longest_seconds)

    return await _CUT_OFFS.pass_on_once(db, ready)
