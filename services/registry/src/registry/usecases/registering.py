"""Registering people, many at once: every item is judged by itself, all good ones land in one batch. One person is a batch of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import orjson

from common.actor import Actor
from common.db import Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound, Problem
from common.sealing import Keyring
from registry.domain.errors import AlreadyEntitled, DuplicateNumber, RowRefused, UnknownUnit
from registry.domain.reasons import Reason
from registry.domain.rows import Category, CheckedRow, Rules, check_row
from registry.storage import catalogue, imports, publishing
from registry.usecases import attributes
from registry.usecases.applying import apply_batch
from registry.usecases.attributes import Attributes

__all__ = ["Item", "Outcome", "register_many"]

_CONFLICT: Final[Mapping[str, type[Problem]]] = {
    "DUPLICATE_NUMBER_REGISTER": DuplicateNumber, "DUPLICATE_NUMBER_FILE": DuplicateNumber, "ALREADY_ENTITLED": AlreadyEntitled,
    "DUPLICATE_ROW": AlreadyEntitled,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One person with one or more entitlements, as the cells of list rows, and further attributes."""

    programme: str
    unit_code: str
    business_date: date
    rows: Sequence[dict[str, str]]
    more: Attributes = field(default_factory=Attributes)


@dataclass(slots=True)
class Outcome:
    """What became of an item: a person, or the problem."""

    person_id: UUID | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class _Staged:
    """A good item on its way: where its rows stand."""

    index: int
    import_id: UUID
    numbers: list[int]


async def register_many(tx: Tx, items: Sequence[Item]) -> list[Outcome]:
    """Register what can be registered, set-based; the outcome of each item, in order. Nothing of a refused item is kept."""
    actor, keyring = _needs(tx)
    await publishing.take_people_lock(tx)
    outcomes = [Outcome() for _ in items]
    categories = await catalogue.categories(tx)
    good: list[tuple[int, list[CheckedRow], dict[str, Any]]] = []
    units: dict[tuple[str, date], Any] = {}
    for index, item in enumerate(items):
        place = (item.unit_code, item.business_date)
        if place not in units:
            units[place] = await catalogue.unit_of(tx, *place)
        try:
            good.append((index, *_checked(actor, keyring, item, units[place], categories)))
        except Problem as problem:
            outcomes[index].problem = problem
    staged = await _stage(tx, actor, keyring, items, good, units)
    staged = await _without_clashes(tx, staged, outcomes)
    for day, batch in groupby(
        sorted(staged, key=lambda one: items[one.index].business_date), key=lambda one: items[one.index].business_date
    ):
        pairs = [(one.import_id, number) for one in batch for number in one.numbers]
        await apply_batch(tx, keyring, [pair[0] for pair in pairs], [pair[1] for pair in pairs], day)
    await imports.count_verdicts(tx, list({one.import_id for one in staged}))
    await _people(tx, staged, outcomes, {index: extra for index, _, extra in good})
    return outcomes


def _checked(
    actor: Actor, keyring: Keyring, item: Item, unit: Any, categories: Mapping[str, Category]
) -> tuple[list[CheckedRow], dict[str, Any]]:
    """The rows as understood and the attributes' columns. Raises UnknownUnit, NotFound, RowRefused."""
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": item.unit_code}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    rules = Rules(item.programme, item.unit_code, unit["path"], item.business_date, categories, {item.unit_code: unit["path"]})
    checked = [check_row(values, rules) for values in item.rows]
    refused = [reason for row in checked for reason in row.reasons]
    if refused:
        raise RowRefused(errors=[reason.as_json() for reason in refused])
    if not checked:
        raise InvalidInput(errors=[{"field": "entitlements", "detail": "at least one"}])
    return checked, attributes.values(keyring, item.more, has_number=checked[0].number is not None)


async def _stage(
    tx: Tx,
    actor: Actor,
    keyring: Keyring,
    items: Sequence[Item],
    good: Sequence[tuple[int, list[CheckedRow], Any]],
    units: Mapping[Any, Any],
) -> list[_Staged]:
    """Stage the rows, one list per programme, unit and day, as if they had come as lists."""
    staged: list[_Staged] = []
    files: dict[tuple[str, str, date], tuple[UUID, list[Any]]] = {}
    for index, rows, _ in good:
        item = items[index]
        import_id, kept = files.setdefault((item.programme, item.unit_code, item.business_date), (new_id(), []))
        staged.append(_Staged(index, import_id, list(range(len(kept) + 1, len(kept) + 1 + len(rows)))))
        kept.extend(zip(rows, item.rows, strict=True))
    for (programme, unit_code, day), (import_id, kept) in files.items():
        content = orjson.dumps([cells for _, cells in kept])
        await tx.execute(
            "INSERT INTO import_file (import_id, job_id, programme, unit_code, unit_path, file_name, sha256, content, business_date,"
            " dry_run, state, created_by) VALUES (:id, :id, :programme, :unit, :path, 'api', :sha, :content, :day, false, 'APPROVED', :by)",
            id=import_id, programme=programme, unit=unit_code, path=units[unit_code, day]["path"], sha=import_id.bytes,
            content=keyring.encrypt("import_file", content), day=day, by=actor.subject,
        )  # fmt: skip
        await imports.stage(tx, [imports.staged_values(keyring, import_id, number, row) for number, (row, _) in enumerate(kept, start=1)])
        await imports.number_dependants(tx, import_id)
    return staged


async def _without_clashes(tx: Tx, staged: Sequence[_Staged], outcomes: list[Outcome]) -> list[_Staged]:
    """Take out items of which any row clashes with the register or with an earlier item: they are refused as a whole."""
    if not staged:
        return []
    pairs = [(one.import_id, number) for one in staged for number in one.numbers]
    clashes = await imports.conflicts(tx, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    why: dict[tuple[UUID, int], Reason] = {(import_id, number): reason for import_id, number, reason in clashes}
    left, refused = [], []
    for one in staged:
        found = [why[one.import_id, number] for number in one.numbers if (one.import_id, number) in why]
        if found:
            outcomes[one.index].problem = _CONFLICT.get(found[0].code, RowRefused)(errors=[reason.as_json() for reason in found])
            refused += [(one.import_id, number, found[0]) for number in one.numbers]
        else:
            left.append(one)
    await imports.refuse_rows(tx, refused)
    return left


async def _people(tx: Tx, staged: Sequence[_Staged], outcomes: list[Outcome], extra: Mapping[int, dict[str, Any]]) -> None:
    """Which person each item became; attributes that no event carries are set in the same statement's order."""
    rows = await tx.rows(
        "SELECT r.import_id, r.row_number, r.person_id FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id,"
        " row_number) JOIN import_row r USING (import_id, row_number)",
        imports=[one.import_id for one in staged],
        rows=[one.numbers[0] for one in staged],
    )
    found = {(row["import_id"], row["row_number"]): row["person_id"] for row in rows}
    for one in staged:
        outcomes[one.index].person_id = found[one.import_id, one.numbers[0]]
    wanted = [(outcomes[one.index].person_id, extra[one.index]) for one in staged if extra[one.index]]
    for columns, group in groupby(sorted(wanted, key=lambda pair: sorted(pair[1])), key=lambda pair: sorted(pair[1])):
        await _complete(tx, columns, list(group))


async def _complete(tx: Tx, columns: Sequence[str], people: Sequence[tuple[Any, dict[str, Any]]]) -> None:
    """Set the same columns of several people. In no event: no new version."""
    types = {"second_number": "bytea", "second_blind": "bytea", "ethnicity": "bytea", "phone": "bytea"}
    names = ", ".join(columns)
    arrays = ", ".join(f"CAST(:{name} AS {types.get(name, 'text')}[])" for name in columns)
    await tx.execute(
        f"UPDATE person p SET {', '.join(f'{name} = x.{name}' for name in columns)}"
        f" FROM unnest(CAST(:ids AS uuid[]), {arrays}) AS x(person_id, {names}) WHERE p.person_id = x.person_id",
        ids=[person_id for person_id, _ in people],
        **{name: [values[name] for _, values in people] for name in columns},
    )


def _needs(tx: Tx) -> tuple[Actor, Keyring]:
    if tx.actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    return tx.actor, tx.db.keyring
