"""A change of the law: drafted by one officer, checked and computed as a what-if, put in force by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common import audit
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound, PreconditionFailed
from common.tabular import BrokenFile, read_rows
from registry.domain.errors import FileRefused, LawChangeRefused, NotPossibleInState, SamePerson
from registry.domain.law import FINDINGS
from registry.domain.law_rows import TABLES, columns_of, read_row
from registry.domain.reasons import Reason, reason
from registry.storage import law_changes as storage
from registry.storage import law_findings, what_ifs
from registry.usecases import recomputing

__all__ = [
    "LawKeeper",
    "add_rows",
    "check_until",
    "close",
    "create",
    "findings",
    "open_change",
    "propose",
    "put_in_force",
    "read_file",
    "take_rows_out",
]

_KNOWN_BY: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("benefit_category", "stack_group"): ("stack", "LAW_UNKNOWN_STACK"),
    ("category_step", "next_category"): ("category", "LAW_UNKNOWN_CATEGORY"),
    ("category_group_condition", "group_code"): ("group", "LAW_UNKNOWN_GROUP"),
    ("category_coefficient", "standard"): ("standard", "LAW_UNKNOWN_STANDARD"),
    ("one_off_rule", "standard"): ("standard", "LAW_UNKNOWN_STANDARD"),
    **{(table, "category"): ("category", "LAW_UNKNOWN_CATEGORY") for table in TABLES if table != "benefit_category"},
}


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def open_change(tx: Tx, change_id: UUID, *, lock: bool = False, version: int | None = None, states: Sequence[str] = ()) -> Any:
    """The change, in one of the states and as it was read. Raises NotFound, PreconditionFailed, NotPossibleInState."""
    row = await storage.find(tx, change_id, lock=lock)
    if row is None:
        raise NotFound("No such change of the law")
    if version is not None and row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    if states and row["state"] not in states:
        raise NotPossibleInState(f"the change is {row['state']}")
    return row


async def create(tx: Tx, head: Mapping[str, Any]) -> UUID:
    """Open a draft; its id."""
    change_id = await storage.create(tx, head, _actor(tx).subject)
    await audit.record(tx, "law.draft", "law-change", change_id, audit.Created({"legal_basis": head["legal_basis"], "state": "DRAFT"}))
    return change_id


def read_file(table: str, content: bytes, file_name: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table as an office or a ministry sends it. Raises FileRefused."""
    try:
        return [
            (row.number, {name: value for name, value in row.values.items() if name != "ordinal"})
            for row in read_rows(content, file_name, columns_of(table)).rows
        ]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error


async def add_rows(
    tx: Tx, change_id: UUID, version: int, table: str, rows: Sequence[tuple[int, Mapping[str, Any]]], *, replace: bool = False
) -> Any:
    """Add rows to a draft, all or none; the change after. Raises LawChangeRefused naming row and field of everything at fault."""
    change = await open_change(tx, change_id, lock=True, version=version, states=("DRAFT",))
    taken_out = await storage.clear(tx, table, change_id) if replace else 0
    known = await storage.known(tx, change_id)
    answers = await storage.answers(tx)
    here = await storage.keys(tx, table, change_id)
    seen: dict[tuple[Any, ...], int] = {}
    good: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    for number, values in rows:
        row, reasons = read_row(table, values, change)
        if not reasons:
            reasons = _misfits(table, row, known, answers)
            key = tuple(row[name] for name in TABLES[table].key)
            if key in seen:
                reasons.append(reason("LAW_TWICE", TABLES[table].key[0], seen[key]))
            elif key in here:
                reasons.append(reason("LAW_HERE", TABLES[table].key[0]))
            seen.setdefault(key, number)
        wrong += [{"row": number} | item.as_json() for item in reasons]
        good.append(row)
    if wrong:
        raise LawChangeRefused(errors=wrong[:500])
    added = await storage.add(tx, table, change_id, good)
    await storage.touch(tx, change_id, _actor(tx).subject)
    digest = audit.digest(orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS).decode() for row in good)
    what = audit.Bulk(added, digest, {"table": table, "added": added, "taken_out": taken_out})
    await audit.record(tx, "law.rows", "law-change", change_id, what)
    return await storage.find(tx, change_id)


def _misfits(table: str, row: Mapping[str, Any], known: Mapping[str, set[str]], answers: Mapping[str, Any]) -> list[Reason]:
    """What a row names that is not there."""
    found = [
        reason(code, field, row[field])
        for (of, field), (what, code) in _KNOWN_BY.items()
        if of == table and row.get(field) is not None and row[field] not in known[what]
    ]
    if table == "benefit_category" and row["code"] in known["taken"]:
        found.append(reason("LAW_CODE_TAKEN", "code", row["code"]))
    if table == "provincial_top_up":
        found += [reason("LAW_UNKNOWN_UNIT", "unit_prefixes", path) for path in row["unit_prefixes"] or () if path not in known["path"]]
    if table == "law_change_setting":
        _, allowed = answers.get(row["code"], ("", None))
        if allowed is None:
            found.append(reason("LAW_UNKNOWN_QUESTION", "code", row["code"]))
        elif row["value"] not in allowed:
            found.append(reason("LAW_ANSWER", "value", row["value"]))
    return found


async def take_rows_out(tx: Tx, change_id: UUID, version: int, table: str) -> Any:
    """Take a table's rows out of a draft; the change after."""
    change = await open_change(tx, change_id, lock=True, version=version, states=("DRAFT",))
    count = await storage.clear(tx, table, change_id)
    await storage.touch(tx, change_id, _actor(tx).subject)
    what = audit.Changed({"rows": count, "version": change["version"]}, {"rows": 0, "version": change["version"] + 1}, {"table": table})
    await audit.record(tx, "law.rows", "law-change", change_id, what)
    return await storage.find(tx, change_id)


async def findings(tx: Tx, change_id: UUID) -> list[dict[str, Any]]:
    """What the checks say of a draft, in words."""
    rows = await law_findings.findings(tx, change_id)
    return [dict(row) | {"vi": FINDINGS[row["code"]][0], "en": FINDINGS[row["code"]][1]} for row in rows]


async def propose(tx: Tx, change_id: UUID, version: int) -> Any:
    """Freeze a draft for the second person. It has rows, no errors, and a what-if of exactly these rows."""
    change = await open_change(tx, change_id, lock=True, version=version, states=("DRAFT",))
    if not await storage.counts(tx, change_id):
        raise LawChangeRefused("The draft has no rows")
    errors = [item for item in await findings(tx, change_id) if item["level"] == "ERROR"]
    if errors:
        raise LawChangeRefused(errors=[{"field": item["subject"], "detail": f"{item['vi']} · {item['en']}"} for item in errors])
    if await what_ifs.latest(tx, change_id, version) is None:
        raise LawChangeRefused("Compute the what-if of these rows first: whoever approves must see whom they touch and what they cost")
    await storage.touch(tx, change_id, _actor(tx).subject)
    await storage.propose(tx, change_id)
    await audit.record(tx, "law.propose", "law-change", change_id, audit.Changed.of(change, {"state": "PROPOSED"}, "state"))
    return await storage.find(tx, change_id)


async def put_in_force(tx: Tx, change_id: UUID, version: int, business_date: date) -> Any:
    """Approve: rows and answers count from now on, and all dues are computed anew. Raises SamePerson for anybody who wrote in it."""
    row = await open_change(tx, change_id, lock=True, version=version, states=("PROPOSED",))
    actor = _actor(tx)
    if actor.subject in (row["created_by"], *row["authors"]):
        raise SamePerson("Whoever drafted a change of the law cannot approve it")
    job_id = await recomputing.request(tx, business_date)
    await storage.approve(tx, change_id, actor.subject, business_date, job_id)
    settled = await storage.settle_answers(tx, change_id, f"{row['created_by']}, {actor.subject}", business_date)
    counts = await storage.counts(tx, change_id)
    now: Any = await storage.find(tx, change_id)
    what = audit.Changed(
        {"state": row["state"], "answers": {item["code"]: item["value_before"] for item in settled}},
        {"state": now["state"], "answers": {item["code"]: item["value"] for item in settled}},
        {"rows": counts, "job_id": job_id, "proposed_by": row["created_by"]},
    )
    await audit.record(tx, "law.approve", "law-change", change_id, what)
    return now


async def close(tx: Tx, change_id: UUID, version: int, why: str, *, reject: bool) -> Any:
    """Refuse a proposed change (somebody else) or take it back (its authors); rows and reasons stay as a record."""
    row = await open_change(tx, change_id, lock=True, version=version, states=("PROPOSED",) if reject else ("DRAFT", "PROPOSED"))
    actor = _actor(tx)
    ours = actor.subject in (row["created_by"], *row["authors"])
    if reject and ours:
        raise SamePerson("Whoever drafted a change withdraws it; refusing is for the second person")
    if not reject and not ours:
        raise NotPossibleInState("only somebody who drafted it withdraws a change")
    state = "REJECTED" if reject else "WITHDRAWN"
    await storage.close(tx, change_id, state, actor.subject, why)
    what = audit.Changed.of(row, {"state": state}, "state", reason=why)
    await audit.record(tx, "law.reject" if reject else "law.withdraw", "law-change", change_id, what)
    return await storage.find(tx, change_id)


class LawKeeper:
    """Rows of an approved change may be known later than its approval: on that day all dues are computed anew, once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run_once(self, today: date) -> bool:
        """Queue the computation for the days reached; never more to do at once."""
        async with self._db.transaction(SYSTEM("law-keeper")) as tx:
            if await storage.due_to_count(tx, None, today):
                await recomputing.request(tx, today)
        return False


def check_until(business_date: date, until_month: date) -> None:
    """A what-if looks at most five years ahead. Raises InvalidInput."""
    if not business_date.replace(day=1) <= until_month <= date(business_date.year + 5, business_date.month, 1):
        raise InvalidInput(errors=[{"field": "until_month", "detail": "between the business month and five years later"}])
