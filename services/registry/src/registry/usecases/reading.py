"""Who may read a person: the unit they belong to, and after a move the unit that still pays them, as long as it pays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from common.db import Tx
from common.problems import NotFound
from registry.storage import people, transfers

__all__ = ["readable"]


async def readable(tx: Tx, person_id: UUID) -> Any:
    """The person, for reading only; else 404.

    The old unit pays to the end of the month of the receipt: until then it answers the person's questions. It changes nothing any more.
    """
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    row = await people.find(tx, person_id)
    if row is None:
        raise NotFound("No such beneficiary")
    if not tx.actor.sees(row["unit_path"]):
        paying = await transfers.still_paying(tx, person_id)
        if not any(tx.actor.sees(path) for path in paying):
            raise NotFound("No such beneficiary")
    return row
