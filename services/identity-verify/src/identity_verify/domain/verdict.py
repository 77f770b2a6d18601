"""The verdict on one person: what the source answered, compared with the register (domain facts §4.2 and §6.2).

Only an equal number together with an agreeing name and an agreeing birth date passes. A name that differs means the number belongs to
somebody else, which holds the payment; everything merely unclear goes to a police officer and is paid in cash meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from common import names
from common.contracts.identity_verify_v1 import Verdict
from identity_verify.domain.dates import agree_at_common_precision

__all__ = [
    "CONFIRMED", "DECIDABLE", "NO_ID_FINDING", "Answer", "Asked", "Finding", "SourceStatus", "claimed_twice", "judge", "still_decided",
]  # fmt: skip

CONFIRMED: Final = "confirmed by two people"
CLAIMED_TWICE: Final = "claimed-twice"
DECIDABLE: Final = frozenset({Verdict.REVIEW, Verdict.SUSPECTED_IDENTITY, Verdict.NOT_FOUND, Verdict.NO_ID})
"""Verdicts that commune police may decide: all but the source's definite ones."""

NOT_GIVEN: Final = "not-given"
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
    """One answer of the source. `name` and `birth_date` are the registered ones, to compare with.

    `name_field` and `birth_field` are the source's own comparison ("match", "mismatch", "not-given"), believed only where a person
    made it (police answering a file) and the registered value itself was not given. `account_field`: whether the account is the
    person's, where that was asked.
    """

    status: SourceStatus
    name: str | None = None
    birth_date: str | None = None
    sex_field: str = NOT_GIVEN
    death_date: date | None = None
    reference: str | None = None
    checked_at: str | None = None
    name_field: str = NOT_GIVEN
    birth_field: str = NOT_GIVEN
    account_field: str = NOT_GIVEN


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
        return Finding(Verdict.NOT_FOUND, _with_account({"number": "not-found"}, answer))
    if answer.status is SourceStatus.MULTIPLE:
        return Finding(Verdict.REVIEW, _with_account({"number": "multiple"}, answer))
    name = _name_field(asked, answer)
    if name is None:
        return None  # without the registered name nothing can be compared: not an answer, and never a pass
    birth = _birth_field(asked, answer)
    fields = _with_account({"number": "match", "name": name, "birth_date": birth, "sex": answer.sex_field}, answer)
    if name == names.NameVerdict.MISMATCH:
        # Before DECEASED: the death of a stranger whose number was typed must not stop our person's dues.
        return Finding(Verdict.SUSPECTED_IDENTITY, fields)
    if answer.status is SourceStatus.DECEASED:
        return Finding(Verdict.DECEASED, fields, answer.death_date)
    # A birth date that one side does not have agrees with nothing: a person looks at it once.
    if name not in PASSING_NAMES or birth != "match":
        return Finding(Verdict.REVIEW, fields)
    return Finding(Verdict.VERIFIED, fields)


def claimed_twice(finding: Finding) -> Finding:
    """The finding on a number that several registrations claim: the database knows one person of it, and not which of them."""
    verdict = Verdict.REVIEW if finding.verdict is Verdict.VERIFIED else finding.verdict
    return Finding(verdict, {**finding.fields, "number": CLAIMED_TWICE}, finding.death_date)


def still_decided(finding: Finding, fingerprint: str, decided: Mapping[str, Any] | None, answer: str | None = None) -> Finding:
    """What two people decided on the very same data and the very same answer stands; any difference asks them again.

    `answer` stands for the registered values: two different names may differ from ours in the same way.
    """
    if not decided or finding.verdict not in DECIDABLE:
        return finding
    if decided.get("fingerprint") != fingerprint or _of_the_person(decided.get("fields") or {}) != _of_the_person(finding.fields):
        return finding
    if decided.get("answer") != answer:
        return finding
    return Finding(Verdict(decided["verdict"]), {**finding.fields, "decision": CONFIRMED}, finding.death_date)


def _of_the_person(fields: Mapping[str, str]) -> dict[str, str]:
    """Without the word on an account, which some lists carry and some do not: it says nothing of who the person is."""
    return {name: value for name, value in fields.items() if name != "account"}


def _name_field(asked: Asked, answer: Answer) -> str | None:
    """How the names compare (§6.2). A bare "mismatch" may be one accent or a stranger: a person has to look."""
    if answer.name:
        return names.compare(asked.full_name, answer.name).value
    return {"match": names.NameVerdict.MATCH.value, "mismatch": "mismatch"}.get(answer.name_field)


def _birth_field(asked: Asked, answer: Answer) -> str:
    if answer.birth_date is None and answer.birth_field != NOT_GIVEN:
        return answer.birth_field
    try:
        agree = agree_at_common_precision(asked.birth_date, answer.birth_date)
    except ValueError:
        return "mismatch"  # unreadable on one side: a person must look
    if agree is None:
        return NOT_GIVEN
    return "match" if agree else "mismatch"


def _with_account(fields: dict[str, str], answer: Answer) -> dict[str, str]:
    return fields if answer.account_field == NOT_GIVEN else {**fields, "account": answer.account_field}
