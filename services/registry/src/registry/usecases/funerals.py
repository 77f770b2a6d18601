"""Funeral support to whoever organises the funeral, and the lump sum to the family: once for one death, the highest of all laws.

Law: Decree 20/2021 Art. 11 (20 × standard; recipients of Art. 5; people of 80 and more on another monthly benefit), Decree 176/2025 (also
when death came between the request for the social pension and its decision), Decree 131/2021 Art. 121 (merit: the social-insurance sum at
the date of death; lump sum of three months of current allowance and supplement without carer allowance).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound
from registry.domain.decisions import Action, month_of
from registry.domain.errors import DecisionNotOpen, FuneralGranted, FuneralRefused, RateNotLoaded, SamePerson
from registry.storage import attachments, dues, publishing
from registry.storage import decisions as decision_storage
from registry.storage import funerals as storage
from registry.usecases import decisions, people
from registry.usecases.recipients import NewPerson, person_of

__all__ = ["Request", "Sums", "answer", "propose", "seen", "settle_answer", "sums"]

_OLD: Final = 80
_MERIT: Final = "MERIT"
_ASSISTANCE: Final = "SOCIAL_ASSISTANCE"
_PENSION: Final = "SOCIAL_PENSION"


@dataclass(frozen=True, slots=True)
class Request:
    """Who organised the funeral (and, for merit, who receives the lump sum for the family), with the decision's head."""

    deceased_id: UUID
    organiser: UUID | NewPerson
    number: str
    decision_date: date
    signer: str
    business_date: date
    relative: UUID | NewPerson | None = None
    pension_requested_on: date | None = None
    paid_elsewhere: int | None = None
    attachment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """What is due for a death: the rule that counts, the lump sum, and the rules set aside with the reason."""

    funeral: Any
    lump_sum: int
    set_aside: list[dict[str, Any]]


async def sums(tx: Tx, deceased: Any, pension_requested_on: date | None, paid_elsewhere: int | None, business_date: date) -> Sums:
    """What the laws pay for this death. Raises FuneralRefused, RateNotLoaded."""
    died: date = deceased["death_date"]
    held = await storage.holdings(tx, deceased["person_id"], died)
    if any(row["missing"] for row in held):
        raise RateNotLoaded("The allowance of the month of death is not known")
    programmes = {row["programme"] for row in held if row["amount"] > 0}
    others = await storage.others_pay(tx, deceased["person_id"], died)
    if pension_requested_on is not None and pension_requested_on <= died:
        programmes.add(_PENSION)
    pensions = [row for row in others if row["kind"] == "PENSION"]
    if len(others) > len(pensions) and _age(deceased["birth_date"], died) >= _OLD:
        programmes.add(_ASSISTANCE)
    found = await storage.candidates(tx, sorted(programmes), died, business_date)
    unknown = [row["code"] for row in found if row["amount"] is None]
    if unknown:
        raise RateNotLoaded(f"No rate on {died.isoformat()} for {', '.join(unknown)}")
    if not found:
        raise FuneralRefused("The person held no allowance with funeral support in the month of death")
    ranked = sorted(found, key=lambda row: (-row["amount"], row["code"]))
    best = ranked[0]
    await _not_higher_elsewhere(tx, best, bool(pensions), paid_elsewhere, died, business_date)
    aside = [
        {"code": row["code"], "amount": row["amount"], "reason_vi": "Chỉ hưởng một mức cao nhất", "reason": "the highest one only"}
        for row in ranked[1:]
    ]
    lump = 0
    rule = await storage.lump_sum_rule(tx, sorted(programmes & {_MERIT}), died, business_date)
    if rule is not None:
        lump = rule["multiple"] * next(int(row["central"] or 0) for row in held if row["programme"] == _MERIT)
    return Sums(best, lump, aside)


async def _not_higher_elsewhere(tx: Tx, best: Any, pensioner: bool, paid_elsewhere: int | None, died: date, business_date: date) -> None:
    """Refuse when another payer's funeral sum is as high: several laws, one sum, the highest (Decree 20/2021 Art. 11)."""
    if paid_elsewhere is not None and paid_elsewhere >= best["amount"]:
        raise FuneralRefused(f"{paid_elsewhere} đ is paid under another law, not less than {best['amount']} đ")
    if pensioner:
        merit = await storage.candidates(tx, [_MERIT], died, business_date)  # the social-insurance law's sum is the one merit uses
        insured = max((row["amount"] or 0 for row in merit), default=0)
        if best["programme"] != _MERIT and insured >= best["amount"]:
            raise FuneralRefused(f"The Social Insurance pays {insured} đ for its pensioner, not less than {best['amount']} đ")


def _age(born: str | None, on: date) -> int:
    """Full years on a date; an unknown month or day counts as the last one, so that nobody is taken for older."""
    if born is None:
        return 0
    year, month, day = (int(part) for part in (born.split("-") + ["12", "31"][born.count("-") :]))
    return on.year - year - ((on.month, on.day) < (month, day))


async def propose(tx: Tx, request: Request) -> UUID:
    """Ask for funeral support; the sums are computed now and approved by a second person.

    Raises NotFound, FuneralRefused, FuneralGranted, RateNotLoaded, InvalidInput.
    """
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, request.attachment_id)
    if request.decision_date > request.business_date:
        raise InvalidInput(errors=[{"field": "decision_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    row = await people.seen(tx, request.deceased_id, lock=True)
    if row["status"] != "DECEASED":
        raise FuneralRefused("No death is recorded of this person")
    due = await sums(tx, row, request.pension_requested_on, request.paid_elsewhere, request.business_date)
    authority = await decision_storage.authorities(tx, due.funeral["programme"], request.decision_date, row["unit_path"])
    if authority is None:
        raise FuneralRefused(f"No authority decides on {due.funeral['programme']} on that date")
    organiser = await person_of(tx, request.organiser, row, request.business_date, "organiser")
    relative = None
    if due.lump_sum:
        relative = await person_of(tx, request.relative or organiser, row, request.business_date, "relative")
    if request.deceased_id in (organiser, relative):
        raise InvalidInput(errors=[{"field": "organiser", "detail": "is the person who died"}])
    funeral_id = await storage.insert(
        tx,
        {
            "deceased_id": request.deceased_id, "death_date": row["death_date"], "organiser_id": organiser, "relative_id": relative,
            "programme": due.funeral["programme"], "funeral_amount": due.funeral["amount"], "lump_sum": due.lump_sum,
            "basis": due.funeral["basis"], "set_aside": {"rules": due.set_aside}, "number": request.number,
            "decision_date": request.decision_date, "signer": request.signer, "authority": authority["authority"],
            "attachment_id": request.attachment_id, "unit_path": row["unit_path"], "business_date": request.business_date,
            "maker": actor.subject,
        },
    )  # fmt: skip
    if funeral_id is None:
        raise FuneralGranted
    what = audit.Created({"amount": due.funeral["amount"], "lump_sum": due.lump_sum, "number": request.number, "state": "PROPOSED"})
    await audit.record(tx, "funeral.propose", "funeral", funeral_id, what)
    return funeral_id


async def seen(tx: Tx, funeral_id: UUID, *, lock: bool = False) -> Any:
    """One request for a person of the caller's area; else 404."""
    actor, _ = decisions.needs(tx)
    row = await storage.find(tx, funeral_id, lock=lock)
    if row is None or not actor.sees(row["person_path"]):
        raise NotFound("No such request")
    return row


async def answer(tx: Tx, funeral_id: UUID, action: Action, business_date: date, why: str | None) -> Any:
    """Approve or reject; approval makes the sums due to the organiser and the relative. Raises NotFound, SamePerson, DecisionNotOpen."""
    actor, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    row = await seen(tx, funeral_id, lock=True)
    if row["state"] != "PROPOSED":
        raise DecisionNotOpen(f"it is {row['state']}")
    if row["maker"] == actor.subject:
        raise SamePerson("Who asked for it cannot answer it")
    if action is not Action.APPROVE:
        await storage.answer(tx, funeral_id, "REJECTED", actor.subject, why, None)
        what = audit.Changed.of(row, {"state": "REJECTED"}, "state", reason=why)
        await audit.record(tx, "funeral.reject", "funeral", funeral_id, what)
        return await seen(tx, funeral_id)
    if row["deceased_status"] != "DECEASED":
        raise FuneralRefused("The death was taken back meanwhile")
    month = month_of(business_date)
    found = await storage.candidates(tx, [row["programme"]], row["death_date"], row["business_date"])
    await storage.pay(tx, row["organiser_id"], found[0], row["funeral_amount"], month, row, actor.subject)
    if row["lump_sum"]:
        rule = await storage.lump_sum_rule(tx, [_MERIT], row["death_date"], row["business_date"])
        if rule is None:
            raise FuneralRefused("The rule of the lump sum was changed meanwhile")
        await storage.pay(tx, row["relative_id"], rule, row["lump_sum"], month, row, actor.subject)
    await storage.answer(tx, funeral_id, "APPROVED", actor.subject, why, month)
    receivers = list(dict.fromkeys(item for item in (row["organiser_id"], row["relative_id"]) if item is not None))
    registered, updated = await decision_storage.people_of(tx, receivers)
    events = [(person_id, "BeneficiaryRegistered") for person_id in registered]
    events += [(person_id, "BeneficiaryUpdated") for person_id in updated]
    await publishing.publish_people(tx, keyring, events, business_date)
    await dues.recompute(tx, receivers, business_date)
    what = audit.Changed.of(row, {"state": "APPROVED"}, "state", amount=row["funeral_amount"], lump_sum=row["lump_sum"], month=month)
    await audit.record(tx, "funeral.approve", "funeral", funeral_id, what)
    return await seen(tx, funeral_id)


async def settle_answer(db: Database, actor: Actor, funeral_id: UUID, action: Action, business_date: date, why: str | None) -> Any:
    """:func:`answer` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await answer(tx, funeral_id, action, business_date, why)
