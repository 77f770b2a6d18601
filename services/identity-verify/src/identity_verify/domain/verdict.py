"""The verdict on one person: what the source answered, compared with the register (domain facts §4.2 and §6.2).

Only an equal number together with an agreeing name and birth date passes. A name that differs means the number belongs to
somebody else, which holds the payment; everything merely unclear goes to a police officer and is paid in cash meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from common import names
from common.contracts.identity_verify_v1 import Verdict
from identity_verify.domain.dates import agree_at_common_precision

__all__ = ["NO_ID_FINDING", "Answer", "Asked", "Finding", "SourceStatus", "judge"]

PASSING_NAMES: Final = frozenset({names.NameVerdict.MATCH, names.NameVerdict.MATCH_UNACCENTED})


class SourceStatus(StrEnum):
    """What the population database can say of a number."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    NOT_FOUND = "NOT_FOUND"
    DECEASED = "DECEASED"
    MULTIPLE = "MULTIPLE"
    NOT_COLLECTED = "NOT_COLLECTED"
    ERROR = "ERROR"
    NOT_ASKED = "NOT_ASKED"


@dataclass(frozen=True, slots=True)
class Asked:
    """The person as the register has them."""

    full_name: str
    birth_date: str | None
    sex: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the source. `name` and `birth_date` are the registered ones, kept in memory only, to compare with."""

    status: SourceStatus
    name: str | None = None
    birth_date: str | None = None
    sex_field: str = "not-given"
    death_date: date | None = None
    reference: str | None = None
    checked_at: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reasons, field by field."""

    verdict: Verdict
    fields: dict[str, str]
    death_date: date | None = None


NO_ID_FINDING: Final = Finding(Verdict.NO_ID, {"number": "not-given"})
"""The verdict on a person without a number, who cannot be asked about."""

_UNKNOWN_NUMBER: Final = frozenset({SourceStatus.NOT_FOUND, SourceStatus.NOT_COLLECTED})


def judge(asked: Asked, answer: Answer) -> Finding | None:
    """Give the verdict on one answer, or None where the source said it could not answer (ask again later)."""
    if answer.status in (SourceStatus.ERROR, SourceStatus.NOT_ASKED):
        return None
    if answer.status in _UNKNOWN_NUMBER:
        return Finding(Verdict.NOT_FOUND, {"number": "not-found"})
    if answer.status is SourceStatus.MULTIPLE:
        return Finding(Verdict.REVIEW, {"number": "multiple"})
    if not answer.name:
        return None  # without the registered name nothing can be compared: not an answer, and never a pass
    name = names.compare(asked.full_name, answer.name)
    birth = _birth_field(asked.birth_date, answer.birth_date)
    fields = {"number": "match", "name": name.value, "birth_date": birth, "sex": answer.sex_field}
    if name is names.NameVerdict.MISMATCH:
        # Before DECEASED: the death of a stranger whose number was typed must not stop our person's dues.
        return Finding(Verdict.SUSPECTED_IDENTITY, fields)
    if answer.status is SourceStatus.DECEASED:
        return Finding(Verdict.DECEASED, fields, answer.death_date)
    if name not in PASSING_NAMES or birth == "mismatch":
        return Finding(Verdict.REVIEW, fields)
    return Finding(Verdict.VERIFIED, fields)


def _birth_field(ours: str | None, theirs: str | None) -> str:
    try:
        agree = agree_at_common_precision(ours, theirs)
    except ValueError:
        return "mismatch"  # unreadable on one side: a person must look
    if agree is None:
        return "not-given"
    return "match" if agree else "mismatch"
