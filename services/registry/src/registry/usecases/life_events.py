"""Life events: recorded with evidence for one or many people, confirmed by a second person together with the decisions they call for.

A death takes effect at once (money must not go out for later months); taking it back, like every other event, needs two people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound
from registry.domain.decisions import Action, Kind, group_of
from registry.domain.errors import DecisionNotOpen, LifeEventRefused, SamePerson
from registry.domain.life_events import CONSEQUENCES, RETURN_REASON, STATUS, Event
from registry.storage import attachments, dues, publishing
from registry.storage import decisions as decision_storage
from registry.storage import life_events as storage
from registry.usecases import decisions, people

__all__ = ["Report", "answer", "record", "seen", "settle_answer"]


@dataclass(frozen=True, slots=True)
class Report:
    """One event of one or many people. `decision` heads the decisions it calls for; `mistaken`: a return that says it never happened."""

    kind: Event
    event_date: date
    person_ids: Sequence[UUID]
    evidence: str
    business_date: date
    decision: decisions.Header | None = None
    mistaken: bool = False
    attachment_id: UUID | None = None


async def record(tx: Tx, report: Report) -> list[UUID]:
    """Record an event; the ids in the order of the people. Raises NotFound, LifeEventRefused, DecisionRefused, EntitlementState."""
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, report.attachment_id)
    if report.event_date > report.business_date:
        raise InvalidInput(errors=[{"field": "event_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    if len(set(report.person_ids)) < len(report.person_ids):
        raise InvalidInput(errors=[{"field": "beneficiary_ids", "detail": "somebody is named twice"}])
    rows = await storage.people_for(tx, report.person_ids)
    unseen = [n for n, row in enumerate(rows) if row["person_id"] is None or not actor.sees(row["unit_path"])]
    if unseen:
        raise NotFound("No such beneficiary", errors=[{"field": f"beneficiary_ids.{n}", "detail": "not found"} for n in unseen])
    refused = [(n, why) for n, row in enumerate(rows) if (why := _misfit(report, row)) is not None]
    if refused:
        raise LifeEventRefused(errors=[{"field": f"beneficiary_ids.{n}", "detail": why} for n, why in refused])
    if report.kind is Event.DEATH:
        return await _deaths(tx, report)
    reverses = [row["last_id"] if report.kind is Event.RETURN else None for row in rows]
    header = {
        "kind": report.kind, "event_date": report.event_date, "business_date": report.business_date, "evidence": report.evidence,
        "attachment_id": report.attachment_id, "mistaken": report.mistaken, "maker": actor.subject,
    }  # fmt: skip
    event_ids = await storage.insert(tx, header, rows, reverses)
    by_person = {row["person_id"]: event_id for row, event_id in zip(rows, event_ids, strict=True)}
    items = await (_resumptions(tx, report, rows, by_person) if report.kind is Event.RETURN else _stops(tx, report, by_person))
    if items:
        if report.decision is None:
            raise LifeEventRefused(
                f"{len(items)} allowances are decided by this event: give number, date and signer of the decision",
                errors=[{"field": "decision", "detail": "missing"}],
            )
        await decisions.propose(tx, report.decision, items)
    what = audit.Bulk.of(event_ids, after={"state": "PROPOSED"}, kind=report.kind)
    await audit.record(tx, "life-event.record", "life-event", event_ids[0], what)
    return event_ids


def _misfit(report: Report, row: Any) -> str | None:
    """Why the event does not fit what is recorded of the person, or None."""
    if row["proposed"]:
        return "another event of this person waits for a second person"
    if report.kind is Event.RETURN:
        if row["last_id"] is None:
            return "nothing is recorded to return from"
        if row["last_kind"] == Event.DEATH and not report.mistaken:
            return "a recorded death is taken back only as recorded by mistake"
        if not report.mistaken and report.event_date < row["last_date"]:
            return f"before the {row['last_kind']} of {row['last_date'].isoformat()}"
        return None
    if row["status"] == "DECEASED":
        return "the person's death is recorded"
    if report.kind is not Event.DEATH and row["last_kind"] == report.kind:
        return f"{report.kind} is recorded already"
    return None


async def _deaths(tx: Tx, report: Report) -> list[UUID]:
    deaths = [(person_id, report.event_date) for person_id in report.person_ids]
    await people.record_deaths(tx, deaths, report.business_date, report.evidence)
    rows = await storage.people_for(tx, report.person_ids)
    return [row["last_id"] for row in rows]


async def _stops(tx: Tx, report: Report, by_person: dict[UUID, UUID]) -> list[decisions.Item]:
    held = await decision_storage.open_for(tx, report.person_ids)
    items = []
    for row in held:
        kind, reason = CONSEQUENCES[report.kind, group_of(row["programme"])]
        if kind is Kind.SUSPEND and row["status"] == "SUSPENDED":
            continue  # it is not paid already; a second suspension would only hide the first one's reason
        items.append(
            decisions.Item(kind=kind, reason=reason, entitlement_id=row["entitlement_id"], life_event_id=by_person[row["person_id"]])
        )
    return items


async def _resumptions(tx: Tx, report: Report, rows: Sequence[Any], by_person: dict[UUID, UUID]) -> list[decisions.Item]:
    kinds = {row["last_id"]: Event(row["last_kind"]) for row in rows if row["last_kind"] != Event.DEATH}
    stopped = await storage.decided_by(tx, list(kinds))
    return [
        decisions.Item(
            kind=Kind.RESUME, reason="FALSE_ALARM" if report.mistaken else RETURN_REASON[kinds[row["life_event_id"]]],
            entitlement_id=row["entitlement_id"], life_event_id=by_person[row["person_id"]],
        )
        for row in stopped
    ]  # fmt: skip


async def answer(tx: Tx, event_ids: Sequence[UUID], action: Action, business_date: date, why: str | None) -> int:
    """Confirm or reject events with their decisions, all or none; how many. Raises NotFound, SamePerson, DecisionNotOpen."""
    actor, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    rows = await storage.lock(tx, event_ids)
    if len(rows) < len(set(event_ids)) or not all(actor.sees(row["person_path"]) for row in rows):
        raise NotFound("No such event")
    closed = [row for row in rows if row["state"] != "PROPOSED"]
    if closed:
        raise DecisionNotOpen(errors=[{"field": "event_ids", "detail": f"{row['event_id']}: {row['state']}"} for row in closed])
    if any(row["maker"] == actor.subject for row in rows):
        raise SamePerson("Who recorded an event cannot confirm it")
    ids = [row["event_id"] for row in rows]
    decision_ids = await tx.rows(
        "SELECT decision_id FROM decision WHERE life_event_id = ANY(CAST(:ids AS uuid[])) AND state = 'PROPOSED'", ids=ids
    )
    carried = await decision_storage.lock(tx, [row["decision_id"] for row in decision_ids])
    confirmed = action is Action.APPROVE
    state = "CONFIRMED" if confirmed else "REJECTED"
    await storage.answer(tx, ids, state, actor.subject, why)
    if confirmed:
        await _confirm(tx, rows, keyring, business_date)
    if carried:
        await decisions.answer_locked(tx, action, carried, business_date, why)
    what = audit.Bulk.of(ids, before={"state": "PROPOSED"}, after={"state": state})
    await audit.record(tx, "life-event.confirm" if confirmed else "life-event.reject", "life-event", ids[0], what)
    return len(ids)


async def _confirm(tx: Tx, rows: Sequence[Any], keyring: Any, business_date: date) -> None:
    """Set what the events say of the people. Their allowances follow by the decisions."""
    dead = await tx.rows(
        "SELECT v.event_id FROM life_event v JOIN life_event o ON o.event_id = v.reverses AND o.kind = 'DEATH'"
        " WHERE v.event_id = ANY(CAST(:ids AS uuid[]))",
        ids=[row["event_id"] for row in rows],
    )
    undone = {row["event_id"] for row in dead}
    changed, others = await storage.bring_back(tx, [row["person_id"] for row in rows if row["event_id"] in undone], business_date)
    for kind, status in STATUS.items():
        ids = [row["person_id"] for row in rows if row["kind"] == kind and row["event_id"] not in undone]
        if ids:
            changed += await storage.mark(tx, ids, status)
    # Whose only sum was cancelled holds nothing of the programme any more.
    changed += (await decision_storage.people_of(tx, others))[1]
    changed = list(dict.fromkeys(changed))
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryUpdated") for person_id in changed], business_date)
    await dues.recompute(tx, list(dict.fromkeys([*changed, *others])), business_date)


async def settle_answer(db: Database, actor: Actor, event_ids: Sequence[UUID], action: Action, business_date: date, why: str | None) -> int:
    """:func:`answer` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await answer(tx, event_ids, action, business_date, why)


async def seen(tx: Tx, event_id: UUID) -> Any:
    """One event of a person in the caller's area; else 404."""
    actor, _ = decisions.needs(tx)
    row = await storage.find(tx, event_id)
    if row is None or not actor.sees(row["person_path"]):
        raise NotFound("No such event")
    return row
