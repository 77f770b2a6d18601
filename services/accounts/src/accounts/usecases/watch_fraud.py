"""Alerts of possible fraud: a work list, a suspicion that holds payments, and its end by another person."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from accounts.domain.errors import AlertNotFound, MoveRefused, SamePerson
from accounts.storage import accounts, alerts, methods
from common import audit
from common.actor import Actor
from common.db import Database

__all__ = ["alert", "alert_page", "decide"]


async def alert_page(
    db: Database, actor: Actor, *, state: str | None, kind: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """One page of alerts that concern the caller's units."""
    scope, params = actor.scope_sql("u.path")
    async with db.read(actor) as tx:
        rows = await alerts.page(tx, state=state, kind=kind, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in rows]


async def alert(db: Database, actor: Actor, alert_id: UUID) -> dict[str, Any]:
    """One alert with the people of the caller's units. Raises AlertNotFound."""
    async with db.read(actor) as tx:
        found = await alerts.find(tx, alert_id, *actor.scope_sql("u.path"))
        if found is None:
            raise AlertNotFound
        scope, params = actor.scope_sql("b.unit_path")
        return {**found, "concerned": [dict(row) for row in await alerts.people(tx, alert_id, scope, params)]}


async def decide(db: Database, actor: Actor, alert_id: UUID, *, state: str, reason: str, business_date: date) -> dict[str, Any]:
    """Suspect (payments of all concerned are held), clear, or confirm (all concerned are paid in cash, in person, from then on).

    Raises:
        AlertNotFound; MoveRefused: not from this state.
        SamePerson: the alert is about the caller, or the caller raised the suspicion.
    """
    async with db.transaction(actor) as tx:
        await accounts.take_record_lock(tx)
        found = await alerts.find(tx, alert_id, *actor.scope_sql("u.path"), lock=True)
        if found is None:
            raise AlertNotFound
        if actor.subject in (found["subject"], found["suspected_by"]):
            raise SamePerson
        if not await alerts.decide(tx, alert_id, state=state, by=actor.subject, business_date=business_date, reason=reason):
            raise MoveRefused(f"{found['state']} → {state}")
        changed = set(await alerts.flag_people(tx, alert_id, business_date))
        if state == "CONFIRMED":
            changed |= set(await alerts.to_cash(tx, alert_id, business_date))
        await methods.say(tx, sorted(changed), subject=actor.subject, in_bulk=True)
        people = {"kind": found["kind"], "people": len(changed), "digest": audit.digest(changed)}
        what = audit.Changed.of(found, {"state": state, "reason": reason}, "state", "reason", **people)
        await audit.record(tx, f"alert.{state.lower()}", "alert", alert_id, what)
    return await alert(db, actor, alert_id)
