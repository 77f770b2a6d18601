"""Take-over: the first month that the platform pays in a unit, proposed by one person and approved by another."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from disbursement.domain.errors import SamePerson, TakeOverExists, TakeOverNotOpen, UnknownUnit
from disbursement.domain.months import month_text
from disbursement.storage import take_overs, units
from disbursement.usecases.answers import TakeOverView

__all__ = ["decide", "page", "propose"]


async def propose(tx: Tx, actor: Actor, *, unit_code: str, programme: str, first_month: date, business_date: date) -> TakeOverView:
    """Propose that the platform pays a unit's programme from `first_month` on; earlier months count as paid elsewhere."""
    path = await units.path_of(tx, unit_code, business_date)
    if path is None:
        raise UnknownUnit(f"{unit_code} on {business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    await _refuse_reopening(tx, path, programme, first_month)
    take_over_id = new_id()
    added = await take_overs.propose(
        tx,
        take_over_id=take_over_id,
        unit_code=unit_code,
        unit_path=path,
        programme=programme,
        first_month=first_month,
        business_date=business_date,
        by=actor.subject,
    )
    if not added:
        raise TakeOverExists(f"{programme} in {path}")
    what = audit.Created({"unit_path": path, "programme": programme, "first_month": first_month, "state": "PROPOSED"})
    await audit.record(tx, "take_over.propose", "take_over", take_over_id, what)
    return await _view(tx, take_over_id)


async def decide(tx: Tx, actor: Actor, take_over_id: UUID, *, approve: bool, reason: str | None) -> TakeOverView:
    """Approve or reject a proposal. Raises :class:`SamePerson` when the proposer decides."""
    row = await take_overs.by_id(tx, take_over_id, lock=True)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such take-over")
    if row["state"] != "PROPOSED":
        raise TakeOverNotOpen(f"It is {row['state']}")
    if row["proposed_by"] == actor.subject:
        raise SamePerson("You proposed this take-over")
    if approve:
        await _refuse_reopening(tx, row["unit_path"], row["programme"], row["first_month"])
    state = "APPROVED" if approve else "REJECTED"
    await take_overs.decide(tx, take_over_id, state, actor.subject, reason)
    what = audit.Changed.of(row, {"state": state}, "state", reason=reason, proposed_by=row["proposed_by"])
    await audit.record(tx, f"take_over.{state.lower()}", "take_over", take_over_id, what)
    return await _view(tx, take_over_id)


async def _refuse_reopening(tx: Tx, unit_path: str, programme: str, first_month: date) -> None:
    """Months that an entry above has closed were paid elsewhere: an earlier month below would pay them again."""
    closed = await take_overs.closed_until(tx, unit_path, programme)
    if closed is not None and first_month < closed:
        raise TakeOverExists(f"A unit above was taken over from {month_text(closed)}: earlier months are closed")


async def page(db: Database, actor: Actor, after: UUID | None, limit: int) -> list[TakeOverView]:
    """Take-overs in the caller's scope."""
    scope, params = actor.scope_sql("t.unit_path")
    async with db.read(actor) as tx:
        return [TakeOverView.of(row) for row in await take_overs.page(tx, scope, params, after, limit)]


async def _view(tx: Tx, take_over_id: UUID) -> TakeOverView:
    row = await take_overs.by_id(tx, take_over_id)
    if row is None:
        raise LookupError(take_over_id)
    return TakeOverView.of(row)
