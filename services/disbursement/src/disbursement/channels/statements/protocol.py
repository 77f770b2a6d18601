"""What every statement reader gives: a head and a stream of booked lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = ["Booked", "Direction", "Statement", "StatementUnreadable"]


class StatementUnreadable(Exception):
    """The file is not a statement we can read; the text names the row or element for a person."""


class Direction(StrEnum):
    """Seen from the paying account: OUT left it (debit), IN came back (credit)."""

    OUT = "OUT"
    IN = "IN"


@dataclass(frozen=True, slots=True)
class Booked:
    """One line of a statement; `number` is its row or position in the file. `reference` is ours where the partner repeats it."""

    number: int
    booked_on: date
    amount: int
    currency: str
    direction: Direction
    reference: str | None
    partner_reference: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A partner's account of a period. Balances in đồng where the file tells them."""

    form: str
    message_id: str | None
    from_date: date | None
    to_date: date | None
    opening: int | None
    closing: int | None
    lines: Iterator[Booked]
