"""Asking the police to issue a number at home: made by the commune, taken through by the police, done when the register has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor, Role
from common.db import Database, Tx
from common.problems import Forbidden, PreconditionFailed
from identity_verify.domain.errors import IssueRequestExists, IssueRequestNotFound, MoveNotAllowed, NumberKnown, VerificationNotFound
from identity_verify.domain.issue_request import IssueReason, IssueState, may_move
from identity_verify.storage import issue_requests

__all__ = ["NewRequest", "ask", "move", "page", "show"]


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What the commune asks for."""

    beneficiary_id: UUID
    subject_id: UUID
    reason: IssueReason
    note: str | None
    business_date: date


async def ask(tx: Tx, actor: Actor, new: NewRequest) -> UUID:
    """Ask for a number for somebody who has none, or whose number the database does not know.

    Raises:
        VerificationNotFound: no such person in the caller's units.
        NumberKnown: the person has a number that the database knows.
        IssueRequestExists: there is an open request.
    """
    person = await issue_requests.find_subject(tx, new.beneficiary_id, new.subject_id, *actor.scope_sql("s.unit_path"))
    if person is None:
        raise VerificationNotFound
    if person["has_number"] and person["verdict"] != "NOT_FOUND":
        raise NumberKnown
    request_id = await issue_requests.create(
        tx,
        beneficiary_id=new.beneficiary_id,
        subject_id=new.subject_id,
        reason=new.reason,
        note=new.note,
        unit_path=person["unit_path"],
        by_whom=actor.subject,
        business_date=new.business_date,
    )
    if request_id is None:
        raise IssueRequestExists
    await audit.record(tx, "issue.requested", "issue_request", request_id, audit.Created({"reason": new.reason}))
    return request_id


async def move(
    db: Database, actor: Actor, request_id: UUID, to: IssueState, *, version: int, business_date: date, visit_on: date | None
) -> dict[str, Any]:
    """Take a request to another state; as it is then.

    Raises:
        Forbidden: the commune withdraws what it asked for, everything else is the police's.
        IssueRequestNotFound: no such request in the caller's units.
        PreconditionFailed: it changed since the caller read it.
        MoveNotAllowed: not from the state it is in.
    """
    if to is not IssueState.WITHDRAWN and not actor.has(Role.COMMUNE_POLICE, Role.DEPARTMENT_OFFICER):
        raise Forbidden("the commune withdraws a request; every other step is the police's")
    async with db.transaction(actor) as tx:
        scope, params = actor.scope_sql("i.unit_path")
        found = await issue_requests.lock(tx, request_id, scope, params)
        if found is None:
            raise IssueRequestNotFound
        if found["version"] != version:
            raise PreconditionFailed(f"the request is at version {found['version']}")
        if not may_move(IssueState(found["state"]), to):
            raise MoveNotAllowed(f"{found['state']} → {to}")
        await issue_requests.move(tx, request_id, to, business_date=business_date, visit_on=visit_on, by_whom=actor.subject)
        after = {"state": to.value, "visit_on": visit_on or found["visit_on"]}
        await audit.record(tx, "issue.moved", "issue_request", request_id, audit.Changed.of(found, after, "state", "visit_on"))
        return await _shown(tx, request_id)


async def show(db: Database, actor: Actor, request_id: UUID) -> dict[str, Any]:
    """One request with its steps. Raises IssueRequestNotFound, also for another unit's."""
    async with db.read(actor) as tx:
        found = await _shown(tx, request_id)
    if not actor.sees(found["unit_path"]):
        raise IssueRequestNotFound
    return found


async def _shown(tx: Tx, request_id: UUID) -> dict[str, Any]:
    rows = await issue_requests.page(tx, state=None, after=None, limit=1, scope="TRUE", scope_params={}, only=request_id)
    if not rows:
        raise IssueRequestNotFound
    return {**rows[0], "steps": [dict(step) for step in await issue_requests.steps(tx, request_id)]}


async def page(db: Database, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of requests of the actor's units."""
    scope, params = actor.scope_sql("i.unit_path")
    async with db.read(actor) as tx:
        return [dict(row) for row in await issue_requests.page(tx, state=state, after=after, limit=limit, scope=scope, scope_params=params)]
