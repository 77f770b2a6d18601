"""Giving a campaign's gift to everybody the resolution names: a job over the register, repeatable without a second gift."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.jobs import Job
from common.problems import NotFound
from registry.storage import dues, gifts, people
from registry.storage.publishing import take_people_lock

__all__ = ["GIVE", "Giver", "request"]

GIVE: Final = "gift"
_FIRST: Final = UUID(int=0)


async def request(tx: Tx, code: str, business_date: date) -> UUID:
    """Queue a gift; the job's id. Raises :class:`NotFound` when no rule of that name is known on the date."""
    if await gifts.rule(tx, code, business_date) is None:
        raise NotFound("No gift of that code is known on this date")
    job_id = await jobs.create(tx, GIVE, {"code": code}, business_date, total=await people.count(tx))
    await audit.record(tx, "gift.request", "job", job_id, {"code": code, "business_date": business_date.isoformat()})
    return job_id


class Giver:
    """The worker's side."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """All people in order of id, a transaction per batch; repeated after a crash nobody gets it twice."""
        code = str(job.detail["code"])
        after, done, given = _FIRST, 0, 0
        while True:
            async with self._db.transaction(SYSTEM(GIVE)) as tx:
                await take_people_lock(tx)
                ids = await people.next_ids(tx, after, self._at_once)
                got = await gifts.give(tx, code, ids, job.business_date, f"job:{job.id}")
                await dues.recompute(tx, got, job.business_date)
                if got:
                    await audit.record(tx, "gift.give", "job", job.id, {"code": code, "people": len(got)})
            if not ids:
                return {"people": done, "given": given}
            after, done, given = ids[-1], done + len(ids), given + len(got)
            await jobs.progress(self._db, job.id, done, done)
