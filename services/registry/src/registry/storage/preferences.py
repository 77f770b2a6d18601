"""Answers of the preference survey and what was answered before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from common.db import Tx

__all__ = ["history_of", "record"]


async def record(
    tx: Tx, people: Sequence[UUID], answers: Sequence[str], days: Sequence[date], evidence: Sequence[str | None], source: str, by: str
) -> list[UUID]:
    """Set the answers (one per person); whose changed. An answer given before the one known is older news and changes nothing."""
    rows = await tx.rows(
        "INSERT INTO preference AS t (person_id, preference, recorded_on, evidence, source, recorded_by)"
        " SELECT x.person_id, x.preference, x.day, x.evidence, :source, :by"
        " FROM unnest(CAST(:people AS uuid[]), CAST(:answers AS text[]), CAST(:days AS date[]), CAST(:evidence AS text[]))"
        "   AS x(person_id, preference, day, evidence)"
        " ON CONFLICT (person_id) DO UPDATE SET preference = excluded.preference, recorded_on = excluded.recorded_on,"
        "   evidence = coalesce(excluded.evidence, CASE WHEN t.preference = excluded.preference THEN t.evidence END),"
        "   source = excluded.source, recorded_by = excluded.recorded_by, version = t.version + 1"
        " WHERE (excluded.recorded_on >= t.recorded_on OR t.preference = 'UNKNOWN')"
        "   AND (excluded.preference, excluded.recorded_on, coalesce(excluded.evidence, t.evidence))"
        "     IS DISTINCT FROM (t.preference, t.recorded_on, t.evidence)"
        " RETURNING t.person_id",
        people=list(people), answers=list(answers), days=list(days), evidence=list(evidence), source=source, by=by,
    )  # fmt: skip
    return [row["person_id"] for row in rows]


async def history_of(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """All answers of one person, the latest first."""
    return await tx.rows(
        "SELECT version, preference, recorded_on, evidence, source, recorded_by FROM preference WHERE person_id = :id"
        " UNION ALL SELECT version, preference, recorded_on, evidence, source, recorded_by FROM preference_past WHERE person_id = :id"
        " ORDER BY version DESC",
        id=person_id,
    )
