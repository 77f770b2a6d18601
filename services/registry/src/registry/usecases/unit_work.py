"""The work list after units were split: who lived where is known to the commune, so people are assigned by hand or by hamlet.

One officer proposes (person by person, by words of the address, or by a file), another approves; a job applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.jobs import Job
from common.problems import InvalidInput
from common.tabular import BrokenFile, ColumnSpec, read_rows
from registry.domain.errors import FileRefused
from registry.domain.units import search_key
from registry.storage import history, publishing, remaps, unit_work
from registry.usecases.remapping import tell

__all__ = ["APPLY_WORK", "FILE_COLUMNS", "WorkApplier", "approve", "by_address", "by_file", "by_people"]

APPLY_WORK: Final = "unit-work-apply"
FILE_COLUMNS: Final = (
    ColumnSpec("file_code", ("Mã hồ sơ", "file_code")),
    ColumnSpec("hamlet", ("Thôn, xóm, tổ", "Thôn", "Tổ dân phố", "Địa chỉ", "hamlet")),
    ColumnSpec("unit_code", ("Mã xã mới", "Mã đơn vị mới", "Mã đơn vị", "unit_code"), required=True),
)
"""A file names people by dossier code, or everybody whose hamlet or address holds the words; and the new commune."""

_MOST_SHOWN: Final = 500


async def _propose(tx: Tx, effective_on: date, chosen: Sequence[tuple[UUID, str]], ground: str) -> dict[str, Any]:
    """Store proposals; what was taken, and why the others were not. Raises nothing: each person gets a verdict."""
    if tx.actor is None:
        raise RuntimeError("a proposal needs an actor")
    verdicts = await unit_work.propose(tx, tx.actor, effective_on, chosen, ground)
    taken = sum(1 for row in verdicts if row["verdict"] == "TAKEN")
    refused = [
        {"person_id": row["person_id"], "unit_code": row["unit_code"], "reason": row["verdict"]}
        for row in verdicts
        if row["verdict"] != "TAKEN"
    ]
    if taken:
        who = (row["person_id"] for row in verdicts if row["verdict"] == "TAKEN")
        await audit.record(
            tx, "units.work-propose", "unit-work", effective_on, audit.Bulk.of(who, after={"state": "PROPOSED"}, ground=ground)
        )
    return {"proposed": taken, "refused": refused[:_MOST_SHOWN], "refused_count": len(refused)}


async def by_people(db: Database, actor: Actor, effective_on: date, chosen: Sequence[tuple[UUID, str]]) -> dict[str, Any]:
    """Propose a new commune for each person named."""
    async with db.transaction(actor) as tx:
        return await _propose(tx, effective_on, chosen, "PERSON")


async def by_address(db: Database, actor: Actor, effective_on: date, old_path: str, words: str, unit_code: str) -> dict[str, Any]:
    """Propose a commune for everybody of an old unit whose hamlet or address holds the words (accents do not matter)."""
    key = search_key(words)
    if not key:
        raise InvalidInput(errors=[{"field": "words", "detail": "at least one word of the address"}])
    async with db.transaction(actor) as tx:
        places = await unit_work.places(tx, actor, effective_on, old_path)
        chosen = [(row["person_id"], unit_code) for row in places if _holds(row, key)]
        return await _propose(tx, effective_on, chosen, "ADDRESS")


def _holds(row: Any, key: str) -> bool:
    """Whole words only: `THON 1` is not in `THON 12`."""
    return any(f" {key} " in f" {search_key(text)} " for text in (row["hamlet"], row["address"]) if text)


async def by_file(db: Database, actor: Actor, effective_on: date, old_path: str, content: bytes, file_name: str) -> dict[str, Any]:
    """Propose by a CSV or XLSX of dossier codes or hamlets; rows that name nobody are said. Raises FileRefused."""
    try:
        table = read_rows(content, file_name, FILE_COLUMNS)
        rows = [(row.number, row.get("file_code"), search_key(row.get("hamlet")), row.get("unit_code")) for row in table.rows]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error
    async with db.transaction(actor) as tx:
        places = await unit_work.places(tx, actor, effective_on, old_path)
        by_code = {row["file_code"]: row["person_id"] for row in places if row["file_code"]}
        chosen: dict[UUID, str] = {}
        nobody = []
        for number, file_code, hamlet, unit_code in rows:
            named = [by_code[file_code]] if file_code in by_code else []
            if not file_code and hamlet:
                named = [row["person_id"] for row in places if _holds(row, hamlet)]
            if not named:
                nobody.append({"row": number, "reason": "NOBODY"})
            chosen |= dict.fromkeys(named, unit_code)
        done = await _propose(tx, effective_on, list(chosen.items()), "FILE")
    return done | {"rows": len(rows), "rows_without_people": nobody[:_MOST_SHOWN]}


async def approve(
    db: Database, actor: Actor, effective_on: date, old_path: str, people: Sequence[UUID] | None, business_date: date
) -> dict[str, Any]:
    """A second person approves proposals of one old unit (all, or the people named); a job applies them."""
    if business_date < effective_on:
        raise InvalidInput(errors=[{"field": "business_date", "detail": "not before the day of the change"}])
    async with db.transaction(actor) as tx:
        approved, own = await unit_work.approve(tx, actor, effective_on, old_path, people)
        if not approved:
            return {"approved": 0, "own": own, "job_id": None}
        job_id = await jobs.create(tx, APPLY_WORK, {"effective_on": effective_on.isoformat()}, business_date, total=len(approved))
        what = audit.Bulk.of(approved, before={"state": "PROPOSED"}, after={"state": "APPROVED"}, old_path=old_path, job_id=job_id)
        await audit.record(tx, "units.work-approve", "unit-work", effective_on, what)
    return {"approved": len(approved), "own": own, "job_id": job_id}


class WorkApplier:
    """The worker's side: approved proposals in batches; what was applied is not found again."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """Move everybody approved for the job's date, and what belongs to them."""
        effective_on = date.fromisoformat(str(job.detail["effective_on"]))
        moved = stale = 0
        while batch := await self._batch(job, effective_on):
            moved, stale = moved + batch[0], stale + batch[1]
            await jobs.progress(self._db, job.id, moved + stale, moved + stale)
        return {"moved": moved, "stale": stale}

    async def _batch(self, job: Job, effective_on: date) -> tuple[int, int] | None:
        keyring = self._db.keyring
        if keyring is None:
            raise RuntimeError("the registry needs its keyring")
        async with self._db.transaction(SYSTEM(APPLY_WORK)) as tx:
            await publishing.take_people_lock(tx)
            items = await unit_work.approved(tx, effective_on, self._at_once)
            if not items:
                return None
            await history.dated(tx, job.business_date, effective_on)
            good = [item for item in items if item["unit_path"] == item["old_path"]]
            told: list[UUID] = []
            for remap_id in sorted({item["remap_id"] for item in good}):
                mine = [item for item in good if item["remap_id"] == remap_id]
                people, paths = [item["person_id"] for item in mine], [item["old_path"] for item in mine]
                units = [item["proposed_unit_id"] for item in mine]
                told += await remaps.move(tx, remap_id, people, units, mine[0]["approved_by"])
                others, units = await remaps.move_followers(tx, people, paths, units)
                await remaps.move(tx, remap_id, others, units, mine[0]["approved_by"])
                await remaps.finish(tx, await remaps.followers(tx), people, paths)
            await unit_work.applied(tx, effective_on, [item["person_id"] for item in good], "APPLIED")
            await unit_work.applied(tx, effective_on, [item["person_id"] for item in items if item not in good], "STALE")
            await tell(tx, keyring, told, job.business_date)
            stale = len(items) - len(good)
            what = audit.Bulk.of(
                (item["person_id"] for item in good), before={"state": "APPROVED"}, after={"state": "APPLIED"}, stale=stale
            )
            await audit.record(tx, "units.work-apply", "unit-work", effective_on, what)
        return len(good), len(items) - len(good)
