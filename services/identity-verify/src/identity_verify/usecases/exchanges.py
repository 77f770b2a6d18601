"""Checking people by lists with the police: make a list, hand it over, take the answers, have another person approve them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common import audit, jobs
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.ids import new_id
from common.jobs import Job
from common.sealing import Keyring
from common.tabular import BrokenFile
from identity_verify.domain.errors import AnswerNotOpen, AnswersRefused, ExchangeEmpty, ExchangeNotFound, SecondPersonRequired
from identity_verify.domain.verdict import Answer, Asked, judge
from identity_verify.population.filing import PopulationFile
from identity_verify.population.source import Answered, Person
from identity_verify.settings import Settings
from identity_verify.storage import exchanges
from identity_verify.usecases.record import record

__all__ = ["APPLY_ANSWERS", "AnswerApplier", "approve", "close", "create", "download", "one_answer", "page", "show", "take_answers"]

APPLY_ANSWERS: Final = "exchange-answers"
_CHUNK: Final = 1_000
_SHOWN_ROWS: Final = 1_000


async def create(tx: Tx, actor: Actor, settings: Settings, *, unit_path: str, business_date: date, limit: int | None) -> UUID:
    """Put people of a unit who wait for an answer on a new list; they are not asked about online meanwhile.

    Raises:
        ExchangeNotFound: the unit is not in the caller's scope.
        ExchangeEmpty: nobody there waits.
    """
    if not actor.sees(unit_path):
        raise ExchangeNotFound("no such unit in your scope")
    exchange_id, people = await exchanges.create(
        tx,
        unit_path=unit_path,
        business_date=business_date,
        limit=min(limit or settings.exchange_people, settings.exchange_people),
        by_whom=actor.subject,
        scope="(s.unit_path = :below OR s.unit_path LIKE :below || '/%')",
        scope_params={"below": unit_path},
    )
    if not people:
        raise ExchangeEmpty
    await audit.record(tx, "exchange.created", "exchange", exchange_id, audit.Bulk.of(people, unit=unit_path))
    return exchange_id


async def download(
    db: Database, keyring: Keyring, actor: Actor, exchange_id: UUID, form: Literal["csv", "xlsx"], purpose: str
) -> tuple[str, bytes]:
    """The list as a file, with whole numbers: name and content. Audited with its purpose; the file is not kept."""
    async with db.transaction(actor) as tx:
        found = await _seen(tx, actor, exchange_id)
        rows = await exchanges.on_list(tx, exchange_id)
        await audit.record(tx, "exchange.downloaded", "exchange", exchange_id, audit.Read(purpose, {"people": len(rows), "form": form}))
    by_place = {row["place"]: row for row in rows}
    gone = Person("", "", None, "")  # changed since: its number does not open, so that its row is left out and the others keep theirs
    people = [_person(by_place[place]) if place in by_place else gone for place in range(found["people"])]
    content = await asyncio.to_thread(PopulationFile(keyring, found["code"], form).question, people)
    return f"xac-thuc-{found['code']}.{form}", content


def _person(row: RowMapping) -> Person:
    return Person(row["number_token"], row["full_name"], row["birth_date"], row["sex"], row["bank"], row["masked_account"])


async def take_answers(db: Database, keyring: Keyring, actor: Actor, exchange_id: UUID, file_name: str, content: bytes) -> dict[str, Any]:
    """Read a file of answers and keep it for approval; nothing is recorded yet. The same bytes again answer as before.

    Raises:
        ExchangeNotFound: no such list in the caller's units.
        AnswerNotOpen: the list is closed.
        AnswersRefused: the file is no list of answers, or no row of it is for this batch.
    """
    async with db.read(actor) as tx:
        found = await _seen(tx, actor, exchange_id)
    if found["state"] != "OPEN":
        raise AnswerNotOpen("the list is closed")
    answered = await asyncio.to_thread(_read, keyring, found["code"], file_name, content, found["people"])
    digest = hashlib.sha256(content).digest()
    async with db.transaction(actor) as tx:
        await exchanges.lock(tx, exchange_id)
        same = await exchanges.same_answer(tx, exchange_id, digest)
        if same is not None:
            return {**same, "already_taken": True}
        unreadable = [{"row": row, "detail": why} for row, why in answered.unreadable[:_SHOWN_ROWS]]
        answer_id = await exchanges.add_answer(
            tx,
            exchange_id,
            content=content,
            file_name=file_name,
            sha256=digest,
            readable=len(answered.answers),
            unreadable=orjson.dumps(unreadable).decode(),
            statuses=dict(Counter(answer.status.value for answer in answered.answers.values())),
            uploaded_by=actor.subject,
        )
        what = audit.Created({"answer_id": answer_id, "rows": len(answered.answers), "sha256": digest.hex()})
        await audit.record(tx, "exchange.answers_taken", "exchange", exchange_id, what)
        row = await exchanges.find_answer(tx, answer_id)
    assert row is not None
    return {**row, "already_taken": False}


def _read(keyring: Keyring, code: str, file_name: str, content: bytes, people: int) -> Answered:
    try:
        answered = PopulationFile(keyring, code, file_name=file_name).answers(content, people)
    except BrokenFile as broken:
        raise AnswersRefused(str(broken)) from broken
    if not answered.answers:
        raise AnswersRefused(
            "không có dòng trả lời nào của lô này · no row answers this batch",
            errors=[{"row": row, "detail": why} for row, why in answered.unreadable[:20]],
        )
    return answered


async def approve(db: Database, actor: Actor, answer_id: UUID, *, accept: bool) -> dict[str, Any]:
    """Have the answers recorded, or refuse them: not by the person who sent the file.

    Raises:
        ExchangeNotFound: no such file in the caller's units.
        AnswerNotOpen: it was decided on already.
        SecondPersonRequired: the caller sent it.
    """
    async with db.transaction(actor) as tx:
        found = await exchanges.lock_answer(tx, answer_id)
        if found is None or not actor.sees(found["unit_path"]):
            raise ExchangeNotFound
        if found["state"] != "CHECKED":
            raise AnswerNotOpen(found["state"])
        if accept and found["exchange_state"] != "OPEN":
            raise AnswerNotOpen("the list is closed: its people are asked about otherwise")
        if found["uploaded_by"] == actor.subject:
            raise SecondPersonRequired("you sent this file; another person approves it")
        job_id = await jobs.create(tx, APPLY_ANSWERS, {"answer_id": str(answer_id)}, found["business_date"]) if accept else None
        state = "APPROVED" if accept else "REFUSED"
        await exchanges.mark_answer(tx, answer_id, state, by_whom=actor.subject, job_id=job_id)
        what = audit.Changed.of(found, {"state": state}, "state", uploaded_by=found["uploaded_by"], job_id=job_id)
        action = "exchange.answers_approved" if accept else "exchange.answers_refused"
        await audit.record(tx, action, "exchange_answer", answer_id, what)
        row = await exchanges.find_answer(tx, answer_id)
    assert row is not None
    return {**row, "already_taken": False}


async def close(db: Database, actor: Actor, exchange_id: UUID) -> int:
    """Expect no more answers: who has none is asked about otherwise. How many. Raises ExchangeNotFound."""
    async with db.transaction(actor) as tx:
        found = await _seen(tx, actor, exchange_id)
        freed = await exchanges.close(tx, exchange_id)
        what = audit.Changed.of(found, {"state": "CLOSED"}, "state", unanswered=len(freed), digest=audit.digest(freed))
        await audit.record(tx, "exchange.closed", "exchange", exchange_id, what)
    return len(freed)


async def show(db: Database, actor: Actor, exchange_id: UUID) -> RowMapping:
    """One list. Raises ExchangeNotFound, also for another unit's."""
    async with db.read(actor) as tx:
        return await _seen(tx, actor, exchange_id)


async def one_answer(db: Database, actor: Actor, answer_id: UUID) -> dict[str, Any]:
    """One file of answers. Raises ExchangeNotFound, also for another unit's."""
    async with db.read(actor) as tx:
        found = await exchanges.find_answer(tx, answer_id)
    if found is None or not actor.sees(found["unit_path"]):
        raise ExchangeNotFound
    return {**found, "already_taken": False}


async def page(db: Database, actor: Actor, *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """One page of lists of the actor's units."""
    scope, params = actor.scope_sql("e.unit_path")
    async with db.read(actor) as tx:
        return await exchanges.page(tx, after=after, limit=limit, scope=scope, scope_params=params)


async def _seen(tx: Tx, actor: Actor, exchange_id: UUID) -> RowMapping:
    found = await exchanges.find(tx, exchange_id)
    if found is None or not actor.sees(found["unit_path"]):
        raise ExchangeNotFound
    return found


class AnswerApplier:
    """The job that records approved answers, a chunk at a time; run again, it goes on where it stopped."""

    def __init__(self, db: Database, keyring: Keyring, settings: Settings) -> None:
        self._db = db
        self._keyring = keyring
        self._settings = settings

    async def apply(self, job: Job) -> dict[str, Any]:
        """Record the answers of one file."""
        answer_id = UUID(job.detail["answer_id"])
        async with self._db.read(SYSTEM("identity-verify")) as tx:
            found = await exchanges.find_answer(tx, answer_id)
        assert found is not None
        content = self._keyring.decrypt_bytes("exchange_answer", found["content"])
        answered = await asyncio.to_thread(_read, self._keyring, found["code"], found["file_name"], content, found["people"])
        places = sorted(answered.answers)
        recorded = 0
        for start in range(0, len(places), _CHUNK):
            chunk = {place: answered.answers[place] for place in places[start : start + _CHUNK]}
            recorded += await self._record(found["exchange_id"], chunk)
            await jobs.progress(self._db, job.id, min(start + _CHUNK, len(places)), len(places))
        async with self._db.transaction(SYSTEM("identity-verify")) as tx:
            await exchanges.mark_answer(tx, answer_id, "APPLIED")
        return {"answers": len(places), "recorded": recorded, "unreadable": len(answered.unreadable)}

    async def _record(self, exchange_id: UUID, answers: dict[int, Answer]) -> int:
        async with self._db.transaction(SYSTEM("identity-verify")) as tx:
            waiting = await exchanges.asked(tx, exchange_id, list(answers))
            found, places = [], []
            for place, check in waiting.items():
                finding = judge(Asked(check.full_name, check.birth_date, check.sex), answers[place])
                if finding is not None:
                    found.append((check, answers[place], finding))
                    places.append(place)
            owner = str(new_id())
            recorded = await record(tx, self._settings, owner, found, source=PopulationFile.source, exchange_id=exchange_id)
            await exchanges.mark_rows(tx, exchange_id, places)
        return recorded
