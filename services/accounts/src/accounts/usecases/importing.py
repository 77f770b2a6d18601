"""Account lists: receive a file, check its rows, let a second person approve, apply; rows may wait for their person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from accounts.domain.directory import Directory
from accounts.domain.errors import FileRefused, ImportNotApprovable, ImportNotFound, SamePerson, UnknownUnit
from accounts.domain.rows import COLUMNS, check_row
from accounts.storage import applying, imports, people
from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.ids import new_id
from common.jobs import Job
from common.problems import NotFound, ServiceUnavailable
from common.sealing import Keyring
from common.tabular import BrokenFile, SourceRow, read_rows

__all__ = ["APPLY", "CHECK", "Importer", "Upload", "approve", "receive"]

CHECK: Final = "import-check"
APPLY: Final = "import-apply"
_RETRIES: Final = 20  # imports looked at in one round


@dataclass(frozen=True, slots=True)
class Upload:
    """A list as uploaded."""

    content: bytes
    file_name: str
    unit_code: str
    business_date: date
    dry_run: bool


async def receive(tx: Tx, upload: Upload) -> dict[str, Any]:
    """Store a list and queue its check. The same bytes for the same unit again give the first import; nothing is queued then."""
    actor = _actor(tx)
    path = await _unit_path(tx, actor, upload)
    if path is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": f"no unit {upload.unit_code} on {upload.business_date}"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your area")
    _rows(upload.content, upload.file_name)
    digest, import_id = hashlib.sha256(upload.content).digest(), new_id()
    job_id = new_id()
    taken = await tx.execute(
        "INSERT INTO import_file (import_id, job_id, unit_code, unit_path, file_name, sha256, content, business_date, dry_run, created_by)"
        " VALUES (:id, :job, :unit, :path, :name, :sha, :content, :day, :dry, :by) ON CONFLICT DO NOTHING",
        id=import_id, job=job_id, unit=upload.unit_code, path=path, name=upload.file_name[:200], sha=digest,
        content=_keyring(tx.db).encrypt("import_file", upload.content), day=upload.business_date, dry=upload.dry_run, by=actor.subject,
    )  # fmt: skip
    if not taken:
        first = await tx.row(
            "SELECT import_id, job_id FROM import_file WHERE sha256 = :sha AND unit_code = :unit AND NOT dry_run AND state <> 'REFUSED'",
            sha=digest,
            unit=upload.unit_code,
        )
        if first is None:
            raise ServiceUnavailable("The same file is being taken at this moment; ask again", headers={"Retry-After": "2"})
        return {**first, "already_imported": True}
    queued = await jobs.create(tx, CHECK, {"import_id": str(import_id)}, upload.business_date)
    await tx.execute("UPDATE import_file SET job_id = :job WHERE import_id = :id", job=queued, id=import_id)
    await audit.record(
        tx, "import.receive", "import", import_id, {"file_name": upload.file_name[:200], "sha256": digest.hex(), "dry_run": upload.dry_run}
    )
    return {"import_id": import_id, "job_id": queued, "already_imported": False}


async def _unit_path(tx: Tx, actor: Actor, upload: Upload) -> str | None:
    """The unit as the registry announced it; an officer's own unit is known from the token even before that."""
    path = await people.unit_path(tx, upload.unit_code, upload.business_date)
    if path is None:
        path = next((unit for unit in actor.unit_paths if unit.rsplit("/", 1)[-1] == upload.unit_code), None)
    return path


def _rows(content: bytes, file_name: str) -> Iterator[SourceRow]:
    try:
        return read_rows(content, file_name, COLUMNS).rows
    except BrokenFile as error:
        raise FileRefused(str(error)) from error


async def approve(db: Database, actor: Actor, import_ids: Sequence[UUID]) -> UUID:
    """Approve imports (all or none) and queue their application in the order they were received; the job's id.

    Raises:
        ImportNotFound: one of them is not in the caller's units.
        SamePerson: the caller sent one of them.
        ImportNotApprovable: one of them is a dry run, not checked yet, refused, or approved already.
    """
    async with db.transaction(actor) as tx:
        return await _approve(tx, actor, import_ids)


async def _approve(tx: Tx, actor: Actor, import_ids: Sequence[UUID]) -> UUID:
    wanted = list(dict.fromkeys(import_ids))
    rows = await tx.rows(
        "SELECT import_id, unit_path, state, dry_run, created_by, business_date FROM import_file"
        " WHERE import_id = ANY(CAST(:ids AS uuid[])) ORDER BY seq FOR NO KEY UPDATE",
        ids=wanted,
    )
    visible = {row["import_id"] for row in rows if actor.sees(row["unit_path"])}
    if len(visible) != len(wanted):
        missing = sorted(set(wanted) - visible)
        raise ImportNotFound(errors=[{"field": "import_ids", "detail": str(item)} for item in missing])
    own = [row for row in rows if row["created_by"] == actor.subject]
    if own:
        raise SamePerson(errors=[{"field": "import_ids", "detail": str(row["import_id"])} for row in own])
    closed = [row for row in rows if row["state"] != "CHECKED" or row["dry_run"]]
    if closed:
        raise ImportNotApprovable(
            errors=[
                {"field": "import_ids", "detail": f"{row['import_id']}: {'dry run' if row['dry_run'] else row['state']}"} for row in closed
            ]
        )
    await tx.execute(
        "UPDATE import_file SET state = 'APPROVED', approved_by = :by, approved_at = now() WHERE import_id = ANY(CAST(:ids AS uuid[]))",
        by=actor.subject,
        ids=wanted,
    )
    digest = hashlib.sha256(",".join(str(row["import_id"]) for row in rows).encode()).hexdigest()
    await audit.record(tx, "import.approve", "import", wanted[0], {"imports": len(wanted), "digest": digest})
    latest = max(row["business_date"] for row in rows)
    return await jobs.create(tx, APPLY, {"import_ids": [str(row["import_id"]) for row in rows]}, latest, total=len(rows))


class Importer:
    """The worker's side: checks, applies, and retries rows that waited."""

    def __init__(self, db: Database, directory: Directory, *, apply_rows: int) -> None:
        self._db = db
        self._directory = directory
        self._keyring = _keyring(db)
        self._apply_rows = apply_rows

    async def check(self, job: Job) -> dict[str, Any]:
        """Check every row of a received file and stage it; a file broken in the middle is refused as a whole."""
        import_id = UUID(job.detail["import_id"])
        async with self._db.transaction(SYSTEM(CHECK)) as tx:
            file = await tx.row("SELECT * FROM import_file WHERE import_id = :id FOR NO KEY UPDATE", id=import_id)
            if file is None or file["state"] != "RECEIVED":
                return {"import_id": str(import_id), "state": file["state"] if file else "UNKNOWN"}
            content = self._keyring.decrypt_bytes("import_file", file["content"])
            try:
                async with tx.conn.begin_nested():
                    total = await imports.stage(tx, self._staged(content, file["file_name"], import_id))
            except (BrokenFile, FileRefused) as error:
                return await self._refuse(tx, import_id, str(error))
            if total == 0:
                return await self._refuse(tx, import_id, "the list has a header but no rows")
            await imports.refuse_repeats(tx, import_id)
            await imports.resolve(tx, [import_id])
            await tx.execute("UPDATE import_file SET state = 'CHECKED' WHERE import_id = :id", id=import_id)
            found = await imports.find(tx, import_id)
        assert found is not None
        counts = {name: found[name] for name in ("rows_total", "rows_good", "rows_refused", "rows_waiting")}
        return {"import_id": str(import_id), "state": "CHECKED", **counts}

    def _staged(self, content: bytes, file_name: str, import_id: UUID) -> Iterator[tuple[Any, ...]]:
        for row in _rows(content, file_name):
            yield imports.staged_values(self._keyring, import_id, row.number, check_row(row.values, self._directory))

    async def _refuse(self, tx: Tx, import_id: UUID, why: str) -> dict[str, Any]:
        await tx.execute("UPDATE import_file SET state = 'REFUSED', refusal = :why WHERE import_id = :id", id=import_id, why=why)
        return {"import_id": str(import_id), "state": "REFUSED", "detail": why}

    async def apply(self, job: Job) -> dict[str, Any]:
        """Apply approved imports in batches; a worker that dies goes on where the last committed batch ended."""
        ids = [UUID(item) for item in job.detail["import_ids"]]
        total = {"rows": 0, "changed": 0}
        for number, import_id in enumerate(ids, start=1):
            await self._apply_import(import_id, total)
            await jobs.progress(self._db, job.id, number, len(ids))
        return {"imports": len(ids), **total}

    async def _apply_import(self, import_id: UUID, total: dict[str, int]) -> None:
        more = True
        while more:
            async with self._db.transaction(SYSTEM(APPLY)) as tx:
                state = await tx.value("SELECT state FROM import_file WHERE import_id = :id FOR NO KEY UPDATE", id=import_id)
                if state not in ("APPROVED", "APPLIED"):
                    return
                await imports.resolve(tx, [import_id])
                rows, changed = await applying.apply_some(tx, import_id, self._apply_rows)
                await applying.finish(tx, import_id)
                if rows:
                    await audit.record(tx, "import.apply", "import", import_id, {"rows": rows, "changed": changed})
            total["rows"] += rows
            total["changed"] += changed
            more = rows == self._apply_rows

    async def retry_waiting(self) -> bool:
        """Look again at rows whose person has been registered meanwhile; of applied lists, apply them. Returns whether any were."""
        async with self._db.transaction(SYSTEM(APPLY)) as tx:
            due = await imports.take_retries(tx, _RETRIES)
            if due:
                await imports.resolve(tx, [row["import_id"] for row in due])
        for row in due:
            if row["state"] == "APPLIED":
                await self._apply_import(row["import_id"], {"rows": 0, "changed": 0})
        return bool(due)


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("accounts needs its keyring")
    return db.keyring
