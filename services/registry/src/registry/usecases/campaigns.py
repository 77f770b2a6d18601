"""A campaign: list taken on a day, approved by a second person, given once to each person; late additions by two people until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.jobs import Job
from common.problems import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from registry.domain.errors import NotPossibleInState, SamePerson
from registry.storage import campaigns as storage
from registry.storage import decisions as decision_storage
from registry.storage import dues, people
from registry.storage.publishing import publish_people, take_people_lock

__all__ = ["GIVE", "LIST", "Giver", "Lister", "NewCampaign", "add_late", "answer", "answer_late", "seen", "start"]

LIST: Final = "campaign-list"
GIVE: Final = "campaign-give"
_FIRST: Final = UUID(int=0)
_OPEN: Final = ("APPROVED", "GIVEN")


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What an officer of the department orders."""

    code: str
    unit_path: str
    snapshot_on: date
    late_until: date | None
    payee: str
    business_date: date


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def seen(tx: Tx, campaign_id: UUID, *, lock: bool = False) -> Any:
    """The campaign, if its area and the caller's meet; else 404."""
    row = await storage.find(tx, campaign_id, lock=lock)
    actor = _actor(tx)
    if row is None or not (actor.sees(row["unit_path"]) or any(path.startswith(row["unit_path"] + "/") for path in actor.unit_paths)):
        raise NotFound("No such campaign")
    return row


async def start(tx: Tx, new: NewCampaign) -> UUID:
    """Order a list; it is taken by a job. Raises NotFound (no such rule on the date, unit outside), Conflict, InvalidInput."""
    if not _actor(tx).sees(new.unit_path):
        raise NotFound("No such unit in your area")
    rule = await storage.rule(tx, new.code, new.business_date)
    if rule is None:
        raise NotFound("No gift of that code is known on this date")
    last = new.late_until or rule["applies_to"] or new.snapshot_on
    if new.snapshot_on > new.business_date:
        raise InvalidInput(errors=[{"field": "snapshot_on", "detail": "after the business date"}])
    if last < new.snapshot_on:
        raise InvalidInput(errors=[{"field": "late_until", "detail": "before the day of the list"}])
    values = {
        "rule_code": new.code, "title_vi": rule["name_vi"], "title_en": rule["name_en"], "legal_basis": rule["legal_basis"],
        "snapshot_on": new.snapshot_on, "late_until": last, "payee": new.payee, "amount_vnd": rule["amount_vnd"],
        "funding_source": rule["funding_source"], "benefit_line": rule["benefit_line"], "month": rule["applies_from"].replace(day=1),
        "for_programmes": rule["for_programmes"], "unit_path": new.unit_path, "business_date": new.business_date,
        "created_by": _actor(tx).subject,
    }  # fmt: skip
    campaign_id = await storage.create(tx, values)
    if campaign_id is None:
        raise Conflict("A campaign of this resolution covers this area already", code=new.code)
    await jobs.create(tx, LIST, {"campaign_id": str(campaign_id)}, new.business_date, total=await people.count(tx))
    await audit.record(tx, "campaign.start", "campaign", campaign_id, audit.Created({"code": new.code, "snapshot_on": new.snapshot_on}))
    return campaign_id


async def answer(tx: Tx, campaign_id: UUID, version: int, action: str, business_date: date, why: str | None) -> Any:
    """Approve or reject (somebody else), or withdraw (the maker), a list that is whole. Approval queues the giving."""
    row = await seen(tx, campaign_id, lock=True)
    actor = _actor(tx)
    if row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    if row["state"] != "LISTED":
        raise NotPossibleInState(f"the campaign is {row['state']}")
    if not actor.sees(row["unit_path"]):
        raise Forbidden("The campaign is of a larger area than yours")
    if (action == "WITHDRAW") != (row["created_by"] == actor.subject):
        raise SamePerson("Whoever ordered a campaign may withdraw it only; a second person approves or rejects")
    state = {"APPROVE": "APPROVED", "REJECT": "REJECTED", "WITHDRAW": "WITHDRAWN"}[action]
    await storage.decide(tx, campaign_id, state, actor.subject, why)
    if action == "APPROVE":
        await jobs.create(tx, GIVE, {"campaign_id": str(campaign_id)}, business_date)
    now: Any = await storage.find(tx, campaign_id)
    what = audit.Changed.of(row, now, "state", "version", reason=why)
    await audit.record(tx, f"campaign.{action.lower()}", "campaign", campaign_id, what)
    return now


async def _hand_out(tx: Tx, campaign: Any, ids: list[UUID], by: str, business_date: date) -> int:
    """Note the gift, tell of whoever collects, compute their dues; how many collect."""
    if tx.db.keyring is None:
        raise RuntimeError("this use case needs a keyring")
    payees = await storage.give(tx, campaign, ids, by)
    registered, updated = await decision_storage.people_of(tx, payees)
    events = [(one, "BeneficiaryRegistered") for one in registered] + [(one, "BeneficiaryUpdated") for one in updated]
    await publish_people(tx, tx.db.keyring, events, business_date)
    await dues.recompute(tx, payees, business_date)
    what = audit.Bulk.of(ids, after={"state": "GIVEN"}, payees=len(payees))
    await audit.record(tx, "campaign.give", "campaign", campaign["campaign_id"], what)
    return len(payees)


async def add_late(tx: Tx, campaign_id: UUID, person_id: UUID, why: str, business_date: date) -> Any:
    """Propose somebody the list missed, until the last day. Raises NotFound, InvalidInput, NotPossibleInState, Conflict."""
    campaign = await seen(tx, campaign_id)
    if campaign["state"] not in _OPEN:
        raise NotPossibleInState(f"the campaign is {campaign['state']}")
    if business_date > campaign["late_until"]:
        raise InvalidInput(errors=[{"field": "business_date", "detail": f"late additions ended on {campaign['late_until']}"}])
    actor = _actor(tx)
    person = await tx.row("SELECT person_id, unit_code, unit_path, merged_into FROM person WHERE person_id = :id FOR UPDATE", id=person_id)
    if person is None or person["merged_into"] is not None or not actor.sees(person["unit_path"]):
        raise NotFound("No such person")
    if person["unit_path"] != campaign["unit_path"] and not person["unit_path"].startswith(campaign["unit_path"] + "/"):
        raise NotFound("The person lives outside the campaign's area")
    known = await storage.member(tx, campaign_id, person_id, lock=True)
    if known is not None and (known["state"] != "LEFT_OUT" or known["left_out"] in ("HAS_IT", "DECEASED")):
        raise Conflict("The person is on the list", state=known["state"], left_out=known["left_out"])
    payee = known["payee_id"] if known is not None else person_id
    await storage.late(tx, campaign, person, payee, actor.subject, business_date, why)
    was = known["state"] if known is not None else None
    what = audit.Changed({"state": was}, {"state": "PROPOSED"}, {"person": person_id, "reason": why})
    await audit.record(tx, "campaign.late", "campaign", campaign_id, what)
    return await storage.member(tx, campaign_id, person_id)


async def answer_late(tx: Tx, campaign_id: UUID, person_id: UUID, *, approve: bool, business_date: date) -> Any:
    """Give it to somebody proposed late, or refuse. Raises NotFound, SamePerson, NotPossibleInState."""
    await take_people_lock(tx)
    campaign = await seen(tx, campaign_id)
    row = await storage.member(tx, campaign_id, person_id, lock=True)
    actor = _actor(tx)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such person on the list")
    if row["state"] != "PROPOSED":
        raise NotPossibleInState(f"it is {row['state']}")
    if row["added_by"] == actor.subject:
        raise SamePerson("Whoever proposed an addition cannot approve it")
    if approve:
        await _hand_out(tx, campaign, [person_id], actor.subject, business_date)
    else:
        await storage.late_answer(tx, campaign_id, person_id, actor.subject)
        now = await storage.member(tx, campaign_id, person_id)
        what = audit.Changed({"state": row["state"]}, {"state": now["state"] if now is not None else None}, {"person": person_id})
        await audit.record(tx, "campaign.late-refused", "campaign", campaign_id, what)
    return await storage.member(tx, campaign_id, person_id)


class Lister:
    """Takes the list: everybody of the area in order of id, a transaction per batch; repeated after a crash it adds nobody twice."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """The job."""
        campaign_id = UUID(str(job.detail["campaign_id"]))
        after, done, named = _FIRST, 0, 0
        while True:
            async with self._db.transaction(SYSTEM(LIST)) as tx:
                row = await storage.find(tx, campaign_id)
                if row is None:
                    raise NotFound("No such campaign")
                ids = await storage.next_people(tx, row["unit_path"], after, self._at_once)
                named += await storage.take(tx, campaign_id, ids)
                if not ids:
                    digest = await storage.listed(tx, campaign_id)
                    what = audit.Changed.of(row, {"state": "LISTED"}, "state", looked_at=done, named=named, digest=digest)
                    await audit.record(tx, "campaign.listed", "campaign", campaign_id, what)
                    return {"people": done, "named": named}
            after, done = ids[-1], done + len(ids)
            await jobs.progress(self._db, job.id, done, done)


class Giver:
    """Gives an approved list, a transaction per batch; what is given is marked, so that a repetition gives nothing twice."""

    def __init__(self, db: Database, *, at_once: int) -> None:
        self._db = db
        self._at_once = at_once

    async def run(self, job: Job) -> dict[str, Any]:
        """The job."""
        campaign_id = UUID(str(job.detail["campaign_id"]))
        done, payees = 0, 0
        while True:
            async with self._db.transaction(SYSTEM(GIVE)) as tx:
                await take_people_lock(tx)
                row = await storage.find(tx, campaign_id, lock=True)
                if row is None or row["state"] not in _OPEN:
                    raise NotPossibleInState("the campaign is not approved")
                ids = await storage.next_listed(tx, campaign_id, self._at_once)
                if not ids:
                    await storage.decide(tx, campaign_id, "GIVEN", "", None)
                    return {"people": done, "payees": payees}
                payees += await _hand_out(tx, row, ids, row["decided_by"], job.business_date)
            done += len(ids)
            await jobs.progress(self._db, job.id, done, done)
