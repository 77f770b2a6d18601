"""How long a service keeps what is about people: rules with a legal source each, terms that are dated settings of two people.

A rule names rows and what becomes of them when their term is over: columns emptied, or rows deleted. Where no law known to us says how
long, a rule has no days of its own (`days` None) and takes nothing until the office has set a term; a term shorter than the law's
minimum (`least`) is refused. Runs with housekeeping, in pieces; `./ansinh retention` counts the same rows and changes nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from common import audit
from common.actor import SYSTEM
from common.db import Database, Tx

__all__ = ["TERMS", "Keep", "apply_terms", "due", "say_rules", "term_of"]

_BLOCKS: Final = 64

TERMS: Final = (
    "SELECT DISTINCT ON (rule) rule, days, legal_source FROM retention_term WHERE state = 'ACTIVE' AND valid_from <= current_date"
    " ORDER BY rule, valid_from DESC, decided_at DESC"
)
"""The terms that count today."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Rows of `table` whose `since` (SQL on `t`: a day or moment; NULL stays) is longer ago than the term.

    `sets` empties columns where `holds` says they are still filled; without `sets` the rows are deleted.
    """

    name: str
    table: str
    since: str
    says_vi: str
    says_en: str
    law: str
    days: int | None
    least: int = 1
    holds: str = "TRUE"
    sets: Mapping[str, str] = field(default_factory=dict)
    question_vi: str = ""


def term_of(rule: Keep, terms: Mapping[str, int]) -> int | None:
    """Days that count today; None when nobody has set any. Never less than the law's minimum."""
    days = terms.get(rule.name, rule.days)
    return None if days is None else max(days, rule.least)


def due(rule: Keep, parameter: str) -> str:
    """SQL condition on `t`: the term is over (`parameter`: placeholder of the days)."""
    return f"({rule.since}) < now() - make_interval(days => {parameter}) AND ({rule.holds})"


async def _piece(tx: Tx, rule: Keep, days: int, block: int) -> int:
    """What is due in the blocks of the table from `block` on; the block to go on with, 0 when this was the last piece.

    A piece is a range of blocks, not a number of rows: it is read once, however much before it is done.
    """
    here = f"t.ctid >= CAST(:here AS tid) AND t.ctid < CAST(:beyond AS tid) AND {due(rule, ':days')}"
    if rule.sets:
        sets = ", ".join(f"{column} = {value}" for column, value in rule.sets.items())
        statement = f"UPDATE {rule.table} t SET {sets} WHERE {here}"
    else:
        statement = f"DELETE FROM {rule.table} t WHERE {here}"
    key = await audit.key_sql(tx, rule.table)
    beyond = block + _BLOCKS
    done = await tx.row(
        f"WITH done AS ({statement} RETURNING {key} AS key) SELECT count(*) AS rows, {audit.digest_sql('key')} AS digest FROM done",
        days=days,
        here=f"({block},0)",
        beyond=f"({beyond},0)",
    )
    if done is not None and done["rows"]:
        what = audit.Bulk(done["rows"], done["digest"], {"days": days, "law": rule.law})
        await audit.record(tx, "retention.erase" if rule.sets else "retention.delete", rule.table, rule.name, what)
    blocks = await tx.value(
        "SELECT pg_relation_size(CAST(:name AS regclass)) / CAST(current_setting('block_size') AS integer)", name=rule.table
    )
    return beyond if beyond < int(blocks) else 0


async def apply_terms(db: Database, rules: Sequence[Keep], places: dict[str, int] | None = None) -> bool:
    """Take one piece by each rule that has a term, a transaction each; True when more may be left.

    `places` (rule → block) is kept by the caller between pieces; a rule that is through begins anew when all are.
    """
    if not rules:
        return False
    places = {} if places is None else places
    async with db.read() as tx:
        terms = {row["rule"]: int(row["days"]) for row in await tx.rows(TERMS)}
    going = [rule for rule in rules if places.get(rule.name)] or rules
    for rule in going:
        days = term_of(rule, terms)
        if days is None:
            places[rule.name] = 0
            continue
        async with db.transaction(SYSTEM("housekeeping")) as tx:
            places[rule.name] = await _piece(tx, rule, days, places.get(rule.name, 0))
    return any(places.values())


def say_rules(rules: Sequence[Keep]) -> None:
    """A service's rules as JSON on its output: the command at the terminal knows no service's code and asks for them like this."""
    sys.stdout.write(json.dumps([asdict(rule) for rule in rules]) + "\n")
