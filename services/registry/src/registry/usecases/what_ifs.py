"""What a draft of the law would change: a job over the whole register, on the real engine, that writes nothing to the live dues."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.jobs import Job
from registry.storage import people, what_ifs
from registry.usecases import law_changes

__all__ = ["WHAT_IF", "WhatIf", "request"]

WHAT_IF: Final = "law-what-if"
_FIRST: Final = UUID(int=0)


async def request(tx: Tx, change_id: UUID, business_date: date, until_month: date) -> UUID:
    """Queue a what-if of a draft as it stands; the id of the what-if and of its job."""
    law_changes.check_until(business_date, until_month)
    change = await law_changes.open_change(tx, change_id, states=("DRAFT", "PROPOSED"))
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    job_id = await jobs.create(tx, WHAT_IF, {"change_id": str(change_id)}, business_date, total=await people.count(tx))
    await what_ifs.create(tx, job_id, change, business_date, until_month, tx.actor.subject)
    await audit.record(tx, "law.what-if", "law-change", change_id, audit.Created({"business_date": business_date, "job_id": job_id}))
    return job_id


class WhatIf:
    """The worker's side."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """All people in order of id; the sums of a run count only when it is whole."""
        async with self._db.transaction(SYSTEM(WHAT_IF)) as tx:
            row = await what_ifs.start(tx, job.id, job.attempt)
        after, done, stale = _FIRST, 0, 0
        while True:
            async with self._db.transaction(SYSTEM(WHAT_IF)) as tx:
                ids = await people.next_ids(tx, after, self._at_once)
                if not ids:
                    touched = await what_ifs.finish(tx, job.id, job.attempt, stale)
                    return {"people": done, "touched": touched, "out_of_date": stale}
                stale += await what_ifs.add_batch(tx, row, job.attempt, ids)
            after, done = ids[-1], done + len(ids)
            await jobs.progress(self._db, job.id, done, done)
