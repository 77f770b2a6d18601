"""Computing a cycle's list: one snapshot, set-based, and only when all inputs have arrived."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.contracts.disbursement_v1 import PaymentListComputed
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from disbursement.channels.loading import limits_of_file
from disbursement.domain.cycle import CycleAction, move
from disbursement.domain.errors import InputsIncomplete, InvariantBroken, TakeOverMissing, TreasuryNotReady
from disbursement.settings import Settings
from disbursement.storage import cut_off, cycles, list_inputs, lists, prechecks, traces
from disbursement.usecases.answers import JobView
from disbursement.usecases.cycle_events import tell

__all__ = ["JOB_KIND", "ListComputer", "request_compute"]

JOB_KIND = "compute-list"


async def request_compute(tx: Tx, actor: Actor, cycle_id: UUID) -> JobView:
    """Queue the computation. Raises :class:`InputsIncomplete` naming the missing markers and the differing totals."""
    cycle = await cycles.by_id(tx, cycle_id)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    move(cycle["state"], CycleAction.COMPUTE)
    await _require_inputs(tx, cycle)
    job_id = await jobs.create(tx, JOB_KIND, {"cycle_id": str(cycle_id)}, cycle["business_date"])
    await audit.record(tx, "list.compute_requested", "cycle", cycle_id, audit.Created({"job_id": job_id}))
    return JobView(job_id=job_id, cycle_id=cycle_id)


async def _require_inputs(tx: Tx, cycle: RowMapping) -> None:
    inputs = await cut_off.inputs_of(tx, cycle["cut_off_id"])
    if not inputs["complete"]:
        missing, differing = len(inputs["missing"]), len(inputs["differing"])
        raise InputsIncomplete(
            f"{missing} of {inputs['expected']} cut-off markers have not arrived, {differing} differ from our copy",
            inputs=inputs,
            headers={"Retry-After": "2"},
        )


class ListComputer:
    """The job: computes a list in one REPEATABLE READ transaction and stores it with its hash."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._limits = limits_of_file(settings.partners_file)

    async def run(self, job: jobs.Job) -> dict[str, object]:
        """Handler of `compute-list` jobs. A repeat (after a crash) computes anew."""
        return await self.compute(UUID(job.detail["cycle_id"]), job.requested_by)

    async def compute(self, cycle_id: UUID, by: str) -> dict[str, object]:
        """Compute a cycle's list; its figures. Raises problems for missing inputs, missing take-overs or a wrong state."""
        async with self._db.transaction(SYSTEM("compute-list"), isolation="REPEATABLE READ") as tx:
            cycle = await cycles.by_id(tx, cycle_id, lock=True)
            if cycle is None:
                raise NotFound("No such cycle")
            state = move(cycle["state"], CycleAction.COMPUTE)
            await lists.plan_for_size(tx)
            await _require_inputs(tx, cycle)
            if cycle["list_id"] is not None:
                await lists.drop_lines(tx, cycle["list_id"])
            await lists.find_due(tx, cycle)
            if uncovered := await lists.units_without_take_over(tx):
                raise TakeOverMissing(f"{', '.join(uncovered[:10])}: approve their first month", units=uncovered)
            if self._settings.treasury_partner is None and (direct := await lists.treasury_units(tx)):
                raise TreasuryNotReady(", ".join(direct[:10]), units=direct)
            head = await self._store(tx, cycle, by)
            now = await cycles.move(tx, cycle_id, state, list_id=head["list_id"])
            await tell(tx, PaymentListComputed, now, head)
            figures = {name: head[name] for name in ("lines", "held", "total_amount", "held_amount", "list_hash")}
            what = audit.Changed.of(cycle, now, "state", "list_id", requested_by=by, **figures)
            await audit.record(tx, "list.compute", "cycle", cycle_id, what)
        return {"list_id": str(head["list_id"])} | figures

    async def _store(self, tx: Tx, cycle: RowMapping, by: str) -> RowMapping:
        list_id = new_id()
        await cycles.add_list(
            tx, list_id=list_id, cycle_id=cycle["cycle_id"], cut_off_id=cycle["cut_off_id"], business_date=cycle["business_date"], by=by
        )
        people, amount = await lists.compute(
            tx,
            cycle,
            list_id,
            grace_days=self._settings.evidence_grace_days,
            cash_partner=self._settings.cash_partner,
            treasury_partner=self._settings.treasury_partner,
            limits=self._limits,
        )
        await list_inputs.freeze(tx, list_id, cash_partner=self._settings.cash_partner, treasury_partner=self._settings.treasury_partner)
        found = await lists.figures(tx, list_id)
        if (people, amount) != (found["lines"] + found["held"], found["total_amount"] + found["held_amount"]):
            raise InvariantBroken(f"{people} people are owed {amount} đồng; the list says {dict(found)}")
        if found["allocated"] != found["total_amount"]:
            raise InvariantBroken(f"lines sum to {found['total_amount']}, their allocations to {found['allocated']} đồng")
        head = await cycles.list_of(tx, list_id)
        if head is None:
            raise LookupError(list_id)
        digest = await lists.hash_of(tx, cycle, head)
        await cycles.finish_list(
            tx,
            list_id,
            list_hash=digest,
            lines=found["lines"],
            held=found["held"],
            total_amount=found["total_amount"],
            held_amount=found["held_amount"],
        )
        await traces.link_list(tx, list_id)
        await prechecks.make(tx, cycle, list_id, digest, on=cycle["business_date"])
        stored = await cycles.list_of(tx, list_id)
        if stored is None:
            raise LookupError(list_id)
        return stored
