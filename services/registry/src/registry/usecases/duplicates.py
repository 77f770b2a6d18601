"""Duplicates ("trùng lĩnh"): found after every change and on demand, decided by two people, merged so that it can be undone.

Nothing is ever merged by itself. While a strong candidate is unresolved the file registered later is marked
`unresolved_duplicate` in its events: its payments are held, the earlier file goes on being paid, so nobody is left without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.clock import now
from common.db import Database, Tx
from common.jobs import Job
from common.names import comparison_key, folded
from common.problems import Conflict, InvalidInput, NotFound
from common.sealing import Keyring
from registry.domain import merge_words
from registry.domain.duplicates import TRANSITIONS, Evidence, Judgement, judge, same_number_in_a_row
from registry.domain.errors import DecisionPending, MergeChangedSince, NotPossibleInState, SamePerson
from registry.storage import death_differences, dues, duplicates, merging, people, publishing

__all__ = ["SCAN", "Proposal", "Scanner", "decide", "propose", "request_scan", "seen"]

SCAN: Final = "duplicate-scan"
TAKEABLE: Final = ("full_name", "birth_date", "sex", "national_number", "address", "second_number")
_COLUMNS: Final = {
    "full_name": ("full_name", "name_folded"),
    "national_number": ("national_number", "number_blind", "masked_number"),
    "second_number": ("second_number", "second_blind", "masked_second_number"),
}
Pair = tuple[UUID, UUID, Judgement]
_EVIDENCE: Final = tuple(Evidence.__dataclass_fields__)
_FIRST: Final = UUID(int=0)
_CHANGES_AT_ONCE: Final = 4_000
_PEOPLE_AT_ONCE: Final = 5_000


async def _judged(tx: Tx, ids: Sequence[UUID], as_of: date) -> list[Pair]:
    """The pairs of these people worth a look. Reads only: nobody waits for it."""
    found = []
    for row in await duplicates.pairs_of(tx, ids, as_of):
        judged = judge(Evidence(**{name: row[name] for name in _EVIDENCE}))
        if judged is not None and judged.listed:
            found.append((row["a_id"], row["b_id"], judged))
    return found


async def _keep(tx: Tx, keyring: Keyring, ids: Sequence[UUID], found: Sequence[Pair], as_of: date) -> tuple[int, int]:
    """Keep what was found of these people; (new or changed, lapsed). Whoever is held or freed by it is published. Under the lock.

    Somebody who changed after the reading is compared again: that change lies further on in `person_change`.
    """
    if not ids:
        return 0, 0
    concerned = [*ids, *(a for a, _, _ in found), *(b for _, b, _ in found)]
    before = await duplicates.held(tx, concerned)
    changed, lapsed = await duplicates.save_pairs(tx, ids, found, await duplicates.hold_from(tx))
    await _say_holds(tx, keyring, before, await duplicates.held(tx, concerned), as_of)
    return changed, lapsed


async def _say_holds(tx: Tx, keyring: Keyring, before: set[UUID], after: set[UUID], as_of: date) -> None:
    turned = sorted(before ^ after)
    if turned:
        await duplicates.raise_versions(tx, turned)
        await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryUpdated") for person_id in turned], as_of)


class Scanner:
    """The worker's side: changed people are compared as they change, everybody when asked."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._keyring = _keyring(db)

    async def run_once(self) -> bool:
        """Compare the people of the next changes; False when nothing is left to do, or lists are being applied (they come first)."""
        async with self._db.read() as tx:
            if await duplicates.lists_being_applied(tx) or not (await duplicates.unscanned(tx) or await duplicates.refused_rows_unseen(tx)):
                return False
            position = await duplicates.position(tx)
            reached, ids = await duplicates.changed_since(tx, position, _CHANGES_AT_ONCE)
            day = await duplicates.latest_business_date(tx)
            found = await _judged(tx, ids, day)
        async with self._db.transaction(SYSTEM(SCAN)) as tx:
            await publishing.take_people_lock(tx)
            if await duplicates.position(tx, lock=True) != position:
                return True  # another worker was quicker
            changed, lapsed = await _keep(tx, self._keyring, ids, found, day)
            rows = await duplicates.refused_row_pairs(tx)
            kept = await duplicates.save_rows(tx, rows, same_number_in_a_row()) if rows else 0
            await duplicates.set_scan_state(tx, reached, await duplicates.count_refused_rows(tx))
            if changed or lapsed or kept:
                what = audit.Bulk.of(ids, changed=changed + kept, lapsed=lapsed)
                await audit.record(tx, "duplicate.find", "scan", reached, what)
        return True

    async def run(self, job: Job) -> dict[str, Any]:
        """Compare everybody, a batch of people at a time; repeated after a crash it finds the same."""
        after, done, changed, lapsed = _FIRST, 0, 0, 0
        async with self._db.read() as tx:
            total = await people.count(tx)
        while True:
            async with self._db.read() as tx:
                ids = await people.next_ids(tx, after, _PEOPLE_AT_ONCE)
                found = await _judged(tx, ids, job.business_date)
            if not ids:
                return {"people": done, "candidates_changed": changed, "lapsed": lapsed}
            async with self._db.transaction(SYSTEM(SCAN)) as tx:
                await publishing.take_people_lock(tx)
                new, gone = await _keep(tx, self._keyring, ids, found, job.business_date)
                if new or gone:
                    await audit.record(tx, "duplicate.find", "job", job.id, audit.Bulk.of(ids, changed=new, lapsed=gone))
            changed, lapsed = changed + new, lapsed + gone
            after, done = ids[-1], done + len(ids)
            await jobs.progress(self._db, job.id, done, max(done, total))


async def request_scan(db: Database, actor: Actor, business_date: date) -> UUID:
    """Queue the comparison of everybody with everybody who shares a key; the job's id."""
    async with db.transaction(actor) as tx:
        total = await people.count(tx)
        job_id = await jobs.create(tx, SCAN, {}, business_date, total=total)
        await audit.record(tx, "duplicate.scan", "job", job_id, audit.Created({"people": total}))
    return job_id


async def seen(tx: Tx, candidate_id: UUID, *, lock: bool = False) -> Any:
    """The candidate, if one of its sides lies in the caller's area; else 404."""
    row = await duplicates.find(tx, candidate_id, lock=lock)
    if row is None or not (_actor(tx).sees(row["a_path"]) or _actor(tx).sees(row["b_path"])):
        raise NotFound("No such duplicate candidate")
    return row


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposes to do about a candidate."""

    kind: str
    note: str
    business_date: date
    survivor_id: UUID | None = None
    effective_month: date | None = None
    take_fields: tuple[str, ...] = ()


async def propose(db: Database, actor: Actor, candidate_id: UUID, proposal: Proposal) -> Any:
    """Propose a decision; nothing changes before a second person approves it. Raises NotPossibleInState, DecisionPending."""
    async with db.transaction(actor) as tx:
        row = await seen(tx, candidate_id, lock=True)
        if (row["state"], proposal.kind) not in TRANSITIONS:
            raise NotPossibleInState(f"{proposal.kind} is not possible while the candidate is {row['state']}")
        if row["proposal"] is not None:
            raise DecisionPending
        _check(row, proposal)
        await tx.execute(
            "INSERT INTO duplicate_decision (candidate_id, kind, note, survivor_id, effective_month, take_fields, business_date,"
            " proposed_by) VALUES (:id, :kind, :note, :survivor, :month, CAST(:fields AS text[]), :day, :by)",
            id=candidate_id, kind=proposal.kind, note=proposal.note, survivor=proposal.survivor_id, month=proposal.effective_month,
            fields=list(proposal.take_fields), day=proposal.business_date, by=actor.subject,
        )  # fmt: skip
        await audit.record(tx, "duplicate.propose", "duplicate", candidate_id, audit.Created({"kind": proposal.kind}))
        return await duplicates.find(tx, candidate_id)


def _check(row: Any, proposal: Proposal) -> None:
    if proposal.kind != "MERGE":
        return
    if row["b"].get("beneficiary_id") is None:
        raise NotPossibleInState("A refused row has no file to merge: correct the list, or confirm the candidate")
    sides = {UUID(row["a"]["beneficiary_id"]), UUID(row["b"]["beneficiary_id"])}
    if proposal.survivor_id not in sides:
        raise InvalidInput(errors=[{"field": "survivor_id", "detail": "one of the two people of this candidate"}])
    if proposal.effective_month is None:
        raise InvalidInput(errors=[{"field": "effective_month", "detail": "the first month not paid under the other file"}])
    unknown = [name for name in proposal.take_fields if name not in TAKEABLE]
    if unknown:
        raise InvalidInput(errors=[{"field": "take_fields", "detail": f"one of {', '.join(TAKEABLE)}: {unknown[0]}"}])


async def decide(db: Database, actor: Actor, candidate_id: UUID, *, approve: bool) -> Any:
    """Approve or refuse the open proposal. Approval needs another person, who sees both files. Raises SamePerson, Conflict."""
    async with db.transaction(actor) as tx:
        await publishing.take_people_lock(tx)
        row = await seen(tx, candidate_id, lock=True)
        proposal = row["proposal"]
        if proposal is None:
            raise NotPossibleInState("Nothing is proposed for this candidate")
        if approve:
            if proposal["proposed_by"] == actor.subject:
                raise SamePerson("Who proposed this cannot approve it")
            if not (actor.sees(row["a_path"]) and actor.sees(row["b_path"])):
                raise Conflict("The second person must see both files: ask the district or the department")
            await _carry_out(tx, row, proposal)
        await tx.execute(
            "UPDATE duplicate_decision SET state = :state, decided_by = :by, decided_at = :at WHERE decision_id = CAST(:id AS uuid)",
            state="APPROVED" if approve else "REFUSED",
            by=actor.subject,
            at=now(),
            id=proposal["decision_id"],
        )
        action = "duplicate.approve" if approve else "duplicate.refuse"
        now_found: Any = await duplicates.find(tx, candidate_id)
        what = audit.Changed(
            {"state": row["state"], "proposal": "PROPOSED"},
            {"state": now_found["state"], "proposal": "APPROVED" if approve else "REFUSED"},
            {"kind": proposal["kind"], "proposed_by": proposal["proposed_by"]},
        )
        await audit.record(tx, action, "duplicate", candidate_id, what)
        return now_found


async def _carry_out(tx: Tx, row: Any, proposal: dict[str, Any]) -> None:
    kind, keyring, day = proposal["kind"], _keyring(tx.db), date.fromisoformat(proposal["business_date"])
    state = TRANSITIONS.get((row["state"], kind))
    if state is None:
        raise NotPossibleInState(f"{kind} is not possible while the candidate is {row['state']}")
    ids = [UUID(side["beneficiary_id"]) for side in (row["a"], row["b"]) if side.get("beneficiary_id")]
    before = await duplicates.held(tx, ids)
    await tx.execute(
        "UPDATE duplicate_candidate SET state = :state, version = version + 1, updated_at = now() WHERE candidate_id = :id",
        state=state,
        id=row["candidate_id"],
    )
    if kind == "MERGE":
        await _merge(tx, keyring, row["candidate_id"], proposal, day)
    elif kind == "UNDO":
        await _undo(tx, keyring, row["candidate_id"], day)
    published = set(ids) if kind in ("MERGE", "UNDO") else set()
    after = await duplicates.held(tx, ids)
    await _say_holds(tx, keyring, before - published, after - published, day)


async def _merge(tx: Tx, keyring: Keyring, candidate_id: UUID, proposal: dict[str, Any], day: date) -> None:
    survivor_id = UUID(proposal["survivor_id"])
    rows = await tx.rows(
        "SELECT p.* FROM person p JOIN duplicate_candidate c ON p.person_id IN (c.a_id, c.b_id) WHERE c.candidate_id = :id"
        " ORDER BY p.person_id FOR UPDATE OF p",
        id=candidate_id,
    )
    survivor = next(row for row in rows if row["person_id"] == survivor_id)
    other = next(row for row in rows if row["person_id"] != survivor_id)
    if survivor["merged_into"] is not None or other["merged_into"] is not None:
        raise Conflict("One of the two files has been merged already")
    if (survivor["status"] == "DECEASED") != (other["status"] == "DECEASED"):
        raise Conflict("One file says the person has died: record the death in the other first, or decide that these are two people")
    if survivor["death_date"] != other["death_date"]:
        raise Conflict("The two files have different dates of death: settle the date first")
    both = [survivor_id, other["person_id"]]
    if await death_differences.any_open(tx, both):
        raise Conflict("The population database tells another date of death: answer that first")
    kept = await merging.snapshot(tx, both)
    month = date.fromisoformat(proposal["effective_month"])
    moved = await merging.merge(tx, survivor_id, other["person_id"], month, day)
    after_merge = await _merge_columns(tx, keyring, survivor, other, proposal["take_fields"])
    values = {
        "candidate_id": candidate_id, "decision_id": proposal["decision_id"], "survivor_id": survivor_id, "other_id": other["person_id"],
        "effective_month": month,
    }  # fmt: skip
    await _publish(tx, keyring, both, moved, day)
    await merging.record_merge(tx, values, kept)
    about = {"other": other["person_id"], "month": month, "fields": sorted(proposal["take_fields"])}
    what = audit.Changed({"other_merged_into": None, "other_status": other["status"]},
                         {"other_merged_into": survivor_id, "other_status": after_merge}, about)  # fmt: skip
    await audit.record(tx, "beneficiary.merge", "beneficiary", survivor_id, what)


async def _merge_columns(tx: Tx, keyring: Keyring, survivor: Any, other: Any, take: Sequence[str]) -> str:
    """The survivor takes the fields asked for, and a number where it has none; the other file points to it: its status then."""
    wanted = set(take)
    for name, column in (("national_number", "number_blind"), ("second_number", "second_blind")):
        if survivor[column] is None and other[column] is not None:
            wanted.add(name)
    values = {column: other[column] for name in wanted for column in _COLUMNS.get(name, (name,))}
    gone: dict[str, Any] = {"merged_into": survivor["person_id"]}
    if other["status"] != "DECEASED":
        gone["status"] = "LEFT"
    if "number_blind" in values and values["number_blind"] is not None:
        gone |= dict.fromkeys(_COLUMNS["national_number"])  # a number belongs to one file; what stood here is kept with the merge
    after_other = dict(other) | gone
    gone["identity_fingerprint"] = _fingerprint(keyring, after_other)
    await people.update(tx, other["person_id"], gone)
    if "full_name" in values:
        values["name_folded"] = folded(values["full_name"])
    values["identity_fingerprint"] = _fingerprint(keyring, dict(survivor) | values)
    await people.update(tx, survivor["person_id"], values)
    return str(gone.get("status", other["status"]))


def _fingerprint(keyring: Keyring, row: dict[str, Any]) -> str:
    number = keyring.decrypt("national_number", row["national_number"]) if row["national_number"] is not None else None
    return keyring.fingerprint(number, comparison_key(row["full_name"]), row["birth_date"], row["sex"])


async def _undo(tx: Tx, keyring: Keyring, candidate_id: UUID, day: date) -> None:
    merge = await merging.standing_merge(tx, candidate_id)
    if merge is None:
        raise Conflict("No merge of this candidate stands")
    changed = await merging.changed_since_merge(tx, merge)
    if changed:
        raise MergeChangedSince(merge_words.DETAIL, errors=merge_words.changed_facts(changed), detail_vi=merge_words.DETAIL_VI)
    moved = await merging.undo(tx, merge, day)
    await _publish(tx, keyring, [merge["survivor_id"], merge["other_id"]], moved, day)
    what = audit.Changed({"other_merged_into": merge["survivor_id"]}, {"other_merged_into": None}, {"other": merge["other_id"]})
    await audit.record(tx, "beneficiary.merge-undo", "beneficiary", merge["survivor_id"], what)


async def _publish(tx: Tx, keyring: Keyring, both: list[UUID], moved: merging.Moved, day: date) -> None:
    """Say both people, what they hold, who collects for them; then their dues."""
    await publishing.publish_people(tx, keyring, [(person_id, "BeneficiaryUpdated") for person_id in both], day)
    pairs = dict.fromkeys([*moved["representatives"], *(await people.say_again(tx, both))])
    await publishing.publish_representatives(tx, keyring, list(pairs), day)
    await publishing.publish_entitlements(tx, moved["ended"], day, "EntitlementEnded")
    await publishing.publish_entitlements(tx, moved["granted"], day, "EntitlementChanged")
    await publishing.publish_preferences(tx, moved["preferences"], day)
    await dues.recompute(tx, both, day)


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("the registry needs its keyring")
    return db.keyring
