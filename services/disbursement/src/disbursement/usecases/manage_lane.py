"""Partners' lanes in people's hands: limits changed by two people, sending stopped by one person and let go on by two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.idempotency import asked_already
from common.problems import NotFound, PreconditionFailed
from disbursement.domain.errors import RulingOutOfStep
from disbursement.domain.lanes import CapTooSmall, NotReadBack, PauseAction, SameResumer, Waiting, move
from disbursement.domain.partner_hours import Moment
from disbursement.storage import lanes, read_back
from disbursement.usecases.partner_hours import moment_of

__all__ = ["change_lane", "check_change", "decide_resume", "pause", "propose_resume", "view_lane"]


async def check_change(tx: Tx, partner: str, values: Mapping[str, Any], version: int) -> None:
    """Refuse what could not be approved. Raises PreconditionFailed (the lane is another one now), CapTooSmall."""
    kept = await lanes.lock(tx, partner)
    if kept["version"] != version:
        raise PreconditionFailed(f"version {kept['version']} now", version=kept["version"])
    if values["daily_payments"] is not None and values["daily_payments"] < values["batch_payments"]:
        raise CapTooSmall(errors=[{"field": "daily_payments", "detail": "less than batch_payments: a full batch would never go"}])


async def change_lane(tx: Tx, actor: Actor, partner: str, values: Mapping[str, Any], version: int, *, proposed_by: str) -> None:
    """Change a partner's limits as two people settled; workers keep to them from their next claim on. Raises RulingOutOfStep."""
    kept = await lanes.lock(tx, partner)
    if kept["version"] != version:
        raise RulingOutOfStep(f"the lane has version {kept['version']} now", version=kept["version"])
    changes = [name for name, value in values.items() if kept[name] != value]
    if changes:
        await lanes.change(tx, partner, values, actor.subject)
        await audit.record(tx, "lane.change", "lane", partner, audit.Changed.of(kept, values, *changes, proposed_by=proposed_by))


async def view_lane(db: Database, actor: Actor, partner: str, now: datetime) -> dict[str, Any]:
    """Limits, what is used of them, and why batches wait. `now` is the partner's clock."""
    async with db.transaction(actor) as tx:
        return await _view(tx, partner, await lanes.stand_in(tx, partner), await moment_of(tx, partner, now))


async def _view(tx: Tx, partner: str, kept: RowMapping, moment: Moment) -> dict[str, Any]:
    used = await lanes.used_today(tx, partner)
    counts = await lanes.counts(tx, partner)
    standing = await lanes.pauses(tx, partner=partner)
    waiting: list[Waiting] = []
    if counts["to_send"]:
        if standing:
            waiting.append(Waiting.PAUSED)
        if kept["failing_since"] is not None:
            waiting.append(Waiting.AWAY)
        if moment.waits_until is not None:
            waiting.append(Waiting.CUT_OFF)
        if kept["concurrency"] is not None and used["under_way"] >= kept["concurrency"]:
            waiting.append(Waiting.CONCURRENCY)
        if kept["daily_payments"] is not None and used["payments"] + counts["largest_payments"] > kept["daily_payments"]:
            waiting.append(Waiting.DAILY_PAYMENTS)
        if kept["daily_amount"] is not None and used["amount"] + counts["largest_amount"] > kept["daily_amount"]:
            waiting.append(Waiting.DAILY_AMOUNT)
    return {
        "settings": dict(kept),
        "today": dict(used),
        "counts": dict(counts),
        "waiting": waiting,
        "value_date": moment.value_date,
        "waits_until": moment.waits_until,
        "pauses": [dict(row) for row in standing],
    }


async def pause(db: Database, actor: Actor, *, partner: str | None, programme: str | None, reason: str) -> RowMapping:
    """One person stops a partner, a programme, both together, or everything. What is under way is still recorded.

    Asked again word by word it is the same stop: each stop is lifted by two people, and money waits until the last is. A stop that
    somebody asked to lift is not the same: whoever stops now means that it goes on.
    """
    asked = {"partner": partner, "programme": programme, "reason": reason, "paused_by": actor.subject}
    async with db.transaction(actor) as tx:
        same = await asked_already(tx, "lane_pause", asked, "kind = 'MANUAL' AND cycle_id IS NULL AND state = 'ACTIVE'")
        if same is not None:
            return await _found(tx, same["pause_id"])
        row = await lanes.add_pause(tx, partner=partner, programme=programme, reason=reason, by=actor.subject)
        what = audit.Created({"partner": partner, "programme": programme, "reason": reason, "state": row["state"]})
        await audit.record(tx, "pause.set", "pause", row["pause_id"], what)
        return row


async def propose_resume(db: Database, actor: Actor, pause_id: UUID, note: str) -> RowMapping:
    """The first person says that sending may go on. Raises NotFound, NotReadBack, IllegalPauseMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, pause_id)
        await _all_read_back(tx, row)
        state = move(row["state"], PauseAction.PROPOSE_RESUME)
        values = {"state": state.value, "resume_proposed_by": actor.subject}
        now = await lanes.set_pause(tx, pause_id, values, step="RESUME_PROPOSED", by=actor.subject, note=note)
        await audit.record(tx, "pause.resume_proposed", "pause", pause_id, audit.Changed.of(row, values, *values, note=note))
        return now


async def decide_resume(db: Database, actor: Actor, pause_id: UUID, note: str, *, confirm: bool) -> RowMapping:
    """The second person's word: sending goes on, or stays stopped. Raises NotFound, NotReadBack, SameResumer, IllegalPauseMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, pause_id)
        if confirm:
            await _all_read_back(tx, row)
        state = move(row["state"], PauseAction.CONFIRM_RESUME if confirm else PauseAction.KEEP)
        if row["resume_proposed_by"] == actor.subject:
            raise SameResumer()
        values: dict[str, Any] = {"state": state.value}
        values |= {"resumed_by": actor.subject} if confirm else {"resume_proposed_by": None}
        now = await lanes.set_pause(tx, pause_id, values, step="RESUMED" if confirm else "KEPT", by=actor.subject, note=note)
        what = audit.Changed.of(row, values, *values, note=note)
        await audit.record(tx, "pause.resumed" if confirm else "pause.kept", "pause", pause_id, what)
        return now


async def _all_read_back(tx: Tx, row: RowMapping) -> None:
    """After a restore: own events, partners' answers and their statements; other pauses wait for nothing."""
    if row["kind"] == "RESTORE" and (missing := await read_back.missing(tx, UUID(row["detail"]["restore_id"]))):
        raise NotReadBack("; ".join(f"{what} {count}" for what, count in missing.items()), missing=missing)


async def _found(tx: Tx, pause_id: UUID) -> RowMapping:
    row = await lanes.find_pause(tx, pause_id)
    if row is None:
        raise NotFound("No such pause")
    return row
