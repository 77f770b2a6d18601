"""Opening a month's cycle, and asking for its cut-off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.contracts.disbursement_v1 import CutOffRequested, PaymentCycleOpened
from common.contracts.registry_v1 import Programme
from common.db import Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from disbursement.domain.cycle import RECOMPUTABLE
from disbursement.domain.errors import CycleExists, IllegalCycleMove, TwoMonthsNotAllowed, UnknownUnit
from disbursement.domain.months import next_month
from disbursement.storage import cycles, rulings, units
from disbursement.usecases.answers import CycleView
from disbursement.usecases.cycle_events import tell

__all__ = ["Opening", "open_cycle", "request_cut_off"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What is opened. `two_months_basis`: the paper by which the month and the next are paid together (Tết, disaster, epidemic).

    `selection` (re-issues): `cycle_id`, `partner`, `reasons`, `statuses` of the dead payments to pay again, `in_cash`; all optional.
    """

    month: date
    programme: str
    funding_source: str
    unit_code: str
    business_date: date
    kind: str = "MAIN"
    two_months_basis: str | None = None
    selection: dict[str, Any] = field(default_factory=dict)


async def open_cycle(tx: Tx, actor: Actor, new: Opening) -> CycleView:
    """Open a cycle and ask the registry for the cut-off markers.

    A month has one main cycle per programme, funding source and unit; supplementary ones follow it and pay what has become due since,
    re-issues pay only what an earlier payment of the month released because it definitely died.
    """
    if new.month > next_month(next_month(new.business_date)):  # two months together is the most that is paid ahead; a slip would pay years
        raise InvalidInput(errors=[{"field": "month", "detail": "more than two months after the business date"}])
    path = await units.path_of(tx, new.unit_code, new.business_date)
    if path is None:
        raise UnknownUnit(
            f"{new.unit_code} on {new.business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}]
        )
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    await _two_months_allowed(tx, new)
    sequence = await cycles.next_sequence(tx, new.month, new.programme, new.funding_source, path)
    if (new.kind != "MAIN") != (sequence > 1):
        raise CycleExists("Open a supplementary cycle" if sequence > 1 else "There is no main cycle to supplement")
    cycle_id, cut_off_id = new_id(), new_id()  # ordered by time: who hears of cycles knows the main one as the first
    added = await cycles.add(
        tx,
        cycle_id=cycle_id,
        month=new.month,
        programme=new.programme,
        funding_source=new.funding_source,
        unit_code=new.unit_code,
        unit_path=path,
        kind=new.kind,
        sequence=sequence,
        business_date=new.business_date,
        cut_off_id=cut_off_id,
        opened_by=actor.subject,
        selection=new.selection,
        covers_to=next_month(new.month) if new.two_months_basis else new.month,
        two_months_basis=new.two_months_basis,
    )
    if not added:
        raise CycleExists("Somebody else opened it just now")
    cycle = await cycles.by_id(tx, cycle_id)
    if cycle is None:
        raise LookupError(cycle_id)
    await tell(tx, PaymentCycleOpened, cycle)
    await tell(tx, CutOffRequested, cycle)
    about = {"month": str(new.month), "programme": new.programme, "unit_path": path, "kind": new.kind}
    what = audit.Created(about | {"selection": new.selection, "two_months": new.two_months_basis})
    await audit.record(tx, "cycle.open", "cycle", cycle_id, what)
    return CycleView.of(cycle)


async def _two_months_allowed(tx: Tx, new: Opening) -> None:
    """Merit money may be paid two months together by law (Circular 44/2022/TT-BTC Art. 8.3); other programmes where the setting says so."""
    if new.two_months_basis is None:
        return
    if new.kind == "REISSUE":
        raise InvalidInput(errors=[{"field": "two_months_basis", "detail": "a re-issue pays what was on a list before"}])
    if new.programme != Programme.MERIT and await rulings.setting(tx, "TWO_MONTHS_OTHER_PROGRAMMES", new.business_date) != "ALLOWED":
        raise TwoMonthsNotAllowed(new.programme)


async def request_cut_off(tx: Tx, actor: Actor, cycle_id: UUID) -> CycleView:
    """Ask for new markers, e.g. after data were mended; the old ones no longer count. Before SUBMITTED only."""
    cycle = await cycles.by_id(tx, cycle_id, lock=True)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    if cycle["state"] not in RECOMPUTABLE:
        raise IllegalCycleMove("The list was submitted", state=cycle["state"])
    now = await cycles.set_cut_off(tx, cycle_id, new_id())
    await tell(tx, CutOffRequested, now)
    await audit.record(tx, "cycle.cut_off", "cycle", cycle_id, audit.Changed.of(cycle, now, "cut_off_id", "version"))
    return CycleView.of(now)
