"""Whether two files may be one person ("trùng lĩnh"): evidence, score, and the words for it (Directive 21/CT-TTg: no double collection).

The score adds up evidence; it decides what people look at first, never what is done. Two files are *strong* only with
evidence beyond name and birth date: Nguyễn Văn Minh born 01/01/1950 is many people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.names import NameVerdict, compare

__all__ = ["LISTED_FROM", "REASONS", "STRONG_FROM", "TRANSITIONS", "UNRESOLVED", "Evidence", "Judgement", "judge", "same_number_in_a_row"]

LISTED_FROM: Final = 60
"""From this score a pair is put on the work list."""
STRONG_FROM: Final = 80
"""From this score the file registered later is held until two people have decided, unless the province decided otherwise
(setting DUPLICATE_HOLD_FROM)."""

UNRESOLVED: Final = ("OPEN", "CONFIRMED", "UNDONE")
TRANSITIONS: Final[Mapping[tuple[str, str], str]] = {
    ("OPEN", "NOT_DUPLICATE"): "NOT_DUPLICATE",
    ("OPEN", "CONFIRM"): "CONFIRMED",
    ("OPEN", "MERGE"): "MERGED",
    ("CONFIRMED", "NOT_DUPLICATE"): "NOT_DUPLICATE",
    ("CONFIRMED", "MERGE"): "MERGED",
    ("NOT_DUPLICATE", "CONFIRM"): "CONFIRMED",
    ("MERGED", "UNDO"): "UNDONE",
    ("UNDONE", "NOT_DUPLICATE"): "NOT_DUPLICATE",
    ("UNDONE", "CONFIRM"): "CONFIRMED",
    ("UNDONE", "MERGE"): "MERGED",
    ("LAPSED", "NOT_DUPLICATE"): "NOT_DUPLICATE",
    ("LAPSED", "CONFIRM"): "CONFIRMED",
}
"""State and approved decision → state; every other move is refused."""

# By code: points and words, Vietnamese and English.
REASONS: Final[Mapping[str, tuple[int, str, str]]] = {
    "SAME_NUMBER_REFUSED_ROW": (90, "Số định danh có trong một dòng danh sách bị từ chối", "The number stands in a refused row of a list"),
    "SAME_OLD_NUMBER": (60, "Cùng số CMND cũ", "The same old identity-card number"),
    "SAME_NAME": (40, "Cùng họ tên", "The same name"),
    "SAME_NAME_UNACCENTED": (30, "Cùng họ tên, một bên không dấu", "The same name, one of them written without accents"),
    "NAME_OTHER_ACCENTS": (15, "Họ tên chỉ khác dấu", "The names differ in accents only"),
    "NAME_VARIANT": (15, "Họ tên là biến thể chính tả hoặc viết thiếu", "A spelling variant or shortened form of the name"),
    "SAME_BIRTH_DATE": (30, "Cùng ngày sinh", "The same birth date"),
    "SAME_BIRTH_MONTH": (20, "Cùng tháng, năm sinh", "The same month and year of birth"),
    "SAME_BIRTH_YEAR": (5, "Cùng năm sinh", "The same year of birth"),
    "SAME_FIRST_OF_JANUARY": (
        10,
        "Cùng ghi sinh ngày 01/01 của một năm (thường là không rõ ngày)",
        "The same 1 January: mostly a day not known",
    ),
    "SAME_HOUSEHOLD": (40, "Cùng hộ gia đình", "The same household"),
    "SAME_ADDRESS": (20, "Cùng địa chỉ", "The same address"),
    "SAME_COMMUNE": (5, "Cùng xã", "The same commune"),
    "TWO_COMMUNES": (0, "Ở hai xã khác nhau", "In two communes"),
    "EXCLUDING_PROGRAMMES": (10, "Hưởng hai chương trình không được hưởng cùng lúc", "In two programmes that exclude each other"),
    "SAME_ALLOWANCE": (10, "Cùng hưởng một loại trợ cấp", "Both draw the same kind of allowance"),
    "TWO_NUMBERS": (-20, "Hai số định danh khác nhau", "Two different national numbers"),
    "OTHER_SEX": (-40, "Khác giới tính", "Not the same sex"),
}

_NAMES: Final = {
    NameVerdict.MATCH: "SAME_NAME",
    NameVerdict.MATCH_UNACCENTED: "SAME_NAME_UNACCENTED",
    NameVerdict.REVIEW_DIACRITIC: "NAME_OTHER_ACCENTS",
    NameVerdict.REVIEW_VARIANT: "NAME_VARIANT",
}
_BIRTH: Final = {10: "SAME_BIRTH_DATE", 7: "SAME_BIRTH_MONTH", 4: "SAME_BIRTH_YEAR"}
_FLAGS: Final = {
    "same_old_number": "SAME_OLD_NUMBER", "same_household": "SAME_HOUSEHOLD", "same_address": "SAME_ADDRESS",
    "excluding_programmes": "EXCLUDING_PROGRAMMES", "same_allowance": "SAME_ALLOWANCE", "two_numbers": "TWO_NUMBERS",
    "other_sex": "OTHER_SEX",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a pair of files."""

    a_name: str
    b_name: str
    a_birth: str | None
    b_birth: str | None
    same_commune: bool = False
    same_old_number: bool = False
    same_household: bool = False
    same_address: bool = False
    excluding_programmes: bool = False
    same_allowance: bool = False
    two_numbers: bool = False
    other_sex: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Score and reasons of a pair."""

    score: int
    codes: tuple[str, ...]

    @property
    def listed(self) -> bool:
        """Whether people should look at it."""
        return self.score >= LISTED_FROM

    def strong(self, hold_from: int | None = STRONG_FROM) -> bool:
        """Whether the later file is held until it is decided; never with None."""
        return hold_from is not None and self.score >= hold_from

    def as_json(self) -> list[dict[str, Any]]:
        """Reasons with their points and words."""
        return [{"code": code, "points": REASONS[code][0], "vi": REASONS[code][1], "en": REASONS[code][2]} for code in self.codes]


def _birth(a: str | None, b: str | None) -> str | None:
    """The reason two birth dates give at the precision both have; empty when they contradict, None when one is unknown."""
    if not a or not b:
        return None
    known = min(len(a), len(b))
    if a[:known] != b[:known]:
        return ""
    return "SAME_FIRST_OF_JANUARY" if a == b and a.endswith("-01-01") else _BIRTH[known]


def judge(evidence: Evidence) -> Judgement | None:
    """The judgement on a pair; None when name or birth date contradict each other and no card says otherwise."""
    name = _NAMES.get(compare(evidence.a_name, evidence.b_name))
    birth = _birth(evidence.a_birth, evidence.b_birth)
    if (name is None or birth == "") and not evidence.same_old_number:
        return None
    codes = [code for code in (name, birth) if code]
    codes += [code for field, code in _FLAGS.items() if getattr(evidence, field)]
    codes.append("SAME_COMMUNE" if evidence.same_commune else "TWO_COMMUNES")
    return Judgement(max(1, sum(REASONS[code][0] for code in codes)), tuple(codes))


def same_number_in_a_row() -> Judgement:
    """A refused row of a list names the number of somebody registered: listed, and nothing to hold (the row is not paid)."""
    code = "SAME_NUMBER_REFUSED_ROW"
    return Judgement(REASONS[code][0], (code,))
