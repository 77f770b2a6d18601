"""Change how one beneficiary is to be paid, among what is known: cash, or an account that is active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.domain.errors import AccountNotUsable, PersonNotFound
from accounts.storage import methods, people
from accounts.usecases.day import check_day
from accounts.usecases.payee_accounts import within_daily_limit
from common import audit
from common.actor import Actor
from common.contracts.accounts_v1 import PayoutMethod
from common.db import Database
from common.problems import PreconditionFailed

__all__ = ["Choice", "choose_method", "present_method"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `payee_id` None is the beneficiary."""

    method: PayoutMethod
    payee_id: UUID | None
    account_id: UUID | None
    home_reason: str | None
    business_date: date


async def choose_method(db: Database, actor: Actor, beneficiary_id: UUID, choice: Choice, expected_version: int) -> int:
    """Store the choice; the new version (0 stands for no choice so far). The same choice again changes nothing.

    Raises:
        PersonNotFound: not a beneficiary of the caller's units.
        InvalidInput: the business date has not come.
        PreconditionFailed: somebody else chose meanwhile.
        AccountNotUsable: the account is not an active one of this payee, or the payee may not collect for the person.
        BulkNeedsSecondPerson: too many changes by this user on this business date.
    """
    payee_id = choice.payee_id or beneficiary_id
    async with db.transaction(actor) as tx:
        await people.take_choice_locks(tx)
        if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
            raise PersonNotFound
        await check_day(tx, choice.business_date)
        now = await methods.find(tx, beneficiary_id, lock=True)
        if (now["version"] if now else 0) != expected_version:
            raise PreconditionFailed
        kind, own = await methods.payee(tx, beneficiary_id, payee_id, choice.account_id)
        if kind is None or not own or (choice.method is PayoutMethod.ACCOUNT) != (choice.account_id is not None):
            raise AccountNotUsable
        if now and (now["payee_id"], now["method"], now["account_id"]) == (payee_id, choice.method, choice.account_id):
            return int(now["version"])
        await within_daily_limit(tx, actor.subject, choice.business_date)
        reason = {PayoutMethod.CASH_POST: "PREFERENCE", PayoutMethod.CASH_HOME: "FORCE_MAJEURE"}.get(choice.method)
        home = db.keyring.encrypt("home_reason", choice.home_reason) if choice.home_reason and db.keyring else None
        version = await methods.choose(
            tx,
            beneficiary_id,
            business_date=choice.business_date,
            payee_id=payee_id,
            payee_kind=kind,
            method=choice.method.value,
            account_id=choice.account_id,
            reason=reason,
            home_reason=home,
        )
        if now and now["account_id"] not in (None, choice.account_id):
            await methods.free_shared(tx, now["account_id"])
        what = methods.changed(now, method=choice.method.value, payee_id=payee_id, account_id=choice.account_id, reason=reason)
        await audit.record(tx, "payout_method.choose", "beneficiary", beneficiary_id, what)
        return version


async def present_method(db: Database, actor: Actor, beneficiary_id: UUID) -> dict[str, Any] | None:
    """The present choice, None when there is none. Raises PersonNotFound."""
    async with db.read(actor) as tx:
        if await people.beneficiary_in_scope(tx, beneficiary_id, *actor.scope_sql("b.unit_path")) is None:
            raise PersonNotFound
        row = await methods.find(tx, beneficiary_id)
        return None if row is None else dict(row)
