"""Why somebody is due what they are due in a month, in words, and what changes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor, Role
from common.db import Tx
from registry.domain import dues_words as words
from registry.domain.dues_words import Judged, Sentence
from registry.storage import dues, explaining
from registry.usecases.reading import readable

__all__ = ["Explained", "explain"]

_MAY_KNOW: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_CHANGES: Final = 3
_SET_ASIDE_BY_OTHERS: Final = frozenset({"HIGHEST_ONLY", "LIMIT", "SINGLE_PARENT_EXCLUDED"})


@dataclass(frozen=True, slots=True)
class Explained:
    """A month in words: `decisions` pairs the engine's row with its sentence."""

    known_on: date
    heading: Sentence
    decisions: list[tuple[Any, Sentence]]
    one_offs: list[Sentence]
    next: list[tuple[date, int, Sentence]]


async def explain(tx: Tx, person_id: UUID, month: date) -> Explained:
    """Explain a month (its first day) with what was known when the dues were computed. Raises NotFound outside the caller's area.

    Names of categories tell of health: they are said to officers of the person's unit only; others see neutral codes.
    """
    await readable(tx, person_id)
    actor = tx.actor
    if actor is None:
        raise RuntimeError("this use case needs an actor")
    known_on = await explaining.known_on(tx, person_id) or month
    names = await explaining.names(tx) if actor.has(*_MAY_KNOW) else {}
    rows = await dues.candidates(tx, person_id, month, known_on)
    sums = await explaining.sums(tx, person_id, month)
    total, missing = sums.get(month, (0, False))
    said = [(row, words.decision(_judged(row, rows, names, actor))) for row in rows if row["outcome"] != "NOT_STARTED" or len(rows) == 1]
    once = [
        words.one_off(row["kind"], row["benefit_line"], row["amount"], row["basis"])
        for row in await explaining.one_offs(tx, person_id, month)
    ]
    following: list[tuple[date, int, Sentence]] = []
    before = rows
    for start in sorted(day for day in sums if day > month)[:_CHANGES]:
        after = await dues.candidates(tx, person_id, start, known_on)
        reasons = await _reasons(tx, before, after, start, actor)
        following.append((start, sums[start][0], words.next_change(start, *sums[start], reasons)))
        before = after
    return Explained(known_on, words.heading(month, total, missing), said, once, following)


def _judged(row: Any, rows: Sequence[Any], names: dict[str, tuple[str, str]], actor: Actor) -> Judged:
    winner = None
    if row["outcome"] in _SET_ASIDE_BY_OTHERS:
        counted = [
            item for item in rows
            if item["outcome"] in ("COUNTS", "RATE_MISSING") and (item["stack_group"] == row["stack_group"]
                                                                  or row["outcome"] == "SINGLE_PARENT_EXCLUDED"
                                                                  or "SA_SINGLE_PARENT" in (item["stack_group"], row["stack_group"]))
        ]  # fmt: skip
        if counted:
            winner = (counted[0]["decision_number"], counted[0]["amount"])
    # The legal text of a rule may name the clause of a disability: others than officers are told the rule's general text.
    public = row["outcome"] in ("COUNTS", "RATE_MISSING") or actor.has(*_MAY_KNOW)
    return Judged(
        row["decision_number"], row["benefit_line"], row["outcome"], row["amount"], row["basis"] if public else None,
        explicit=bool(row["explicit"]), instead=bool(row["instead"]), tops=row["tops"] or (), name=names.get(row["category"]),
        winner=winner,
    )  # fmt: skip


async def _reasons(tx: Tx, before: Sequence[Any], after: Sequence[Any], start: date, actor: Actor) -> list[Sentence]:
    """Each reason once, in the order of the decisions."""
    earlier = {row["entitlement_id"]: row for row in before}
    ages = await explaining.ages(tx, [row["entitlement_id"] for row in after], start)
    found: dict[str, Sentence] = {}
    for row in after:
        was = earlier.get(row["entitlement_id"])
        if was is None:
            continue
        age, dependant = ages.get(row["entitlement_id"], (None, False))
        why = words.why_changed(
            _judged(was, before, {}, actor), _judged(row, after, {}, actor), age, dependant=dependant,
            stepped=was["category"] != row["category"],
        )  # fmt: skip
        if why is not None:
            found.setdefault(why.vi, why)
    return list(found.values())
