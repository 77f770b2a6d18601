"""Cut-offs: take the registry's markers, and pass them on when this service's own work up to them is done."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from accounts.settings import Settings
from accounts.storage import cut_offs, people
from common.contracts.registry_v1 import CutOffReached
from common.cut_offs import CutOffs, Totals
from common.db import Database, Tx
from common.topics import Topic

__all__ = ["pass_on_once", "take_marker"]

_TOTALS: Final = Totals(
    members="beneficiaries",
    required=("beneficiaries", "beneficiary_versions"),
    optional=("representatives", "representative_versions"),
)
_CUT_OFFS: Final = CutOffs("accounts", Topic.BENEFICIARY, Topic.PAYOUT, _TOTALS, people.counts_in_partition, cut_offs.published_counts)


async def take_marker(tx: Tx, marker: CutOffReached) -> None:
    """Compare what the registry announced for a partition with what is held here at this very point of the log."""
    await _CUT_OFFS.take_marker(tx, marker)


async def pass_on_once(db: Database, settings: Settings) -> bool:
    """Pass on the cut-offs that are ready. Returns whether any was."""

    async def ready(tx: Tx, cut_off_id: UUID) -> bool:
        state = await cut_offs.waiting(tx, cut_off_id, tries=settings.cut_off_tries, away_seconds=settings.cut_off_away_seconds)
        if state is None or (state["hopeful"] == 0 and state["applying"] == 0):
            return True
        return bool(state["waited_seconds"] >= settings.cut_off_longest_seconds)

    return await _CUT_OFFS.pass_on_once(db, ready)
