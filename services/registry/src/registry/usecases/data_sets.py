"""Data sets for a ministry (R35): everything below a unit, or what changed after an earlier one; built by a job, from one snapshot."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common import audit, jobs
from common.actor import SYSTEM, Actor, Role
from common.db import Database, Tx
from common.ids import new_id
from common.jobs import Job
from common.problems import Forbidden, InvalidInput, NotFound
from common.sealing import Keyring
from registry.domain.errors import DataSetNotReady, UnknownUnit
from registry.storage import catalogue, changes
from registry.storage import data_sets as storage

__all__ = ["BUILD", "Builder", "Order", "opened", "order", "read_part", "seen"]

BUILD: Final = "data-set-build"
_FIELD: Final = "data_set"
_PART: Final = 2_000
_FIRST: Final = UUID(int=0)
_WHOLE: Final = (Role.DEPARTMENT_OFFICER,)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built. With `since`, a delta to that data set."""

    unit_code: str
    business_date: date
    purpose: str
    whole_numbers: bool
    since: UUID | None = None


async def order(tx: Tx, wanted: Order) -> dict[str, UUID]:
    """Queue a data set; its id and its job. Raises UnknownUnit, NotFound, Forbidden, DataSetNotReady, InvalidInput."""
    actor = _actor(tx)
    unit = await catalogue.unit_of(tx, wanted.unit_code, wanted.business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": wanted.unit_code}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    if wanted.whole_numbers and not actor.has(*_WHOLE):
        raise Forbidden("Whole numbers are not for this role")
    first = await seen(tx, wanted.since) if wanted.since else None
    if first is not None:
        opened(first)
        if first["unit_path"] != unit["path"] or first["schema_version"] != storage.SCHEMA_VERSION:
            raise InvalidInput(errors=[{"field": "since", "detail": "a data set of the same unit and schema version"}])
    data_set_id = new_id()
    job_id = await jobs.create(tx, BUILD, {"data_set_id": str(data_set_id)}, wanted.business_date)
    await storage.add(
        tx,
        {
            "data_set_id": data_set_id, "kind": "DELTA" if first else "FULL", "schema_version": storage.SCHEMA_VERSION,
            "since_id": wanted.since, "since_position": first["position"] if first else 0, "unit_code": unit["code"],
            "unit_path": unit["path"], "whole_numbers": wanted.whole_numbers, "purpose": wanted.purpose,
            "business_date": wanted.business_date, "job_id": job_id, "created_by": actor.subject,
        },
    )  # fmt: skip
    told = {"unit": unit["path"], "whole_numbers": wanted.whole_numbers, "since": wanted.since, "job_id": job_id}
    await audit.record(tx, "data-set.order", "data-set", data_set_id, audit.Read(wanted.purpose, told))
    return {"data_set_id": data_set_id, "job_id": job_id}


async def seen(tx: Tx, data_set_id: UUID) -> Any:
    """The data set, if its unit lies in the caller's area; else 404."""
    row = await storage.find(tx, data_set_id)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise NotFound("No such data set")
    return row


def opened(row: Any) -> Any:
    """The data set, if it is built. Raises DataSetNotReady."""
    if row["state"] != "READY":
        raise DataSetNotReady(headers={"Retry-After": "5"})
    return row


async def read_part(db: Database, actor: Actor, data_set_id: UUID, number: int) -> bytes:
    """One part, decrypted; a part with whole numbers is audited. Raises NotFound, Forbidden, DataSetNotReady."""
    async with db.transaction(actor) as tx:
        row = opened(await seen(tx, data_set_id))
        content = await storage.part(tx, data_set_id, number)
        if content is None:
            raise NotFound("No such part")
        if row["whole_numbers"]:
            if not actor.has(*_WHOLE):
                raise Forbidden("Whole numbers are not for this role")
            await audit.record(tx, "data-set.read", "data-set", data_set_id, audit.Read(row["purpose"], {"part": number}))
    return _keyring(db).decrypt_bytes(_FIELD, content)


class Builder:
    """The worker's side."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._keyring = _keyring(db)

    async def run(self, job: Job) -> dict[str, Any]:
        """Write all parts from one snapshot, then the manifest; a crash leaves nothing half done."""
        data_set_id = UUID(job.detail["data_set_id"])
        async with self._db.transaction(SYSTEM(BUILD), isolation="REPEATABLE READ") as tx:
            row = await storage.find(tx, data_set_id, lock=True)
            if row is None or row["state"] == "READY":
                return {"data_set_id": str(data_set_id)}
            position = await changes.position(tx)
            since = row["since_position"] if row["kind"] == "DELTA" else None
            after, number, whole, counts = _FIRST, 0, hashlib.sha256(), Counter[str]()
            while rows := await storage.records(tx, row["unit_path"], since, position, after, _PART):
                number += 1
                content = b"".join(self._line(item, whole=row["whole_numbers"]) for item in rows)
                whole.update(content)
                counts += _counted(rows)
                digest = hashlib.sha256(content).hexdigest()
                await storage.add_part(tx, data_set_id, number, len(rows), digest, self._keyring.encrypt(_FIELD, content))
                after = rows[-1]["person_id"]
                await jobs.progress(self._db, job.id, counts["records"], counts["records"])
            manifest = self._manifest(row, position, number, counts, whole.hexdigest())
            await storage.ready(tx, data_set_id, position, manifest)
            about = {"records": counts["records"], "position": position, "sha256": whole.hexdigest()}
            await audit.record(tx, "data-set.build", "data-set", data_set_id, audit.Changed.of(row, {"state": "READY"}, "state", **about))
        return {"data_set_id": str(data_set_id), "records": counts["records"], "parts": number}

    def _line(self, item: Any, *, whole: bool) -> bytes:
        record = dict(item["record"])
        if whole and item["national_number"] is not None:
            record["national_number"] = self._keyring.decrypt("national_number", item["national_number"])
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)

    @staticmethod
    def _manifest(row: Any, position: int, parts: int, counts: Counter[str], sha256: str) -> dict[str, Any]:
        return {
            "data_set_id": str(row["data_set_id"]), "kind": row["kind"], "schema_version": row["schema_version"],
            "since": str(row["since_id"]) if row["since_id"] else None, "position": position, "unit_path": row["unit_path"],
            "business_date": row["business_date"].isoformat(), "parts": parts, "sha256": sha256, "counts": dict(sorted(counts.items())),
        }  # fmt: skip


def _counted(rows: Any) -> Counter[str]:
    counts = Counter({"records": len(rows)})
    for row in rows:
        counts[f"status.{row['status']}"] += 1
        for programme in row["programmes"]:
            counts[f"programme.{programme}"] += 1
    return counts


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("the registry needs its keyring")
    return db.keyring
