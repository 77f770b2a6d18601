"""The slow model of payments in plain Python, and the partner's channel that tells it what crosses the border."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from disbursement.channels.protocol import NoAnswer

DUE = 500_000
OPEN = {"APPROVED", "SUBMITTING", "SUBMITTED", "UNKNOWN"}


class Killed(Exception):
    """The worker dies here."""


@dataclass
class Paid:
    """One payment as the model sees it."""

    person: int
    status: str = "APPROVED"
    corrected: bool = False


@dataclass
class Model:
    """Plain Python, one payment at a time."""

    payments: dict[str, Paid] = field(default_factory=dict)

    def free(self, person: int) -> bool:
        """Whether the month of a person is neither paid nor promised."""
        return not any(p.person == person and p.status in OPEN | {"SETTLED"} for p in self.payments.values())

    def sent(self, references: frozenset[str]) -> None:
        for reference in references:
            if self.payments[reference].status == "APPROVED":
                self.payments[reference].status = "SUBMITTING"

    def answered(self, references: frozenset[str], refused: dict[str, str]) -> None:
        for reference in references:
            payment = self.payments[reference]
            if payment.status in {"SUBMITTING", "UNKNOWN"}:
                payment.status = refused.get(reference, "SUBMITTED")

    def unanswered(self, references: frozenset[str]) -> None:
        for reference in references:
            if self.payments[reference].status == "SUBMITTING":
                self.payments[reference].status = "UNKNOWN"

    def told(self, results: list[Any]) -> None:
        believed = [r for r in results if r.reference in self.payments and r.amount == DUE and r.currency == "VND"]
        ends: dict[str, set[str]] = {}
        for result in believed:
            if result.status in {"SETTLED", "FAILED", "RETURNED"}:
                ends.setdefault(result.reference, set()).add("FAILED" if result.status == "FAILED" else "SETTLED")
        strength = {"RECEIVED": 1, "UNRECOGNISED": 2, "SETTLED": 3, "FAILED": 3, "RETURNED": 4}
        for result in sorted(believed, key=lambda r: strength[r.status]):
            contradicted = len(ends.get(result.reference, ())) > 1 and result.status in {"SETTLED", "FAILED", "RETURNED"}
            if not contradicted:
                self._one(self.payments[result.reference], str(result.status))

    def _one(self, payment: Paid, word: str) -> None:
        was = payment.status
        if was not in {"SUBMITTING", "SUBMITTED", "UNKNOWN"}:
            if was == "SETTLED" and word == "RETURNED":
                payment.status = "RETURNED"
        elif word == "RECEIVED":
            payment.status = "SUBMITTED"
        elif word == "UNRECOGNISED":
            payment.status = "UNKNOWN"
        else:
            payment.status = word


class Spy:
    """The partner's channel, with everything that crosses it told to the model; it can die before or after the partner has it.

    What was sent goes again only after the partner said that it does not know it.
    """

    def __init__(self, channel: Any, model: Model) -> None:
        self._channel = channel
        self._model = model
        self._sent: set[str] = set()
        self._ever: set[str] = set()
        self.die: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def inquire(self, references: Any, inquiry_id: UUID) -> Any:
        answers = await self._channel.inquire(references, inquiry_id)
        self._sent -= {answer.reference for answer in answers if answer.status == "NOT_FOUND"}
        return answers

    async def send(self, reference: str, body: bytes, references: frozenset[str]) -> Any:
        assert not self._sent & references, "sent again, and the partner was not asked"
        again = bool(self._ever & references)
        self._sent |= references
        self._ever |= references
        self._model.sent(references)
        if self.die == "before":
            raise Killed
        try:
            answer = await self._channel.send(reference, body, references)
        except NoAnswer:
            if self.die:
                raise Killed from None
            self._model.unanswered(references)
            raise
        if self.die:
            raise Killed
        refused = {item.reference: "UNKNOWN" if again else "FAILED" for item in answer.refused}  # the first copy may be on its way
        self._model.answered(references, refused)
        return answer

    async def unseen(self, reference: str, body: bytes) -> None:
        """The partner has it, and nobody here knows."""
        await self._channel.send(reference, body, self._channel.references(body))
