"""The date of a death that is recorded already: corrected by two people, with everything that followed from it.

The database's other date never changes anything by itself (`death_differences`). What was paid for months after an earlier date shows as
paid above due in disbursement, which opens recoveries; a later date makes the months between due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.db import Tx
from registry.domain.errors import FuneralRefused, NotPossibleInState, RateNotLoaded
from registry.storage import death_differences, dues, life_events, publishing
from registry.storage import decisions as decision_storage
from registry.storage import funerals as funeral_storage
from registry.storage import people as storage
from registry.usecases import decisions, funerals, people

__all__ = ["Correction", "correct"]

_SYSTEM: Final = "system:death-dates"
"""Answers funeral requests whose sum is another now: the officer who decides the date may be the one who asked for the money."""
_OTHER_SUM: Final = "Ngày mất đã được sửa, mức theo ngày mới khác: đề nghị lại · date of death corrected, another sum is due: ask anew"


@dataclass(frozen=True, slots=True)
class Correction:
    """Another date of death for somebody recorded as dead: asked for by one person (`maker`), decided by another."""

    person_id: UUID
    died: date
    ground: str
    maker: str
    business_date: date


async def correct(tx: Tx, wanted: Correction) -> None:
    """Set the date, with the dues, funeral support, life events and publication that follow. Raises NotPossibleInState."""
    actor, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    changed = await storage.correct_death(tx, wanted.person_id, wanted.died)
    if not changed:
        raise NotPossibleInState("A death is recorded already")
    ids = [row["person_id"] for row in changed]
    before = await life_events.people_for(tx, ids)
    if any(row["proposed"] for row in before):
        raise NotPossibleInState("Another event of this person waits for a second person")
    await life_events.correct_deaths(tx, ids, wanted.business_date, wanted.ground, wanted.maker, actor.subject)
    evidence = {row["person_id"]: row["last_evidence"] for row in before}
    for row in changed:
        replaced = row["was"] if evidence[row["person_id"]] == people.POPULATION else None
        await death_differences.corrected(tx, row["person_id"], wanted.died, replaced, wanted.ground, actor.subject)
        what = audit.Changed({"death_date": row["was"]}, {"death_date": wanted.died}, {"asked_by": wanted.maker})
        await audit.record(tx, "death-date.change", "beneficiary", row["person_id"], what)
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryDeceased") for person_id in ids], wanted.business_date)
    await dues.recompute(tx, ids, wanted.business_date)  # what funeral support is due follows from the month of death
    await _funerals(tx, ids, wanted)


async def _funerals(tx: Tx, ids: Sequence[UUID], wanted: Correction) -> None:
    """Support for the deaths stays where the law gives the same for the new date; else it is cancelled and asked for anew."""
    _, keyring = decisions.needs(tx)
    less: list[UUID] = []
    for row in await funeral_storage.of_deaths(tx, ids):
        if await _same(tx, row):
            await funeral_storage.redate(tx, row["funeral_id"], wanted.died)
            what = audit.Changed.of(row, {"death_date": wanted.died}, "death_date")
            await audit.record(tx, "funeral.change", "funeral", row["funeral_id"], what)
            continue
        less += await funeral_storage.cancel(tx, row["funeral_id"], wanted.business_date, _OTHER_SUM, _SYSTEM)
        after = {"state": "CANCELLED" if row["state"] == "APPROVED" else "REJECTED", "death_date": wanted.died}
        what = audit.Changed.of(row, after, "state", "death_date")
        await audit.record(tx, "funeral.end", "funeral", row["funeral_id"], what)
    receivers = list(dict.fromkeys(less))
    # Whose only sum was cancelled holds nothing of the programme any more.
    updated = (await decision_storage.people_of(tx, receivers))[1]
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryUpdated") for person_id in updated], wanted.business_date)
    await dues.recompute(tx, receivers, wanted.business_date)


async def _same(tx: Tx, funeral: Any) -> bool:
    deceased = await storage.find(tx, funeral["deceased_id"])
    try:
        due = await funerals.sums(tx, deceased, None, None, funeral["business_date"])
    except (FuneralRefused, RateNotLoaded):
        return False
    return (due.funeral["programme"], due.funeral["amount"], due.lump_sum) == (
        funeral["programme"], funeral["funeral_amount"], funeral["lump_sum"],
    )  # fmt: skip
