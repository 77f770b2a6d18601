"""One person at a time: register, correct, record a death. The same storage as the lists: one is a batch of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor, Role
from common.db import Tx
from common.lists.cells import hide_numbers
from common.masking import mask_national_number
from common.names import clean, comparison_key, folded
from common.problems import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from common.sealing import Keyring
from registry.domain import dates
from registry.domain.errors import DuplicateNumber, MoveByTransfer, RowRefused, UnknownUnit
from registry.domain.masked import masked, visible
from registry.domain.numbers import structure_reason
from registry.domain.reasons import reason
from registry.storage import catalogue, dues, history, life_events, people, publishing, representatives, transfers
from registry.usecases import attributes, preferences
from registry.usecases.attributes import Attributes
from registry.usecases.registering import Item, Outcome, register_many

__all__ = ["POPULATION", "Changes", "change", "record_death", "record_deaths", "register", "seen", "warnings"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
POPULATION: Final = "Cơ sở dữ liệu quốc gia về dân cư"
"""The evidence of a death that the population database told."""
_IDENTITY: Final = frozenset({"full_name", "birth_date", "sex", "national_number"})


def _needs(tx: Tx) -> tuple[Actor, Keyring]:
    if tx.actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    return tx.actor, tx.db.keyring


async def seen(tx: Tx, person_id: UUID, *, lock: bool = False) -> Any:
    """The beneficiary, if in the caller's area; else 404."""
    actor, _ = _needs(tx)
    row = await people.find(tx, person_id, lock=lock)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such beneficiary")
    return row


async def register(
    tx: Tx, programme: str, unit_code: str, business_date: date, rows: Sequence[dict[str, str]], more: Attributes | None = None
) -> Outcome:
    """Register one person (cells as in a list) with further attributes; their allowances wait as proposals. The person and what waits.

    Raises RowRefused, DuplicateNumber, AlreadyEntitled, UnknownUnit; NotFound for a unit outside the caller's area.
    """
    (outcome,) = await register_many(tx, [Item(programme, unit_code, business_date, rows, more or Attributes())])
    if outcome.problem is not None:
        raise outcome.problem
    if outcome.person_id is None:
        raise RuntimeError("an item is registered or has a problem")
    return outcome


async def warnings(tx: Tx, person_id: UUID | None) -> list[dict[str, Any]]:
    """What looks odd in a person's number."""
    _, keyring = _needs(tx)
    return [] if person_id is None else attributes.warnings(keyring, await seen(tx, person_id))


@dataclass(frozen=True, slots=True)
class Changes:
    """Simple corrections; None leaves a field as it is."""

    full_name: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    national_number: str | None = None
    address: str | None = None
    unit_code: str | None = None
    unit_reason: str | None = None
    address_from: date | None = None
    preference: str | None = None
    preference_evidence: str | None = None
    second_number: str | None = None
    no_number_reason: str | None = None
    ethnicity: str | None = None
    phone: str | None = None
    hamlet: str | None = None

    def attributes(self) -> Attributes:
        """The part that is not identity."""
        return Attributes(**{name: getattr(self, name) for name in Attributes.__dataclass_fields__})


async def change(tx: Tx, person_id: UUID, version: int, changes: Changes, business_date: date) -> Any:
    """Correct a person; the row after. Raises PreconditionFailed on another version, MoveByTransfer for a move."""
    actor, keyring = _needs(tx)
    await publishing.take_people_lock(tx)
    row = await seen(tx, person_id, lock=True)
    if row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    await _date_address(tx, changes, business_date)
    values = await _place(tx, actor, row, changes, business_date)
    moved = "unit_path" in values
    if changes.full_name is not None:
        values |= {"full_name": clean(changes.full_name), "name_folded": folded(changes.full_name)}
    if changes.birth_date is not None:
        born = dates.birth_date(changes.birth_date, business_date)
        if born is None:
            raise InvalidInput(errors=[{"field": "birth_date", "detail": "not a date before the business date"}])
        values["birth_date"] = born
    values |= {name: value for name, value in (("sex", changes.sex), ("address", changes.address)) if value is not None}
    number = keyring.decrypt("national_number", row["national_number"]) if row["national_number"] is not None else None
    if changes.national_number is not None and changes.national_number != number:
        number = changes.national_number
        values |= await _new_number(tx, keyring, number)
    values |= attributes.values(keyring, changes.attributes(), has_number=number is not None)
    if values:
        after = dict(row) | values
        values["identity_fingerprint"] = keyring.fingerprint(number, comparison_key(after["full_name"]), after["birth_date"], after["sex"])
        await people.update(tx, person_id, values)
        await _publish(tx, keyring, person_id, values, business_date, moved=moved)
    if changes.preference is not None:
        answer = preferences.Answer(person_id, changes.preference, business_date, changes.preference_evidence)
        await preferences.record(tx, [answer], "OFFICE", business_date)
    now = await seen(tx, person_id)
    fields = [*values, "version"] + (["preference"] if changes.preference else [])
    about: dict[str, Any] = {"unit_reason": hide_numbers(changes.unit_reason or "")[0]} if moved else {}
    what = audit.Changed(masked(row, fields), masked(now, fields), about | {"fields": visible(fields)})
    await audit.record(tx, "beneficiary.change", "beneficiary", person_id, what)
    return now


async def _date_address(tx: Tx, changes: Changes, business_date: date) -> None:
    """Say from when a new address holds; what else is changed in the same call would be dated with it."""
    if changes.address_from is None:
        return
    given = {name for name in Changes.__dataclass_fields__ if getattr(changes, name) is not None}
    if not given <= {"address", "hamlet", "unit_code", "unit_reason", "address_from"}:
        raise InvalidInput(errors=[{"field": "address_from", "detail": "change address, hamlet and unit in a call of their own"}])
    if changes.address_from > business_date:
        raise InvalidInput(errors=[{"field": "address_from", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    await history.dated(tx, business_date, changes.address_from)


async def _place(tx: Tx, actor: Actor, row: Any, changes: Changes, business_date: date) -> dict[str, Any]:
    """The unit that should have been recorded, or nothing when it stays. A move is handed over between two offices instead."""
    if changes.unit_code is None or changes.unit_code == row["unit_code"]:
        return {}
    if not changes.unit_reason:
        raise MoveByTransfer(errors=[{"field": "unit_reason", "detail": "say why the recorded unit is wrong, or hand the person over"}])
    if not actor.has(*_OFFICERS):
        raise Forbidden("The recorded unit is corrected by an officer")
    unit = await catalogue.unit_of(tx, changes.unit_code, business_date)
    if unit is None or unit["level"] != "commune":
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": str(changes.unit_code)}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    if await transfers.under_way(tx, row["person_id"]):
        raise MoveByTransfer("A move of this person is under way", errors=[{"field": "unit_code", "detail": "answer the move first"}])
    return {"unit_code": unit["code"], "unit_path": unit["path"]}


async def _publish(tx: Tx, keyring: Keyring, person_id: UUID, values: dict[str, Any], business_date: date, *, moved: bool) -> None:
    """Tell of a changed person, of what they are to those they collect for, and of who collects for them, whose events carry the unit."""
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryMoved" if moved else "BeneficiaryUpdated")], business_date)
    again = [] if _IDENTITY.isdisjoint(values) else await people.say_again(tx, [person_id])
    again += await transfers.said_again(tx, person_id) if moved else []
    await publishing.publish_representatives(tx, keyring, again, business_date)
    if moved:  # dues carry the unit: say them again for the new one
        await tx.execute("UPDATE dues_state SET lines_md5 = '' WHERE person_id = :id", id=person_id)
    if moved or "birth_date" in values:  # levels begin and end with an age
        await dues.recompute(tx, [person_id], business_date)


async def _new_number(tx: Tx, keyring: Keyring, number: str) -> dict[str, Any]:
    code = structure_reason(number)
    if code is not None:
        raise RowRefused(errors=[reason(code, "national_number").as_json()])
    blind = keyring.blind("national_number", number)
    if await tx.value("SELECT 1 FROM person WHERE number_blind = :blind", blind=blind):
        raise DuplicateNumber(errors=[{"field": "national_number", "detail": "registered for another person"}])
    encrypted = keyring.encrypt("national_number", number)
    return {"national_number": encrypted, "number_blind": blind, "masked_number": mask_national_number(number)}


async def record_death(tx: Tx, person_id: UUID, death_date: date, business_date: date) -> Any:
    """Record a death reported to the office. The month of death stays due; later months end (Decree 20/2021 Art. 8)."""
    if death_date > business_date:
        raise InvalidInput(errors=[{"field": "death_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    await publishing.take_people_lock(tx)
    row = await seen(tx, person_id, lock=True)
    if row["status"] == "DECEASED" and row["death_date"] != death_date:
        raise Conflict("Another date of death is recorded: ask for its correction", recorded=row["death_date"].isoformat())
    await record_deaths(tx, [(person_id, death_date)], business_date, "Báo tử tại cơ quan")
    return await seen(tx, person_id)


async def record_deaths(tx: Tx, deaths: Sequence[tuple[UUID, date]], business_date: date, evidence: str = POPULATION) -> int:
    """Record deaths set-based: status, end of dues, life events, events, audit; how many were new.

    Who is recorded dead under a file that was merged has died: the file it went into is told too.
    """
    actor, keyring = _needs(tx)
    await publishing.take_people_lock(tx)
    changed = await people.record_deaths(tx, deaths)
    if not changed:
        return 0
    await life_events.insert_deaths(tx, changed, business_date, evidence, actor.subject)
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryDeceased") for person_id in changed], business_date)
    ended = await representatives.end_of_dead(tx, changed, business_date)
    await publishing.publish_representatives(tx, keyring, ended, business_date)
    await dues.recompute(tx, changed, business_date)
    what = audit.Bulk.of(changed, before={"deceased": False}, after={"deceased": True})
    await audit.record(tx, "beneficiary.death", "beneficiary", changed[0], what)
    return len(changed)
