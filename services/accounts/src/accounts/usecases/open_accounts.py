"""Account opening: requests for whoever wants an account and has none, lists for the bank, its answers by notice or file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from accounts.domain.errors import (
    AlreadyDecided,
    FileRefused,
    MoveRefused,
    NoticeNotBelieved,
    NoticeUnreadable,
    OpeningNotFound,
    ProviderNotFound,
    ProviderOpensNone,
    SamePerson,
    UnknownUnit,
)
from accounts.domain.numbers import BadNumberError, read_account_number
from accounts.domain.openings import old_enough_since
from accounts.storage import alerts, directory, methods, openings, people, policy
from accounts.usecases.day import check_day
from common import audit, clock, webhooks
from common.actor import SYSTEM, Actor
from common.contracts.accounts_v1 import AccountKind
from common.db import Database, Tx
from common.ids import new_id
from common.masking import hide_long_numbers, mask_account
from common.names import folded
from common.sealing import Keyring
from common.tabular import BrokenFile, ColumnSpec, read_rows

__all__ = [
    "RESULT_COLUMNS",
    "batch_file",
    "batch_page",
    "decide_file",
    "page",
    "receive_file",
    "receive_notice",
    "request",
    "send",
    "withdraw",
]

RESULT_COLUMNS: Final = (
    ColumnSpec("request_id", ("Mã yêu cầu",), required=True),
    ColumnSpec("status", ("Kết quả",), required=True),
    ColumnSpec("account_number", ("Số tài khoản", "Số TK")),
    ColumnSpec("reason", ("Lý do", "Lý do từ chối")),
)
_STATUSES: Final = {"OPENED": "OPENED", "DA MO": "OPENED", "REFUSED": "REFUSED", "TU CHOI": "REFUSED"}
_BATCH: Final = 10_000


async def request(tx: Tx, *, unit_code: str, provider_code: str, business_date: date) -> dict[str, int]:
    """Ask a bank for accounts for everybody of a unit who wants one and has none; how many, and who cannot be asked for yet.

    Raises:
        UnknownUnit, ProviderNotFound, ProviderOpensNone.
    """
    actor = _actor(tx)
    path = await _unit(tx, actor, unit_code, business_date)
    provider = await directory.provider(tx, provider_code)
    if provider is None:
        raise ProviderNotFound
    if not provider["opens_accounts"] or provider["account_kind"] is None or provider["partner"] is None:
        raise ProviderOpensNone
    written = await policy.text(tx, "OPENING_CONSENT") == "WRITTEN"
    limits: dict[str, Any] = {"unit": path, "day": business_date, "old_enough": old_enough_since(business_date), "written": written}
    counted = await openings.candidates(tx, **limits)
    made = await openings.make(tx, provider=provider_code, by=actor.subject, **limits)
    await openings.publish(tx, made)
    await audit.record(tx, "opening.request", "unit", unit_code, audit.Bulk.of(made, after={"status": "REQUESTED"}, provider=provider_code))
    return {"requested": len(made), **{name: int(counted[name]) for name in ("wanting", "without_guardian", "without_consent")}}


async def send(tx: Tx, *, unit_code: str, provider_code: str, business_date: date) -> dict[str, Any]:
    """Put a unit's open requests to a bank into one list (at most 10,000). Raises UnknownUnit, OpeningNotFound when there are none."""
    actor = _actor(tx)
    path = await _unit(tx, actor, unit_code, business_date)
    if await directory.provider(tx, provider_code) is None:
        raise ProviderNotFound
    batch_id = new_id()
    sent = await openings.send(
        tx,
        {
            "batch_id": batch_id,
            "provider_code": provider_code,
            "unit_code": unit_code,
            "unit_path": path,
            "business_date": business_date,
            "created_by": actor.subject,
        },
        _BATCH,
    )
    if not sent:
        raise OpeningNotFound("no open request to this provider in this unit")
    await openings.publish(tx, sent)
    what = audit.Bulk.of(sent, before={"status": "REQUESTED"}, after={"status": "SENT"}, provider=provider_code)
    await audit.record(tx, "opening.send", "opening_batch", batch_id, what)
    return {"batch_id": batch_id, "people": len(sent)}


async def batch_file(db: Database, actor: Actor, batch_id: UUID, purpose: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A list for the bank with whole national numbers; every read is audited with its purpose. Raises OpeningNotFound."""
    keyring = _keyring(db)
    async with db.transaction(actor) as tx:
        batch = await openings.batch(tx, batch_id)
        if batch is None or not actor.sees(batch["unit_path"]):
            raise OpeningNotFound
        rows = await openings.batch_rows(tx, batch_id)
        await audit.record(tx, "opening.list_out", "opening_batch", batch_id, audit.Read(purpose, {"people": len(rows)}))
    opened = [{**row, "national_number": keyring.open(row["number_token"]) if row["number_token"] else ""} for row in rows]
    return dict(batch), opened


async def batch_page(db: Database, actor: Actor, *, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of lists sent."""
    scope, params = actor.scope_sql("b.unit_path")
    async with db.read(actor) as tx:
        return [dict(row) for row in await openings.batch_page(tx, after=after, limit=limit, scope=scope, scope_params=params)]


async def page(
    db: Database, actor: Actor, *, status: str | None, provider: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """One page of requests."""
    scope, params = actor.scope_sql("o.unit_path")
    async with db.read(actor) as tx:
        rows = await openings.page(tx, status=status, provider=provider, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in rows]


async def withdraw(db: Database, actor: Actor, request_id: UUID, reason: str) -> None:
    """Withdraw a request. Raises OpeningNotFound when there is no open one."""
    async with db.transaction(actor) as tx:
        before = await openings.withdraw(tx, request_id, reason, *actor.scope_sql("o.unit_path"))
        if before is None:
            raise OpeningNotFound
        await openings.publish(tx, [request_id])
        what = audit.Changed.of(before, {"status": "WITHDRAWN", "reason": reason}, "status", "reason")
        await audit.record(tx, "opening.withdraw", "opening_request", request_id, what)


async def receive_notice(
    db: Database, secrets: Sequence[str], partner: str, provider_code: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """A provider's signed notice of results (Standard Webhooks): verified over the raw bytes, kept encrypted, applied once.

    Raises:
        NoticeNotBelieved, NoticeUnreadable, InvalidInput: its business date has not come.
    """
    try:
        verified = webhooks.verify(secrets, headers, body, clock.now())
    except webhooks.InvalidSignature as error:
        raise NoticeNotBelieved(str(error)) from None
    day, results = _read_notice(body)
    async with db.transaction(SYSTEM(f"partner:{partner}")) as tx:
        provider = await directory.provider(tx, provider_code)
        if provider is None or provider["partner"] != partner:
            raise NoticeNotBelieved("this provider is not the sender's")
        await check_day(tx, day)
        result_id = await openings.note_result(
            tx,
            provider=provider_code,
            origin=f"webhook:{verified.webhook_id}",
            content=_keyring(db).encrypt("opening_result", body),
            rows=len(results),
            state="APPLIED",
            day=day,
            by=f"partner:{partner}",
        )
        if result_id is None:
            return {"duplicate": True, "opened": 0, "refused": 0, "left_aside": 0}
        outcome, believed = await _apply(tx, provider_code, AccountKind(provider["account_kind"]), day, results)
        await openings.result_decided(tx, result_id, state="APPLIED", outcome=outcome, by=None)
        what = audit.Bulk.of(believed, before={"status": "SENT"}, results=outcome)
        await audit.record(tx, "opening.results", "opening_result", result_id, what)
    return {"duplicate": False, **outcome}


async def receive_file(tx: Tx, *, provider_code: str, content: bytes, file_name: str, business_date: date) -> dict[str, Any]:
    """A file of results, checked and kept until a second person lets it be applied. Rows of other units' requests are not taken.

    Raises:
        ProviderNotFound, FileRefused, AlreadyDecided: the same bytes came before.
        InvalidInput: the business date has not come.
    """
    actor = _actor(tx)
    await check_day(tx, business_date)
    if await directory.provider(tx, provider_code) is None:
        raise ProviderNotFound
    try:
        read, unreadable = _read_file(content, file_name)
    except BrokenFile as error:
        raise FileRefused(str(error)) from None
    strange = await openings.out_of_scope(tx, [result[0] for _, result in read], *actor.scope_sql("o.unit_path"))
    unreadable += [
        {"row": row, "field": "request_id", "detail": "không có yêu cầu này trong đơn vị của bạn · no such request in your units"}
        for row, result in read
        if result[0] in strange
    ]
    results = [result for _, result in read if result[0] not in strange]
    if not results:
        raise FileRefused("không có dòng kết quả nào · no row of results", errors=unreadable[:20])
    stored = orjson.dumps([[str(request_id), *rest] for request_id, *rest in results])
    result_id = await openings.note_result(
        tx,
        provider=provider_code,
        origin=f"file:{hashlib.sha256(content).hexdigest()}",
        content=_keyring(tx.db).encrypt("opening_result", stored),
        rows=len(results),
        state="PROPOSED",
        day=business_date,
        by=actor.subject,
    )
    if result_id is None:
        raise AlreadyDecided("this file was taken before")
    what = audit.Created({"state": "PROPOSED", "rows": len(results), "unreadable": len(unreadable)})
    await audit.record(tx, "opening.results_sent", "opening_result", result_id, what)
    return {"result_id": result_id, "rows": len(results), "errors": unreadable}


async def decide_file(db: Database, actor: Actor, result_id: UUID, *, approve: bool) -> dict[str, Any]:
    """The second person lets a file of results be applied, or refuses it.

    Raises:
        OpeningNotFound: no such file, or it names requests of units that the caller does not see.
        SamePerson, AlreadyDecided.
    """
    async with db.transaction(actor) as tx:
        found = await openings.result(tx, result_id)
        if found is None or not found["origin"].startswith("file:"):
            raise OpeningNotFound
        if found["state"] != "PROPOSED":
            raise AlreadyDecided
        if found["sent_by"] == actor.subject:
            raise SamePerson
        outcome, believed = {"opened": 0, "refused": 0, "left_aside": found["rows"]}, list[UUID]()
        if approve:
            stored = orjson.loads(_keyring(db).decrypt_bytes("opening_result", found["content_cipher"]))
            results = [(UUID(row[0]), row[1], row[2], row[3]) for row in stored]
            if await openings.out_of_scope(tx, [result[0] for result in results], *actor.scope_sql("o.unit_path")):
                raise OpeningNotFound("some of its requests are not of your units")
            provider = await directory.provider(tx, found["provider_code"])
            if provider is None or provider["account_kind"] is None:
                raise MoveRefused("this provider keeps no accounts")
            kind = AccountKind(provider["account_kind"])
            outcome, believed = await _apply(tx, found["provider_code"], kind, found["business_date"], results)
        state = {"state": "APPLIED" if approve else "REFUSED"}
        await openings.result_decided(tx, result_id, state=state["state"], outcome=outcome, by=actor.subject)
        what = audit.Bulk.of(believed, before={"state": found["state"]}, after=state, sent_by=found["sent_by"], results=outcome)
        await audit.record(tx, "opening.results", "opening_result", result_id, what)
    return outcome


Result = tuple[UUID, str, str | None, str | None]
"""(request, OPENED or REFUSED, account number, reason)"""


async def _apply(tx: Tx, provider: str, kind: AccountKind, day: date, results: Sequence[Result]) -> tuple[dict[str, int], list[UUID]]:
    """Record answers; an account that was opened is checked like any other and becomes the way to be paid. Counts, requests answered."""
    await people.take_choice_locks(tx)
    keyring = _keyring(tx.db)
    readable: dict[UUID, tuple[str, str | None, str | None]] = {}
    for request_id, status, number, reason in results:
        if status == "OPENED":
            try:
                number = read_account_number(number or "", kind)
            except BadNumberError:
                continue  # opened, but nobody knows what: stays SENT, and the bank is asked for the number
        readable.setdefault(request_id, (status, number, reason))
    believed = await openings.answer(tx, provider, day, [(key, value[0], value[2]) for key, value in readable.items()])
    opened = []
    for request_id, status in believed.items():
        number = readable[request_id][1]
        if status == "OPENED" and number is not None:
            opened.append(
                (request_id, keyring.encrypt("account_number", number), keyring.blind("account_number", number), mask_account(number) or "")
            )
    if opened:
        await openings.add_accounts(tx, opened)
        changed = await openings.choose_opened(tx, [item[0] for item in opened])
        await methods.say(tx, changed, subject=tx.actor.subject if tx.actor else "system", in_bulk=True)
        await alerts.look_at_representatives(tx, changed, day)
        await methods.hold_newcomers(tx, day)
    await openings.publish(tx, list(believed))
    counts = {"opened": len(opened), "refused": len(believed) - len(opened), "left_aside": len(results) - len(believed)}
    return counts, list(believed)


def _read_notice(body: bytes) -> tuple[date, list[Result]]:
    try:
        data = orjson.loads(body)
        day = date.fromisoformat(data["business_date"])
        results = [
            (UUID(item["request_id"]), _STATUSES[item["status"]], item.get("account_number"), _short(item.get("reason")))
            for item in data["results"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoticeUnreadable(type(error).__name__) from None
    if not results:
        raise NoticeUnreadable("no results")
    return day, results


def _read_file(content: bytes, file_name: str) -> tuple[list[tuple[int, Result]], list[dict[str, Any]]]:
    """(row, result) of every row that can be read, and what is wrong with the others."""
    good: list[tuple[int, Result]] = []
    bad: list[dict[str, Any]] = []
    for row in read_rows(content, file_name, RESULT_COLUMNS).rows:
        status = _STATUSES.get(folded(row.get("status")))
        try:
            request_id = UUID(row.get("request_id"))
        except ValueError:
            bad.append({"row": row.number, "field": "request_id", "detail": "not one of our request numbers"})
            continue
        if status is None:
            bad.append({"row": row.number, "field": "status", "detail": "đã mở / từ chối"})
            continue
        good.append((row.number, (request_id, status, row.get("account_number") or None, _short(row.get("reason")))))
    if not good:
        raise BrokenFile("không có dòng kết quả nào · no row of results")
    return good, bad


def _short(text: Any) -> str | None:
    return hide_long_numbers(str(text))[:200] if text else None


async def _unit(tx: Tx, actor: Actor, unit_code: str, on: date) -> str:
    path = await people.unit_path(tx, unit_code, on)
    if path is None or not actor.sees(path):
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
    return path


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("accounts needs its keyring")
    return db.keyring
