"""What the population database tells of deaths: recorded where none is, and where another date stands a case for an officer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from registry.domain.errors import NotPossibleInState, SamePerson
from registry.storage import death_differences as storage
from registry.storage import life_events, publishing
from registry.usecases import change_requests, decisions, people

__all__ = ["answer", "seen", "told"]


async def told(tx: Tx, deaths: Sequence[tuple[UUID, date, bool]], business_date: date) -> None:
    """Take what the database tells (person, day, whether it gave the day). A date that is recorded already is never changed by it."""
    actor, _ = decisions.needs(tx)
    await people.record_deaths(tx, [(person_id, day) for person_id, day, _ in deaths], business_date)
    for row in await storage.tell(tx, deaths, business_date, actor.subject):
        what = audit.Created({"recorded": row["recorded_date"], "told": row["told_date"], "source": "POPULATION_DATABASE", "state": "OPEN"})
        await audit.record(tx, "death-difference.open", "beneficiary", row["person_id"], what)


async def seen(tx: Tx, difference_id: UUID, *, lock: bool = False) -> Any:
    """One difference of a person in the caller's area; else 404."""
    actor, _ = decisions.needs(tx)
    row = await storage.find(tx, difference_id, lock=lock)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such difference")
    return row


async def answer(db: Database, actor: Actor, difference_id: UUID, *, keep: bool, reason: str, business_date: date) -> Any:
    """Keep the register's date, or ask for the database's, which a second person decides.

    Who alone recorded the register's date does not confirm it. Raises NotFound, NotPossibleInState, SamePerson, RequestPending.
    """
    async with db.transaction(actor) as tx:
        await publishing.take_people_lock(tx)
        row = await seen(tx, difference_id, lock=True)
        if row["state"] != "OPEN":
            raise NotPossibleInState(f"The difference is {row['state']}")
        if not keep:
            wanted = change_requests.Wanted(ground=reason, business_date=business_date, death_date=row["told_date"])
            await change_requests.ask(tx, row["beneficiary_id"], wanted)
            return await storage.find(tx, difference_id)
        person = await people.seen(tx, row["beneficiary_id"], lock=True)
        [recorded] = await life_events.people_for(tx, [row["beneficiary_id"]])
        if recorded["last_maker"] == actor.subject:
            raise SamePerson("Who recorded a date of death cannot confirm it")
        await storage.close(tx, difference_id, person["death_date"], reason, actor.subject)
        what = audit.Changed.of(row, {"state": "KEPT"}, "state", kept=person["death_date"], told=row["told_date"], reason=reason)
        await audit.record(tx, "death-difference.kept", "beneficiary", row["beneficiary_id"], what)
        return await storage.find(tx, difference_id)
