"""Households: made, changed, joined, left, split. Whoever is touched has their dues computed anew in the same transaction.

Dates are days: who leaves on a date belongs to the household up to and including that day, who joins from that day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound, PreconditionFailed
from registry.domain.errors import AlreadyInHousehold, DuplicateHousehold, UnknownUnit
from registry.domain.masked import masked
from registry.storage import catalogue, dues, groups, history, households
from registry.storage.publishing import take_people_lock

__all__ = ["Household", "Member", "Place", "add", "change", "create", "leave", "read", "split"]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the register and what they are to the head."""

    person_id: UUID
    relation: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a household is; None leaves a field as it is."""

    unit_code: str | None = None
    address: str | None = None
    hamlet: str | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """A household as read: the row, its members and its groups."""

    row: Any
    members: Sequence[Any]
    groups: Sequence[Any]


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def _begin(tx: Tx, business_date: date, from_date: date) -> None:
    if from_date > business_date:
        raise InvalidInput(errors=[{"field": "from_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    await take_people_lock(tx)
    await history.dated(tx, business_date, from_date)


async def _unit(tx: Tx, code: str, on: date) -> Any:
    unit = await catalogue.unit_of(tx, code, on)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": code}])
    if not _actor(tx).sees(unit["path"]):
        raise NotFound("No such unit in your area")
    return unit


async def _seen(tx: Tx, household_id: UUID, version: int | None = None) -> Any:
    row = await households.find(tx, household_id, lock=version is not None)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise NotFound("No such household")
    if version is not None and row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    if version is not None and row["closed_on"] is not None:
        raise InvalidInput(errors=[{"field": "household_id", "detail": f"closed on {row['closed_on']}"}])
    return row


async def _people(tx: Tx, members: Sequence[Member]) -> None:
    wanted = [member.person_id for member in members]
    if len(set(wanted)) != len(wanted):
        raise InvalidInput(errors=[{"field": "members", "detail": "somebody is named twice"}])
    actor = _actor(tx)
    found = {row["person_id"] for row in await households.people(tx, wanted) if actor.sees(row["unit_path"])}
    missing = [person_id for person_id in wanted if person_id not in found]
    if missing:
        raise NotFound("No such beneficiary", errors=[{"field": "members", "detail": str(person_id)} for person_id in missing])


async def _take_out(tx: Tx, ids: Sequence[UUID], from_date: date, *, allowed: bool) -> list[UUID]:
    """End the memberships these people hold elsewhere the day before; the households they leave."""
    held = await households.open_of(tx, ids)
    if held and not allowed:
        raise AlreadyInHousehold(errors=[{"field": "members", "detail": str(row["person_id"])} for row in held])
    late = [row for row in held if row["from_date"] >= from_date]
    if late:
        raise InvalidInput(
            errors=[
                {"field": "from_date", "detail": f"{row['person_id']} joined the present household on {row['from_date']}"} for row in late
            ]
        )
    return await households.end_memberships(tx, ids, from_date - timedelta(days=1)) if held else []


async def _done(tx: Tx, touched: Sequence[UUID], more: Sequence[UUID], business_date: date) -> None:
    """Compute anew the dues of all who belong to these households now, and of those who left."""
    ids = list(dict.fromkeys([*await groups.members(tx, touched), *more]))
    await dues.recompute(tx, ids, business_date)


async def read(db: Database, actor: Actor, household_id: UUID, on: date | None) -> Household:
    """One household of the actor's area, with its members on a date (None: all there ever were)."""
    async with db.read(actor) as tx:
        return await _read(tx, household_id, on)


async def _read(tx: Tx, household_id: UUID, on: date | None = None) -> Household:
    row = await _seen(tx, household_id)
    return Household(row, await households.members_of(tx, household_id, on), await households.groups_of(tx, household_id))


async def create(
    tx: Tx, place: Place, code: str | None, members: Sequence[Member], from_date: date, business_date: date, *, leave_previous: bool = False
) -> UUID:
    """Make a household; the first member is its head. Raises AlreadyInHousehold, DuplicateHousehold, UnknownUnit, NotFound."""
    await _begin(tx, business_date, from_date)
    unit = await _unit(tx, place.unit_code or "", business_date)
    await _people(tx, members)
    if code is not None and await households.code_taken(tx, code):
        raise DuplicateHousehold(errors=[{"field": "code", "detail": code}])
    ids = [member.person_id for member in members]
    left = await _take_out(tx, ids, from_date, allowed=leave_previous)
    household_id = await households.insert(
        tx,
        {
            "code": code, "head_id": ids[0], "address": place.address, "hamlet": place.hamlet, "unit_code": unit["code"],
            "unit_path": unit["path"], "created_by": _actor(tx).subject,
        },
    )  # fmt: skip
    await households.join(tx, household_id, ids, [member.relation for member in members], from_date)
    await _done(tx, [household_id, *left], ids, business_date)
    await audit.record(tx, "household.create", "household", household_id, audit.Created({"members": ids, "from": from_date}))
    return household_id


async def change(
    db: Database, actor: Actor, household_id: UUID, version: int, place: Place, head_id: UUID | None, business_date: date
) -> Household:
    """Correct the place or name another head (who must be a member)."""
    async with db.transaction(actor) as tx:
        await _begin(tx, business_date, business_date)
        row = await _seen(tx, household_id, version)
        values: dict[str, Any] = {
            name: value for name, value in (("address", place.address), ("hamlet", place.hamlet)) if value is not None
        }
        if place.unit_code is not None:
            unit = await _unit(tx, place.unit_code, business_date)
            values |= {"unit_code": unit["code"], "unit_path": unit["path"]}
        if head_id is not None:
            members = {row["person_id"] for row in await households.members_of(tx, household_id, business_date)}
            if head_id not in members:
                raise InvalidInput(errors=[{"field": "head_id", "detail": "not a member on this date"}])
            values["head_id"] = head_id
        await households.update(tx, household_id, values)
        await _done(tx, [household_id], [], business_date)
        now = await _read(tx, household_id)
        what = audit.Changed(masked(row, ["version", *values]), masked(now.row, ["version", *values]), {"fields": sorted(values)})
        await audit.record(tx, "household.change", "household", household_id, what)
        return now


async def add(
    db: Database, actor: Actor, household_id: UUID, version: int, members: Sequence[Member], from_date: date, business_date: date,
    *, leave_previous: bool,
) -> Household:  # fmt: skip
    """People join. Raises AlreadyInHousehold unless they may leave the household they are in."""
    async with db.transaction(actor) as tx:
        await _begin(tx, business_date, from_date)
        await _seen(tx, household_id, version)
        await _people(tx, members)
        ids = [member.person_id for member in members]
        if any(row["household_id"] == household_id for row in await households.open_of(tx, ids)):
            raise AlreadyInHousehold(errors=[{"field": "members", "detail": "already a member of this household"}])
        left = await _take_out(tx, ids, from_date, allowed=leave_previous)
        await households.join(tx, household_id, ids, [member.relation for member in members], from_date)
        await households.update(tx, household_id, {})
        await _done(tx, [household_id, *left], ids, business_date)
        what = audit.Changed({"joined": [], "version": version}, {"joined": ids, "version": version + 1}, {"from": from_date, "left": left})
        await audit.record(tx, "household.join", "household", household_id, what)
        return await _read(tx, household_id)


async def leave(
    db: Database, actor: Actor, household_id: UUID, version: int, person_id: UUID, last_day: date, business_date: date
) -> Household:
    """Somebody leaves; without members left the household is closed and its groups end that day."""
    async with db.transaction(actor) as tx:
        await _begin(tx, business_date, last_day)
        await _seen(tx, household_id, version)
        held = [row for row in await households.open_of(tx, [person_id]) if row["household_id"] == household_id]
        if not held:
            raise NotFound("Not a member of this household")
        if held[0]["from_date"] > last_day:
            raise InvalidInput(errors=[{"field": "last_day", "detail": f"joined on {held[0]['from_date']}"}])
        await households.end_memberships(tx, [person_id], last_day)
        await _close_if_empty(tx, household_id, last_day)
        await _done(tx, [household_id], [person_id], business_date)
        what = audit.Changed({"to_date": None}, {"to_date": last_day}, {"person": person_id})
        await audit.record(tx, "household.leave", "household", household_id, what)
        return await _read(tx, household_id)


async def _close_if_empty(tx: Tx, household_id: UUID, last_day: date) -> None:
    if not await groups.members(tx, [household_id]):
        await households.close(tx, household_id, last_day)
        await groups.end_of_household(tx, household_id, last_day)


async def split(
    db: Database, actor: Actor, household_id: UUID, version: int, members: Sequence[Member], code: str | None, place: Place,
    from_date: date, business_date: date, *, keep_groups: bool,
) -> Household:  # fmt: skip
    """Some members make a household of their own; the first is its head. The new household.

    Whether it stays poor or near-poor until the next review is for the officer to say: the law leaves it to the review.
    """
    async with db.transaction(actor) as tx:
        await _begin(tx, business_date, from_date)
        row = await _seen(tx, household_id, version)
        await _people(tx, members)
        ids = [member.person_id for member in members]
        inside = {item["person_id"] for item in await households.open_of(tx, ids) if item["household_id"] == household_id}
        if inside != set(ids):
            raise InvalidInput(errors=[{"field": "members", "detail": "not a member of this household"}])
        unit = await _unit(tx, place.unit_code or row["unit_code"], business_date)
        if code is not None and await households.code_taken(tx, code):
            raise DuplicateHousehold(errors=[{"field": "code", "detail": code}])
        await _take_out(tx, ids, from_date, allowed=True)
        made = await households.insert(
            tx,
            {
                "code": code, "head_id": ids[0], "address": place.address or row["address"], "hamlet": place.hamlet or row["hamlet"],
                "unit_code": unit["code"], "unit_path": unit["path"], "split_from": household_id, "created_by": actor.subject,
            },
        )  # fmt: skip
        await households.join(tx, made, ids, [member.relation for member in members], from_date)
        if keep_groups:
            await groups.copy_to(tx, household_id, made, from_date)
        await _close_if_empty(tx, household_id, from_date - timedelta(days=1))
        await _done(tx, [household_id, made], ids, business_date)
        moved = [{"person": person_id, "household": household_id} for person_id in ids]
        what = audit.Changed({"members": moved}, {"members": [item | {"household": made} for item in moved]}, {"keep_groups": keep_groups})
        await audit.record(tx, "household.split", "household", household_id, what)
        return await _read(tx, made)
