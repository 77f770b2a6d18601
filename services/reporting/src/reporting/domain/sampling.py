"""An inspector's sample: how many cases of each stratum, and which. Pure, so that anybody can repeat it by hand.

Each line of the month has the key `beneficiary|programme|cycle`. Its rank is SHA-256 of `seed|key`, in hexadecimal, smallest first;
the first n of a stratum are its cases. The population's digest is SHA-256 over the keys and amounts, sorted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reporting.domain.states import Words

__all__ = ["Finding", "Result", "Strata", "allocate", "estimated", "finding_words", "rank", "result_words"]


class Strata(StrEnum):
    """What the population is divided by before drawing. UNIT: the units just below the sample's own."""

    NONE = "NONE"
    UNIT = "UNIT"
    PROGRAMME = "PROGRAMME"
    UNIT_AND_PROGRAMME = "UNIT_AND_PROGRAMME"


class Result(StrEnum):
    """What the inspector saw."""

    RIGHT = "RIGHT"
    DEVIATION = "DEVIATION"
    NOT_REACHED = "NOT_REACHED"


class Finding(StrEnum):
    """What deviates."""

    NOT_ENTITLED = "NOT_ENTITLED"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    NOT_RECEIVED = "NOT_RECEIVED"
    LATE = "LATE"
    TAKEN_BY_ANOTHER = "TAKEN_BY_ANOTHER"
    WRONG_PAYEE = "WRONG_PAYEE"
    NO_DOCUMENTS = "NO_DOCUMENTS"
    WRONG_DATA = "WRONG_DATA"
    NOT_BY_WISH = "NOT_BY_WISH"
    FEE_TAKEN = "FEE_TAKEN"
    OTHER = "OTHER"


_RESULTS: Final = {
    Result.RIGHT: Words("Đúng", "Right"),
    Result.DEVIATION: Words("Sai lệch", "Deviates"),
    Result.NOT_REACHED: Words("Không gặp được", "Not reached"),
}
_FINDINGS: Final = {
    Finding.NOT_ENTITLED: Words("Không đúng đối tượng", "Not entitled"),
    Finding.WRONG_AMOUNT: Words("Sai mức, sai số tiền", "Wrong amount"),
    Finding.NOT_RECEIVED: Words("Chưa nhận được tiền", "Money not received"),
    Finding.LATE: Words("Nhận chậm", "Received late"),
    Finding.TAKEN_BY_ANOTHER: Words("Người nhận thay không đưa lại tiền", "The proxy kept the money"),
    Finding.WRONG_PAYEE: Words("Sai người nhận, giấy ủy quyền hết hạn", "Wrong payee or authorisation ended"),
    Finding.NO_DOCUMENTS: Words("Thiếu hồ sơ, chứng từ", "Documents missing"),
    Finding.WRONG_DATA: Words("Sai thông tin cá nhân", "Personal data wrong"),
    Finding.NOT_BY_WISH: Words("Hình thức nhận trái nguyện vọng", "Channel against the person's wish"),
    Finding.FEE_TAKEN: Words("Bị thu phí", "A fee was taken"),
    Finding.OTHER: Words("Khác", "Other"),
}


def allocate(size: int, strata: Mapping[str, int]) -> dict[str, int]:
    """Cases per stratum, in proportion to its people by largest remainder; every stratum gets one while the size lasts.

    Never more than a stratum holds; the sum is `size`, or everybody where the population is smaller.
    """
    total = sum(strata.values())
    size = min(size, total)
    names = sorted(strata)
    if size >= len(names):
        given = dict.fromkeys(names, 1)
    else:  # too few for every stratum: the largest first
        return {name: int(name in sorted(names, key=lambda one: (-strata[one], one))[:size]) for name in names}
    left = size - len(names)
    room = total - len(names)
    for name in names:
        given[name] += left * (strata[name] - 1) // room if room else 0
    rest = size - sum(given.values())
    by_remainder = sorted(names, key=lambda one: (-(left * (strata[one] - 1) % room if room else 0), one))
    for name in [name for name in by_remainder if given[name] < strata[name]][:rest]:
        given[name] += 1
    return given


def rank(seed: str, beneficiary_id: object, programme: str, cycle_id: object) -> str:
    """The rank of one line: what the database computes too."""
    return hashlib.sha256(f"{seed}|{beneficiary_id}|{programme}|{cycle_id}".encode()).hexdigest()


def estimated(strata: Mapping[str, tuple[int, int, int]]) -> int | None:
    """Deviating lines in the whole population, from (population, looked at, deviating) per stratum; half-up.

    None while a stratum with people has no case looked at: then the sample says nothing about them.
    """
    if any(population and not seen for population, seen, _ in strata.values()):
        return None
    return sum((2 * population * wrong + seen) // (2 * seen) for population, seen, wrong in strata.values() if seen)


def result_words(code: str) -> Words:
    """Its name in two languages."""
    return _RESULTS[Result(code)]


def finding_words(code: str) -> Words:
    """Its name in two languages."""
    return _FINDINGS[Finding(code)]
