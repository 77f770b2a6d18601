"""What every way of asking the population database has in common (domain facts §4.2).

An adapter turns people into a question in its own form, and an answer in that form back into :class:`Answer`. How the two travel is the
difference between them: the online one sends and waits, the file one is carried by people. Sealed numbers are opened here, in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from common.sealing import Keyring, SealBroken
from identity_verify.domain.verdict import Answer

__all__ = [
    "NUMBER", "Answered", "Person", "PopulationAdapter", "blind_number", "field_or_not_given", "opened", "reference_or_none",
    "text_or_none",
]  # fmt: skip

NUMBER: Final = "national_number"
_FIELD_WORDS: Final = frozenset({"match", "mismatch"})
_LONGEST_REFERENCE: Final = 64
_PERSONAL: Final = re.compile(r"\d{9,}")


@dataclass(frozen=True, slots=True)
class Person:
    """One person to ask about; the number is still sealed. `bank` and `masked_account` go into files only."""

    number_token: str
    full_name: str
    birth_date: str | None
    sex: str
    bank: str | None = None
    masked_account: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers by the place of the person asked, and what of it cannot be read: (row as the sender sees it, why in both languages)."""

    answers: dict[int, Answer]
    unreadable: tuple[tuple[int, str], ...] = ()


class PopulationAdapter(Protocol):
    """A way of asking."""

    source: str
    """The name under which its answers are kept as evidence."""

    def question(self, people: Sequence[Person]) -> bytes:
        """The question about these people; one whose number does not open is left out."""
        ...

    def answers(self, content: bytes, people: int) -> Answered:
        """What was answered to a question about so many people; a place without a readable answer is left out."""
        ...


def opened(keyring: Keyring, people: Sequence[Person]) -> Iterable[tuple[int, str, Person]]:
    """(place, number, person) of everyone whose number opens: one broken token must not stop the other people."""
    for place, person in enumerate(people):
        try:
            yield place, keyring.open(person.number_token), person
        except SealBroken:
            continue


def blind_number(keyring: Keyring | None, token: str | None) -> bytes | None:
    """The blind index of a sealed number; None without one, and where it does not open."""
    if keyring is None or token is None:
        return None
    try:
        return keyring.blind(NUMBER, keyring.open(token))
    except SealBroken:
        return None


def text_or_none(value: Any) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value else None


def field_or_not_given(value: Any) -> str:
    """The source's word on a field: one of those agreed, else as if nothing was said."""
    return value if isinstance(value, str) and value in _FIELD_WORDS else "not-given"


def reference_or_none(value: Any) -> str | None:
    """The source's reference, unless it could be a person's number: references go into events and answers."""
    text = text_or_none(value)
    return None if text is None or len(text) > _LONGEST_REFERENCE or _PERSONAL.search(text) else text
