"""How sensitive values are shown to those without the right to see them whole."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from common.letters import plain

__all__ = ["FreeText", "hide_long_numbers", "mask_account", "mask_name", "mask_national_number", "mask_phone"]

_LONG_NUMBER: Final = re.compile(r"(?<!\d)(?:\d{9,19}|\d{3}(?:[ .]\d{3}){2,5})(?!\d)")


def hide_long_numbers(text: str) -> str:
    """What somebody wrote, without what may be a national or account number: nine digits or more, also in groups of three."""
    return _LONG_NUMBER.sub("***", plain(text))


FreeText = Annotated[str, AfterValidator(hide_long_numbers)]
"""Words of a person that are kept and shown as they are: reasons, notes, evidence."""


def mask_national_number(number: str | None) -> str | None:
    """`038123451234` → `038*****1234` (domain §4.6)."""
    if not number:
        return None
    return f"{number[:3]}*****{number[-4:]}" if len(number) >= 9 else "*" * len(number)


def mask_account(number: str | None) -> str | None:
    """Last four characters only: `…1234`."""
    if not number:
        return None
    return f"…{number[-4:]}"


def mask_name(name: str | None) -> str | None:
    """First letters only: `Nguyễn Văn An` → `N* V* A*`."""
    if not name:
        return None
    return " ".join(f"{part[0]}*" for part in name.split())


def mask_phone(number: str | None) -> str | None:
    """Last three digits only: `…123`."""
    if not number:
        return None
    return f"…{number[-3:]}"
