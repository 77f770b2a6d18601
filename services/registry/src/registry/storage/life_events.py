"""Life events: dated records with evidence, and what they change of a person, set-based."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = [
    "answer", "bring_back", "correct_deaths", "decided_by", "find", "insert", "insert_deaths",
    "insert_move", "lock", "mark", "page", "people_for",
]  # fmt: skip

_COLUMNS: Final = (
    "v.event_id, v.kind, v.person_id, v.event_date, v.business_date, v.evidence, v.attachment_id, v.mistaken, v.reverses, v.unit_path,"
    " v.state, v.answer_reason, v.maker, v.made_at, v.checker, v.checked_at, p.full_name, p.file_code, p.masked_number,"
    " (SELECT r.event_id FROM life_event r WHERE r.reverses = v.event_id AND r.state = 'CONFIRMED') AS reversed_by"
)

# The person, what is open about them, and the latest event that nothing has reversed.
_PEOPLE: Final = """
SELECT x.n, p.person_id, p.status, p.death_date, p.unit_path, last.event_id AS last_id, last.kind AS last_kind,
       last.event_date AS last_date, last.state AS last_state, last.maker AS last_maker, last.evidence AS last_evidence,
       EXISTS (SELECT FROM life_event o WHERE o.person_id = p.person_id AND o.state = 'PROPOSED') AS proposed
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS x(person_id, n)
LEFT JOIN person p ON p.person_id = x.person_id AND p.is_beneficiary
LEFT JOIN LATERAL (
    SELECT v.* FROM life_event v WHERE v.person_id = p.person_id AND v.state = 'CONFIRMED' AND v.kind IN ('DEATH', 'MISSING', 'PRISON')
    AND NOT EXISTS (SELECT FROM life_event r WHERE r.reverses = v.event_id AND r.state = 'CONFIRMED')
    ORDER BY v.kind = 'DEATH' DESC, v.event_date DESC, v.event_id DESC LIMIT 1
) last ON true
ORDER BY x.n
"""


async def people_for(tx: Tx, person_ids: Sequence[UUID]) -> Sequence[Any]:
    """What is known of the people an event is about, in the order given."""
    return await tx.rows(_PEOPLE, ids=list(person_ids))


async def insert(tx: Tx, header: dict[str, Any], people: Sequence[Any], reverses: Sequence[UUID | None]) -> list[UUID]:
    """Store one event for each person, waiting for a second person; the ids in the order of `people`."""
    rows = await tx.rows(
        "INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, attachment_id, mistaken, reverses, unit_path, state,"
        " maker) SELECT :kind, x.person_id, :event_date, :business_date, :evidence, CAST(:attachment_id AS uuid), :mistaken, x.reverses,"
        " x.unit_path, 'PROPOSED', :maker"
        " FROM unnest(CAST(:people AS uuid[]), CAST(:reverses AS uuid[]), CAST(:paths AS text[])) WITH ORDINALITY"
        "   AS x(person_id, reverses, unit_path, n) ORDER BY x.n RETURNING event_id, person_id",
        **header,
        people=[row["person_id"] for row in people],
        reverses=list(reverses),
        paths=[row["unit_path"] for row in people],
    )
    by_person = {row["person_id"]: row["event_id"] for row in rows}
    return [by_person[row["person_id"]] for row in people]


async def insert_deaths(tx: Tx, person_ids: Sequence[UUID], business_date: date, evidence: str, by: str) -> None:
    """Record deaths that have just been set on these people. A death takes effect at once: later months must not be paid."""
    await tx.execute(
        "INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, unit_path, state, maker)"
        " SELECT 'DEATH', p.person_id, p.death_date, :day, :evidence, p.unit_path, 'CONFIRMED', :by FROM person p"
        " WHERE p.person_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(person_ids),
        day=business_date,
        evidence=evidence,
        by=by,
    )


async def correct_deaths(tx: Tx, person_ids: Sequence[UUID], business_date: date, evidence: str, maker: str, checker: str) -> None:
    """Take back the deaths recorded of these people and record what has just been set on them, by the same two people."""
    given = {"day": business_date, "evidence": evidence, "maker": maker, "checker": checker}
    rows = [row for row in await people_for(tx, person_ids) if row["last_kind"] == "DEATH"]
    await tx.execute(
        "INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, mistaken, reverses, unit_path, state, maker,"
        " checker, checked_at) SELECT 'RETURN', v.person_id, :day, :day, :evidence, true, v.event_id, p.unit_path, 'CONFIRMED', :maker,"
        " :checker, now() FROM life_event v JOIN person p USING (person_id) WHERE v.event_id = ANY(CAST(:ids AS uuid[]))",
        ids=[row["last_id"] for row in rows],
        **given,
    )
    await tx.execute(
        "INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, unit_path, state, maker, checker, checked_at)"
        " SELECT 'DEATH', p.person_id, p.death_date, :day, :evidence, p.unit_path, 'CONFIRMED', :maker, :checker, now() FROM person p"
        " WHERE p.person_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(person_ids),
        **given,
    )


async def insert_move(tx: Tx, transfer_id: UUID) -> None:
    """Record a move that was received: its two people are those of the hand-over."""
    await tx.execute(
        "INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, attachment_id, unit_path, state, maker, checker,"
        " checked_at) SELECT 'MOVE', t.person_id, t.pays_from, t.answered_on, t.number, t.attachment_id, p.unit_path, 'CONFIRMED', t.maker,"
        " t.checker, now() FROM transfer t JOIN person p USING (person_id) WHERE t.transfer_id = :id",
        id=transfer_id,
    )


async def lock(tx: Tx, event_ids: Sequence[UUID]) -> Sequence[Any]:
    """Events by id, locked for an answer."""
    return await tx.rows(
        "SELECT v.*, p.unit_path AS person_path, p.status FROM life_event v JOIN person p USING (person_id)"
        " WHERE v.event_id = ANY(CAST(:ids AS uuid[])) ORDER BY v.event_id FOR UPDATE OF v",
        ids=list(event_ids),
    )


async def answer(tx: Tx, event_ids: Sequence[UUID], state: str, by: str, why: str | None) -> None:
    """Write what became of events."""
    await tx.execute(
        "UPDATE life_event SET state = :state, checker = :by, checked_at = now(), answer_reason = :why"
        " WHERE event_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(event_ids),
        state=state,
        by=by,
        why=why,
    )


async def mark(tx: Tx, person_ids: Sequence[UUID], status: str) -> list[UUID]:
    """Set people's status; those who changed. Somebody dead stays dead but for :func:`bring_back`."""
    rows = await tx.rows(
        "UPDATE person SET status = :status, version = version + 1, updated_at = now() WHERE person_id = ANY(CAST(:ids AS uuid[]))"
        " AND status NOT IN ('DECEASED', :status) RETURNING person_id",
        ids=list(person_ids),
        status=status,
    )
    return [row["person_id"] for row in rows]


async def bring_back(tx: Tx, person_ids: Sequence[UUID], day: date) -> tuple[list[UUID], list[UUID]]:
    """Undo deaths: (people living again, people whose funeral sums are cancelled)."""
    rows = await tx.rows(
        "UPDATE person p SET death_date = NULL, version = p.version + 1, updated_at = now(), status = CASE WHEN EXISTS ("
        "   SELECT FROM life_event v WHERE v.person_id = p.person_id AND v.kind = 'MISSING' AND v.state = 'CONFIRMED' AND NOT EXISTS ("
        "     SELECT FROM life_event r WHERE r.reverses = v.event_id AND r.state = 'CONFIRMED')) THEN 'MISSING' ELSE 'ACTIVE' END"
        " WHERE p.person_id = ANY(CAST(:ids AS uuid[])) AND p.status = 'DECEASED' RETURNING p.person_id",
        ids=list(person_ids),
    )
    living = [row["person_id"] for row in rows]
    cancelled = await tx.rows(
        "UPDATE one_off_due o SET cancelled_on = :day FROM funeral_support f WHERE f.deceased_id = ANY(CAST(:ids AS uuid[]))"
        " AND f.state = 'APPROVED' AND o.source_id = f.funeral_id AND o.cancelled_on IS NULL RETURNING o.person_id",
        ids=living,
        day=day,
    )
    await tx.execute(
        "UPDATE death_difference SET state = 'LAPSED', answered_by = 'system:life-events', answered_at = now(), version = version + 1"
        " WHERE person_id = ANY(CAST(:ids AS uuid[])) AND state = 'OPEN'",
        ids=living,
    )
    await tx.execute(
        "UPDATE funeral_support SET state = CASE state WHEN 'APPROVED' THEN 'CANCELLED' ELSE 'REJECTED' END,"
        " checker = coalesce(checker, 'system:life-events'), checked_at = coalesce(checked_at, now()),"
        " answer_reason = 'death recorded by mistake' WHERE deceased_id = ANY(CAST(:ids AS uuid[])) AND state IN ('PROPOSED', 'APPROVED')",
        ids=living,
    )
    return living, list({row["person_id"] for row in cancelled})


async def decided_by(tx: Tx, event_ids: Sequence[UUID]) -> Sequence[Any]:
    """What the decisions that came with these events suspended or ended and nothing has undone."""
    return await tx.rows(
        "SELECT d.life_event_id, d.person_id, d.entitlement_id, d.kind, e.programme FROM decision d"
        " JOIN entitlement e USING (entitlement_id) WHERE d.life_event_id = ANY(CAST(:ids AS uuid[])) AND d.state = 'APPROVED'"
        " AND e.status IN ('SUSPENDED', 'ENDED')"
        " AND NOT EXISTS (SELECT FROM decision l WHERE l.entitlement_id = d.entitlement_id AND l.state = 'APPROVED'"
        "                 AND l.kind IN ('SUSPEND', 'END') AND l.checked_at > d.checked_at)"
        " ORDER BY d.decision_id",
        ids=list(event_ids),
    )


async def find(tx: Tx, event_id: UUID) -> Any | None:
    """One event, or None."""
    return await tx.row(
        f"SELECT {_COLUMNS}, p.unit_path AS person_path FROM life_event v JOIN person p USING (person_id) WHERE v.event_id = :id",
        id=event_id,
    )


async def page(
    tx: Tx, actor: Actor, *, after: UUID | None, limit: int, kind: str | None, state: str | None, person_id: UUID | None
) -> Sequence[Any]:
    """Events of people in the actor's area, in the order recorded."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.rows(
        f"SELECT {_COLUMNS} FROM life_event v JOIN person p USING (person_id) WHERE {scope}"
        " AND (CAST(:kind AS text) IS NULL OR v.kind = :kind) AND (CAST(:state AS text) IS NULL OR v.state = :state)"
        " AND (CAST(:person AS uuid) IS NULL OR v.person_id = :person) AND (CAST(:after AS uuid) IS NULL OR v.event_id > :after)"
        " ORDER BY v.event_id LIMIT :limit",
        kind=kind, state=state, person=person_id, after=after, limit=limit, **params,
    )  # fmt: skip
