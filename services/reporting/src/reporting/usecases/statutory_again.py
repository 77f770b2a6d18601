"""Make a frozen report again from the event log alone, up to the number it was frozen at, and compare."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.jobs import Job
from common.problems import NotFound
from reporting.domain.statutory import Period
from reporting.storage import event_log, papers, projections, sums
from reporting.storage.event_log import SeqRange
from reporting.storage.statutory import layouts
from reporting.usecases.paper_cells import Wanted, compute
from reporting.usecases.papers import digest_of, may_read

__all__ = ["KIND", "make_again", "request_again"]

KIND: Final = "report_again"
_STEP: Final = 50_000
# Temporary tables bear the names of the read models and are found before them: the same statements read them.
_PREFIX: Final = "pg_temp."
_SHOWN: Final = 50


async def request_again(db: Database, actor: Actor, report_id: UUID, business_date: date) -> UUID:
    """Queue it; the job's id. Its result says whether the digest is the same, and where cells differ."""
    async with db.transaction(actor) as tx:
        head = await papers.one(tx, report_id)
        if head is None or not may_read(actor, head):
            raise NotFound("No such report")
        job_id = await jobs.create(tx, KIND, {"report_id": str(report_id)}, business_date, total=head["log_seq"])
        await audit.record(tx, "report.again_requested", "frozen_report", report_id, audit.Created({"job_id": job_id}))
    return job_id


async def make_again(db: Database, job: Job) -> dict[str, Any]:
    """Fill temporary read models from the log up to the report's number, compute, compare. The serving tables are not touched."""
    report_id = UUID(job.detail["report_id"])
    async with db.transaction(SYSTEM("reporting-again")) as tx:
        head = await papers.one(tx, report_id)
        if head is None:
            raise NotFound("No such report")
        await _models_as_of(db, tx, job, head["log_seq"])
        layout = layouts()[head["layout"], head["layout_version"]]
        period = Period(layout.period, head["period_first"], head["period_last"])
        wanted = Wanted(layout, period, head["unit_path"], head["units_on"], head["business_date"])
        rows = (await compute(tx, wanted, lambda _: True)).rows  # the paper is there; who may read it was asked when it was frozen
        digest = digest_of(wanted, rows)
        kept = [dict(row) for row in await papers.rows_of(tx, report_id)]
        differences = _differences(kept, [{name: row[name] for name in papers.ROW} for row in rows])
        result = {
            "same": digest == head["digest"], "digest": digest, "frozen_digest": head["digest"], "log_seq": head["log_seq"],
            "layout_unchanged": layout.digest == head["layout_digest"], "differences": differences[:_SHOWN], "different": len(differences),
        }  # fmt: skip
        await audit.record(tx, "report.made_again", "frozen_report", report_id, audit.Noted({"same": result["same"], "digest": digest}))
    return result


async def _models_as_of(db: Database, tx: Tx, job: Job, seq: int) -> None:
    await tx.execute("SET LOCAL client_min_messages = warning")
    names = [row["name"] for row in await tx.rows("SELECT name FROM read_model ORDER BY lock_order")]
    for name in names:
        await tx.execute(f"CREATE TEMP TABLE {name} (LIKE public.{name} INCLUDING ALL) ON COMMIT DROP")
    done = (await event_log.bounds(tx)).low - 1
    while done < seq:
        step = SeqRange(done + 1, min(done + _STEP, seq))
        await projections.fill(tx, step, prefix=_PREFIX)
        done = step.high
        await jobs.progress(db, job.id, done, seq)
    for name in names:
        await tx.execute(f"ANALYZE {_PREFIX}{name}")
    await sums.make_all(tx, _PREFIX, analyzed=True)


def _differences(kept: list[dict[str, Any]], made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def keyed(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
        return {(row["programme"], row["unit_path"], row["label"]): row for row in rows}

    before, after = keyed(kept), keyed(made)
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, {}).get("cells", {}), after.get(key, {}).get("cells", {})
        found += [
            {"programme": key[0], "unit_path": key[1], "label": key[2], "column": column, "frozen": old.get(column), "now": new.get(column)}
            for column in sorted(old.keys() | new.keys())
            if old.get(column) != new.get(column)
        ]
    return found
