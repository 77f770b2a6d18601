"""Scripted faults: what a partner does wrong, to which of its next batches or inquiries. Kept in the books over a restart."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.sqlite_lane import transaction

__all__ = ["NAME_FAULTS", "Behaviour", "Phase", "Script", "ScriptRequest", "Scripts"]


class Phase(StrEnum):
    """When a behaviour acts; of each phase at most one acts on a batch."""

    ANSWER = "ANSWER"
    RESULT = "RESULT"
    NOTICE = "NOTICE"


class Behaviour(StrEnum):
    """Everything a partner can be told to do."""

    ACCEPT = "accept"
    REJECT = "reject"
    OUTAGE = "outage"
    ERROR_500 = "error_500"
    TIMEOUT_BEFORE_ACCEPT = "timeout_before_accept"
    REDIRECT = "redirect"
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    ERROR_500_AFTER_ACCEPT = "error_500_after_accept"
    NOT_FOUND_THEN_ACCEPTED = "not_found_then_accepted"
    SLOW_BODY = "slow_body"
    NONSENSE_ANSWER = "nonsense_answer"
    OVERSIZED = "oversized"
    LATE_SETTLEMENT = "late_settlement"
    FAIL_RESULTS = "fail_results"
    RETURN_AFTER_SETTLEMENT = "return_after_settlement"
    DUPLICATE_NOTICES = "duplicate_notices"
    LATE_NOTICES = "late_notices"
    NO_NOTICES = "no_notices"
    REVERSED = "reversed"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_REFERENCE = "unknown_reference"
    CONTRADICTORY = "contradictory"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    STALE_TIMESTAMP = "stale_timestamp"
    OVERSIZED_NOTICE = "oversized_notice"
    TRUNCATED_NAMES = "truncated_names"
    NAMES_WITHOUT_MIDDLE = "names_without_middle"
    PENDING_ANSWERS = "pending_answers"
    UNKNOWN_ANSWERS = "unknown_answers"
    UNSUPPORTED_ANSWERS = "unsupported_answers"
    INVALID_ANSWERS = "invalid_answers"

    @property
    def phase(self) -> Phase:
        """When it acts."""
        if self in _RESULT:
            return Phase.RESULT
        return Phase.ANSWER if self in _ANSWER else Phase.NOTICE


_RESULT = frozenset({Behaviour.LATE_SETTLEMENT, Behaviour.FAIL_RESULTS, Behaviour.RETURN_AFTER_SETTLEMENT})
NAME_FAULTS = frozenset(
    {
        Behaviour.TRUNCATED_NAMES,
        Behaviour.NAMES_WITHOUT_MIDDLE,
        Behaviour.PENDING_ANSWERS,
        Behaviour.UNKNOWN_ANSWERS,
        Behaviour.UNSUPPORTED_ANSWERS,
        Behaviour.INVALID_ANSWERS,
    }
)
"""What a bank does to the answers of a name inquiry; they act on nothing else."""
_ANSWER = NAME_FAULTS | frozenset(
    {
        Behaviour.ACCEPT,
        Behaviour.REJECT,
        Behaviour.OUTAGE,
        Behaviour.ERROR_500,
        Behaviour.TIMEOUT_BEFORE_ACCEPT,
        Behaviour.REDIRECT,
        Behaviour.TIMEOUT_AFTER_ACCEPT,
        Behaviour.ERROR_500_AFTER_ACCEPT,
        Behaviour.NOT_FOUND_THEN_ACCEPTED,
        Behaviour.SLOW_BODY,
        Behaviour.NONSENSE_ANSWER,
        Behaviour.OVERSIZED,
    }
)
_ANY_ROUTE = frozenset(
    {
        Behaviour.OUTAGE,
        Behaviour.ERROR_500,
        Behaviour.TIMEOUT_BEFORE_ACCEPT,
        Behaviour.REDIRECT,
        Behaviour.SLOW_BODY,
        Behaviour.NONSENSE_ANSWER,
        Behaviour.OVERSIZED,
    }
)
# Seconds used when a script gives none: a late notice is two days late, an outage half a minute.
_SECONDS = {
    Behaviour.LATE_NOTICES: 172_800.0,
    Behaviour.NOT_FOUND_THEN_ACCEPTED: 5.0,
    Behaviour.RETURN_AFTER_SETTLEMENT: 0.0,
    Behaviour.REVERSED: 1.0,
    Behaviour.SLOW_BODY: 20.0,
    Behaviour.LATE_SETTLEMENT: 60.0,
    Behaviour.OUTAGE: 30.0,
}
_CONTENT_FAULTS_STAY = frozenset(
    {
        Behaviour.WRONG_AMOUNT,
        Behaviour.WRONG_CURRENCY,
        Behaviour.UNKNOWN_STATUS,
        Behaviour.CONTRADICTORY,
        Behaviour.UNKNOWN_REFERENCE,
    }
)


class ScriptRequest(BaseModel):
    """One scripted behaviour of one partner (or of all: `*`)."""

    model_config = ConfigDict(extra="forbid")

    partner: str
    behaviour: Behaviour
    batches: int = Field(default=1, ge=1, description="So many next batches (or requests of `on`)")
    on: str = Field(default="batches", pattern="^(batches|inquiries|name-inquiries)$")
    seconds: float | None = Field(default=None, ge=0, description="How long or how late; each behaviour has its own default")
    code: str | None = Field(default=None, description="Result code of reject, fail_results and return_after_settlement")
    rows: int | None = Field(default=None, ge=1, description="So many results of each notice are spoilt; null = all")
    attempts: int = Field(default=1, ge=1, description="So many attempts of a notice are spoilt, or so many extra copies are sent")
    new_id: bool = Field(default=False, description="duplicate_notices: the copies carry another webhook-id")
    then_correct: bool = Field(default=False, description="After a notice with wrong content the right one follows")

    @model_validator(mode="after")
    def _possible(self) -> ScriptRequest:
        if self.behaviour in NAME_FAULTS:
            if self.on != "name-inquiries":
                raise ValueError(f"{self.behaviour.value} acts on name-inquiries only")
        elif self.on != "batches" and self.behaviour not in _ANY_ROUTE:
            raise ValueError(f"{self.behaviour.value} acts on batches only")
        if self.then_correct and self.behaviour not in _CONTENT_FAULTS_STAY:
            raise ValueError(f"then_correct means nothing for {self.behaviour.value}")
        return self


@dataclass(frozen=True)
class Script:
    """A behaviour taken for one request."""

    behaviour: Behaviour
    params: dict[str, Any]

    @property
    def seconds(self) -> float:
        """How long or how late."""
        given = self.params.get("seconds")
        return float(given) if given is not None else _SECONDS.get(self.behaviour, 60.0)


class Scripts:
    """The scripts of all partners. Its methods run on the lane that owns the books."""

    def __init__(self) -> None:
        self._any: bool | None = None

    def add(self, connection: sqlite3.Connection, request: ScriptRequest, now: float) -> int:
        """Arm a behaviour; answers its id. An outage lasts `seconds` on every route, everything else a number of requests."""
        script = Script(request.behaviour, request.model_dump(mode="json"))
        until = now + script.seconds if request.behaviour is Behaviour.OUTAGE else None
        remaining = None if until is not None else request.batches
        cursor = connection.execute(
            "INSERT INTO script(partner, route, behaviour, remaining, until, params) VALUES (?, ?, ?, ?, ?, ?)",
            (request.partner, "*" if until is not None else request.on, request.behaviour, remaining, until, json.dumps(script.params)),
        )
        self._any = True
        return int(cursor.lastrowid or 0)

    def clear(self, connection: sqlite3.Connection, partner: str | None) -> int:
        """Disarm the scripts of one partner, or all."""
        self._any = None
        return connection.execute("DELETE FROM script WHERE ? IS NULL OR partner = ?", (partner, partner)).rowcount

    def waiting(self, connection: sqlite3.Connection) -> list[dict[str, Any]]:
        """The armed scripts, oldest first."""
        names = ("id", "partner", "on", "behaviour", "remaining", "until")
        rows = connection.execute("SELECT id, partner, route, behaviour, remaining, until FROM script ORDER BY id")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def take(self, connection: sqlite3.Connection, partner: str, route: str, phases: frozenset[Phase], now: float) -> dict[Phase, Script]:
        """The oldest script of each phase for this request, used up by one. Opens a transaction unless one is open."""
        if self._any is None:
            self._any = connection.execute("SELECT EXISTS (SELECT 1 FROM script)").fetchone()[0] == 1
        if not self._any:
            return {}
        if connection.in_transaction:
            return self._take(connection, partner, route, phases, now)
        with transaction(connection):
            return self._take(connection, partner, route, phases, now)

    def _take(self, connection: sqlite3.Connection, partner: str, route: str, phases: frozenset[Phase], now: float) -> dict[Phase, Script]:
        connection.execute("DELETE FROM script WHERE until <= ?", (now,))
        rows = connection.execute(
            "SELECT id, behaviour, params FROM script WHERE partner IN (?, '*') AND route IN (?, '*') ORDER BY id",
            (partner, route),
        ).fetchall()
        taken: dict[Phase, Script] = {}
        for number, name, params in rows:
            behaviour = Behaviour(name)
            if behaviour.phase in phases and behaviour.phase not in taken:
                taken[behaviour.phase] = Script(behaviour, json.loads(params))
                connection.execute("UPDATE script SET remaining = remaining - 1 WHERE id = ? AND remaining IS NOT NULL", (number,))
        connection.execute("DELETE FROM script WHERE remaining = 0")
        self._any = None
        return taken
