"""Many people in one request, each judged by itself: the same use cases as one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from common.db import Tx
from common.problems import Problem
from registry.storage import publishing
from registry.usecases import people
from registry.usecases.registering import Outcome

__all__ = ["Correction", "change_many"]


@dataclass(frozen=True, slots=True)
class Correction:
    """A change of one person at the version read."""

    person_id: UUID
    version: int
    changes: people.Changes
    business_date: date


async def change_many(tx: Tx, corrections: Sequence[Correction]) -> list[Outcome]:
    """Make the changes that can be made; the outcome of each, in order. A refused one leaves nothing behind."""
    await publishing.take_people_lock(tx)
    outcomes = []
    for one in corrections:
        try:
            async with tx.conn.begin_nested():
                await people.change(tx, one.person_id, one.version, one.changes, one.business_date)
            outcomes.append(Outcome(person_id=one.person_id))
        except Problem as problem:
            outcomes.append(Outcome(person_id=one.person_id, problem=problem))
    return outcomes
