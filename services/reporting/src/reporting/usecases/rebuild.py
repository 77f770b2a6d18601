"""Rebuild the read models from the event log, beside the serving ones, and swap."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database
from common.jobs import Job
from common.problems import Conflict
from reporting.storage import event_log, projections
from reporting.storage.event_log import SeqRange

__all__ = ["AFTER_UPGRADE", "KIND", "extend_log", "rebuild", "request_rebuild"]

KIND: Final = "rebuild"
AFTER_UPGRADE: Final = "rebuild_after_upgrade"
"""The same, asked for by a migration after which the sums hold more than before."""
_STEP: Final = 50_000  # numbers of the log per transaction: memory and locks stay small for a log of any size
_PREFIX: Final = "rebuild_"


async def request_rebuild(db: Database, actor: Actor, business_date: date) -> UUID:
    """Queue a rebuild; one at a time. Returns the job's id."""
    async with db.transaction(actor) as tx:
        await event_log.lock_shared(tx)
        if await tx.value("SELECT count(*) FROM job WHERE kind LIKE 'rebuild%' AND state IN ('QUEUED', 'RUNNING')"):
            raise Conflict("A rebuild is already running")
        job_id = await jobs.create(tx, KIND, {}, business_date)
        await audit.record(tx, "read_models.rebuild_requested", "job", job_id, audit.Created({"business_date": business_date}))
    return job_id


async def rebuild(db: Database, job: Job) -> dict[str, Any]:
    """Fill fresh tables up to a mark while the old ones serve; then, with consumers kept out, the rest and the swap."""
    actor = SYSTEM("reporting-rebuild")
    async with db.transaction(actor) as tx:
        await event_log.lock_exclusive(tx)  # no number up to the mark is still uncommitted after this
        mark = await projections.rebuild_begin(tx)
        span = await event_log.bounds(tx)
    done = span.low - 1
    while done < span.high:
        step = SeqRange(done + 1, min(done + _STEP, span.high))
        async with db.transaction(actor) as tx:
            await projections.fill(tx, step, prefix=_PREFIX)
        done = step.high
        await jobs.progress(db, job.id, done - span.low + 1, span.high - span.low + 1)
    async with db.transaction(actor) as tx:
        await projections.rebuild_sums(tx, _PREFIX)
    async with db.transaction(actor) as tx:
        await event_log.lock_exclusive(tx)
        end = await event_log.bounds(tx)
        if end.high > done:
            await projections.project(tx, SeqRange(done + 1, end.high), prefix=_PREFIX)
        if not await projections.rebuild_swap(tx, mark):
            raise Conflict("Another worker took this rebuild over")
        await audit.record(tx, "read_models.rebuilt", "job", job.id, audit.Created({"last_seq": end.high}))
    return {"last_seq": end.high}


async def extend_log(db: Database) -> bool:
    """Make the coming months' partitions; False: nothing more to do now."""
    async with db.transaction(SYSTEM("reporting")) as tx:
        await event_log.extend_partitions(tx)
    return False
