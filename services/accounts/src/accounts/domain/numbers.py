"""Account numbers as text: 6–19 letters or digits, leading zeros kept, damage by spreadsheets noticed and never guessed away."""

from __future__ import annotations

import re
from typing import Final

from common.contracts.accounts_v1 import AccountKind

__all__ = ["BadNumberError", "read_account_number"]

_SEPARATORS: Final = re.compile(r"[\s.\-]")
_NUMBER: Final = re.compile(r"[0-9A-Z]{6,19}")
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_PHONE: Final = re.compile(r"0\d{9}")
_PHONE_WITHOUT_ZERO: Final = re.compile(r"[35789]\d{8}")


class BadNumberError(ValueError):
    """Not an account number; `code` is the reason for the error list."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_account_number(text: str, kind: AccountKind) -> str:
    """Normalise a typed account number.

    Raises:
        BadNumberError: SPREADSHEET_DAMAGE (3.80E+11), LEADING_ZERO_LOST (a mobile number of nine digits), ACCOUNT_NUMBER.
    """
    if _SCIENTIFIC.fullmatch(text.strip()):
        raise BadNumberError("SPREADSHEET_DAMAGE")
    number = _SEPARATORS.sub("", text).upper()
    if kind is AccountKind.MOBILE_MONEY:
        if _PHONE_WITHOUT_ZERO.fullmatch(number):
            raise BadNumberError("LEADING_ZERO_LOST")
        if not _PHONE.fullmatch(number):
            raise BadNumberError("ACCOUNT_NUMBER")
    if not _NUMBER.fullmatch(number):
        raise BadNumberError("ACCOUNT_NUMBER")
    return number
