"""Structure of the 12-digit personal number (số định danh): province, sex and century, year, six random digits.

There is no check digit: only the structure can be checked offline (Decree 137/2015 Art. 13, Circular 59/2021/TT-BCA).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "PROVINCE_PREFIXES",
    "clean_number",
    "clean_phone",
    "number_warnings",
    "phone_reason",
    "second_number_reason",
    "structure_reason",
]

PROVINCE_PREFIXES: Final = frozenset(
    [
        "001",
        "002",
        "004",
        "006",
        "008",
        "010",
        "011",
        "012",
        "014",
        "015",
        "017",
        "019",
        "020",
        "022",
        "024",
        "025",
        "026",
        "027",
        "030",
        "031",
        "033",
        "034",
        "035",
        "036",
        "037",
        "038",
        "040",
        "042",
        "044",
        "045",
        "046",
        "048",
        "049",
        "051",
        "052",
        "054",
        "056",
        "058",
        "060",
        "062",
        "064",
        "066",
        "067",
        "068",
        "070",
        "072",
        "074",
        "075",
        "077",
        "079",
        "080",
        "082",
        "083",
        "084",
        "086",
        "087",
        "089",
        "091",
        "092",
        "093",
        "094",
        "095",
        "096",
    ]
)
_DIGITS: Final = 12
_OLD_ID_DIGITS: Final = 9
_PHONE_DIGITS: Final = (10, 11)  # mobile, land line
_ROUNDED: Final = re.compile(r"\d[.,]?\d*[eE]\+?\d{2}")
_LAST_CENTURY_DIGIT: Final = 3  # 0-3: born 1900-2099; 4-9 would be born after 2100


def clean_number(text: str) -> str:
    """The number without what spreadsheets add: spaces, dots, apostrophes. Leading zeros are never added."""
    return text.replace(" ", "").replace("\u00a0", "").replace(".", "").replace("'", "").replace("\u2019", "").strip()


def structure_reason(number: str) -> str | None:
    """The reason code why a cleaned, non-empty number is refused, or None."""
    if _ROUNDED.fullmatch(number):
        return "NUMBER_ROUNDED"
    if not (number.isascii() and number.isdigit()):
        return "NUMBER_BAD"
    if len(number) in (_DIGITS - 1, _DIGITS - 2):  # 001… to 009… lose two
        return "NUMBER_LOST_ZERO"
    if len(number) == _OLD_ID_DIGITS:
        return "NUMBER_OLD_ID"
    if len(number) != _DIGITS or int(number[3]) > _LAST_CENTURY_DIGIT or number[:3] == "000":
        return "NUMBER_BAD"
    return None


def second_number_reason(number: str) -> str | None:
    """The reason code why a cleaned old ID card number (CMND, 9 digits) is refused, or None."""
    if number.isascii() and number.isdigit() and len(number) == _OLD_ID_DIGITS:
        return None
    return "SECOND_NUMBER_LOST_ZERO" if number.isascii() and number.isdigit() and len(number) == _OLD_ID_DIGITS - 1 else "SECOND_NUMBER_BAD"


def clean_phone(text: str) -> str:
    """A phone number as dialled in the country: no separators, +84 as 0."""
    digits = clean_number(text).replace("-", "").replace("(", "").replace(")", "")
    return "0" + digits[3:] if digits.startswith("+84") else digits


def phone_reason(phone: str) -> str | None:
    """The reason code why a cleaned phone number is refused, or None."""
    right = phone.isascii() and phone.isdigit() and phone.startswith("0") and len(phone) in _PHONE_DIGITS
    return None if right else "PHONE_BAD"


def number_warnings(number: str, birth_date: str | None, sex: str) -> list[str]:
    """What looks odd in a structurally right number: old registers have wrong years, so these only warn."""
    warnings = []
    if number[:3] not in PROVINCE_PREFIXES:
        warnings.append("NUMBER_PROVINCE")
    century = int(number[3])
    if sex in {"M", "F"} and (century % 2 == 1) != (sex == "F"):
        warnings.append("NUMBER_SEX")
    if birth_date and int(birth_date[:4]) != 1900 + 100 * (century // 2) + int(number[4:6]):
        warnings.append("NUMBER_YEAR")
    return warnings
