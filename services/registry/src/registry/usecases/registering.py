"""Registering people, many at once: every item is judged by itself, all good ones land in one batch. One person is a batch of one.

People are registered at once; what they are to receive, and who is to collect it, waits for a second person (`usecases.grants`).
"""

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
from registry.domain.numbers import clean_phone
from registry.domain.reasons import Reason, reason
from registry.domain.rows import Category, CheckedRow, Rules, check_row
from registry.domain.starts import age_warnings
from registry.storage import catalogue, decisions, imports, proposals, publishing
from registry.usecases import attributes, grants
from registry.usecases.applying import apply_batch
from registry.usecases.attributes import Attributes

__all__ = ["Item", "Outcome", "register_many"]

_CONFLICT: Final[Mapping[str, type[Problem]]] = {
    "DUPLICATE_NUMBER_REGISTER": DuplicateNumber, "DUPLICATE_NUMBER_FILE": DuplicateNumber, "ALREADY_ENTITLED": AlreadyEntitled,
    "DUPLICATE_ROW": AlreadyEntitled, "GRANT_PROPOSED": AlreadyEntitled,
}  # fmt: skip

_AGES: Final = frozenset({"AGE_BELOW", "AGE_ABOVE"})
"""Warnings told beside those on the number, which are read from the register."""


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
    decision_ids: list[UUID] = field(default_factory=list)
    """Proposed grants that a second person approves."""
    representative_proposals: list[UUID] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)


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
    categories, authorities = await catalogue.categories(tx), await decisions.all_authorities(tx)
    good: list[tuple[int, list[CheckedRow], dict[str, Any]]] = []
    units: dict[tuple[str, date], Any] = {}
    for index, item in enumerate(items):
        place = (item.unit_code, item.business_date)
        if place not in units:
            units[place] = await catalogue.unit_of(tx, *place)
        try:
            rows, extra = _checked(actor, keyring, item, units[place], categories)
            _check_papers(item, rows, categories, authorities)
            good.append((index, rows, extra))
            outcomes[index].warnings = [one.as_json() for row in rows for one in row.warnings if one.code in _AGES]
        except Problem as problem:
            outcomes[index].problem = problem
    staged = await _stage(tx, actor, keyring, items, good, units)
    staged = await _without_clashes(tx, staged, outcomes)
    for day, batch in groupby(
        sorted(staged, key=lambda one: items[one.index].business_date), key=lambda one: items[one.index].business_date
    ):
        here = list(batch)
        pairs = [(one.import_id, number) for one in here for number in one.numbers]
        await apply_batch(tx, keyring, [pair[0] for pair in pairs], [pair[1] for pair in pairs], day, proposed=True)
        await _propose(tx, items, here, outcomes, day)
    await imports.count_verdicts(tx, list({one.import_id for one in staged}))
    await _people(tx, staged, outcomes, {index: extra for index, _, extra in good})
    return outcomes


async def _propose(tx: Tx, items: Sequence[Item], staged: Sequence[_Staged], outcomes: list[Outcome], day: date) -> None:
    """Propose what the applied items ask for."""
    rows = [
        (one.import_id, number, grants.paper_of(cells))
        for one in staged
        for number, cells in zip(one.numbers, items[one.index].rows, strict=True)
    ]
    waiting = await grants.propose(tx, rows, day)
    for one in staged:
        for number in one.numbers:
            outcomes[one.index].decision_ids += waiting[one.import_id, number].decision_ids
            outcomes[one.index].representative_proposals += waiting[one.import_id, number].representative_proposals


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
    refused = [one for row in checked for one in row.reasons]
    if refused:
        raise RowRefused(errors=[one.as_json() for one in refused])
    if not checked:
        raise InvalidInput(errors=[{"field": "entitlements", "detail": "at least one"}])
    for row in checked:
        row.warnings += age_warnings(row, rules)
    columns = attributes.values(keyring, item.more, has_number=checked[0].number is not None)
    for row in checked:  # so that the first event carries it
        row.phone = clean_phone(item.more.phone or "") or None
    return checked, columns


def _check_papers(item: Item, rows: Sequence[CheckedRow], categories: Mapping[str, Category], authorities: Sequence[Any]) -> None:
    """Whether each allowance can be proposed to a second person. Raises RowRefused."""
    refused: list[Reason] = []
    for row, cells in zip(rows, item.rows, strict=True):
        day = row.decision_date or item.business_date
        decided = any(
            one["programme"] == item.programme and one["applies_from"] <= day and (one["applies_to"] is None or day <= one["applies_to"])
            for one in authorities
        )
        refused += grants.problems(row, grants.paper_of(cells), categories[row.category], item.business_date, decided=decided)
    if refused:
        raise RowRefused(errors=list({(one.code, one.field): one.as_json() for one in refused}.values()))


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
    actor, _ = _needs(tx)
    far = await proposals.elsewhere(tx, actor, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    clashes = await imports.conflicts(tx, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    why: dict[tuple[UUID, int], Reason] = {(import_id, number): clash for import_id, number, clash in clashes}
    left, refused = [], []
    for one in staged:
        found = [why[one.import_id, number] for number in one.numbers if (one.import_id, number) in why]
        if any((one.import_id, number) in far for number in one.numbers):
            outcomes[one.index].problem = NotFound("The dossier code is of a person outside your area")
            refused += [(one.import_id, number, reason("FILE_CODE_OTHER_PERSON", "file_code")) for number in one.numbers]
        elif found:
            outcomes[one.index].problem = _CONFLICT.get(found[0].code, RowRefused)(errors=[clash.as_json() for clash in found])
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
