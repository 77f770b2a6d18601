"""The provider directory and the settings: loaded from files, read by officers, changed by two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from accounts.domain.directory import Directory, alias_key
from accounts.domain.errors import AlreadyDecided, ChangeNotFound, ProviderNotFound, SamePerson, UnknownUnit
from accounts.domain.policy import POLICIES, VneidUse
from accounts.providers.directory import reference_rows
from accounts.storage import accounts, directory, people, policy
from accounts.usecases.publish import publish_limits
from common import audit
from common.actor import OF_A_PROVINCE, Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Forbidden, InvalidInput

__all__ = [
    "KINDS", "changes", "contracts", "decide", "load_reference", "one_provider", "propose", "provider_types", "providers", "refresh",
    "settings",
]  # fmt: skip

KINDS: Final = (
    "PROVIDER_TYPE", "PROVIDER", "PROVIDER_NAME", "PROVIDER_BIN", "PROVIDER_ALIAS", "FEE_OFFER", "CONTRACT", "SETTING",
)  # fmt: skip
_POLICIES: Final = {item.code: item for item in POLICIES}


async def load_reference(tx: Tx) -> dict[str, int]:
    """Take over the data files of the directory and the settings that are new. Loading again changes nothing."""
    providers, aliases = reference_rows()
    await accounts.take_record_lock(tx)
    loaded = await directory.load(tx, providers, aliases)
    changed = {**loaded, "accounts": await directory.follow_partner(tx), "settings": await policy.load(tx)}
    if any(changed.values()):
        digest = audit.digest(orjson.dumps(row, default=str).decode() for row in (*providers, *aliases))
        await audit.record(tx, "directory.load", "directory", "files", audit.Bulk(sum(changed.values()), digest, changed))
    return changed


async def refresh(db: Database, known: Directory) -> bool:
    """Make `known` find by the directory as it stands in the database. False, for a loop that then waits."""
    async with db.read() as tx:
        known.replace(*await directory.current(tx))
    return False


async def providers(db: Database, on: date, *, type_code: str | None, codes: Sequence[str] | None) -> list[dict[str, Any]]:
    """Providers with the names and BINs of a day."""
    async with db.read() as tx:
        return [dict(row) for row in await directory.page(tx, on, type_code=type_code, codes=codes)]


async def one_provider(db: Database, code: str, on: date) -> dict[str, Any]:
    """Everything known of a provider. Raises ProviderNotFound."""
    async with db.read() as tx:
        found = await directory.detail(tx, code, on)
    if found is None:
        raise ProviderNotFound
    return found


async def provider_types(db: Database) -> list[dict[str, Any]]:
    """The open list of types."""
    async with db.read() as tx:
        return [dict(row) for row in await directory.types(tx)]


async def contracts(
    db: Database, actor: Actor, *, on: date | None, provider_code: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """One page of contracts of the caller's units."""
    scope, params = actor.scope_sql("c.unit_path")
    async with db.read(actor) as tx:
        rows = await directory.contracts(tx, on=on, provider_code=provider_code, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in rows]


async def settings(db: Database) -> list[dict[str, Any]]:
    """All settings with their questions."""
    async with db.read() as tx:
        return [dict(row) for row in await policy.settings(tx)]


async def changes(db: Database, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of proposed and decided changes: the directory's and settings' are everybody's, contracts those of the caller's units."""
    scope, params = actor.scope_sql("(c.body ->> 'unit_path')")
    async with db.read(actor) as tx:
        found = await policy.change_page(tx, state=state, after=after, limit=limit, scope=scope, scope_params=params)
    return [dict(row) for row in found]


async def propose(tx: Tx, kind: str, body: dict[str, Any], business_date: date) -> UUID:
    """Propose a change; a second person carries it out.

    Raises:
        UnknownUnit, ProviderNotFound, InvalidInput: what it names is not known, or the value is not possible.
    """
    actor = _actor(tx)
    if kind == "CONTRACT":
        path = await people.unit_path(tx, body["unit_code"], business_date)
        if path is None or not actor.sees(path):
            raise UnknownUnit(errors=[{"field": "unit_code", "detail": body["unit_code"]}])
        body = {**body, "unit_path": path}
    if kind == "PROVIDER_ALIAS":
        body = {**body, "alias_key": alias_key(body["alias"])}
    if kind == "PROVIDER":
        body = {**body, "changed": True}
    if kind == "FEE_OFFER":
        body = {"offer_id": str(new_id()), **body}
    if kind == "SETTING":
        setting = _POLICIES.get(body["code"])
        if setting is None or not setting.accepts(body["value"]):
            allowed = "unknown setting" if setting is None else ", ".join(setting.choices) or f"{setting.least}…{setting.most}"
            raise InvalidInput("this value is not possible", errors=[{"field": "value", "detail": allowed}])
    elif "provider_code" in body and await directory.provider(tx, body["provider_code"]) is None:
        raise ProviderNotFound(errors=[{"field": "provider_code", "detail": body["provider_code"]}])
    request_id = new_id()
    await policy.propose(tx, request_id=request_id, kind=kind, body=body, business_date=business_date, by=actor.subject)
    await audit.record(tx, "change.propose", kind.lower(), request_id, audit.Created({**body, "state": "PROPOSED"}))
    return request_id


async def decide(db: Database, actor: Actor, request_id: UUID, *, approve: bool, note: str | None, known: Directory) -> dict[str, Any]:
    """Carry out or refuse a proposed change; the change as it stands now.

    Raises:
        ChangeNotFound, AlreadyDecided, SamePerson: who proposed it may not decide it.
        Forbidden: it holds for everybody (all but contracts do), and the caller's area is no whole province.
    """
    async with db.transaction(actor) as tx:
        await accounts.take_record_lock(tx)
        found = await policy.change(tx, request_id, lock=True)
        if found is None or (not actor.sees(found["body"].get("unit_path", "")) and "unit_path" in found["body"]):
            raise ChangeNotFound
        if "unit_path" not in found["body"] and not actor.of_a_province:
            raise Forbidden(OF_A_PROVINCE)
        if found["state"] != "PROPOSED":
            raise AlreadyDecided
        if found["proposed_by"] == actor.subject:
            raise SamePerson
        body = dict(found["body"])
        before: dict[str, Any] | None = None
        if approve:
            if found["kind"] == "SETTING":
                body |= {"decided_by": actor.subject, "decided_on": found["business_date"].isoformat()}
            before = await directory.apply_change(tx, found["kind"], body)
            if found["kind"] == "PROVIDER":
                await directory.follow_partner(tx)
                await publish_limits(tx, found["business_date"])
            if found["kind"] == "SETTING" and body["code"] == VneidUse.PAYMENT:
                await accounts.say_vneid_again(tx)
            known.replace(*await directory.current(tx))
        state = "APPROVED" if approve else "REFUSED"
        await policy.decide(tx, request_id, state=state, by=actor.subject, note=note)
        what = audit.Changed(
            {"state": found["state"], "row": before},
            {"state": state, "row": body if approve else None},
            {"proposed_by": found["proposed_by"]} | ({} if approve else {"refused": body}),
        )
        await audit.record(tx, "change.approve" if approve else "change.refuse", found["kind"].lower(), request_id, what)
        decided = await policy.change(tx, request_id)
    assert decided is not None
    return dict(decided)


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor
