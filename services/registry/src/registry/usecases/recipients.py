"""People who receive or collect without (or before) a benefit of their own: representatives, carers, heirs, organisers of funerals.

The same person is never entered twice: a national number that is known gives the person who holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common.db import Tx
from common.masking import mask_national_number
from common.names import clean, comparison_key, folded
from common.problems import NotFound
from registry.domain import dates
from registry.domain.errors import DuplicateNumber, RepresentativeRefused
from registry.domain.numbers import structure_reason
from registry.domain.reasons import reason
from registry.usecases.decisions import needs

__all__ = ["NewPerson", "person_of"]


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Identity data of somebody who may not be in the register."""

    full_name: str
    birth_date: str | None = None
    sex: str = "UNKNOWN"
    national_number: str | None = None
    address: str | None = None


async def person_of(tx: Tx, person: UUID | NewPerson, unit: Any, business_date: date, field: str) -> UUID:
    """The person's id; somebody new is entered in the unit (`code`, `unit_path`) and holds nothing yet.

    Raises NotFound, RepresentativeRefused (bad data; `field` names the part of the request), DuplicateNumber (the number is another's).
    """
    actor, keyring = needs(tx)
    if isinstance(person, UUID):
        row = await tx.row("SELECT person_id, unit_path FROM person WHERE person_id = :id", id=person)
        if row is None or not actor.sees(row["unit_path"]):
            raise NotFound("No such person", errors=[{"field": field, "detail": "not found"}])
        return person
    name, born = clean(person.full_name), None
    if person.birth_date is not None:
        born = dates.birth_date(person.birth_date, business_date)
        if born is None:
            raise RepresentativeRefused(errors=[{"field": f"{field}.birth_date", "detail": "not a date before the business date"}])
    number = person.national_number
    blind = None
    if number is not None:
        code = structure_reason(number)
        if code is not None:
            raise RepresentativeRefused(errors=[reason(code, f"{field}.national_number").as_json()])
        blind = keyring.blind("national_number", number)
        known = await tx.row("SELECT person_id, full_name FROM person WHERE number_blind = :blind", blind=blind)
        if known is not None:
            if comparison_key(known["full_name"]) != comparison_key(name):
                raise DuplicateNumber(errors=[{"field": f"{field}.national_number", "detail": "registered under another name"}])
            return UUID(str(known["person_id"]))
    row = await tx.row(
        "INSERT INTO person (is_beneficiary, full_name, name_folded, birth_date, sex, national_number, number_blind, masked_number,"
        " address, unit_code, unit_path, identity_fingerprint, created_by) VALUES (false, :name, :folded, :born, :sex, :number, :blind,"
        " :masked, :address, :unit, :path, :fingerprint, :by) RETURNING person_id",
        name=name, folded=folded(name), born=born, sex=person.sex, blind=blind, address=person.address, unit=unit["unit_code"],
        number=keyring.encrypt("national_number", number) if number else None, masked=mask_national_number(number) if number else None,
        path=unit["unit_path"], by=actor.subject,
        fingerprint=keyring.fingerprint(number, comparison_key(name), born, person.sex),
    )  # fmt: skip
    if row is None:
        raise RuntimeError("an insert returns its row")
    return UUID(str(row["person_id"]))
