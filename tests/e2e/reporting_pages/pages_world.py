"""A province before and after the reform of 1 July 2025: September 2024 with districts, August 2025 without."""

from __future__ import annotations

from datetime import date

from reporting_builders import ASSISTANCE, DAY, MERIT, S, World, small_month

from common.contracts.disbursement_v1 import Channel, CycleState, HoldReason, PaymentCycleClosed, PaymentCycleOpened
from common.contracts.envelope import Event
from common.contracts.registry_v1 import Programme
from common.ids import stable_id

BEFORE, AFTER = "2024-09", "2025-08"


def cycle(month: str, unit: str, programme: Programme, state: CycleState, version: int = 1) -> Event:
    kind = PaymentCycleClosed if state is CycleState.CLOSED else PaymentCycleOpened
    return kind(
        version=version, business_date=DAY, cycle_id=stable_id("cycle", programme, month), state=state, month=month, programme=programme,
        funding_source="LOCAL_BUDGET", unit_code=unit, unit_path=unit, lines=5, held=1, total_amount=5_000_000,
    )  # fmt: skip


def province() -> World:
    """Both months; the officer of today is responsible for 60 (until June 2025) and 68 (since July)."""
    world = small_month()
    world.events += [cycle(BEFORE, "60", programme, CycleState.CLOSED) for programme in (MERIT, ASSISTANCE)]
    world.unit("68", "Tỉnh Lâm Đồng", "2025-07-01")
    world.unit("68/22924", "Phường Mũi Né", "2025-07-01")
    world.unit("68/23235", "Phường La Gi", "2025-07-01")
    later = World(people=500)
    later.paid("68/22924", MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 2_789_000)
    later.paid("68/22924", ASSISTANCE, Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], reason="NOT_COLLECTED")
    later.held("68/23235", ASSISTANCE, HoldReason.NOT_VERIFIED)
    for event in later.events:
        change: dict[str, object] = {"business_date": date(2025, 7, 20)}
        if "month" in type(event).model_fields:
            change |= {"month": AFTER, "cycle_id": stable_id("cycle", event.programme, AFTER)}  # type: ignore[attr-defined]
        if "months" in type(event).model_fields:
            change["months"] = [AFTER]
        world.events.append(event.model_copy(update=change))
    world.events += [cycle(AFTER, "68", programme, CycleState.DISBURSING) for programme in (MERIT, ASSISTANCE)]
    return world


def paid_now(number: int) -> list[Event]:
    """One more person's money arrives in August 2025."""
    one = World(people=900 + number)
    one.paid("68/23235", ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED])
    change = {"month": AFTER, "months": [AFTER], "cycle_id": stable_id("cycle", ASSISTANCE, AFTER)}
    return [event.model_copy(update=change) if "months" in type(event).model_fields else event for event in one.events]
