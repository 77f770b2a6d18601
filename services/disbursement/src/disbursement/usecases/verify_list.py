"""Anyone can make a list again from its cut-off and compare: stored lines, kept inputs, and the list recomputed from them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from common import jobs
from common.actor import SYSTEM, Actor
from common.contracts.disbursement_v1 import CycleState
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.storage import cycles, list_inputs, lists
from disbursement.usecases.answers import JobView
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["JOB_KIND", "ListVerifier", "request_verification"]

JOB_KIND: Final = "verify-list"


async def request_verification(tx: Tx, actor: Actor, cycle_id: UUID) -> JobView:
    """Queue it. Raises NotFound when the cycle has no list."""
    cycle = await own_cycle(tx, actor, cycle_id)
    if cycle["list_id"] is None or cycle["state"] == CycleState.OPEN:
        raise NotFound("The cycle has no list yet")
    job_id = await jobs.create(tx, JOB_KIND, {"cycle_id": str(cycle_id)}, cycle["business_date"])
    return JobView(job_id=job_id, cycle_id=cycle_id)


class ListVerifier:
    """The job: changes nothing, says what it found."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self, job: jobs.Job) -> dict[str, Any]:
        """Handler of `verify-list` jobs."""
        return await self.verify(UUID(job.detail["cycle_id"]))

    async def verify(self, cycle_id: UUID) -> dict[str, Any]:
        """Compare. `agrees` only when stored lines and recomputed list both give the list's hash, from inputs nobody touched.

        A list made before inputs were kept, or under other rules, says so: `inputs_kept`, `rules_same`.
        """
        async with self._db.transaction(SYSTEM("verify-list")) as tx:
            cycle = await cycles.by_id(tx, cycle_id)
            head = await cycles.list_of(tx, cycle["list_id"]) if cycle is not None and cycle["list_id"] is not None else None
            if cycle is None or head is None:
                raise NotFound("The cycle has no list yet")
            await lists.plan_for_size(tx)
            stored = await lists.hash_of(tx, cycle, head)
            kept = head["inputs_hash"] is not None
            found: dict[str, Any] = {
                "list_id": str(head["list_id"]), "list_hash": head["list_hash"], "stored_hash": stored, "inputs_kept": kept,
                "inputs_intact": None, "rules_same": None, "recomputed_hash": None, "beyond_due": None,
            }  # fmt: skip
            if kept:
                found["inputs_intact"] = await list_inputs.inputs_hash(tx, head["list_id"]) == head["inputs_hash"]
                found["rules_same"] = head["rules_hash"] == list_inputs.RULES_HASH
                found |= await list_inputs.recompute(tx, cycle, head)
        same = {found["stored_hash"], found["recomputed_hash"]} == {head["list_hash"]}
        return found | {"agrees": bool(kept and same and found["inputs_intact"] and found["beyond_due"] == 0)}
