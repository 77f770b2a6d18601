"""Building notices of results, right ones and scripted wrong ones. Pure: rows in, notices out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from simulators.partner.scripts import Behaviour, Script

__all__ = ["Notice", "Writer", "as_json", "notices_for", "of_acceptance"]

Result = dict[str, Any]
Writer = Callable[[Sequence[Result]], bytes | None]
"""Bytes that tell of results; None where this form has no word for any of them."""
_WIRE_FAULTS = frozenset({Behaviour.UNSIGNED, Behaviour.BAD_SIGNATURE, Behaviour.STALE_TIMESTAMP, Behaviour.OVERSIZED_NOTICE})
_ON_THE_WAY = _WIRE_FAULTS | {Behaviour.NO_NOTICES, Behaviour.LATE_NOTICES, Behaviour.DUPLICATE_NOTICES}
_OPPOSITE = {"SETTLED": "FAILED", "COLLECTED": "UNCOLLECTED", "FAILED": "SETTLED", "UNCOLLECTED": "COLLECTED", "RETURNED": "SETTLED"}


@dataclass(frozen=True)
class Notice:
    """One notice to be delivered; `next_at` is the time of the first attempt."""

    webhook_id: str
    partner: str
    results: int
    body: bytes
    next_at: float
    fault: str | None = None
    fault_left: int = 0
    copies_left: int = 0


def as_json(results: Sequence[Result]) -> bytes:
    """The default contract's notice."""
    return orjson.dumps({"type": "payment.results", "results": list(results)})


def of_acceptance(partner: str, results: Sequence[Result], effects: str, size: int, now: float, write: Writer) -> list[Notice]:
    """Notices that a file was taken. Only faults of the way there act on them; what is said of results is not known yet."""
    behaviour = json.loads(effects).get("behaviour")
    bent = behaviour is not None and Behaviour(behaviour) in _ON_THE_WAY
    return notices_for(partner, results, effects if bent else "{}", None, size, now, write)


def notices_for(
    partner: str,
    results: Sequence[Result],
    effects: str,
    return_after: float | None,
    size: int,
    now: float,
    write: Writer = as_json,
) -> list[Notice]:
    """Notices of at most `size` results each, with the faults of `effects` (JSON of a scripted notice behaviour, or {})."""
    made = _notices_for(partner, results, effects, return_after, size, now)
    return [replace(item, body=body) for item in made if (body := write(orjson.loads(item.body))) is not None]


def _notices_for(partner: str, results: Sequence[Result], effects: str, return_after: float | None, size: int, now: float) -> list[Notice]:
    params = json.loads(effects)
    if not params:
        return _plain(partner, results, size, now)
    script = Script(Behaviour(params["behaviour"]), params)
    behaviour = script.behaviour
    if behaviour is Behaviour.NO_NOTICES:
        return []
    if behaviour is Behaviour.LATE_NOTICES:
        return _plain(partner, results, size, now, at=now + script.seconds)
    if behaviour is Behaviour.REVERSED:
        return _reversed(partner, results, size, now, script, return_after)
    if behaviour is Behaviour.DUPLICATE_NOTICES:
        return _duplicated(_plain(partner, results, size, now), script)
    if behaviour in _WIRE_FAULTS:
        return [replace(item, fault=behaviour.value, fault_left=script.params["attempts"]) for item in _plain(partner, results, size, now)]
    wrong = [item for start in range(0, len(results), size) for item in _spoilt(results[start : start + size], script)]
    notices = _plain(partner, wrong, size, now)
    if script.params["then_correct"]:
        notices += _plain(partner, results, size, now, at=now + (script.params.get("seconds") or 0.001))
    return notices


def _plain(partner: str, results: Sequence[Result], size: int, now: float, *, at: float | None = None) -> list[Notice]:
    made = []
    for start in range(0, len(results), size):
        rows = list(results[start : start + size])
        made.append(Notice(f"msg_{uuid.uuid4().hex}", partner, len(rows), orjson.dumps(rows), at if at is not None else now))
    return made


def _reversed(partner: str, results: Sequence[Result], size: int, now: float, script: Script, return_after: float | None) -> list[Notice]:
    """The last result first; and where the money comes back, that is said before it is said that it went."""
    at = now
    if return_after is not None and results[0]["status"] != "RETURNED":
        at = now + return_after + script.seconds
    return _plain(partner, list(reversed(results)), size, now, at=at)


def _duplicated(notices: list[Notice], script: Script) -> list[Notice]:
    extra = script.params["attempts"]
    if not script.params["new_id"]:
        return [replace(item, copies_left=extra) for item in notices]
    copies = [replace(item, webhook_id=f"msg_{uuid.uuid4().hex}") for item in notices for _ in range(extra)]
    return notices + copies


def _spoilt(results: Sequence[Result], script: Script) -> list[Result]:
    rows = script.params.get("rows") or len(results)
    behaviour = script.behaviour
    if behaviour is Behaviour.UNKNOWN_REFERENCE:
        stranger = {**results[0], "reference": f"NOBODY-{uuid.uuid4().hex[:20]}", "partner_reference": None}
        return [stranger, *results]
    if behaviour is Behaviour.CONTRADICTORY:
        return [row for index, result in enumerate(results) for row in ((result, _contrary(result)) if index < rows else (result,))]
    return [_bent(row, behaviour) if index < rows else row for index, row in enumerate(results)]


def _bent(row: Result, behaviour: Behaviour) -> Result:
    if behaviour is Behaviour.WRONG_AMOUNT:
        return {**row, "amount": row["amount"] + 1000}
    if behaviour is Behaviour.WRONG_CURRENCY:
        return {**row, "currency": "USD"}
    return {**row, "status": "IN_CLEARING_47", "code": "X47"}


def _contrary(result: Result) -> Result:
    status = _OPPOSITE[result["status"]]
    return {**result, "status": status, "code": "ACCOUNT_CLOSED" if status == "FAILED" else None}
