"""Grace for evidence that ran out only because the population database was away: two people, with dates, told to the payer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import RowMapping

from common import audit
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from identity_verify.domain.errors import GraceNotFound, GraceNotOpen, GraceTooLong, SecondPersonRequired, SourceAnswers
from identity_verify.settings import Settings
from identity_verify.storage import graces
from identity_verify.usecases.plan import work_day

__all__ = ["ProposedGrace", "apply_once", "decide", "page", "propose"]

_ACTOR: Final = SYSTEM("identity-verify")
_CHUNK: Final = 5_000


class ProposedGrace(BaseModel):
    """A proposal as answered."""

    grace_id: UUID
    state: Literal["PROPOSED"] = "PROPOSED"


async def propose(tx: Tx, actor: Actor, settings: Settings, *, valid_from: date, valid_until: date, reason: str) -> ProposedGrace:
    """Propose a period, while the source is away.

    Raises:
        SourceAnswers: it is not away.
        GraceTooLong: longer than the installation allows.
    """
    days = (valid_until - valid_from).days
    if not 0 <= days <= settings.grace_longest_days:
        raise GraceTooLong(f"at most {settings.grace_longest_days} days", errors=[{"field": "valid_until", "detail": f"{days} days"}])
    since = await graces.away_since(tx)
    if since is None:
        raise SourceAnswers
    grace_id = await graces.propose(tx, valid_from=valid_from, valid_until=valid_until, reason=reason, since=since, by_whom=actor.subject)
    await audit.record(tx, "grace.proposed", "grace", grace_id, audit.Created({"from": valid_from, "until": valid_until}))
    return ProposedGrace(grace_id=grace_id)


async def decide(db: Database, actor: Actor, grace_id: UUID, *, approve: bool) -> str:
    """Approve or refuse what another person proposed. The new state.

    Raises:
        GraceNotFound: no such period.
        GraceNotOpen: it was decided on already.
        SecondPersonRequired: the caller proposed it.
    """
    state = "APPROVED" if approve else "REFUSED"
    async with db.transaction(actor) as tx:
        found = await graces.lock(tx, grace_id)
        if found is None:
            raise GraceNotFound
        if found["state"] != "PROPOSED":
            raise GraceNotOpen(found["state"])
        if found["proposed_by"] == actor.subject:
            raise SecondPersonRequired("you proposed this period; another person approves it")
        await graces.decide(tx, grace_id, state, actor.subject)
        what = audit.Changed.of(found, {"state": state}, "state", proposed_by=found["proposed_by"])
        await audit.record(tx, f"grace.{state.lower()}", "grace", grace_id, what)
    return state


async def apply_once(db: Database, settings: Settings, business_date: date | None = None) -> bool:
    """Give approved grace to a chunk of those it concerns. Returns whether there may be more.

    Runs as long as a period is in force: somebody's evidence may run out on its last day but one.
    """
    async with db.transaction(_ACTOR) as tx:
        day = business_date or await work_day(tx, settings)
        given = 0
        for period in await graces.approved(tx, day):
            people = await graces.apply(tx, period["grace_id"], period["valid_until"], day, _CHUNK - given)
            given += len(people)
            if people:
                what = audit.Bulk.of(people, after={"valid_until": period["valid_until"]})
                await audit.record(tx, "grace.given", "grace", period["grace_id"], what)
            if given >= _CHUNK:
                return True
    return False


async def page(db: Database, actor: Actor, *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """One page of periods."""
    async with db.read(actor) as tx:
        return await graces.page(tx, after=after, limit=limit)
