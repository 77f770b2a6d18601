"""What can be looked at: progress, the work list, one person, whom a person is checked for, and whether work is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput
from identity_verify.domain.errors import VerificationNotFound
from identity_verify.storage import verifications

__all__ = ["person", "progress", "whose", "work_left", "work_list"]


async def progress(db: Database, actor: Actor) -> tuple[int, dict[str, int]]:
    """Subjects without an answer, and verdicts counted, in the actor's units."""
    async with db.read(actor) as tx:
        return await verifications.progress(tx, *actor.scope_sql("s.unit_path"))


async def work_list(db: Database, actor: Actor, *, verdict: str | None, after: tuple[UUID, UUID] | None, limit: int) -> list[RowMapping]:
    """One page of verifications in the actor's units."""
    scope, params = actor.scope_sql("s.unit_path")
    async with db.read(actor) as tx:
        return list(await verifications.page(tx, verdict=verdict, after=after, limit=limit, scope=scope, scope_params=params))


async def person(db: Database, actor: Actor, subject_id: UUID) -> list[dict[str, Any]]:
    """All checks of one person with their evidence. Raises VerificationNotFound, also for another unit's person."""
    async with db.read(actor) as tx:
        rows = await verifications.find(tx, subject_id, *actor.scope_sql("s.unit_path"))
        if not rows:
            raise VerificationNotFound
        return [
            {**row, "evidence": [dict(item) for item in await verifications.evidence_of(tx, row["beneficiary_id"], subject_id)]}
            for row in rows
        ]


async def whose(db: Database, actor: Actor, subject_id: UUID) -> UUID:
    """For whom a person is checked when the caller does not say: for themselves, else for the only one they represent.

    Somebody unknown is taken for a beneficiary, who is then not found. Raises InvalidInput: they stand for several people.
    """
    async with db.read(actor) as tx:
        found = await verifications.represented(tx, subject_id, *actor.scope_sql("s.unit_path"))
    if subject_id in found or not found:
        return subject_id
    if len(found) > 1:
        detail = "stands for several people: say for whom"
        raise InvalidInput(
            errors=[{"field": "beneficiary_id", "detail": detail, "detail_vi": "đại diện cho nhiều người: ghi rõ cho người hưởng nào"}]
        )
    return found[0]


async def work_left(tx: Tx) -> dict[str, int]:
    """Counts of work not done yet, for `/v1/quiet`."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM check_request WHERE state = 'PENDING') AS checks_pending,"
        " (SELECT count(*) FROM cut_off o WHERE complete_at IS NOT NULL AND passed_at IS NULL"
        "   AND NOT EXISTS (SELECT FROM cut_off later WHERE later.passed_at > o.complete_at)) AS cut_offs_open"
    )
    return {name: int(value) for name, value in (row or {}).items()}
