"""Opening a month's cycle, and asking for its cut-off."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.actor import Actor
from common.contracts.disbursement_v1 import CutOffRequested, PaymentCycleOpened
from common.db import Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from disbursement.domain.cycle import RECOMPUTABLE
from disbursement.domain.errors import CycleExists, IllegalCycleMove, UnknownUnit
from disbursement.domain.months import next_month
from disbursement.storage import cycles, units
from disbursement.usecases.answers import CycleView
from disbursement.usecases.cycle_events import tell

__all__ = ["open_cycle", "request_cut_off"]


async def open_cycle(
    tx: Tx, actor: Actor, *, month: date, programme: str, funding_source: str, unit_code: str, business_date: date, supplementary: bool
) -> CycleView:
    """Open a cycle and ask the registry for the cut-off markers.

    A month has one main cycle per programme, funding source and unit; supplementary ones follow it and pay what has become due since.
    """
    if month > next_month(next_month(business_date)):  # two months together is the most that is paid ahead; a slip would pay years
        raise InvalidInput(errors=[{"field": "month", "detail": "more than two months after the business date"}])
    path = await units.path_of(tx, unit_code, business_date)
    if path is None:
        raise UnknownUnit(f"{unit_code} on {business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    sequence = await cycles.next_sequence(tx, month, programme, funding_source, path)
    if supplementary != (sequence > 1):
        raise CycleExists("Open a supplementary cycle" if sequence > 1 else "There is no main cycle to supplement")
    cycle_id, cut_off_id = new_id(), new_id()
    added = await cycles.add(
        tx,
        cycle_id=cycle_id,
        month=month,
        programme=programme,
        funding_source=funding_source,
        unit_code=unit_code,
        unit_path=path,
        kind="SUPPLEMENTARY" if supplementary else "MAIN",
        sequence=sequence,
        business_date=business_date,
        cut_off_id=cut_off_id,
        opened_by=actor.subject,
    )
    if not added:
        raise CycleExists("Somebody else opened it just now")
    cycle = await cycles.by_id(tx, cycle_id)
    if cycle is None:
        raise LookupError(cycle_id)
    await tell(tx, PaymentCycleOpened, cycle)
    await tell(tx, CutOffRequested, cycle)
    await audit.record(tx, "cycle.open", "cycle", cycle_id, {"month": str(month), "programme": programme, "unit_path": path})
    return CycleView.of(cycle)


async def request_cut_off(tx: Tx, actor: Actor, cycle_id: UUID) -> CycleView:
    """Ask for new markers, e.g. after data were mended; the old ones no longer count. Before SUBMITTED only."""
    cycle = await cycles.by_id(tx, cycle_id, lock=True)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    if cycle["state"] not in RECOMPUTABLE:
        raise IllegalCycleMove("The list was submitted", state=cycle["state"])
    cycle = await cycles.set_cut_off(tx, cycle_id, new_id())
    await tell(tx, CutOffRequested, cycle)
    await audit.record(tx, "cycle.cut_off", "cycle", cycle_id, {"cut_off_id": str(cycle["cut_off_id"])})
    return CycleView.of(cycle)
