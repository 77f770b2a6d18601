"""The officer's side of a list: send it, see and set its columns, approve it, dismiss a row. Each call is one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, jobs
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.lists import storage
from common.lists.cells import hide_numbers
from common.lists.errors import FileRefused, ImportNotApprovable, ImportNotFound, MappingNotPossible, SamePerson, UnknownUnit
from common.lists.profile import ListProfile, Upload
from common.lists.raw import BrokenFile
from common.lists.table import Choice, Layout, lay_out
from common.problems import InvalidInput, NotFound, PreconditionFailed, ServiceUnavailable
from common.sealing import Keyring

__all__ = ["APPLY", "CHECK", "Received", "approve", "dismiss", "look", "mapping_of", "receive", "seen", "set_mapping"]

CHECK: Final = "import-check"
APPLY: Final = "import-apply"


@dataclass(frozen=True, slots=True)
class Received:
    """A list that can be taken: its unit, and how it will be read."""

    upload: Upload
    unit_path: str
    layout: Layout


def keyring_of(db: Database) -> Keyring:
    """The keyring, which lists cannot do without."""
    if db.keyring is None:
        raise RuntimeError("lists need the service's keyring")
    return db.keyring


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def seen(tx: Tx, profile: ListProfile, import_id: UUID) -> RowMapping:
    """An import within the caller's units. Raises ImportNotFound, also for another unit's."""
    row = await storage.view(tx, profile, import_id)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise ImportNotFound
    return row


async def look(db: Database, actor: Actor, profile: ListProfile, upload: Upload) -> Received:
    """Look at a file before it is taken. Raises UnknownUnit, NotFound for a unit elsewhere, FileRefused when it is no list."""
    async with db.read(actor) as tx:
        path = await profile.unit_path(tx, actor, upload.unit_code, upload.business_date)
        if path is None:
            raise UnknownUnit(errors=[{"field": "unit_code", "detail": f"no unit {upload.unit_code} on {upload.business_date}"}])
        if not actor.sees(path):
            raise NotFound("No such unit in your area")
        known = await storage.known_mappings(tx, path)
    layout = await _read(upload.content, upload.file_name, profile, sheet=upload.sheet, known=known)
    return Received(upload, path, layout)


async def _read(content: bytes, file_name: str, profile: ListProfile, **how: Any) -> Layout:
    try:
        _, layout = await asyncio.to_thread(lay_out, content, file_name, profile.columns, **how)
    except BrokenFile as error:
        raise FileRefused(str(error)) from error
    return layout


async def receive(tx: Tx, profile: ListProfile, received: Received) -> dict[str, Any]:
    """Store a list and queue its check. The same bytes for the same list again give the first import; nothing is queued then."""
    actor, upload, import_id = _actor(tx), received.upload, new_id()
    digest = hashlib.sha256(upload.content).digest()
    name = hide_numbers(upload.file_name[:200])[0]
    job_id = await jobs.create(tx, CHECK, {"import_id": str(import_id)}, upload.business_date)
    values: dict[str, Any] = {
        "import_id": import_id, "job_id": job_id, "unit_code": upload.unit_code, "unit_path": received.unit_path, "file_name": name,
        "sha256": digest, "content": keyring_of(tx.db).encrypt("import_file", upload.content), "business_date": upload.business_date,
        "dry_run": upload.dry_run, "created_by": actor.subject, "sheet": upload.sheet, "layout": received.layout.as_json(),
        **{column: upload.own[column] for column in profile.own},
    }  # fmt: skip
    columns, marks = ", ".join(values), ", ".join(f":{column}" for column in values)
    taken = await tx.execute(f"INSERT INTO import_file ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING", **values)
    if not taken:
        await tx.execute("DELETE FROM job WHERE id = :id", id=job_id)
        return await _again(tx, profile, values)
    what = audit.Created({"file_name": name, "sha256": digest.hex(), "dry_run": upload.dry_run, "job_id": job_id})
    await audit.record(tx, "import.receive", "import", import_id, what)
    return {"import_id": import_id, "job_id": job_id, "already_imported": False}


async def _again(tx: Tx, profile: ListProfile, values: dict[str, Any]) -> dict[str, Any]:
    """The import that took the same bytes before; a check that failed on a defect is queued again."""
    first = await storage.first_of(tx, profile, values)
    if first is None:
        raise ServiceUnavailable("The same file is being taken at this moment; ask again", headers={"Retry-After": "2"})
    import_id, job_id = first["import_id"], first["job_id"]
    if first["stuck"]:
        job_id = await jobs.create(tx, CHECK, {"import_id": str(import_id)}, values["business_date"])
        await tx.execute("UPDATE import_file SET job_id = :job WHERE import_id = :id", job=job_id, id=import_id)
    return {"import_id": import_id, "job_id": job_id, "already_imported": True}


async def approve(db: Database, actor: Actor, profile: ListProfile, import_ids: Sequence[UUID]) -> UUID:
    """Approve imports (all or none) and queue their application in the order they were received; the job's id.

    Raises:
        ImportNotFound: one of them is not in the caller's units.
        SamePerson: the caller sent one of them, and it needs a second person.
        ImportNotApprovable: one of them is a dry run, not checked yet, refused, or approved already.
    """
    async with db.transaction(actor) as tx:
        wanted = list(dict.fromkeys(import_ids))
        rows = await storage.files_for_approval(tx, wanted)
        visible = {row["import_id"] for row in rows if actor.sees(row["unit_path"])}
        if len(visible) != len(wanted):
            missing = sorted(set(wanted) - visible)
            raise ImportNotFound(errors=[{"field": "import_ids", "detail": str(item)} for item in missing])
        own = [row for row in rows if row["created_by"] == actor.subject and row["needs_second"]]
        if own:
            detail = "Who sent a list cannot approve it"
            raise SamePerson(detail, errors=[{"field": "import_ids", "detail": str(row["import_id"])} for row in own])
        stuck = await storage.approved_without_job(tx, wanted, APPLY)
        closed = [row for row in rows if row["dry_run"] or not (row["state"] == "CHECKED" or row["import_id"] in stuck)]
        if closed:
            why = [f"{row['import_id']}: {'dry run' if row['dry_run'] else row['state']}" for row in closed]
            raise ImportNotApprovable(errors=[{"field": "import_ids", "detail": text} for text in why])
        await profile.before_approve(tx, wanted)
        return await _approved(tx, actor, rows)


async def _approved(tx: Tx, actor: Actor, rows: Sequence[RowMapping]) -> UUID:
    ids = [row["import_id"] for row in rows]
    await tx.execute(
        "UPDATE import_file SET state = 'APPROVED', approved_by = :by, approved_at = now() WHERE import_id = ANY(CAST(:ids AS uuid[]))",
        by=actor.subject,
        ids=ids,
    )
    total = sum(row["rows_good"] for row in rows)
    latest = max(row["business_date"] for row in rows)
    job_id = await jobs.create(tx, APPLY, {"import_ids": [str(item) for item in ids]}, latest, total=total)
    what = audit.Bulk.of(ids, before={"state": rows[0]["state"]}, after={"state": "APPROVED"}, rows=total, job_id=job_id)
    await audit.record(tx, "import.approve", "import", ids[0], what)
    return job_id


async def mapping_of(db: Database, actor: Actor, profile: ListProfile, import_id: UUID) -> tuple[RowMapping, Layout]:
    """How a list is read, from its content: with the columns guessed, saved or set. Raises ImportNotFound, FileRefused."""
    async with db.read(actor) as tx:
        await seen(tx, profile, import_id)
        file = await storage.file_of(tx, profile, import_id)
        assert file is not None
        content = await storage.content_of(tx, import_id)
        known = await storage.known_mappings(tx, file["unit_path"])
    plain = await asyncio.to_thread(keyring_of(db).decrypt_bytes, "import_file", content)
    layout = await _read(plain, file["file_name"], profile, choice=choice_of(file), sheet=file["sheet"], known=known)
    return file, layout


def choice_of(file: RowMapping) -> Choice | None:
    """What an officer decided about a file."""
    said = file["choice"]
    return None if said is None else Choice(said["columns"], said["sheet"] or None, said["header_row"])


async def set_mapping(
    db: Database, actor: Actor, profile: ListProfile, import_id: UUID, version: int, choice: Choice, save_as: str | None
) -> dict[str, Any]:
    """Set the columns of a list that is not approved yet and have it checked anew; `save_as` keeps them for the next file.

    Raises ImportNotFound, PreconditionFailed on another version, MappingNotPossible, InvalidInput.
    """
    _fits(profile, choice)
    async with db.read(actor) as tx:
        await seen(tx, profile, import_id)
        file = await storage.file_of(tx, profile, import_id)
        assert file is not None
        content = await storage.content_of(tx, import_id)
    plain = await asyncio.to_thread(keyring_of(db).decrypt_bytes, "import_file", content)
    try:
        layout = await _read(plain, file["file_name"], profile, choice=choice, sheet=file["sheet"])
    except FileRefused as error:
        raise MappingNotPossible(error.detail) from error
    async with db.transaction(actor) as tx:
        now = await storage.file_of(tx, profile, import_id, lock=True)
        assert now is not None
        if now["version"] != version:
            raise PreconditionFailed(f"version {now['version']} is current")
        if now["state"] not in ("CHECKED", "REFUSED"):
            raise MappingNotPossible(f"The list is {now['state']}")
        if now["state"] == "REFUSED" and not now["dry_run"] and await storage.first_of(tx, profile, dict(now)) is not None:
            raise MappingNotPossible("The same list was sent again meanwhile")
        await profile.forget(tx, import_id)
        await storage.clear_rows(tx, import_id)
        job_id = await jobs.create(tx, CHECK, {"import_id": str(import_id)}, now["business_date"])
        said = {"columns": dict(choice.columns), "sheet": choice.sheet or "", "header_row": choice.header_row}
        await tx.execute(
            "UPDATE import_file SET state = 'RECEIVED', refusal = NULL, staged_to = 0, version = version + 1, job_id = :job,"
            " choice = :choice, layout = :layout, rows_total = 0, rows_good = 0, rows_refused = 0, rows_waiting = 0"
            " WHERE import_id = :id",
            job=job_id, choice=said, layout=layout.as_json(), id=import_id,
        )  # fmt: skip
        before, after = choice_of(now), {"state": "RECEIVED", "columns": sorted(choice.columns)}
        what = audit.Changed({"state": now["state"], "columns": sorted(before.columns) if before else None}, after,
                             {"saved_as": save_as, "job_id": job_id})  # fmt: skip
        await audit.record(tx, "import.mapping", "import", import_id, what)
        if save_as:
            await _save(tx, actor, now["unit_path"], save_as, layout)
    return {"import_id": import_id, "job_id": job_id, "version": version + 1}


def _fits(profile: ListProfile, choice: Choice) -> None:
    names = {column.name for column in profile.columns}
    faults = [{"field": f"columns.{name}", "detail": "no such column of ours"} for name in choice.columns if name not in names]
    faults += [
        {"field": f"columns.{column.name}", "detail": f"thiếu cột bắt buộc: {column.headers[0]} · a required column is missing"}
        for column in profile.columns
        if column.required and column.name not in choice.columns
    ]
    if len(set(choice.columns.values())) < len(choice.columns):
        faults.append({"field": "columns", "detail": "một cột của tệp được gán hai lần · one column of the file is set twice"})
    if faults:
        raise InvalidInput(faults[0]["detail"], errors=faults)


async def _save(tx: Tx, actor: Actor, unit_path: str, name: str, layout: Layout) -> None:
    replaced = await tx.rows(
        "DELETE FROM import_mapping WHERE unit_path = :path AND (name = :name OR fingerprint = :print) RETURNING mapping_id, name",
        path=unit_path, name=name, print=layout.fingerprint,
    )  # fmt: skip
    mapping_id = await tx.value(
        "INSERT INTO import_mapping (unit_path, name, fingerprint, headers, columns, created_by)"
        " VALUES (:path, :name, :print, to_jsonb(CAST(:headers AS text[])), :columns, :by) RETURNING mapping_id",
        path=unit_path, name=name, print=layout.fingerprint, headers=[hide_numbers(text)[0] for text in layout.headers],
        columns=layout.columns, by=actor.subject,
    )  # fmt: skip
    what = audit.Created({"name": name, "unit": unit_path, "replaces": [dict(row) for row in replaced]})
    await audit.record(tx, "import.mapping-saved", "import-mapping", mapping_id, what)


async def dismiss(db: Database, actor: Actor, profile: ListProfile, import_id: UUID, rows: Sequence[int], why: str) -> int:
    """Say that refused rows need no correction, with the reason; how many. Raises ImportNotFound, MappingNotPossible for other rows."""
    async with db.transaction(actor) as tx:
        await seen(tx, profile, import_id)
        wanted = sorted(set(rows))
        done = await tx.execute(
            "UPDATE import_row SET settled = 'DISMISSED', settled_by = :by, settled_at = now(), settled_note = :why"
            " WHERE import_id = :id AND row_number = ANY(CAST(:rows AS int[])) AND verdict = 'REFUSED' AND settled IS NULL",
            by=actor.subject, why=hide_numbers(why)[0], id=import_id, rows=wanted,
        )  # fmt: skip
        if done != len(wanted):
            raise InvalidInput(
                "Only refused rows that still wait can be dismissed", errors=[{"field": "rows", "detail": f"{done} of them"}]
            )
        settled = {"verdict": "REFUSED", "settled": None}
        what = audit.Bulk.of(wanted, before=settled, after=settled | {"settled": "DISMISSED"}, rows=wanted[:200])
        await audit.record(tx, "import.dismiss", "import", import_id, what)
    return done
