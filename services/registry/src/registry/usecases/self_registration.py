"""Self-registration through a public counter (R11): a citizen or proxy asks, gets a receipt number, an officer decides."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.masking import mask_national_number
from common.names import clean
from common.problems import InvalidInput, NotFound, TooManyRequests
from common.sealing import Keyring
from registry.domain import dates
from registry.domain.errors import NotPossibleInState, RowRefused, UnknownUnit
from registry.domain.numbers import clean_number, structure_reason
from registry.domain.reasons import reason
from registry.storage import catalogue
from registry.storage import self_registrations as storage
from registry.usecases import people
from registry.usecases.attributes import Attributes
from registry.usecases.registering import Outcome

__all__ = ["Application", "accept", "look_up", "opened", "receive", "refuse", "seen"]

_FIELD: Final = "self_registration"
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without signs that are read wrongly from paper
_LENGTH: Final = 10
_MOST_FAILURES: Final = 5
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Application:
    """What came from the counter; `body` is kept encrypted as it came."""

    programme: str
    unit_code: str
    business_date: date
    full_name: str
    birth_date: str | None
    national_number: str | None
    phone: str | None
    by_proxy: bool
    body: dict[str, Any]


async def receive(tx: Tx, application: Application) -> str:
    """Keep an application as pending; its receipt number. Nothing of the register changes. Raises RowRefused, UnknownUnit, InvalidInput."""
    actor, keyring = _needs(tx)
    unit = await catalogue.unit_of(tx, application.unit_code, application.business_date)
    if unit is None or unit["level"] != "commune":
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": application.unit_code}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    number = clean_number(application.national_number) if application.national_number else None
    code = structure_reason(number) if number else None
    if code is not None:
        raise RowRefused(errors=[reason(code, "national_number").as_json()])
    born = dates.birth_date(application.birth_date, application.business_date) if application.birth_date else None
    if application.birth_date and born is None:
        raise InvalidInput(errors=[{"field": "birth_date", "detail": "not a date before the business date"}])
    digits = "".join(char for char in number or application.phone or "" if char.isdigit())[-_DIGITS:]
    if len(digits) < _DIGITS:
        raise InvalidInput(
            errors=[{"field": "phone", "detail": "without a national number a phone number is needed to look the receipt up"}]
        )
    receipt = f"TN-{application.business_date:%y%m}-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    registration_id = new_id()
    await storage.add(
        tx,
        {
            "registration_id": registration_id, "receipt_number": receipt, "programme": application.programme, "unit_code": unit["code"],
            "unit_path": unit["path"], "full_name": clean(application.full_name), "birth_date": born,
            "masked_number": mask_national_number(number), "number_blind": keyring.blind("national_number", number) if number else None,
            "by_proxy": application.by_proxy, "content": keyring.encrypt(_FIELD, orjson.dumps(application.body)),
            "digits_blind": _digits(keyring, receipt, digits), "business_date": application.business_date, "received_by": actor.subject,
        },
    )  # fmt: skip
    what = audit.Created({"by_proxy": application.by_proxy, "programme": application.programme, "unit": unit["path"]})
    await audit.record(tx, "self-registration.receive", "self-registration", registration_id, what)
    return receipt


def _digits(keyring: Keyring, receipt: str, digits: str) -> bytes:
    return keyring.blind("receipt_digits", f"{receipt}|{digits}")


async def look_up(db: Database, actor: Actor, receipt: str, digits: str) -> Any:
    """How an application stands, for whoever knows its receipt number and the last digits. Five failures in a row close it."""
    async with db.transaction(actor) as tx:
        _, keyring = _needs(tx)
        row = await storage.by_receipt(tx, receipt)
        right = row is not None and hmac.compare_digest(bytes(row["digits_blind"]), _digits(keyring, receipt, digits))
        closed = row is not None and row["failed_lookups"] >= _MOST_FAILURES
        if row is not None and not closed and (not right or row["failed_lookups"]):
            await storage.count_failure(tx, receipt, 0 if right else row["failed_lookups"] + 1)
    if closed:
        raise TooManyRequests("Too many wrong digits: ask at the commune office with your paper")
    if row is None or not right:
        raise NotFound("No application with this receipt number and these digits")
    return row


async def seen(tx: Tx, registration_id: UUID, *, lock: bool = False) -> Any:
    """The application, if in the caller's area; else 404."""
    actor, _ = _needs(tx)
    row = await storage.find(tx, registration_id, lock=lock)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such registration")
    return row


def opened(keyring: Keyring | None, row: Any) -> dict[str, Any]:
    """The application as it came; empty once it was erased."""
    if keyring is None:
        raise RuntimeError("the registry needs its keyring")
    return dict(orjson.loads(keyring.decrypt_bytes(_FIELD, row["content"]))) if row["content"] else {}


async def accept(
    tx: Tx, registration_id: UUID, programme: str, business_date: date, rows: Sequence[dict[str, str]], more: Attributes
) -> Outcome:
    """Register the applicant by the same rules as everybody; the person and what waits. `rows` are the cells as in a list."""
    actor, _ = _needs(tx)
    row = await seen(tx, registration_id, lock=True)
    _pending(row)
    done = await people.register(tx, programme, row["unit_code"], business_date, rows, more)
    if done.person_id is None:
        raise RuntimeError("an item is registered or has a problem")
    await storage.accept(tx, registration_id, done.person_id, actor.subject, business_date)
    what = audit.Changed.of(row, {"state": "ACCEPTED"}, "state", beneficiary=done.person_id)
    await audit.record(tx, "self-registration.accept", "self-registration", registration_id, what)
    return done


async def refuse(db: Database, actor: Actor, registration_id: UUID, answer: str, business_date: date) -> Any:
    """Refuse with the reason the citizen is told."""
    async with db.transaction(actor) as tx:
        row = await seen(tx, registration_id, lock=True)
        _pending(row)
        await storage.refuse(tx, registration_id, answer, actor.subject, business_date)
        what = audit.Changed.of(row, {"state": "REFUSED"}, "state")
        await audit.record(tx, "self-registration.refuse", "self-registration", registration_id, what)
        return await storage.find(tx, registration_id)


def _pending(row: Any) -> None:
    if row["state"] != "PENDING":
        raise NotPossibleInState(f"The registration is {row['state']}")


def _needs(tx: Tx) -> tuple[Actor, Keyring]:
    if tx.actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    return tx.actor, tx.db.keyring
