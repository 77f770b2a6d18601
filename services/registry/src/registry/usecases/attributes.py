"""What is known of a person besides identity: old ID number, phone, ethnicity, hamlet, and why there is no number.

Ethnicity is sensitive by law (Law 91/2025/QH15): encrypted, read with a purpose only, in no list and no event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from common.masking import mask_national_number, mask_phone
from common.names import clean
from common.sealing import Keyring
from registry.domain.errors import RowRefused
from registry.domain.numbers import clean_number, clean_phone, number_warnings, phone_reason, second_number_reason
from registry.domain.reasons import Reason, reason

__all__ = ["SENSITIVE", "Attributes", "opened", "values", "warnings"]

SENSITIVE: Final = ("second_number", "phone", "ethnicity")
"""Encrypted; whole only for a caller with the role and a purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """None leaves a field as it is, an empty text takes it away."""

    second_number: str | None = None
    no_number_reason: str | None = None
    ethnicity: str | None = None
    phone: str | None = None
    hamlet: str | None = None


def values(keyring: Keyring, given: Attributes, *, has_number: bool) -> dict[str, Any]:
    """Columns to set. Raises RowRefused naming every field at fault."""
    found: dict[str, Any] = {}
    refused: list[Reason] = []
    if given.second_number is not None:
        found |= _second(keyring, clean_number(given.second_number), refused)
    if given.phone is not None:
        found |= _phone(keyring, clean_phone(given.phone), refused)
    if given.ethnicity is not None:
        text = clean(given.ethnicity)
        found["ethnicity"] = keyring.encrypt("ethnicity", text) if text else None
    if given.hamlet is not None:
        found["hamlet"] = clean(given.hamlet) or None
    if given.no_number_reason is not None:
        if given.no_number_reason == "NO_ID" and has_number:
            refused.append(reason("HAS_NUMBER", "no_number_reason"))
        found["no_number_reason"] = given.no_number_reason or None
    if refused:
        raise RowRefused(errors=[item.as_json() for item in refused])
    return found


def _second(keyring: Keyring, number: str, refused: list[Reason]) -> dict[str, Any]:
    if not number:
        return {"second_number": None, "second_blind": None, "masked_second_number": None}
    if code := second_number_reason(number):
        refused.append(reason(code, "second_number"))
    encrypted = keyring.encrypt("second_number", number)
    return {
        "second_number": encrypted, "second_blind": keyring.blind("second_number", number),
        "masked_second_number": mask_national_number(number),
    }  # fmt: skip


def _phone(keyring: Keyring, phone: str, refused: list[Reason]) -> dict[str, Any]:
    if not phone:
        return {"phone": None, "masked_phone": None}
    if code := phone_reason(phone):
        refused.append(reason(code, "phone"))
    return {"phone": keyring.encrypt("phone", phone), "masked_phone": mask_phone(phone)}


def opened(keyring: Keyring, row: Any) -> dict[str, str | None]:
    """The sensitive fields in clear, for a caller whose right and purpose have been checked and audited."""
    return {name: keyring.decrypt(name, row[name]) if row[name] is not None else None for name in SENSITIVE}


def warnings(keyring: Keyring, row: Any) -> list[dict[str, Any]]:
    """What looks odd in a person's number against sex and birth year (old registers are often wrong: it never refuses)."""
    if row["national_number"] is None:
        return []
    number = keyring.decrypt("national_number", row["national_number"])
    return [reason(code, "national_number").as_json() for code in number_warnings(number, row["birth_date"], row["sex"])]
