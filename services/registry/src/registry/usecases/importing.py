"""Taking lists: receive a file, check its rows, let a second person approve, apply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.failpoints import hit
from common.ids import new_id
from common.jobs import Job
from common.problems import NotFound, ServiceUnavailable
from common.sealing import Keyring
from common.tabular import BrokenFile, SourceRow, read_rows
from registry.domain.columns import COLUMNS
from registry.domain.errors import FileRefused, ImportNotApprovable, SamePerson, UnknownUnit
from registry.domain.rows import Rules, check_row
from registry.storage import catalogue, imports
from registry.storage.publishing import take_people_lock
from registry.usecases.applying import apply_batch

__all__ = ["APPLY", "CHECK", "Importer", "Upload", "approve", "approve_lists", "read_list", "receive"]

CHECK: Final = "import-check"
APPLY: Final = "import-apply"


@dataclass(frozen=True, slots=True)
class Upload:
    """A list as uploaded."""

    content: bytes
    file_name: str
    programme: str
    unit_code: str
    business_date: date
    dry_run: bool


async def receive(tx: Tx, upload: Upload) -> dict[str, Any]:
    """Store a list and queue its check. The same bytes again give the first import; nothing is queued then."""
    actor, keyring = _actor(tx), _keyring(tx.db)
    unit = await catalogue.unit_of(tx, upload.unit_code, upload.business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": f"no unit {upload.unit_code} on {upload.business_date}"}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    digest = hashlib.sha256(upload.content).digest()
    import_id = new_id()
    job_id = await jobs.create(tx, CHECK, {"import_id": str(import_id)}, upload.business_date)
    taken = await tx.execute(
        "INSERT INTO import_file (import_id, job_id, programme, unit_code, unit_path, file_name, sha256, content,"
        " business_date, dry_run, created_by) VALUES (:id, :job, :programme, :unit, :path, :name, :sha, :content, :day, :dry, :by)"
        " ON CONFLICT DO NOTHING",
        id=import_id, job=job_id, programme=upload.programme, unit=upload.unit_code, path=unit["path"], name=upload.file_name[:200],
        sha=digest, content=keyring.encrypt("import_file", upload.content), day=upload.business_date, dry=upload.dry_run, by=actor.subject,
    )  # fmt: skip
    if not taken:
        await tx.execute("DELETE FROM job WHERE id = :id", id=job_id)
        first = await _first(tx, digest, upload.business_date)
        if first is None:
            raise ServiceUnavailable("The same file is being taken at this moment; ask again", headers={"Retry-After": "2"})
        seen = actor.sees(first["unit_path"])
        return {"import_id": first["import_id"] if seen else None, "job_id": first["job_id"] if seen else None, "already_imported": True}
    await audit.record(
        tx, "import.receive", "import", import_id, {"file_name": upload.file_name[:200], "sha256": digest.hex(), "dry_run": upload.dry_run}
    )
    return {"import_id": import_id, "job_id": job_id, "already_imported": False}


def read_list(content: bytes, file_name: str) -> Iterator[SourceRow]:
    """The data rows of a list. Raises FileRefused, with the reason, when there is no list to read."""
    try:
        return read_rows(content, file_name, COLUMNS).rows
    except BrokenFile as error:
        raise FileRefused(str(error)) from error


async def _first(tx: Tx, digest: bytes, business_date: date) -> Any | None:
    """The import that took the same bytes before; a check that failed on a defect is queued again."""
    row = await tx.row(
        "SELECT f.import_id, f.job_id, f.unit_path, f.state = 'RECEIVED' AND j.state = 'FAILED' AS stuck"
        " FROM import_file f LEFT JOIN job j ON j.id = f.job_id WHERE f.sha256 = :sha AND NOT f.dry_run AND f.state <> 'REFUSED'",
        sha=digest,
    )
    if row is None or not row["stuck"]:
        return row
    job_id = await jobs.create(tx, CHECK, {"import_id": str(row["import_id"])}, business_date)
    await tx.execute("UPDATE import_file SET job_id = :job WHERE import_id = :id", job=job_id, id=row["import_id"])
    return dict(row) | {"job_id": job_id}


async def approve(tx: Tx, import_ids: Sequence[UUID]) -> UUID:
    """Approve imports (all or none) and queue their application in the order they were received; the job's id."""
    actor = _actor(tx)
    wanted = list(dict.fromkeys(import_ids))
    rows = await tx.rows(
        "SELECT import_id, unit_path, state, dry_run, created_by, business_date FROM import_file"
        " WHERE import_id = ANY(CAST(:ids AS uuid[])) ORDER BY seq FOR UPDATE",
        ids=wanted,
    )
    visible = [row for row in rows if actor.sees(row["unit_path"])]
    if len(visible) != len(wanted):
        missing = set(wanted) - {row["import_id"] for row in visible}
        raise NotFound("No such import", errors=[{"field": "import_ids", "detail": str(item)} for item in sorted(missing)])
    own = [row for row in rows if row["created_by"] == actor.subject]
    if own:
        raise SamePerson(
            "Who sent a list cannot approve it", errors=[{"field": "import_ids", "detail": str(row["import_id"])} for row in own]
        )
    stuck = await imports.approved_without_job(tx, wanted, APPLY)
    closed = [row for row in rows if row["dry_run"] or not (row["state"] == "CHECKED" or row["import_id"] in stuck)]
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
    total = await tx.value("SELECT coalesce(sum(rows_good), 0) FROM import_file WHERE import_id = ANY(CAST(:ids AS uuid[]))", ids=wanted)
    digest = hashlib.sha256(",".join(str(row["import_id"]) for row in rows).encode()).hexdigest()
    await audit.record(tx, "import.approve", "import", wanted[0], {"imports": len(wanted), "rows": int(total), "digest": digest})
    latest = max(row["business_date"] for row in rows)
    return await jobs.create(tx, APPLY, {"import_ids": [str(row["import_id"]) for row in rows]}, latest, total=int(total))


async def approve_lists(db: Database, actor: Actor, import_ids: Sequence[UUID]) -> UUID:
    """Approve lists in one transaction of their own: all or none; the job that applies them."""
    async with db.transaction(actor) as tx:
        return await approve(tx, import_ids)


class Importer:
    """The worker's side: checks and applies."""

    def __init__(self, db: Database, *, apply_rows: int) -> None:
        self._db = db
        self._keyring = _keyring(db)
        self._apply_rows = apply_rows

    async def check(self, job: Job) -> dict[str, Any]:
        """Check every row of a received file and stage it; a file broken in the middle is refused as a whole."""
        import_id = UUID(job.detail["import_id"])
        async with self._db.transaction(SYSTEM(CHECK)) as tx:
            file = await tx.row("SELECT * FROM import_file WHERE import_id = :id FOR UPDATE", id=import_id)
            if file is None or file["state"] != "RECEIVED":
                return {"import_id": str(import_id), "state": file["state"] if file else "UNKNOWN"}
            rules = Rules(
                file["programme"], file["unit_code"], file["unit_path"], file["business_date"], await catalogue.categories(tx),
                await catalogue.units_below(tx, file["unit_path"].split("/")[0], file["business_date"]),
            )  # fmt: skip
            content = self._keyring.decrypt_bytes("import_file", file["content"])
            try:
                async with tx.conn.begin_nested():
                    await imports.stage(tx, self._staged(content, file["file_name"], import_id, rules))
            except (BrokenFile, FileRefused) as error:
                return await self._refuse(tx, import_id, str(error))
            good = await tx.rows("SELECT row_number FROM import_row WHERE import_id = :id AND verdict = 'GOOD'", id=import_id)
            numbers = [row["row_number"] for row in good]
            await imports.refuse_rows(tx, await imports.conflicts(tx, [import_id] * len(numbers), numbers))
            await imports.number_dependants(tx, import_id)
            await imports.count_verdicts(tx, [import_id])
            await tx.execute("UPDATE import_file SET state = 'CHECKED' WHERE import_id = :id", id=import_id)
            counts = await tx.row("SELECT rows_total, rows_good, rows_refused FROM import_file WHERE import_id = :id", id=import_id)
            if not counts or counts["rows_total"] == 0:
                return await self._refuse(tx, import_id, "the list has a header but no rows")
        return {"import_id": str(import_id), "state": "CHECKED", **dict(counts)}

    def _staged(self, content: bytes, file_name: str, import_id: UUID, rules: Rules) -> Iterator[tuple[Any, ...]]:
        for row in read_list(content, file_name):
            yield imports.staged_values(self._keyring, import_id, row.number, check_row(row.values, rules))

    async def _refuse(self, tx: Tx, import_id: UUID, why: str) -> dict[str, Any]:
        await tx.execute(
            "UPDATE import_file SET state = 'REFUSED', refusal = :why WHERE import_id = :id", id=import_id, why={"detail": why}
        )
        return {"import_id": str(import_id), "state": "REFUSED", "detail": why}

    async def apply(self, job: Job) -> dict[str, Any]:
        """Apply approved imports in batches; a worker that dies goes on where the last committed batch ended."""
        ids = [UUID(item) for item in job.detail["import_ids"]]
        total = {"applied": 0, "refused": 0, "people": 0}
        async with self._db.read() as tx:
            expected = int(
                await tx.value("SELECT coalesce(sum(rows_good), 0) FROM import_file WHERE import_id = ANY(CAST(:ids AS uuid[]))", ids=ids)
            )
        while await self._apply_some(ids, total):
            await jobs.progress(self._db, job.id, total["applied"] + total["refused"], expected)
            hit("registry.import_between_batches")
        return {"imports": len(ids), **total}

    async def _apply_some(self, ids: Sequence[UUID], total: dict[str, int]) -> bool:
        async with self._db.transaction(SYSTEM(APPLY)) as tx:
            await take_people_lock(tx)  # before reading: a worker that took over a slow one's job must see its last batch
            rows = await imports.next_rows(tx, ids, self._apply_rows)
            if not rows:
                await imports.count_verdicts(tx, ids)
                return False
            day = rows[0]["business_date"]
            batch = [row for row in rows if row["business_date"] == day]
            done, refused = await apply_batch(
                tx, self._keyring, [row["import_id"] for row in batch], [row["row_number"] for row in batch], day
            )
            await imports.count_verdicts(tx, list({row["import_id"] for row in batch}))
        total["applied"] += len(batch) - len(refused)
        total["refused"] += len(refused)
        total["people"] += len(done.registered)
        return True


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("the registry needs its keyring")
    return db.keyring
