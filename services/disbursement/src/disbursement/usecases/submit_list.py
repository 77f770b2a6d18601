"""The maker submits a list: its allocations are committed against what is due today, all or none."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Tx
from common.problems import NotFound
from disbursement.domain.cycle import CycleAction, move
from disbursement.domain.errors import HashMismatch, ListEmpty, ListOutdated, PrecheckUnread
from disbursement.domain.rulings import strictest
from disbursement.storage import allocations, approvals, cycles, lists, prechecks, rulings
from disbursement.usecases.answers import CycleView

__all__ = ["submit_list"]


async def submit_list(tx: Tx, actor: Actor, cycle_id: UUID, list_hash: str | None, day: date) -> CycleView:
    """Submit the cycle's computed list for approval. `day` is the real one: what must be read first is asked on it too.

    Raises :class:`ListOutdated` when due, paid or committed changed since it was computed (another list was quicker, a
    death was recorded): nothing is committed then, and the list is computed again. A list on which everybody is held may be
    submitted: its approval tells of the holds, and the cycle can be closed.
    """
    cycle = await cycles.by_id(tx, cycle_id, lock=True)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    state = move(cycle["state"], CycleAction.SUBMIT)
    list_id: UUID = cycle["list_id"]
    head = await cycles.list_of(tx, list_id)
    if head is None:
        raise LookupError(list_id)
    if list_hash is not None and list_hash != head["list_hash"]:
        raise HashMismatch("Read the list again", list_hash=head["list_hash"])
    await lists.plan_for_size(tx)
    wanted = await allocations.planned(tx, list_id)
    if wanted == 0 and head["held"] == 0:
        raise ListEmpty("Nobody is paid and nobody is held by this list")
    warnings = await _precheck_read(tx, cycle, list_id, day)
    short = await allocations.lines_short(tx, list_id)
    if short or await allocations.commit(tx, list_id) != wanted:
        raise ListOutdated("Due, paid or committed changed since the list was computed", lines=short)
    await approvals.clear(tx, list_id)
    await cycles.submit_list(tx, list_id, actor.subject)
    was, cycle = cycle, await cycles.move(tx, cycle_id, state)
    about = {"list_id": list_id, "list_hash": head["list_hash"], "lines": head["lines"], "amount": head["total_amount"]}
    await audit.record(tx, "list.submit", "cycle", cycle_id, audit.Changed.of(was, cycle, "state", "version", **about))
    return CycleView.of(cycle, await cycles.list_of(tx, list_id), warnings=warnings)


async def _precheck_read(tx: Tx, cycle: RowMapping, list_id: UUID, day: date) -> list[dict[str, Any]]:
    """Findings that nobody has said to have read are warned of or refused, as the setting says."""
    answer = strictest([await rulings.setting(tx, "PRECHECK", on) for on in (day, cycle["business_date"])])
    head = await prechecks.find(tx, list_id) if answer != "OFF" else None
    if head is None or head["read_by"] is not None or not head["counts"]:
        return []
    if answer == "REFUSE":
        raise PrecheckUnread(f"{sum(head['counts'].values())} findings", counts=head["counts"])
    return [{"code": "PRECHECK_UNREAD", "counts": head["counts"]}]
