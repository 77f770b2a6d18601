"""Representatives: who may collect for a beneficiary, of which programmes, from when to when.

No rule on form or duration of an authorisation for these benefits was found; the limit is the setting REPRESENTATIVE_MAX_MONTHS, by
analogy with the Social Insurance Law 2024 (12 months). A guardian acts until the guardianship ends; a carer until the care ends.
Money goes to whom is appointed: one person proposes to appoint or extend, another confirms; ending a right needs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.clock import today
from common.db import Database, Tx
from common.jobs import Job
from common.lists.cells import hide_numbers
from common.problems import NotFound, PreconditionFailed
from registry.domain.dates import months_later
from registry.domain.errors import NotPossibleInState, RepresentativeRefused, SamePerson
from registry.storage import attachments, history, publishing
from registry.storage import decisions as decision_storage
from registry.storage import representative_proposals as proposals
from registry.storage import representatives as storage
from registry.usecases import decisions, people
from registry.usecases.recipients import NewPerson, person_of

__all__ = [
    "EXPIRE", "Appointment", "Expirer", "Extension", "ask_extension", "decide", "end", "propose",
    "propose_extension", "request_expiry", "revoke", "seen", "settle",
]  # fmt: skip

EXPIRE: Final = "representatives-expire"
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Appointment:
    """Somebody to collect for a beneficiary. No programmes: all of them. `heir`: appointed after death, to collect what is left."""

    beneficiary_id: UUID
    person: UUID | NewPerson
    kind: str
    valid_from: date
    business_date: date
    valid_to: date | None = None
    programmes: Sequence[str] = ()
    certificate_number: str | None = None
    attachment_id: UUID | None = None
    heir: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """What may change while a right stands; None leaves it."""

    valid_to: date | None = None
    programmes: Sequence[str] | None = None
    certificate_number: str | None = None
    attachment_id: UUID | None = None


def _refuse(field: str, vi: str, en: str) -> RepresentativeRefused:
    return RepresentativeRefused(en, errors=[{"field": field, "detail": en, "detail_vi": vi}])


async def _last_day(tx: Tx, kind: str, valid_from: date, wanted: date | None) -> date | None:
    """The last day of a right: an authorisation has at most the months of the setting, and those when none is given."""
    if wanted is not None and wanted < valid_from:
        raise _refuse("valid_to", "Ngày kết thúc trước ngày bắt đầu", "the end is before the beginning")
    if kind != "AUTHORISED":
        return wanted
    months = int((await decision_storage.policy(tx, ["REPRESENTATIVE_MAX_MONTHS"]))["REPRESENTATIVE_MAX_MONTHS"])
    longest = months_later(valid_from, months)  # a term ends with the corresponding day (Civil Code 2015 Art. 148)
    if wanted is not None and wanted > longest:
        raise _refuse(
            "valid_to",
            f"Ủy quyền tối đa {months} tháng: đến {longest:%d/%m/%Y}",
            f"an authorisation lasts {months} months at most: until {longest.isoformat()}",
        )
    return wanted or longest


async def propose(tx: Tx, new: Appointment) -> UUID:
    """Propose a representative to a second person; the proposal's id. Raises NotFound, RepresentativeRefused, DuplicateNumber."""
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, new.attachment_id)
    row = await people.seen(tx, new.beneficiary_id, lock=True)
    _check_life(row, heir=new.heir)
    if new.heir and (new.kind != "AUTHORISED" or new.valid_from < row["death_date"]):
        raise _refuse(
            "kind", "Người thừa kế nhận thay theo hình thức ủy quyền, từ ngày qua đời", "an heir is AUTHORISED, from the day of death"
        )
    _check_paper(new.kind, new.certificate_number, new.attachment_id)
    last = await _last_day(tx, new.kind, new.valid_from, new.valid_to)
    person_id = await person_of(tx, new.person, row, new.business_date, "person")
    if person_id == new.beneficiary_id:
        raise _refuse("person", "Người nhận thay trùng với người hưởng", "the representative is the beneficiary")
    await _check_alive(tx, person_id)
    standing = await storage.find(tx, new.beneficiary_id, person_id)
    if standing is not None and standing["revoked_on"] is None:
        raise _refuse("person", "Người này đang là người nhận thay", "this person is appointed already: extend instead")
    values = {
        "action": "APPOINT", "beneficiary_id": new.beneficiary_id, "representative_id": person_id, "kind": new.kind,
        "certificate_number": new.certificate_number, "valid_from": new.valid_from, "valid_to": last,
        "programmes": sorted(set(new.programmes)), "basis": "HEIR" if new.heir else "STANDING", "attachment_id": new.attachment_id,
        "business_date": new.business_date,
    }  # fmt: skip
    return await _propose(tx, values)


async def propose_extension(
    tx: Tx, beneficiary_id: UUID, representative_id: UUID, version: int, change: Extension, business_date: date
) -> UUID:
    """Propose to extend or narrow a right at the version read; the proposal's id. An extension counts months from the business date."""
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, change.attachment_id)
    row = await _standing(tx, beneficiary_id, representative_id, version)
    last = row["valid_to"]
    if change.valid_to is not None:
        last = await _last_day(tx, row["kind"], max(business_date, row["valid_from"]), change.valid_to)
    programmes = row["programmes"] if change.programmes is None else sorted(set(change.programmes))
    values = {name: row[name] for name in ("beneficiary_id", "representative_id", "kind", "valid_from", "basis")} | {
        "action": "EXTEND", "valid_to": last, "programmes": programmes, "business_date": business_date, "of_version": version,
        "certificate_number": change.certificate_number or row["certificate_number"],
        "attachment_id": change.attachment_id or row["attachment_id"],
    }  # fmt: skip
    _check_paper(values["kind"], values["certificate_number"], values["attachment_id"])
    return await _propose(tx, values)


async def _propose(tx: Tx, values: dict[str, Any]) -> UUID:
    actor, _ = decisions.needs(tx)
    proposal_id = await proposals.add(tx, values | {"maker": actor.subject})
    if proposal_id is None:
        raise _refuse("person", "Đang có đề xuất khác về người này chờ xác nhận", "another proposal about this person waits")
    told = ("representative_id", "action", "kind", "valid_from", "valid_to", "programmes")
    what = audit.Created({"proposal_id": proposal_id, **{name: values.get(name) for name in told}})
    await audit.record(tx, "representative.propose", "beneficiary", values["beneficiary_id"], what)
    return proposal_id


def _check_life(row: Any, *, heir: bool) -> None:
    if heir != (row["status"] == "DECEASED"):
        raise _refuse(
            "heir", "Người thừa kế chỉ được cử sau khi người hưởng qua đời, và chỉ người thừa kế",
            "an heir is appointed after the death, and after the death only an heir is",
        )  # fmt: skip


def _check_paper(kind: str, certificate_number: str | None, attachment_id: UUID | None) -> None:
    if kind == "AUTHORISED" and not certificate_number and attachment_id is None:
        raise _refuse(
            "certificate_number", "Ủy quyền phải có số giấy ủy quyền hoặc tệp đính kèm",
            "an authorisation needs the number of its certificate or an attachment",
        )  # fmt: skip


async def _check_alive(tx: Tx, person_id: UUID) -> None:
    if await tx.value("SELECT status FROM person WHERE person_id = :id", id=person_id) == "DECEASED":
        raise _refuse("person", "Người nhận thay đã qua đời", "the representative's death is recorded")


async def decide(tx: Tx, proposal_id: UUID, *, approve: bool, why: str | None, business_date: date) -> Any:
    """Confirm or reject a proposal, or take one's own back; the proposal after. Only what is confirmed is published.

    Raises NotFound, NotPossibleInState, SamePerson, RepresentativeRefused (the rules of the proposal are looked at again).
    """
    actor, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    row = await proposals.find(tx, proposal_id, lock=True)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such proposal")
    if row["state"] != "PROPOSED":
        raise NotPossibleInState(f"The proposal is {row['state']}")
    own = row["maker"] == actor.subject
    if own and approve:
        raise SamePerson("Who proposed it cannot confirm it")
    if not own and not approve and not why:
        raise _refuse("reason", "Từ chối phải ghi lý do", "a refusal says why")
    state = "CONFIRMED" if approve else "WITHDRAWN" if own else "REJECTED"
    await proposals.answer(tx, proposal_id, state, None if own else actor.subject, hide_numbers(why or "")[0] or None)
    pair = (row["beneficiary_id"], row["representative_id"])
    before = await storage.find(tx, *pair)
    if approve:
        person = await people.seen(tx, row["beneficiary_id"], lock=True)
        _check_life(person, heir=row["basis"] == "HEIR")
        await _check_alive(tx, row["representative_id"])
        ended = await (_appoint(tx, row, business_date) if row["action"] == "APPOINT" else _extend(tx, row))
        await publishing.publish_representatives(tx, keyring, [*ended, pair], business_date)
    after = await storage.find(tx, *pair)
    what = audit.Changed(
        {"proposal": row["state"], **_right(before)},
        {"proposal": state, **_right(after)},
        {"representative": pair[1], "action": row["action"], "proposed_by": row["maker"]},
    )
    await audit.record(tx, "representative.answer", "beneficiary", pair[0], what)
    return await proposals.find(tx, proposal_id)


def _right(row: Any) -> dict[str, Any]:
    """What the audit log says of somebody's right to collect."""
    return {name: row[name] if row is not None else None for name in ("kind", "valid_from", "valid_to", "programmes", "revoked_on")}


async def _appoint(tx: Tx, row: Any, business_date: date) -> list[tuple[UUID, UUID]]:
    """Carry out a confirmed appointment; the rights that end with it."""
    names = (
        "beneficiary_id", "representative_id", "kind", "certificate_number", "valid_from", "valid_to", "programmes", "basis",
        "attachment_id",
    )  # fmt: skip
    if not await storage.appoint(tx, {name: row[name] for name in names} | {"appointed_by": row["maker"]}):
        raise _refuse("person", "Người này đang là người nhận thay", "this person is appointed already: extend instead")
    return await storage.end_standing(tx, row["beneficiary_id"], business_date) if row["basis"] == "HEIR" else []


async def _extend(tx: Tx, row: Any) -> list[tuple[UUID, UUID]]:
    """Carry out a confirmed extension of the right as it was when it was asked for."""
    now = await storage.find(tx, row["beneficiary_id"], row["representative_id"], lock=True)
    if now is None or now["version"] != row["of_version"] or now["revoked_on"] is not None:
        raise NotPossibleInState("The right has changed since: propose anew")
    values = {name: row[name] for name in ("valid_to", "programmes", "certificate_number", "attachment_id")}
    await storage.update(tx, row["beneficiary_id"], row["representative_id"], values)
    return []


async def seen(tx: Tx, beneficiary_id: UUID, representative_id: UUID, *, lock: bool = False) -> Any:
    """A representative of a beneficiary in the caller's area; else 404."""
    await people.seen(tx, beneficiary_id, lock=lock)
    row = await storage.find(tx, beneficiary_id, representative_id, lock=lock)
    if row is None:
        raise NotFound("No such representative")
    return row


async def _standing(tx: Tx, beneficiary_id: UUID, representative_id: UUID, version: int) -> Any:
    row = await seen(tx, beneficiary_id, representative_id, lock=True)
    if row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    if row["revoked_on"] is not None:
        raise _refuse("revoked_on", "Việc nhận thay đã chấm dứt; hãy cử lại", "the right has ended: appoint again")
    return row


async def revoke(tx: Tx, beneficiary_id: UUID, representative_id: UUID, version: int, why: str, business_date: date) -> Any:
    """End a right today, at the version read; the row after."""
    _, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    row = await _standing(tx, beneficiary_id, representative_id, version)
    await storage.revoke(tx, beneficiary_id, representative_id, business_date, why)
    await publishing.publish_representatives(tx, keyring, [(beneficiary_id, representative_id)], business_date)
    now = await seen(tx, beneficiary_id, representative_id)
    what = audit.Changed(_right(row), _right(now), {"representative": representative_id, "why": why})
    await audit.record(tx, "representative.revoke", "beneficiary", beneficiary_id, what)
    return now


async def ask_extension(db: Database, actor: Actor, pair: tuple[UUID, UUID], version: int, change: Extension, business_date: date) -> Any:
    """:func:`propose_extension` in a transaction of its own; the proposal. `pair`: beneficiary and representative."""
    async with db.transaction(actor) as tx:
        return await proposals.find(tx, await propose_extension(tx, *pair, version, change, business_date))


async def settle(db: Database, actor: Actor, proposal_id: UUID, business_date: date, *, approve: bool, why: str | None) -> Any:
    """:func:`decide` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await decide(tx, proposal_id, approve=approve, why=why, business_date=business_date)


async def end(db: Database, actor: Actor, pair: tuple[UUID, UUID], version: int, why: str, business_date: date) -> Any:
    """:func:`revoke` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await revoke(tx, *pair, version, why, business_date)


async def request_expiry(tx: Tx, business_date: date) -> UUID:
    """Queue the sweep that ends rights whose last day is past; the job's id."""
    job_id = await jobs.create(tx, EXPIRE, {}, business_date)
    await audit.record(tx, "representative.expire", "job", job_id, audit.Created({"business_date": business_date}))
    return job_id


class Expirer:
    """The worker's side of the sweep."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self, job: Job) -> dict[str, Any]:
        """End what is past, a transaction per batch; repeated after a crash it ends nothing twice."""
        return {"expired": await self.end(job.business_date)}

    async def run_once(self, set_date: date | None = None) -> bool:
        """The sweep nobody asked for, by the worker's loop: as of the installation's date, else today, but never ahead of the register.

        A month of the past can be run: what ends after the last business date anybody has named is left alone.
        """
        async with self._db.read(SYSTEM(EXPIRE)) as tx:
            named = await history.last_day(tx)
        if set_date is None and named is None:
            return False
        await self.end(set_date or min(today(), named or today()))
        return False

    async def end(self, business_date: date) -> int:
        """End what is past on a day; how many."""
        done = 0
        while True:
            async with self._db.transaction(SYSTEM(EXPIRE)) as tx:
                _, keyring = decisions.needs(tx)
                await publishing.take_people_lock(tx)
                pairs = await storage.expire(tx, business_date, _AT_ONCE)
                await publishing.publish_representatives(tx, keyring, pairs, business_date)
                if pairs:
                    what = audit.Bulk.of((f"{ward}/{keeper}" for ward, keeper in pairs), before={"revoked": False}, after={"revoked": True})
                    await audit.record(tx, "representative.expired", "representative", pairs[0][1], what)
            if not pairs:
                return done
            done += len(pairs)
