"""The rolling re-check by business date: what is asked about this month, and when it will be done."""

from __future__ import annotations

from datetime import date
from typing import Any

from accounts.settings import Settings
from accounts.storage import accounts, people, policy, rechecks
from common import audit
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.ids import new_id

__all__ = ["overview", "plan_due", "plan_month"]


async def plan_month(tx: Tx, month: str, business_date: date) -> dict[str, Any]:
    """Plan a month: changed and failed accounts, and a part of the rest. The same month again changes nothing.

    The questions are asked by the worker within each provider's rate; a stopped worker goes on where it was.
    """
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    await accounts.take_record_lock(tx)
    known = await rechecks.plan(tx, month)
    if known is None:
        counts, digest = await rechecks.mark(tx, business_date, await policy.number(tx, "RECHECK_MONTHS"))
        await rechecks.note_plan(tx, plan_id=new_id(), month=month, day=business_date, by=tx.actor.subject, **counts)
        await audit.record(tx, "recheck.plan", "recheck_plan", month, audit.Bulk(sum(counts.values()), digest, counts))
        known = await rechecks.plan(tx, month)
    assert known is not None
    return dict(known)


async def plan_due(db: Database, settings: Settings) -> bool:
    """Plan the month nobody has planned, once there is something to ask about: accounts last asked about before it. Whether it was.

    The month is that of the installation's date, else of the latest day the registry has named: a month of another year can be run.
    """
    async with db.transaction(SYSTEM("recheck")) as tx:
        day = settings.business_date or await people.latest_day(tx)
        if day is None or await rechecks.plan(tx, day.isoformat()[:7]) is not None or not await rechecks.any_before(tx, day.replace(day=1)):
            return False
        await plan_month(tx, day.isoformat()[:7], day)
        return True


async def overview(db: Database, actor: Actor) -> dict[str, Any]:
    """Plans, and per partner what waits, at which rate, and its expected end."""
    async with db.read(actor) as tx:
        return {"plans": [dict(row) for row in await rechecks.plans(tx)], "waiting": [dict(row) for row in await rechecks.pending(tx)]}
