"""Computing everybody's dues anew: after a rate became known, so that months already gone get their new amount (truy lĩnh)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.jobs import Job
from registry.storage import dues, people
from registry.storage.publishing import take_people_lock

__all__ = ["RECOMPUTE", "Recomputer", "request"]

RECOMPUTE: Final = "dues-recompute"
_FIRST: Final = UUID(int=0)


async def request(tx: Tx, business_date: date) -> UUID:
    """Queue the computation of all dues with what is known on a date; the job's id."""
    total = await people.count(tx)
    job_id = await jobs.create(tx, RECOMPUTE, {}, business_date, total=total)
    await audit.record(tx, "dues.recompute", "job", job_id, audit.Created({"business_date": business_date, "people": total}))
    return job_id


class Recomputer:
    """The worker's side."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """All people in order of id, a transaction per batch; repeated after a crash it changes nothing twice."""
        after, done, changed = _FIRST, 0, 0
        parts: list[str] = []
        while True:
            async with self._db.transaction(SYSTEM(RECOMPUTE)) as tx:
                await take_people_lock(tx)
                ids = await people.next_ids(tx, after, self._at_once)
                changed += await dues.recompute(tx, ids, job.business_date)
                if not ids:
                    about = {"requested_by": job.requested_by, "changed": changed, "parts": len(parts)}
                    await audit.record(tx, "dues.recomputed", "job", job.id, audit.Bulk(done, audit.digest(parts), about))
            if not ids:
                return {"people": done, "changed": changed}
            after, done = ids[-1], done + len(ids)
            parts.append(audit.digest(ids))
            await jobs.progress(self._db, job.id, done, max(done, await self._total()))

    async def _total(self) -> int:
        async with self._db.read() as tx:
            return await people.count(tx)
