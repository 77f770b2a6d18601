"""Approving a large list as a job: what would be refused is refused at once, the rest is done by a worker, with progress."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from common import jobs
from common.actor import Actor
from common.db import Database, Tx
from disbursement.settings import Settings
from disbursement.usecases.answers import JobView
from disbursement.usecases.approve_list import STEPS, approve_list, approved_already, check_approval

__all__ = ["JOB_KIND", "ListApprover", "request_approval"]

JOB_KIND = "approve-list"
_SHOWN: Final = {"cycle_id", "state", "list_hash", "lines", "withdrawn", "total_amount", "warnings"}


async def request_approval(tx: Tx, actor: Actor, settings: Settings, cycle_id: UUID, list_hash: str, business_date: date | None) -> JobView:
    """Queue an approval by this caller; refused at once where the caller, the hash or the cycle's state do not fit."""
    cycle = await check_approval(tx, actor, settings, cycle_id, list_hash, business_date)
    on = business_date or cycle["business_date"]
    detail = {"cycle_id": str(cycle_id), "list_hash": list_hash, "on": on.isoformat(), "actor": jobs.asked_by(actor)}
    return JobView(job_id=await jobs.create(tx, JOB_KIND, detail, cycle["business_date"], total=STEPS), cycle_id=cycle_id)


class ListApprover:
    """The job: approves in the name of who asked, in one transaction; a crash leaves the list submitted and the job is run again."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def run(self, job: jobs.Job) -> dict[str, object]:
        """Handler of `approve-list` jobs."""
        actor = jobs.asker(job.detail["actor"])

        async def step(done: int) -> None:
            await jobs.progress(self._db, job.id, done, STEPS)

        async with self._db.transaction(actor) as tx:
            if (done := await approved_already(tx, actor, UUID(job.detail["cycle_id"]), job.detail["list_hash"])) is not None:
                return done.model_dump(mode="json", include=_SHOWN)  # the worker before us died after its commit
            view = await approve_list(
                tx, actor, self._settings, UUID(job.detail["cycle_id"]), job.detail["list_hash"],
                business_date=date.fromisoformat(job.detail["on"]), step=step,
            )  # fmt: skip
        return view.model_dump(mode="json", include=_SHOWN)
