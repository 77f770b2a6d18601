"""Re-mapping people on a date: counted, approved by a second person, run as a job in bounded transactions."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.ids import new_id
from common.jobs import Job
from common.problems import Conflict, InvalidInput, NotFound
from common.sealing import Keyring
from registry.domain.errors import SamePerson
from registry.storage import dues, history, publishing, remaps

__all__ = ["REMAP", "Remapper", "approve", "count", "remap_of", "tell"]

REMAP: Final = "unit-remap"
_FIRST: Final = UUID(int=0)


def _may(actor: Actor, scope: str) -> bool:
    return actor.everywhere or (scope != "*" and actor.sees(scope))


async def count(tx: Tx, scope: str, effective_on: date, business_date: date) -> UUID:
    """The dry run: judge every old unit in `scope` (a path of before the change, or `*`) and count who would move. Moves nobody."""
    if tx.actor is None:
        raise RuntimeError("a re-mapping needs an actor")
    if not _may(tx.actor, scope):
        raise NotFound("No such unit in your area")
    if business_date < effective_on:
        raise InvalidInput(errors=[{"field": "business_date", "detail": "people are re-mapped from the date on, not before it"}])
    remap_id = new_id()
    await tx.execute(
        "INSERT INTO unit_remap (remap_id, effective_on, scope_path, business_date, created_by) VALUES (:id, :on, :scope, :day, :by)",
        id=remap_id, on=effective_on, scope=scope, day=business_date, by=tx.actor.subject,
    )  # fmt: skip
    judged = await remaps.plan(tx, remap_id, scope, effective_on)
    if not judged:
        raise InvalidInput(errors=[{"field": "effective_on", "detail": "no unit of this area ended on the day before"}])
    await audit.record(
        tx, "units.remap-count", "unit-remap", remap_id, audit.Created({"scope": scope, "units": judged, "state": "COUNTED"})
    )
    return remap_id


async def remap_of(tx: Tx, remap_id: UUID, *, lock: bool = False) -> Any:
    """One re-mapping in the caller's area. Raises NotFound."""
    row = await tx.row("SELECT * FROM unit_remap WHERE remap_id = :id" + (" FOR UPDATE" if lock else ""), id=remap_id)
    if row is None or tx.actor is None or not _may(tx.actor, row["scope_path"]):
        raise NotFound("No such re-mapping in your area")
    return row


async def approve(db: Database, actor: Actor, remap_id: UUID) -> UUID:
    """A second person lets a counted re-mapping run; the job's id. Raises SamePerson, Conflict, NotFound."""
    async with db.transaction(actor) as tx:
        row = await remap_of(tx, remap_id, lock=True)
        if row["state"] != "COUNTED":
            raise Conflict(f"the re-mapping is {row['state']}")
        if row["created_by"] == actor.subject:
            raise SamePerson
        total = int(
            await tx.value("SELECT coalesce(sum(people), 0) FROM unit_remap_unit WHERE remap_id = :id AND treatment = 'MOVE'", id=remap_id)
        )
        job_id = await jobs.create(tx, REMAP, {"remap_id": str(remap_id), "people": total}, row["business_date"], total=total)
        await tx.execute(
            "UPDATE unit_remap SET state = 'APPROVED', approved_by = :by, approved_at = now(), job_id = :job WHERE remap_id = :id",
            by=actor.subject, job=job_id, id=remap_id,
        )  # fmt: skip
        what = audit.Changed.of(row, {"state": "APPROVED"}, "state", people=total, job_id=job_id, proposed_by=row["created_by"])
        await audit.record(tx, "units.remap-approve", "unit-remap", remap_id, what)
    return job_id


async def tell(tx: Tx, keyring: Keyring, moved: list[UUID], business_date: date) -> None:
    """Publish moved beneficiaries, their representatives and their dues: the same people, the same amounts, another unit."""
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryMoved") for person_id in moved], business_date)
    await publishing.publish_representatives(tx, keyring, await remaps.representatives_again(tx, moved), business_date)
    await dues.say_again(tx, moved, business_date)


class Remapper:
    """The worker's side."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        """`at_once`: most people or records moved in one transaction."""
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """Work list first, then people by id, then every table that follows. Run again after a crash, what was done is not found again."""
        remap_id = UUID(str(job.detail["remap_id"]))
        async with self._db.transaction(SYSTEM(REMAP)) as tx:
            row = await remap_of(tx, remap_id)
            before = int(await tx.value("SELECT count(*) FROM person"))
            listed = await remaps.open_work(tx, remap_id, row["effective_on"])
            if listed:
                await audit.record(tx, "units.work-list", "unit-remap", remap_id, audit.Bulk.of(listed))
        total = await self._people(job, remap_id, row)
        records = await self._records(remap_id)
        async with self._db.transaction(SYSTEM(REMAP)) as tx:
            result = {
                "people_before": before, "people_after": int(await tx.value("SELECT count(*) FROM person")),
                "moved": int(await tx.value("SELECT count(*) FROM unit_moved WHERE remap_id = :id", id=remap_id)),
                "left": await remaps.left_at(tx, remap_id), "records": records,
                "work_list": int(
                    await tx.value("SELECT count(*) FROM unit_work_item WHERE remap_id = :id AND state <> 'APPLIED'", id=remap_id)
                ),
            }  # fmt: skip
            await tx.execute("UPDATE unit_remap SET state = 'DONE', result = :result WHERE remap_id = :id", result=result, id=remap_id)
            what = audit.Changed.of(row, {"state": "DONE"}, "state", moved=result["moved"], this_run=total)
            await audit.record(tx, "units.remap-done", "unit-remap", remap_id, what)
        return result

    async def _people(self, job: Job, remap_id: UUID, remap: Any) -> int:
        keyring = self._db.keyring
        if keyring is None:
            raise RuntimeError("the registry needs its keyring")
        after, done = _FIRST, 0
        while True:
            async with self._db.transaction(SYSTEM(REMAP)) as tx:
                await publishing.take_people_lock(tx)
                people, units = await remaps.next_people(tx, remap_id, after, self._at_once)
                if not people:
                    return done
                await history.dated(tx, job.business_date, remap["effective_on"])
                moved = await remaps.move(tx, remap_id, people, units, remap["approved_by"])
                await tell(tx, keyring, moved, job.business_date)
                await audit.record(tx, "units.remap", "unit-remap", remap_id, audit.Bulk.of(people, beneficiaries=len(moved)))
            after, done = people[-1], done + len(people)
            await jobs.progress(self._db, job.id, done, max(done, int(job.detail["people"])))

    async def _records(self, remap_id: UUID) -> dict[str, int]:
        async with self._db.read(SYSTEM(REMAP)) as tx:
            tables = await remaps.followers(tx)
        moved: dict[str, int] = {}
        async with self._db.transaction(SYSTEM(REMAP)) as tx:
            if transfers := await remaps.move_transfers(tx, remap_id):
                moved["transfer"] = len(transfers)
                await audit.record(tx, "units.remap-records", "unit-remap", remap_id, audit.Bulk.of(transfers, table="transfer"))
        for follower in tables:
            while True:
                async with self._db.transaction(SYSTEM(REMAP)) as tx:
                    count, digest = await remaps.move_records(tx, remap_id, follower, self._at_once)
                    if count:
                        what = audit.Bulk(count, digest, {"table": follower.table})
                        await audit.record(tx, "units.remap-records", "unit-remap", remap_id, what)
                if not count:
                    break
                moved[follower.table] = moved.get(follower.table, 0) + count
        return moved
