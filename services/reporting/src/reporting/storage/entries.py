"""What people write down, as rows: add, find in the actor's units, change with the version counting up. Names of tables are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from reporting.storage.followed import FOLLOWED, entries

__all__ = ["add", "find", "page", "put", "unit_known"]

_KEYS: Final = {
    "obstacle": "obstacle_id", "outreach": "outreach_id", "milestone": "milestone_id", "target": "target_id",
    "inspection_sample": "sample_id",
}  # fmt: skip


async def unit_known(tx: Tx, unit_path: str) -> bool:
    """Whether a unit with this path was ever heard of."""
    return bool(await tx.value("SELECT EXISTS (SELECT FROM unit WHERE path = :path)", path=unit_path))


async def add(tx: Tx, table: str, values: Mapping[str, Any]) -> bool:
    """Insert one; False when the table's own uniqueness refuses it."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    return bool(await tx.execute(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", **values))


async def put(tx: Tx, table: str, object_id: UUID, values: Mapping[str, Any]) -> None:
    """Change one; its version counts up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(f"UPDATE {table} SET {sets}, version = version + 1 WHERE {_KEYS[table]} = :the_id", the_id=object_id, **values)


def _scope(actor: Actor, table: str) -> tuple[str, dict[str, Any]]:
    """What was written at the actor's units, or goes on there since the unit it was written at ended."""
    scope, params = actor.scope_sql("unit_path")
    return (f"({scope} OR {actor.scope_sql('now_path')[0]})" if table in FOLLOWED else scope), params


def _rows(table: str) -> str:
    return f"{entries(table)} AS {table}" if table in FOLLOWED else table


async def find(tx: Tx, actor: Actor, table: str, object_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One of the actor's units."""
    scope, params = _scope(actor, table)
    tail = " FOR UPDATE" if lock else ""
    return await tx.row(f"SELECT * FROM {_rows(table)} WHERE {_KEYS[table]} = :the_id AND {scope}{tail}", the_id=object_id, **params)


async def page(
    tx: Tx, actor: Actor, table: str, *, where: str, params: Mapping[str, Any], after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Rows of the actor's units, oldest first, after a cursor."""
    scope, scoped = _scope(actor, table)
    key = _KEYS[table]
    return await tx.rows(
        f"SELECT * FROM {_rows(table)} WHERE {scope} AND {where} AND (CAST(:after AS uuid) IS NULL OR {key} > :after)"
        f" ORDER BY {key} LIMIT :limit",
        after=after, limit=limit, **params, **scoped,
    )  # fmt: skip
