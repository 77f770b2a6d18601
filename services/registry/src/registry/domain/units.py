"""Administrative units (pure): names as they are looked for, and the checks of a change of units before anybody approves it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["LEVELS", "ChangeRow", "Unit", "check_change", "effects", "parse_row", "search_key", "spoken"]

LEVELS: Final = {
    "TINH": "province", "PROVINCE": "province", "HUYEN": "district", "DISTRICT": "district", "XA": "commune", "COMMUNE": "commune",
    "THON": "hamlet", "HAMLET": "hamlet",
}  # fmt: skip
"""What a file may call a level (folded) → the level."""

_TYPES: Final = {
    "TINH": "tinh", "THANH PHO TRUNG UONG": "thanh_pho_tw", "THANH PHO TW": "thanh_pho_tw", "XA": "xa", "PHUONG": "phuong",
    "DAC KHU": "dac_khu", "THI TRAN": "thi_tran", "HUYEN": "huyen", "QUAN": "quan", "THI XA": "thi_xa", "THANH PHO": "thanh_pho",
    "THON": "thon", "TO DAN PHO": "to_dan_pho",
}  # fmt: skip
_CODE: Final = re.compile(r"[0-9A-Za-z]{2,12}")
_FROM: Final = re.compile(r"([0-9A-Za-z]{2,12})\s*(\*|\(một phần\)|\(part\))?", re.IGNORECASE)
_KINDS_OF_UNIT: Final = (
    "TINH", "THANH PHO", "QUAN", "HUYEN", "THI XA", "THI TRAN", "PHUONG", "XA", "DAC KHU", "TP", "TX", "TT", "P", "Q", "H", "X",
)  # fmt: skip


def search_key(text: str) -> str:
    """Capitals without accents, digits kept: `Phường 1, Quận Gò Vấp` → `PHUONG 1 QUAN GO VAP`."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return " ".join(letters.upper().split())


def spoken(text: str) -> str:
    """A search without the kind of unit before it: `P. Mũi Né` finds `Phường Mũi Né` and `Xã Mũi Né`."""
    key = search_key(text)
    for kind in _KINDS_OF_UNIT:
        if key.startswith(kind + " ") and not key[len(kind) + 1 :].isdigit():
            return key[len(kind) + 1 :]
    return key


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as valid on the day before a change."""

    code: str
    name: str
    level: str
    parent_code: str | None
    path: str


@dataclass(slots=True)
class ChangeRow:
    """One row of a change: a unit from the day on, and what it was made from. `ended` closes a unit without a successor."""

    number: int
    code: str
    name: str = ""
    level: str = ""
    type: str = ""
    parent_code: str | None = None
    whole: list[str] = field(default_factory=list)
    part: list[str] = field(default_factory=list)
    ended: bool = False
    path: str = ""

    def as_json(self) -> dict[str, Any]:
        """As kept with the change until it is decided."""
        return {name: getattr(self, name) for name in self.__slots__}


def _fault(row: int, name: str, code: str, vi: str, en: str) -> dict[str, Any]:
    return {"row": row, "field": name, "code": code, "detail": en, "detail_vi": vi}


def parse_row(number: int, values: Mapping[str, str]) -> tuple[ChangeRow, list[dict[str, Any]]]:
    """One row of a file as understood, and its faults."""
    faults: list[dict[str, Any]] = []
    row = ChangeRow(number, values.get("code", "").strip(), name=" ".join(values.get("name", "").split()))
    if not _CODE.fullmatch(row.code):
        faults.append(_fault(number, "code", "BAD_CODE", "Mã đơn vị không hợp lệ", "The unit code is not valid"))
    level = search_key(values.get("level", ""))
    if level in ("BAI BO", "ENDED"):
        row.ended = True
        return row, faults
    row.level = LEVELS.get(level, "")
    if not row.level:
        faults.append(_fault(number, "level", "BAD_LEVEL", "Cấp không đọc được", "The level is not known"))
    kind = search_key(values.get("type", ""))
    row.type = _TYPES.get(kind) or _TYPES.get(kind.replace("_", " "), "")
    if not row.type:
        faults.append(_fault(number, "type", "BAD_TYPE", "Loại đơn vị không đọc được", "The type of unit is not known"))
    if not row.name:
        faults.append(_fault(number, "name", "MISSING_NAME", "Thiếu tên đơn vị", "The name is missing"))
    row.parent_code = values.get("parent_code", "").strip() or None
    for part in re.split(r"[+;,]", values.get("from_codes", "")):
        if not part.strip():
            continue
        found = _FROM.fullmatch(part.strip())
        if found is None:
            faults.append(_fault(number, "from_codes", "BAD_FROM", "Mã cũ không đọc được", "An old code cannot be read"))
            continue
        (row.part if found[2] else row.whole).append(found[1])
    return row, faults


def check_change(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> list[dict[str, Any]]:
    """What is wrong with a change of the tree `before`; fills the paths of the rows. Empty: it may be proposed."""
    return [*_own(rows, before), *_predecessors(rows, before), *_paths(rows, before), *_orphans(rows, before)]


def _gone(rows: Iterable[ChangeRow]) -> set[str]:
    return {code for row in rows for code in (*row.whole, *row.part)} | {row.code for row in rows if row.ended}


def _own(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> Iterator[dict[str, Any]]:
    gone, seen = _gone(rows), set[str]()
    for row in rows:
        if row.code in seen:
            yield _fault(row.number, "code", "TWICE", "Mã đơn vị có hai lần trong tệp", "The code stands twice in the file")
        seen.add(row.code)
        if row.ended and row.code not in before:
            yield _fault(row.number, "code", "UNKNOWN", "Không có đơn vị này trước ngày thay đổi", "No such unit before the change")
        if not row.ended and row.code in before and row.code not in gone:
            yield _fault(
                row.number, "code", "STILL_USED", "Mã đang dùng: hãy ghi đơn vị cũ của mã này thành gì",
                "The code is in use: say what becomes of its old unit",
            )  # fmt: skip


def _predecessors(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> Iterator[dict[str, Any]]:
    whole: dict[str, int] = {}
    parts: dict[str, list[int]] = {}
    for row in rows:
        for code in (*row.whole, *row.part):
            if code not in before:
                yield _fault(row.number, "from_codes", "UNKNOWN", f"Không có đơn vị {code} trước ngày thay đổi", f"No unit {code} before")
        for code in row.whole:
            if code in whole:
                yield _fault(
                    row.number, "from_codes", "WHOLE_TWICE", f"{code} nhập nguyên vào hai đơn vị", f"{code} goes wholly into two units"
                )
            whole[code] = row.number
        for code in row.part:
            parts.setdefault(code, []).append(row.number)
    for code, numbers in parts.items():
        if code in whole:
            yield _fault(numbers[0], "from_codes", "WHOLE_AND_PART", f"{code} vừa nguyên vừa một phần", f"{code} is both whole and part")
        elif len(numbers) == 1:
            yield _fault(numbers[0], "from_codes", "ONE_PART", f"{code} chỉ có một phần: phần kia đi đâu", f"Only one part of {code}")


def _paths(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> Iterator[dict[str, Any]]:
    by_code, gone = {row.code: row for row in rows if not row.ended}, _gone(rows)

    def path_of(code: str, seen: frozenset[str]) -> str | None:
        if code in seen:
            return None
        row = by_code.get(code)
        if row is None:
            return before[code].path if code in before and code not in gone else None
        if row.parent_code is None:
            return code
        above = path_of(row.parent_code, seen | {code})
        return f"{above}/{code}" if above else None

    for row in by_code.values():
        path = path_of(row.code, frozenset())
        if row.level != "province" and row.parent_code is None:
            path = None
        if path is None:
            yield _fault(row.number, "parent_code", "NO_PARENT", "Không có đơn vị cấp trên sau thay đổi", "No such parent after the change")
        row.path = path or ""


def _orphans(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> Iterator[dict[str, Any]]:
    """Units left under one that is gone or stands elsewhere now: what becomes of each must be said."""
    by_code, gone = {row.code: row for row in rows if not row.ended}, _gone(rows)
    for unit in before.values():
        parent = unit.parent_code
        if unit.code in gone or parent is None or parent not in gone:
            continue
        now = by_code.get(parent)
        if now is None or now.path != before[parent].path:
            yield _fault(
                now.number if now else rows[0].number, "from_codes", "LEFT_BELOW", f"{unit.code} {unit.name} thuộc đơn vị bị thay đổi",
                f"{unit.code} {unit.name} lies under a unit that changes: say what becomes of it",
            )  # fmt: skip


def effects(rows: Sequence[ChangeRow], before: Mapping[str, Unit]) -> dict[str, int]:
    """What an approved change would do, counted."""
    gone = _gone(rows)
    return {
        "units_new": sum(1 for row in rows if not row.ended and row.code not in before),
        "units_changed": sum(1 for row in rows if not row.ended and row.code in before),
        "units_closed": len(gone),
        "whole": sum(len(row.whole) for row in rows),
        "part": sum(len(row.part) for row in rows),
    }
