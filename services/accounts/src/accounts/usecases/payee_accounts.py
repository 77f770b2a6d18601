"""Accounts of a payee: register one, put them in order, read a whole number, decide doubtful ones by two people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import RowMapping

from accounts.domain.directory import Directory
from accounts.domain.errors import (
    AccountNotFound,
    AccountRefused,
    BulkNeedsSecondPerson,
    MoveRefused,
    PersonNotFound,
    ReviewNotFound,
    SamePerson,
)
from accounts.domain.numbers import BadNumberError, read_account_number
from accounts.domain.rows import REASONS
from accounts.storage import accounts, history, methods, payees, people, policy
from accounts.usecases.day import check_day
from accounts.usecases.publish import publish_accounts
from common import audit
from common.actor import Actor
from common.contracts.accounts_v1 import PayoutMethod
from common.db import Database, Tx
from common.ids import new_id
from common.masking import mask_account
from common.problems import InvalidInput, PreconditionFailed
from common.sealing import Keyring

__all__ = [
    "NewAccount", "decide", "history_page",
    "order_version", "payee_accounts", "propose", "put_in_order", "read_number", "register", "review_page",
    "within_daily_limit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is registered; `payee_id` None is the beneficiary."""

    provider: str
    number: str = field(repr=False)
    payee_id: UUID | None
    source: str
    consent_on: date
    consent_evidence: str | None
    priority: int | None
    use_it: bool
    business_date: date


async def register(tx: Tx, directory: Directory, beneficiary_id: UUID, new: NewAccount) -> dict[str, Any]:
    """Register one account of a beneficiary or of whoever collects for the person; it is checked like any other.

    With `use_it` it becomes the way to be paid as soon as it is verified; until then the person is paid as the gate says (in cash, or
    into the earlier account while a changed one waits).

    Raises:
        PersonNotFound: not a beneficiary of the caller's units, or the payee may not collect for the person.
        AccountRefused: number or provider cannot be taken; names the field.
        BulkNeedsSecondPerson: too many changes by this user on this business date.
    """
    actor = _actor(tx)
    await people.take_choice_locks(tx)
    if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
        raise PersonNotFound
    await check_day(tx, new.business_date)
    payee_id = new.payee_id or beneficiary_id
    kind, _ = await methods.payee(tx, beneficiary_id, payee_id, None)
    if kind is None:
        raise PersonNotFound(errors=[{"field": "payee_id", "detail": str(payee_id)}])
    if new.consent_on > new.business_date:
        raise InvalidInput("consent cannot be given later", errors=[{"field": "consent_on", "detail": new.consent_on.isoformat()}])
    await within_daily_limit(tx, actor.subject, new.business_date)
    provider = directory.find(new.provider)
    if provider is None or provider.partner is None:
        raise _refused("PROVIDER_UNKNOWN" if provider is None else "PROVIDER_NOT_SERVED", "provider")
    try:
        number = read_account_number(new.number, provider.kind)
    except BadNumberError as error:
        raise _refused(error.code, "account_number") from None
    keyring = _keyring(tx.db)
    account_id, known = await payees.add(
        tx,
        payee_id=payee_id,
        payee_kind=kind,
        beneficiary_id=beneficiary_id,
        kind=provider.kind.value,
        provider_code=provider.code,
        partner=provider.partner,
        number_cipher=keyring.encrypt("account_number", number),
        number_blind=keyring.blind("account_number", number),
        masked_number=mask_account(number),
        business_date=new.business_date,
        source=new.source,
        consent_on=new.consent_on,
        consent_evidence=new.consent_evidence,
        priority=new.priority,
    )
    if new.use_it:
        await _use(tx, beneficiary_id, payee_id, kind, account_id, new.business_date)
    about = {"provider": provider.code, "number": mask_account(number), "use_it": new.use_it}
    given = {"source": new.source, "consent_on": new.consent_on, "business_date": new.business_date}
    what = audit.Created(about | given) if known is None else audit.Changed.of(known, given, *given, **about)
    await audit.record(tx, "account.register", "account", account_id, what)
    return {"account_id": account_id, "is_new": known is None}


async def _use(tx: Tx, beneficiary_id: UUID, payee_id: UUID, payee_kind: str, account_id: UUID, business_date: date) -> None:
    """Pay the beneficiary into this account from now on."""
    now = await methods.find(tx, beneficiary_id, lock=True)
    if now is not None and (now["payee_id"], now["account_id"]) == (payee_id, account_id):
        return
    method = PayoutMethod.ACCOUNT.value
    await methods.choose(
        tx,
        beneficiary_id,
        business_date=business_date,
        payee_id=payee_id,
        payee_kind=payee_kind,
        method=method,
        account_id=account_id,
        reason=None,
        home_reason=None,
    )
    if now and now["account_id"] is not None:
        await methods.free_shared(tx, now["account_id"])
    await publish_accounts(tx, await accounts.settle(tx, [account_id]))
    what = methods.changed(now, method=method, payee_id=payee_id, account_id=account_id, reason=None)
    await audit.record(tx, "payout_method.choose", "beneficiary", beneficiary_id, what)


async def within_daily_limit(tx: Tx, subject: str, business_date: date) -> None:
    """Raises BulkNeedsSecondPerson when the user changed too many people's way to be paid on this business date."""
    limit = await policy.number(tx, "BULK_SECOND_PERSON")
    if await history.changes_of_day(tx, subject, business_date) >= limit:
        raise BulkNeedsSecondPerson(limit=limit)


async def payee_accounts(db: Database, actor: Actor, beneficiary_id: UUID) -> list[dict[str, Any]]:
    """The accounts of a beneficiary and of whoever collects for the person now, in order. Raises PersonNotFound."""
    async with db.read(actor) as tx:
        if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
            raise PersonNotFound
        found = [dict(row) for row in await payees.accounts_of(tx, beneficiary_id)]
        now = await methods.find(tx, beneficiary_id)
        if now is not None and now["payee_id"] != beneficiary_id:
            found += [dict(row) for row in await payees.accounts_of(tx, now["payee_id"]) if actor.sees(row["unit_path"])]
    return found


def order_version(rows: Iterable[Mapping[str, Any] | RowMapping], payee_id: UUID) -> int:
    """A number that changes with a payee's accounts and their order."""
    return crc32(";".join(f"{row['account_id']}:{row['priority']}" for row in rows if row["payee_id"] == payee_id).encode())


async def put_in_order(db: Database, actor: Actor, beneficiary_id: UUID, account_ids: list[UUID], expected_version: int) -> None:
    """Set the order in which a beneficiary's own accounts are used when one comes to its end.

    Raises:
        PersonNotFound, AccountNotFound: not all of them are this person's.
        PreconditionFailed: the accounts or their order changed meanwhile.
    """
    async with db.transaction(actor) as tx:
        await people.take_choice_locks(tx)
        if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
            raise PersonNotFound
        standing = await payees.accounts_of(tx, beneficiary_id)
        if order_version(standing, beneficiary_id) != expected_version:
            raise PreconditionFailed
        if await payees.set_priorities(tx, beneficiary_id, account_ids) != len(set(account_ids)):
            raise AccountNotFound
        own = sorted((row["priority"], str(row["account_id"])) for row in standing if row["payee_id"] == beneficiary_id)
        what = audit.Changed({"accounts": [account_id for _, account_id in own]}, {"accounts": account_ids})
        await audit.record(tx, "account.order", "beneficiary", beneficiary_id, what)


async def history_page(db: Database, actor: Actor, beneficiary_id: UUID, *, after: int, limit: int) -> list[dict[str, Any]]:
    """One page of how a person was to be paid and of the person's accounts' states. Raises PersonNotFound."""
    async with db.read(actor) as tx:
        if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
            raise PersonNotFound
        return [dict(row) for row in await history.page(tx, beneficiary_id, after=after, limit=limit)]


async def read_number(db: Database, actor: Actor, account_id: UUID, purpose: str) -> str:
    """The whole account number, for a stated purpose; the read is audited before the answer leaves. Raises AccountNotFound."""
    async with db.transaction(actor) as tx:
        row = await payees.account(tx, account_id, *actor.scope_sql("a.unit_path"))
        if row is None:
            raise AccountNotFound
        await audit.record(tx, "account.read_number", "account", account_id, audit.Read(purpose, {"number": row["masked_number"]}))
        return _keyring(db).decrypt("account_number", row["number_cipher"])


async def review_page(db: Database, actor: Actor, *, cause: str | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of the review work list in the caller's units."""
    scope, params = actor.scope_sql("a.unit_path")
    async with db.read(actor) as tx:
        return [dict(row) for row in await payees.review_page(tx, cause=cause, after=after, limit=limit, scope=scope, scope_params=params)]


async def propose(tx: Tx, account_id: UUID, *, verdict: str, reason: str, evidence: str | None) -> UUID:
    """Propose what to do with a doubtful account. Raises AccountNotFound."""
    actor = _actor(tx)
    row = await payees.account(tx, account_id, *actor.scope_sql("a.unit_path"), lock=True)
    if row is None:
        raise AccountNotFound
    review_id = new_id()
    await payees.propose_review(
        tx,
        review_id=review_id,
        account_id=account_id,
        account_version=row["version"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        proposed_by=actor.subject,
    )
    what = audit.Created({"review_id": review_id, "verdict": verdict, "reason": reason})
    await audit.record(tx, "account.review_proposed", "account", account_id, what)
    return review_id


async def decide(db: Database, actor: Actor, review_id: UUID, *, agree: bool, business_date: date) -> str:
    """The second person's decision on a proposal; the state of the proposal.

    Raises:
        ReviewNotFound, SamePerson: who proposed it may not decide it.
        MoveRefused: the account changed meanwhile, or its state does not allow this.
    """
    async with db.transaction(actor) as tx:
        await accounts.take_record_lock(tx)
        review = await payees.open_review(tx, review_id)
        row = await payees.account(tx, review["account_id"], *actor.scope_sql("a.unit_path"), lock=True) if review is not None else None
        if review is None or row is None:
            raise ReviewNotFound
        if review["proposed_by"] == actor.subject:
            raise SamePerson
        if agree and row["version"] != review["account_version"]:
            raise MoveRefused("the account changed after the proposal: propose again")
        if agree and not await _carry_out(tx, review["verdict"], row["account_id"], business_date):
            raise MoveRefused(f"{row['status']} does not allow {review['verdict']}")
        state = "AGREED" if agree else "DISAGREED"
        await payees.close_review(tx, review_id, state, actor.subject)
        now = row
        if agree:
            settled = await accounts.settle(tx, [row["account_id"]])
            await publish_accounts(tx, settled)
            now = next((item for item in settled if item["account_id"] == row["account_id"]), row)
        fields = ("status", "reason", "version")
        what = audit.Changed(
            {"review": review["state"], **{name: row[name] for name in fields}},
            {"review": state, **{name: now[name] for name in fields}},
            {"verdict": review["verdict"], "proposed_by": review["proposed_by"]},
        )
        await audit.record(tx, "account.review_decided", "account", row["account_id"], what)
    return state


async def _carry_out(tx: Tx, verdict: str, account_id: UUID, business_date: date) -> bool:
    if verdict == "ACCEPT":
        return await payees.accept(tx, account_id, business_date)
    if verdict == "REJECT":
        return await payees.reject(tx, account_id, business_date)
    return await payees.ask_again(tx, account_id)


def _refused(code: str, where: str) -> AccountRefused:
    return AccountRefused(REASONS[code][1], errors=[{"field": where, "detail": code}])


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def _keyring(db: Database) -> Keyring:
    if db.keyring is None:
        raise RuntimeError("accounts needs its keyring")
    return db.keyring
