"""What the commune police work on: unclear people with the fields side by side, numbers claimed twice; and how far everything is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from common import audit, clock
from common.actor import Actor
from common.contracts.identity_verify_v1 import Verdict
from common.db import Database
from common.sealing import SealBroken
from identity_verify.domain.errors import VerificationNotFound
from identity_verify.settings import Settings
from identity_verify.storage import conflicts, progress, verifications
from identity_verify.usecases.record import SIDE_BY_SIDE

__all__ = ["how_far", "number_conflicts", "side_by_side", "work_list"]

_PACE_SECONDS: Final = 600.0


async def work_list(
    db: Database, actor: Actor, *, verdict: str | None, after: tuple[UUID, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """One page of people nobody has decided on yet, with what was proposed, in the actor's units."""
    scope, params = actor.scope_sql("v.unit_path")
    verdicts = [verdict] if verdict else [Verdict.REVIEW.value, Verdict.SUSPECTED_IDENTITY.value, Verdict.NOT_FOUND.value]
    async with db.read(actor) as tx:
        found = await verifications.undecided(tx, verdicts=verdicts, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in found]


async def side_by_side(db: Database, actor: Actor, beneficiary_id: UUID, subject_id: UUID, purpose: str) -> dict[str, Any]:
    """The register's fields and the source's, with each field's result. Audited: the source's values are shown for a decision only.

    Raises:
        VerificationNotFound: no such person in the caller's units, or nothing was answered yet.
    """
    scope, params = actor.scope_sql("s.unit_path")
    async with db.transaction(actor) as tx:
        row = await verifications.last_answer(tx, beneficiary_id, subject_id, scope, params)
        if row is None:
            raise VerificationNotFound
        what = audit.Read(purpose, {"version": row["version"]})
        await audit.record(tx, "verification.side_by_side", "verification", subject_id, what)
        source = _opened(db, row["side_by_side_cipher"])
    fields = row["fields"] or {}
    return {
        **row,
        "fields": [
            {"field": "number", "in_register": None, "in_source": None, "result": fields.get("number", "not-given")},
            {"field": "name", "in_register": row["full_name"], "in_source": source.get("name"), "result": fields.get("name", "not-given")},
            {
                "field": "birth_date", "in_register": row["birth_date"], "in_source": source.get("birth_date"),
                "result": fields.get("birth_date", "not-given"),
            },
            {"field": "sex", "in_register": row["sex"], "in_source": None, "result": fields.get("sex", "not-given")},
        ],
    }  # fmt: skip


def _opened(db: Database, cipher: bytes | None) -> dict[str, Any]:
    if cipher is None or db.keyring is None:
        return {}
    try:
        values = orjson.loads(db.keyring.decrypt_bytes(SIDE_BY_SIDE, cipher))
    except SealBroken:
        return {}  # shown without the source's values: the officer asks again
    return dict(values)


async def number_conflicts(db: Database, actor: Actor, *, state: str, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of numbers claimed by several registrations, one of them at least in the actor's units."""
    scope, params = actor.scope_sql("mine.unit_path")
    async with db.read(actor) as tx:
        return [dict(row) for row in await conflicts.page(tx, state=state, after=after, limit=limit, scope=scope, scope_params=params)]


async def how_far(db: Database, settings: Settings, actor: Actor) -> dict[str, Any]:
    """What waits in the actor's units, how fast answers come, when that ends at this pace, and how the source is."""
    scope, params = actor.scope_sql("s.unit_path")
    async with db.read(actor) as tx:
        waiting = [dict(row) for row in await progress.waiting(tx, scope, params)]
        pace = await progress.pace(tx, _PACE_SECONDS)
        source = dict(await progress.source(tx))
    per_second = _per_second(int(pace["answers"]), float(pace["seconds"]), settings.population_persons_per_second)
    queue = int(pace["queue"])
    ends = None
    if queue and per_second > 0 and source["failing_since"] is None:
        ends = clock.now() + timedelta(seconds=queue / per_second)
    state = "AWAY" if source["failing_since"] is not None else "SLOWED" if source["held_back"] else "ANSWERS"
    return {
        "mode": settings.population_mode, "waiting": waiting, "queue": queue, "answers_in_ten_minutes": int(pace["answers"]),
        "per_second": round(per_second, 1), "expected_end": ends,
        "source": {**source, "state": state, "next_try_at": source["open_until"] if source["held_back"] else None},
    }  # fmt: skip


def _per_second(answers: int, seconds: float, agreed: float) -> float:
    """The pace of the last minutes; before there is one, the pace agreed with the source."""
    measured = answers / max(seconds, 1.0) if answers else 0.0
    if measured and agreed:
        return min(measured, agreed)
    return measured or agreed
