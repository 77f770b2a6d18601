"""The worker's side of a list: checks it in batches, applies it in batches; a worker that dies goes on where the last batch ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.failpoints import hit
from common.jobs import Handler, Job
from common.lists import storage
from common.lists.desk import APPLY, CHECK, choice_of, keyring_of
from common.lists.profile import ListProfile
from common.lists.raw import BrokenFile
from common.lists.reasons import Reason, reason
from common.lists.storage import reasons_json
from common.lists.table import Layout, SourceRow, data_rows, lay_out
from common.sealing import Keyring

__all__ = ["Importer"]

_AT_ONCE: Final = 4_000
"""Rows checked and staged in one transaction."""


class Importer:
    """Checks and applies the lists of one service."""

    def __init__(self, db: Database, profile: ListProfile, *, apply_rows: int, check_rows: int = _AT_ONCE) -> None:
        self._db = db
        self._profile = profile
        self._apply_rows = apply_rows
        self._check_rows = check_rows

    def handlers(self) -> dict[str, Handler]:
        """For the job runner."""
        return {CHECK: self.check, APPLY: self.apply}

    async def check(self, job: Job) -> dict[str, Any]:
        """Check every row of a received file and stage it; a file broken in the middle is refused as a whole."""
        import_id = UUID(job.detail["import_id"])
        async with self._db.read() as tx:
            file = await storage.file_of(tx, self._profile, import_id)
            if file is None or file["state"] != "RECEIVED":
                return {"import_id": str(import_id), "state": file["state"] if file else "UNKNOWN"}
            content = await storage.content_of(tx, import_id)
            rules = await self._profile.rules(tx, file)
            known = await storage.known_mappings(tx, file["unit_path"])
        batches = _Batches(self._profile, keyring_of(self._db), import_id, rules)
        try:
            layout, rows = await asyncio.to_thread(batches.open, content, file, known)
            del content
            if layout.missing:
                raise BrokenFile(_missing(self._profile, layout))
            if not await self._stage(job, file, batches, rows):
                return {"import_id": str(import_id), "state": "TAKEN_OVER"}
        except BrokenFile as error:
            return await self._refuse(import_id, file["version"], str(error), batches.layout)
        return await self._finish(import_id, file["version"], batches)

    async def _stage(self, job: Job, file: RowMapping, batches: _Batches, rows: int) -> bool:
        """Stage batch after batch; False when another worker has gone on meanwhile (this one was thought dead)."""
        done = staged_to = file["staged_to"]
        while batch := await asyncio.to_thread(batches.next, self._check_rows, staged_to):
            async with self._db.transaction(SYSTEM(CHECK)) as tx:
                if not await _still(tx, file, staged_to):
                    return False
                await storage.stage(tx, self._profile, batch)
                staged_to = batch[-1][1]
                await tx.execute("UPDATE import_file SET staged_to = :to WHERE import_id = :id", to=staged_to, id=file["import_id"])
            done += len(batch)
            await jobs.progress(self._db, job.id, min(done, rows), rows)
            hit("lists.check_between_batches")
        return True

    async def _finish(self, import_id: UUID, version: int, batches: _Batches) -> dict[str, Any]:
        async with self._db.transaction(SYSTEM(CHECK)) as tx:
            file = await storage.file_of(tx, self._profile, import_id, lock=True)
            if file is None or file["state"] != "RECEIVED" or file["version"] != version:
                return {"import_id": str(import_id), "state": "TAKEN_OVER"}
            await self._profile.judge(tx, import_id)
            await storage.count(tx, [import_id])
            second = await self._profile.needs_second(tx, import_id)
            layout = batches.layout.as_json() if batches.layout else {}
            await tx.execute(
                "UPDATE import_file SET state = 'CHECKED', checked_at = now(), needs_second = :second, layout = :layout,"
                " rows_left_out = :left WHERE import_id = :id",
                second=second, layout=layout, left=dict(batches.left_out), id=import_id,
            )  # fmt: skip
            counts = await tx.row(
                "SELECT rows_total, rows_good, rows_refused, rows_waiting FROM import_file WHERE import_id = :id", id=import_id
            )
        assert counts is not None
        if counts["rows_total"] == 0:
            return await self._refuse(import_id, version, "danh sách không có dòng nào · the list has a header but no rows", batches.layout)
        return {"import_id": str(import_id), "state": "CHECKED", **dict(counts)}

    async def _refuse(self, import_id: UUID, version: int, why: str, layout: Layout | None) -> dict[str, Any]:
        async with self._db.transaction(SYSTEM(CHECK)) as tx:
            await storage.clear_rows(tx, import_id)
            await tx.execute(
                "UPDATE import_file SET state = 'REFUSED', refusal = :why, staged_to = 0, layout = coalesce(:layout, layout)"
                " WHERE import_id = :id AND version = :version AND state IN ('RECEIVED', 'CHECKED')",
                id=import_id, version=version, why={"detail": why}, layout=layout.as_json() if layout else None,
            )  # fmt: skip
        return {"import_id": str(import_id), "state": "REFUSED", "detail": why}

    async def apply(self, job: Job) -> dict[str, Any]:
        """Apply approved imports in batches."""
        ids = [UUID(item) for item in job.detail["import_ids"]]
        async with self._db.read() as tx:
            row = await tx.row(
                "SELECT coalesce(sum(rows_good), 0) AS good, coalesce(sum(rows_applied + rows_unchanged), 0) AS done FROM import_file"
                " WHERE import_id = ANY(CAST(:ids AS uuid[]))",
                ids=ids,
            )
        assert row is not None
        expected, done = int(row["good"]), int(row["done"])
        while taken := await self.apply_some(ids):
            done += taken
            await jobs.progress(self._db, job.id, min(done, expected), expected)
            if self._profile.failpoint is not None:
                hit(self._profile.failpoint)
        return {"imports": len(ids), "rows": done}

    async def apply_some(self, ids: Sequence[UUID]) -> int:
        """Apply one batch of these imports; 0 when nothing is left, and then they are applied."""
        async with self._db.transaction(SYSTEM(APPLY)) as tx:
            taken = await self._profile.apply(tx, ids, self._apply_rows)
            if not taken:
                await storage.count(tx, ids)
                await storage.settle_corrected(tx, self._profile, ids)
                await self._profile.after_apply(tx, ids)
        return taken


async def _still(tx: Tx, file: RowMapping, staged_to: int) -> bool:
    row = await tx.row("SELECT state, version, staged_to FROM import_file WHERE import_id = :id FOR NO KEY UPDATE", id=file["import_id"])
    return row is not None and (row["state"], row["version"], row["staged_to"]) == ("RECEIVED", file["version"], staged_to)


def _missing(profile: ListProfile, layout: Layout) -> str:
    names = ", ".join(column.headers[0] for column in profile.columns if column.name in layout.missing)
    return f"thiếu cột: {names}; hãy gán cột cho tệp này · these columns are missing: {names}; set the columns of this file"


@dataclass(slots=True)
class _Batches:
    """Reads and checks rows in a thread, a batch at a time: memory holds one batch, and the worker's other work goes on."""

    profile: ListProfile
    keyring: Keyring
    import_id: UUID
    rules: Any
    layout: Layout | None = None
    left_out: Counter[str] = field(default_factory=Counter)
    _rows: Iterator[SourceRow] | None = None

    def open(self, content: bytes, file: RowMapping, known: dict[str, dict[str, int]]) -> tuple[Layout, int]:
        """Find the table; its layout and about how many rows it has."""
        plain = self.keyring.decrypt_bytes("import_file", content)
        page, self.layout = lay_out(
            plain, file["file_name"], self.profile.columns, choice=choice_of(file), sheet=file["sheet"], known=known
        )
        self._rows = data_rows(page, self.layout, self.profile.columns, self.left_out)
        return self.layout, page.count()

    def next(self, most: int, after: int) -> list[tuple[Any, ...]]:
        """The next rows, checked; rows staged before are passed over. A row ends up good or refused, never lost."""
        assert self._rows is not None
        fresh = (row for row in self._rows if row.number > after)
        return [self._staged(row) for row in islice(fresh, most)]

    def _staged(self, row: SourceRow) -> tuple[Any, ...]:
        checked = self.profile.check(self.keyring, row.values, self.rules)
        reasons = [item for item in checked.reasons if item.field not in row.faults]
        reasons += self._faults(row)
        verdict = "REFUSED" if reasons else "GOOD"
        return (self.import_id, row.number, verdict, reasons_json(reasons), reasons_json(checked.warnings), *checked.values)

    def _faults(self, row: SourceRow) -> list[Reason]:
        found = [reason(code, name) for name, code in row.faults.items()]
        if row.hidden:
            found.append(reason("ROW_HIDDEN", "row"))
        return found
