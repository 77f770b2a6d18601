"""Changing who counts as poor, near-poor and so on: one officer lists, another approves, and the dues follow at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Conflict, InvalidInput, NotFound
from common.tabular import BrokenFile, read_rows
from registry.domain.errors import FileRefused, SamePerson, UnknownUnit
from registry.domain.group_rows import COLUMNS, GroupRow, read_row, words
from registry.domain.reasons import reason
from registry.storage import catalogue, dues, group_lists, groups, history
from registry.storage.publishing import take_people_lock
from registry.usecases import ahead

__all__ = ["ListHead", "NewGroup", "check_head", "decide", "decide_group", "read_file", "receive", "request_group"]


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list says as a whole. `groups` are those a full review covers: who is not on it leaves them."""

    unit_code: str
    mode: str
    groups: tuple[str, ...]
    from_date: date
    decision_number: str
    business_date: date
    file_name: str | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group asked for."""

    code: str
    name_vi: str
    name_en: str
    exclusive_set: str | None
    legal_basis: str


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


def read_file(content: bytes, file_name: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a review list. Raises FileRefused with the reason when there is no list to read."""
    try:
        return [(row.number, row.values) for row in read_rows(content, file_name, COLUMNS).rows]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error


def check_head(head: ListHead) -> None:
    """Refuse a full review that names no group, and groups in a list of changes. Raises InvalidInput."""
    if (head.mode == "FULL_REVIEW") != bool(head.groups):
        raise InvalidInput(errors=[{"field": "groups", "detail": "a full review, and nothing else, names the groups it covers"}])


async def receive(tx: Tx, head: ListHead, rows: Iterable[tuple[int, Mapping[str, str]]]) -> tuple[UUID, bool]:
    """Take a list: its id, and whether the same file was taken before (then nothing changes)."""
    await ahead.allow(tx, "from_date", head.from_date, head.business_date)
    unit = await catalogue.unit_of(tx, head.unit_code, head.business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": head.unit_code}])
    if not _actor(tx).sees(unit["path"]):
        raise NotFound("No such unit in your area")
    known = await groups.all_groups(tx)
    wrong = set(head.groups) - {group["code"] for group in known}
    if wrong:
        raise InvalidInput(errors=[{"field": "groups", "detail": f"unknown: {', '.join(sorted(wrong))}"}])
    if head.sha256 is not None:
        first = await group_lists.by_digest(tx, head.sha256)
        if first is not None:
            return first, True
    list_id = new_id()
    await group_lists.insert(tx, list_id, head, unit, _actor(tx).subject)
    words_known = words(known)
    read = [(number, read_row(values, words_known)) for number, values in rows]
    await groups.stage(tx, list_id, (_staged(number, row) for number, row in read))
    await _judge(tx, list_id)
    what = audit.Created({"rows": len(read), "decision": head.decision_number, "state": "PENDING"})
    await audit.record(tx, "group-list.receive", "group-list", list_id, what)
    return list_id, False


def _staged(number: int, row: GroupRow) -> tuple[int, str, str, str, str, str, str]:
    reasons = orjson.dumps([item.as_json() for item in row.reasons]).decode()
    return number, row.code, row.subject, row.group, row.action, "REFUSED" if row.reasons else "GOOD", reasons


async def _judge(tx: Tx, list_id: UUID) -> None:
    found = await groups.judge(tx, list_id)
    await groups.settle(tx, list_id, [
        (
            row["row_number"], row["household_id"], row["person_id"],
            orjson.dumps([reason(row["code"], "household_code").as_json()]).decode() if row["code"] else None,
        )
        for row in found
    ])  # fmt: skip


async def decide(db: Database, actor: Actor, list_id: UUID, business_date: date, refusal: str | None) -> Any:
    """Approve a list (or reject it with a reason). Approval changes groups and dues in one transaction. Raises SamePerson, Conflict."""
    async with db.transaction(actor) as tx:
        await take_people_lock(tx)
        row = await group_lists.find(tx, list_id, lock=True)
        if row is None or not actor.sees(row["unit_path"]):
            raise NotFound("No such list")
        if row["created_by"] == actor.subject:
            raise SamePerson("Who made a list cannot decide on it")
        if row["state"] != "PENDING":
            raise Conflict("The list is decided", state=row["state"])
        if refusal is not None:
            await group_lists.decided(tx, list_id, "REJECTED", actor.subject, {"rejection": refusal})
            what = audit.Changed.of(row, {"state": "REJECTED"}, "state", reason=refusal)
            await audit.record(tx, "group-list.reject", "group-list", list_id, what)
            return await group_lists.find(tx, list_id)
        await ahead.allow(tx, "business_date", row["from_date"], business_date)
        await history.dated(tx, business_date, row["from_date"])
        await _judge(tx, list_id)
        after = await group_lists.find(tx, list_id)
        if row["mode"] == "FULL_REVIEW" and after is not None and after["rows_refused"]:
            # Whoever stands in a refused row would count as left out, and lose the group by a typing error.
            raise Conflict("A full review applies without refused rows only: correct them and send it again", refused=after["rows_refused"])
        started, ended, people = await groups.apply(tx, list_id)
        changed = await dues.recompute(tx, people, business_date)
        counts = {"started": started, "ended": ended, "people_affected": len(people), "dues_changed": changed}
        await group_lists.decided(tx, list_id, "APPROVED", actor.subject, counts)
        what = audit.Changed.of(row, {"state": "APPROVED"}, "state", digest=audit.digest(people), **counts)
        await audit.record(tx, "group-list.approve", "group-list", list_id, what)
        return await group_lists.find(tx, list_id)


async def request_group(tx: Tx, group: NewGroup) -> UUID:
    """Ask for a new group code; a second person adds it."""
    if any(known["code"] == group.code for known in await groups.all_groups(tx)) or await group_lists.asked(tx, group.code):
        raise Conflict("This group exists or is asked for", code=group.code)
    request_id = await group_lists.ask(tx, group, _actor(tx).subject)
    await audit.record(tx, "group.request", "group", group.code, audit.Created({"legal_basis": group.legal_basis, "state": "PENDING"}))
    return request_id


async def decide_group(db: Database, actor: Actor, request_id: UUID, *, approve: bool) -> Sequence[Any]:
    """Add a group asked for by somebody else, or refuse it; all groups then."""
    async with db.transaction(actor) as tx:
        row = await group_lists.group_request(tx, request_id)
        if row is None:
            raise NotFound("No such request")
        if row["created_by"] == actor.subject:
            raise SamePerson("Who asked for a group cannot add it")
        if row["state"] != "PENDING":
            raise Conflict("The request is decided", state=row["state"])
        state = "APPROVED" if approve else "REJECTED"
        await group_lists.close_request(tx, request_id, state, actor.subject)
        if approve:
            await groups.add_group(tx, row, actor.subject)
        what = audit.Changed({"state": row["state"]}, {"state": state}, {"proposed_by": row["created_by"]})
        await audit.record(tx, "group.approve" if approve else "group.reject", "group", row["code"], what)
        return await groups.all_groups(tx)
