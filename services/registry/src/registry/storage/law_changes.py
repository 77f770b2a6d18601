"""Changes of the law: the draft and its rows, from proposal to approval. The schema lets rows of drafts be added, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from registry.domain.law_rows import TABLES

__all__ = [
    "add",
    "answers",
    "approve",
    "clear",
    "close",
    "counts",
    "create",
    "due_to_count",
    "find",
    "keys",
    "known",
    "page",
    "propose",
    "rows_page",
    "settle_answers",
    "touch",
]

_VIEW: Final = (
    "change_id, title_vi, title_en, legal_basis, applies_from, known_from, state, version, authors, created_by, created_at, approved_by,"
    " approved_at, business_date, job_id, closed_by, closed_at, reason"
)


async def create(tx: Tx, head: Mapping[str, Any], maker: str) -> UUID:
    """A new draft; its id."""
    change_id = await tx.value(
        "INSERT INTO law_change (title_vi, title_en, legal_basis, applies_from, known_from, created_by, authors)"
        " VALUES (:title_vi, :title_en, :legal_basis, :applies_from, :known_from, :maker, ARRAY[:maker]) RETURNING change_id",
        **head,
        maker=maker,
    )
    return UUID(str(change_id))


async def find(tx: Tx, change_id: UUID, *, lock: bool = False) -> Any | None:
    """One change, or None."""
    return await tx.row(f"SELECT {_VIEW} FROM law_change WHERE change_id = :id" + (" FOR UPDATE" if lock else ""), id=change_id)


async def page(tx: Tx, state: str | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Changes, newest first."""
    return await tx.rows(
        f"SELECT {_VIEW} FROM law_change WHERE (CAST(:state AS text) IS NULL OR state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR change_id < :after) ORDER BY change_id DESC LIMIT :limit",
        state=state, after=after, limit=limit,
    )  # fmt: skip


async def touch(tx: Tx, change_id: UUID, author: str) -> int:
    """Count the version up and remember who wrote in the draft; the version after."""
    return int(
        await tx.value(
            "UPDATE law_change SET version = version + 1,"
            " authors = CASE WHEN :author = ANY(authors) THEN authors ELSE authors || :author END WHERE change_id = :id RETURNING version",
            id=change_id, author=author,
        )
    )  # fmt: skip


async def propose(tx: Tx, change_id: UUID) -> None:
    """Freeze the draft."""
    await tx.execute("UPDATE law_change SET state = 'PROPOSED', version = version + 1 WHERE change_id = :id", id=change_id)


async def approve(tx: Tx, change_id: UUID, by: str, business_date: date, job_id: UUID) -> None:
    """The rows of the change count from now on."""
    await tx.execute(
        "UPDATE law_change SET state = 'APPROVED', version = version + 1, approved_by = :by, approved_at = now(), business_date = :on,"
        " job_id = :job WHERE change_id = :id",
        id=change_id, by=by, on=business_date, job=job_id,
    )  # fmt: skip


async def close(tx: Tx, change_id: UUID, state: str, by: str, why: str) -> None:
    """Rejected or withdrawn: the record stays."""
    await tx.execute(
        "UPDATE law_change SET state = :state, version = version + 1, closed_by = :by, closed_at = now(), reason = :why"
        " WHERE change_id = :id",
        id=change_id, state=state, by=by, why=why,
    )  # fmt: skip


async def counts(tx: Tx, change_id: UUID) -> dict[str, int]:
    """How many rows the change has, by table."""
    parts = " UNION ALL ".join(f"SELECT '{table}' AS name, count(*) AS n FROM {table} WHERE change_id = :id" for table in TABLES)
    return {row["name"]: row["n"] for row in await tx.rows(parts, id=change_id) if row["n"]}


async def add(tx: Tx, table: str, change_id: UUID, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add rows to a draft (names of tables and columns are ours)."""
    names = [item.name for item in TABLES[table].columns]
    if table == "benefit_category":
        groups = await tx.rows("SELECT stack_group, rule FROM stacking_rule")
        rules = {row["stack_group"]: row["rule"] for row in groups}
        fixed: list[tuple[Any, ...]] = [(rules[row["stack_group"]], change_id) for row in rows]
        extra = ["stack_rule", "change_id"]
    elif table == "benefit_standard":
        fixed, extra = [("change", change_id) for _ in rows], ["confidence", "change_id"]
    elif table == "law_change_setting":
        before = await answers(tx)
        fixed, extra = [(before[row["code"]][0], change_id) for row in rows], ["value_before", "change_id"]
    else:
        fixed, extra = [(change_id,) for _ in rows], ["change_id"]
    columns = [*names, *extra]
    listed = ", ".join(columns)
    await tx.execute(f"CREATE TEMP TABLE IF NOT EXISTS draft_{table} ON COMMIT DROP AS SELECT {listed} FROM {table} WITH NO DATA")
    await tx.execute(f"TRUNCATE draft_{table}")
    await tx.copy(f"draft_{table}", columns, [[*(row[name] for name in names), *more] for row, more in zip(rows, fixed, strict=True)])
    return await tx.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM draft_{table}")


async def clear(tx: Tx, table: str, change_id: UUID) -> int:
    """Take a table's rows out of a draft."""
    return await tx.execute(f"DELETE FROM {table} WHERE change_id = :id", id=change_id)


async def rows_page(tx: Tx, table: str, change_id: UUID, offset: int, limit: int) -> Sequence[Any]:
    """Rows of a change in one table, by key."""
    names = ", ".join(item.name for item in TABLES[table].columns)
    order = ", ".join(TABLES[table].key)
    return await tx.rows(
        f"SELECT {names} FROM {table} WHERE change_id = :id ORDER BY {order} OFFSET :offset LIMIT :limit",
        id=change_id, offset=offset, limit=limit,
    )  # fmt: skip


async def keys(tx: Tx, table: str, change_id: UUID) -> set[tuple[Any, ...]]:
    """Keys of the rows that a draft has in a table."""
    names = TABLES[table].key
    rows = await tx.rows(f"SELECT {', '.join(names)} FROM {table} WHERE change_id = :id", id=change_id)
    return {tuple(row[name] for name in names) for row in rows}


async def known(tx: Tx, change_id: UUID) -> dict[str, set[str]]:
    """Codes that a row of this draft may name: what counts, and what the draft itself brings. `taken`: codes of categories at all."""
    rows = await tx.rows(
        "SELECT 'category' AS what, code FROM benefit_category WHERE law_counts(change_id, :id)"
        " UNION ALL SELECT 'taken', code FROM benefit_category"
        " UNION ALL SELECT DISTINCT 'standard', standard FROM benefit_standard WHERE law_counts(change_id, :id)"
        " UNION ALL SELECT 'group', code FROM beneficiary_group UNION ALL SELECT 'stack', stack_group FROM stacking_rule"
        " UNION ALL SELECT DISTINCT 'path', path FROM administrative_unit",
        id=change_id,
    )
    found: dict[str, set[str]] = {name: set() for name in ("category", "taken", "standard", "group", "stack", "path")}
    for row in rows:
        found[row["what"]].add(row["code"])
    return found


async def answers(tx: Tx) -> dict[str, tuple[str, list[str]]]:
    """Code of a question → the answer in force and the answers the engine knows."""
    return {row["code"]: (row["value"], row["allowed"]) for row in await tx.rows("SELECT code, value, allowed FROM policy_setting")}


async def settle_answers(tx: Tx, change_id: UUID, decided_by: str, decided_on: date) -> Sequence[Any]:
    """Put the change's answers in force; code, value before and after."""
    return await tx.rows(
        "UPDATE policy_setting p SET value = s.value, decided_by = :by, decided_on = :on, version = p.version + 1"
        " FROM law_change_setting s WHERE s.change_id = :id AND p.code = s.code RETURNING p.code, s.value_before, p.value",
        id=change_id, by=decided_by, on=decided_on,
    )  # fmt: skip


_KNOWN_LATER: Final = " UNION ALL ".join(
    f"SELECT change_id, known_from FROM {table} WHERE change_id IS NOT NULL"
    for table, spec in TABLES.items()
    if any(item.name == "known_from" for item in spec.columns)
)


async def due_to_count(tx: Tx, change_id: UUID | None, today: date) -> Sequence[Any]:
    """Days on which rows of approved changes become known, later than the approval: all (`change_id` None: those until today)."""
    return await tx.rows(
        f"SELECT DISTINCT l.change_id, k.known_from FROM law_change l JOIN ({_KNOWN_LATER}) AS k USING (change_id)"
        " WHERE l.state = 'APPROVED' AND k.known_from > l.business_date"
        "   AND CASE WHEN CAST(:id AS uuid) IS NULL THEN k.known_from <= :today AND NOT EXISTS (SELECT FROM job j"
        "         WHERE j.kind = 'dues-recompute' AND j.created_at >= l.approved_at AND j.business_date >= k.known_from)"
        " ELSE l.change_id = :id END ORDER BY 2",
        id=change_id, today=today,
    )  # fmt: skip
