"""Long work: a row that shows progress, claimed by a worker with a lease on database time, taken over when the worker dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import tracing
from common.actor import ASKED_IN, SYSTEM, Actor, Role
from common.db import Database, Tx
from common.failures import describe, is_transient
from common.ids import new_id
from common.problems import Problem
from common.telemetry import get_logger

__all__ = ["Job", "JobRunner", "active", "asked_by", "asker", "create", "progress"]

LEASE_SECONDS: Final = 30
_ASKED_IN: Final = "request_id"
#: Lives of workers that one job may end. Few enough for a job that kills whoever takes it, and more than a bad hour of machines that
#: fail takes: a list of people given up then would be sent again by its office for nothing.
_MAX_ATTEMPTS: Final = 12
_STILL_OURS: Final = "id = :id AND state = 'RUNNING' AND lease_owner = :owner AND attempts = :attempt"
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job."""

    id: UUID
    kind: str
    detail: dict[str, Any]
    requested_by: str
    business_date: date
    attempt: int
    traceparent: str | None = None
    """Trace context of the request that asked for it, where traces are made."""


async def create(tx: Tx, kind: str, detail: Mapping[str, Any], business_date: date, *, total: int = 0) -> UUID:
    """Queue a job in the caller's transaction; the job's id. Its detail keeps the request that asks: audit rows of the work name it."""
    if tx.actor is None:
        raise RuntimeError("a job needs an actor")
    job_id = new_id()
    await tx.execute(
        "INSERT INTO job (id, kind, detail, business_date, requested_by, requested_units, total)"
        " VALUES (:id, :kind, :detail, :business_date, :requested_by, CAST(:units AS text[]), :total)",
        id=job_id,
        kind=kind,
        detail={**detail, _ASKED_IN: tx.actor.request_id or ASKED_IN.get()},
        business_date=business_date,
        requested_by=tx.actor.subject,
        units=list(tx.actor.unit_paths),
        total=total,
    )
    return job_id


def asked_by(actor: Actor) -> dict[str, Any]:
    """Who asks, for the detail of a job that acts in this person's name: :func:`asker` reads it."""
    return {
        "subject": actor.subject, "name": actor.name, "roles": sorted(actor.roles), "unit_paths": list(actor.unit_paths),
        "partner": actor.partner, "client_id": actor.client_id, "request_id": actor.request_id, "everywhere": actor.everywhere,
    }  # fmt: skip


def asker(who: Mapping[str, Any]) -> Actor:
    """Who asked for a job, as the request knew them: the audit log leads to it by its number. Jobs of 0.1.0 lack the last four."""
    return Actor(
        subject=who["subject"], name=who["name"], roles=frozenset(Role(role) for role in who["roles"]),
        unit_paths=tuple(who["unit_paths"]), partner=who.get("partner"), client_id=who.get("client_id", ""),
        request_id=who.get("request_id"), everywhere=who.get("everywhere", False),
    )  # fmt: skip


async def progress(db: Database, job_id: UUID, done: int, total: int) -> None:
    """Show how far a job is. Its lease is renewed by the runner that holds it, and by nobody else."""
    async with db.transaction(SYSTEM("jobs")) as tx:
        await tx.execute("UPDATE job SET done = :done, total = :total WHERE id = :id", id=job_id, done=done, total=total)


async def active(tx: Tx) -> int:
    """Jobs queued or running."""
    return int(await tx.value("SELECT count(*) FROM job WHERE state IN ('QUEUED', 'RUNNING')"))


Handler = Callable[[Job], Awaitable[dict[str, Any]]]


class JobRunner:
    """Runs jobs by kind. A handler returns what the job's result shows; a :class:`Problem` is its failure in words."""

    def __init__(self, db: Database, handlers: Mapping[str, Handler], *, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
        """`lease_seconds`: after this a dead worker's job is taken over by another."""
        self._db = db
        self._lease_seconds = lease_seconds
        self._handlers = handlers
        self._owner = owner

    async def run_one(self) -> bool:
        """Claim and run one job; False when there was none."""
        job = await self._claim()
        if job is None:
            return False
        keeper = asyncio.create_task(self._keep_lease(job.id))
        asked = ASKED_IN.set(job.detail.get(_ASKED_IN))
        try:
            with tracing.span(f"job {job.kind}", parent=job.traceparent, ansinh_job_kind=job.kind, ansinh_job_id=str(job.id)):
                result = await self._handlers[job.kind](job)
        except Problem as problem:
            await self._end(job, "FAILED", None, problem.detail or problem.title)
        except Exception as error:
            if is_transient(error):
                await self._release(job)
                raise
            _log.exception("job.failed", job_id=str(job.id), kind=job.kind)
            await self._end(job, "FAILED", None, f"{type(error).__name__}: the job stopped on a defect; its id is {job.id}")
        else:
            await self._end(job, "DONE", result, None)
        finally:
            ASKED_IN.reset(asked)
            keeper.cancel()
        return True

    async def _claim(self) -> Job | None:
        kinds: Sequence[str] = list(self._handlers)
        async with self._db.transaction(SYSTEM("jobs")) as tx:
            row = await tx.row(
                "UPDATE job SET state = CASE WHEN attempts >= :most THEN 'FAILED' ELSE 'RUNNING' END, attempts = attempts + 1,"
                " error = CASE WHEN attempts >= :most THEN 'given up after repeated crashes of the worker' END,"
                " lease_owner = :owner, lease_until = now() + make_interval(secs => :lease)"
                " WHERE id = (SELECT id FROM job WHERE kind = ANY(CAST(:kinds AS text[])) AND (state = 'QUEUED'"
                "   OR (state = 'RUNNING' AND lease_until < now())) ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *",
                most=_MAX_ATTEMPTS,
                owner=self._owner,
                lease=self._lease_seconds,
                kinds=list(kinds),
            )
        if row is None or row["state"] == "FAILED":
            return None
        return Job(row["id"], row["kind"], row["detail"], row["requested_by"], row["business_date"], row["attempts"], row["traceparent"])

    async def _keep_lease(self, job_id: UUID) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                async with self._db.transaction(SYSTEM("jobs")) as tx:
                    await tx.execute(
                        "UPDATE job SET lease_until = now() + make_interval(secs => :lease) WHERE id = :id AND lease_owner = :owner",
                        id=job_id,
                        owner=self._owner,
                        lease=self._lease_seconds,
                    )
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("job.lease_not_renewed", job_id=str(job_id), error=describe(error))

    async def _release(self, job: Job) -> None:
        try:
            async with self._db.transaction(SYSTEM("jobs")) as tx:
                await tx.execute(
                    f"UPDATE job SET state = 'QUEUED', attempts = attempts - 1, lease_owner = NULL WHERE {_STILL_OURS}",
                    id=job.id,
                    owner=self._owner,
                    attempt=job.attempt,
                )
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("job.left_to_lease", job_id=str(job.id))

    async def _end(self, job: Job, state: str, result: dict[str, Any] | None, error: str | None) -> None:
        """Write how it ended, unless another worker took it over meanwhile: then that one's word counts."""
        async with self._db.transaction(SYSTEM("jobs")) as tx:
            ours = await tx.execute(
                "UPDATE job SET state = :state, result = CAST(:result AS jsonb), error = :error, finished_at = now(), lease_until = NULL,"
                f" done = CASE WHEN :state = 'DONE' THEN greatest(done, total) ELSE done END WHERE {_STILL_OURS}",
                id=job.id,
                owner=self._owner,
                attempt=job.attempt,
                state=state,
                result=result,
                error=error,
            )
        if not ours:
            _log.warning("job.lost_to_another_worker", job_id=str(job.id))
