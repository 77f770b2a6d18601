"""What the database says of one person asked: pure comparison, no IO."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

__all__ = ["answer", "name_key"]

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_ETH = str.maketrans({"Ð": "Đ", "ð": "đ"})
_SEX = {"M": "M", "MALE": "M", "NAM": "M", "F": "F", "FEMALE": "F", "NỮ": "F", "NU": "F"}


def name_key(name: str) -> str:
    """One spelling of a name: composed, upper case, single spaces, no invisible characters, Eth read as Đ."""
    clean = unicodedata.normalize("NFC", name).translate(_INVISIBLE).translate(_ETH)
    return unicodedata.normalize("NFC", " ".join(clean.split()).upper())


def answer(asked: Mapping[str, Any], known: Mapping[str, Any] | None, checked_at: str) -> dict[str, Any]:
    """Answer for one person: `known` is the record under the number, or None. `checked_at` is ISO 8601."""
    base = {
        "ref": asked["ref"],
        "status": "NOT_FOUND",
        "fields": {"full_name": "not-given", "birth_date": "not-given", "sex": "not-given"},
        "population_name": None,
        "population_birth_date": None,
        "death_date": None,
        "reference": _reference(asked, checked_at),
        "checked_at": checked_at,
    }
    if known is None:
        return base
    if known["multiple"]:
        # Several people under one number: which of them was meant cannot be said, so no field is compared.
        return {**base, "status": "MULTIPLE"}
    fields = {
        "full_name": _verdict(asked.get("full_name"), known["full_name"], name_key),
        "birth_date": _birth_verdict(asked.get("birth_date"), known["birth_date"]),
        "sex": _verdict(asked.get("sex"), known["sex"], _sex),
    }
    status = "MISMATCH" if "mismatch" in fields.values() else "MATCH"
    if known["status"] == "DECEASED":
        status = "DECEASED"
    return {
        **base,
        "status": status,
        "fields": fields,
        "population_name": known["full_name"],
        "population_birth_date": known["birth_date"],
        "death_date": known["death_date"],
    }


def _verdict(asked: Any, known: str | None, key: Any) -> str:
    if not asked or not known:
        return "not-given"
    return "match" if key(str(asked)) == key(known) else "mismatch"


def _birth_verdict(asked: Any, known: str | None) -> str:
    """Dates may be a year, a month or a day; they are compared as far as both go."""
    if not asked or not known:
        return "not-given"
    common = min(len(str(asked)), len(known))
    return "match" if str(asked)[:common] == known[:common] else "mismatch"


def _sex(value: str) -> str:
    upper = unicodedata.normalize("NFC", value).upper().strip()
    return _SEX.get(upper, upper)


def _reference(asked: Mapping[str, Any], checked_at: str) -> str:
    return "PD-" + hashlib.sha256(f"{asked['ref']}|{asked['number']}|{checked_at}".encode()).hexdigest()[:20].upper()
