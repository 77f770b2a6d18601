"""Rulings: one person proposes, another decides; what takes effect at once (a budget, a lane) does so with the decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor, Role
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Forbidden, InvalidInput, NotFound
from disbursement.domain.errors import RulingDecided, SamePerson, UnknownUnit
from disbursement.domain.rulings import SETTINGS, RulingKind, allowed
from disbursement.storage import budget_codes, rulings, units
from disbursement.usecases.manage_lane import change_lane, check_change
from disbursement.usecases.set_budget import set_budget

__all__ = ["UNANSWERED", "Proposal", "decide", "page", "propose", "settings_now"]


UNANSWERED: Final = "UNANSWERED"
"""Nobody has said which codes of the state budget hold from a day on."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A ruling to be made. `unit_code` None: for everybody."""

    kind: RulingKind
    key: str
    business_date: date
    valid_from: date
    body: dict[str, Any] = field(default_factory=dict)
    valid_to: date | None = None
    unit_code: str | None = None
    programme: str | None = None
    legal_ref: str | None = None


async def propose(tx: Tx, actor: Actor, new: Proposal) -> RowMapping:
    """Store a proposal. Raises InvalidInput, UnknownUnit, NotFound (a unit outside the caller's), Forbidden (for the whole province)."""
    if new.kind is RulingKind.SETTING and not allowed(new.key, str(new.body.get("value", ""))):
        raise InvalidInput(errors=[{"field": "value", "detail": "no such setting, or not one of its answers"}])
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise InvalidInput(errors=[{"field": "valid_to", "detail": "before the first day"}])
    if new.kind is RulingKind.LANE:
        await check_change(tx, new.key, new.body["settings"], new.body["version"])
    path = None
    if new.unit_code is not None:
        path = await units.path_of(tx, new.unit_code, new.business_date)
        if path is None:
            raise UnknownUnit(new.unit_code, errors=[{"field": "unit_code", "detail": "not known on the business date"}])
        if not actor.sees(path):
            raise NotFound("No such unit in your scope")
    if path is None and new.kind is not RulingKind.DELEGATION:
        _for_everybody(actor)
    body = dict(new.body)
    if new.kind is RulingKind.DELEGATION:
        if Role.APPROVER not in actor.roles:
            raise InvalidInput(errors=[{"field": "delegate", "detail": "only an approver hands the right to approve on"}])
        if body["delegate"] == actor.subject:
            raise InvalidInput(errors=[{"field": "delegate", "detail": "yourself"}])
        body |= {"delegator": actor.subject, "unit_paths": sorted(actor.unit_paths)}
    row = await rulings.add(
        tx,
        ruling_id=new_id(),
        kind=new.kind.value,
        key=new.key,
        unit_path=path,
        programme=new.programme,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        body=body,
        legal_ref=new.legal_ref,
        business_date=new.business_date,
        proposed_by=actor.subject,
    )
    what = audit.Created({"key": new.key, "body": body, "unit": path, "state": row["state"]})
    await audit.record(tx, f"ruling.propose.{new.kind.lower()}", "ruling", row["ruling_id"], what)
    return row


def _for_everybody(actor: Actor) -> None:
    """What holds in the whole province is settled by people whose area is a province. Raises Forbidden."""
    if not actor.of_a_province:
        raise Forbidden("chỉ người phụ trách toàn tỉnh · only somebody of the whole province: name a unit of yours")


async def decide(tx: Tx, actor: Actor, ruling_id: UUID, *, approve: bool, reason: str | None) -> RowMapping:
    """Approve or reject. Raises SamePerson for the proposer, RulingDecided, RulingOutOfStep (a budget changed since)."""
    row = await rulings.find(tx, ruling_id, lock=True)
    if row is None or not (row["unit_path"] is None or actor.sees(row["unit_path"])):
        raise NotFound("No such ruling")
    if row["kind"] == RulingKind.DELEGATION:
        if not all(actor.sees(path) for path in row["body"]["unit_paths"]):
            raise NotFound("No such ruling")
    elif row["unit_path"] is None:
        _for_everybody(actor)
    if row["proposed_by"] == actor.subject:
        raise SamePerson("You proposed this")
    if row["kind"] == RulingKind.DELEGATION and row["body"]["delegate"] == actor.subject:
        raise SamePerson("The right is handed to you")
    stood = await rulings.in_force(
        tx, RulingKind(row["kind"]), row["valid_from"], unit_path=row["unit_path"], programme=row["programme"], key=row["key"]
    )  # fmt: skip
    decided = await rulings.decide(tx, ruling_id, "APPROVED" if approve else "REJECTED", actor.subject, reason)
    if decided is None:
        raise RulingDecided(f"It is {row['state']}", state=row["state"])
    if approve and row["kind"] == RulingKind.BUDGET:
        body = row["body"]
        await set_budget(
            tx, actor, programme=row["programme"], funding_source=body["funding_source"], unit_code=body["unit_code"], year=body["year"],
            amount=body["amount"], business_date=row["business_date"], replaces=body["replaces"],
        )  # fmt: skip
    if approve and row["kind"] == RulingKind.LANE:
        body = row["body"]
        await change_lane(tx, actor, row["key"], body["settings"], body["version"], proposed_by=row["proposed_by"])
    before = stood[0]["body"] if stood else None
    what = audit.Changed(
        {"state": row["state"], "holds": before},
        {"state": decided["state"], "holds": row["body"] if approve else before},
        {"kind": row["kind"], "key": row["key"], "from": row["valid_from"], "proposed_by": row["proposed_by"], "reason": reason},
    )
    await audit.record(tx, "ruling.approve" if approve else "ruling.reject", "ruling", ruling_id, what)
    return decided


async def page(db: Database, actor: Actor, *, kind: str | None, state: str | None, after: UUID | None, limit: int) -> list[RowMapping]:
    """Rulings of the caller's units and for everybody, oldest first."""
    async with db.read(actor) as tx:
        return list(await rulings.page(tx, actor, kind=kind, state=state, after=after, limit=limit))


async def settings_now(db: Database, actor: Actor, on: date) -> list[dict[str, Any]]:
    """Every setting's question with the answer that holds on a day, and who gave it (None: nobody yet, the default).

    Codes of the state budget that ended with an open question stand here too, unanswered: no file is built until somebody answers.
    """
    answers = []
    async with db.read(actor) as tx:
        for code, item in SETTINGS.items():
            found = await rulings.in_force(tx, RulingKind.SETTING, on, key=code)
            given = found[0] if found else None
            answers.append(
                {
                    "code": code, "value": given["body"]["value"] if given else item.default, "allowed": item.pattern,
                    "question_vi": item.question_vi, "question_en": item.question_en, "legal_ref": item.legal_ref,
                    "decided_by": given["decided_by"] if given else None, "valid_from": given["valid_from"] if given else None,
                }
            )  # fmt: skip
        open_ones = await budget_codes.unanswered(tx, on)
    answers += [
        {
            "code": f"BUDGET_CODES.{row['programme']}.{row['funding_source']}", "value": UNANSWERED, "allowed": "POST /v1/budget-codes",
            "question_vi": row["question_vi"], "question_en": row["question_en"], "legal_ref": row["legal_ref"], "decided_by": None,
            "valid_from": row["valid_to"] + timedelta(days=1),
        }
        for row in open_ones
    ]  # fmt: skip
    return answers
