"""What people answered to "account or cash?": voluntary, dated, with evidence, and what they said before is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from common.db import Tx
from registry.storage import preferences, publishing

__all__ = ["Answer", "record"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer on a day."""

    person_id: UUID
    preference: str
    on: date
    evidence: str | None = None


async def record(tx: Tx, answers: Sequence[Answer], source: str, business_date: date) -> list[UUID]:
    """Record answers set-based and publish those that say something new; an answer older than the one known changes nothing.

    The caller audits. Returns the people whose answer changed.
    """
    if tx.actor is None:
        raise RuntimeError("an answer needs an actor")
    changed = await preferences.record(
        tx, [answer.person_id for answer in answers], [answer.preference for answer in answers], [answer.on for answer in answers],
        [answer.evidence for answer in answers], source, tx.actor.subject,
    )  # fmt: skip
    await publishing.publish_preferences(tx, changed, business_date)
    return changed
