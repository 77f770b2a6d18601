"""Rulings as rows: proposed, decided, and what is in force on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.domain.rulings import SETTINGS, RulingKind

__all__ = ["add", "decide", "find", "in_force", "page", "setting", "settings"]


async def add(tx: Tx, **columns: Any) -> RowMapping:
    """Store a proposal (columns of `ruling`)."""
    names = list(columns)
    row = await tx.row(f"INSERT INTO ruling ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)}) RETURNING *", **columns)
    assert row is not None  # INSERT … RETURNING
    return row


async def find(tx: Tx, ruling_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One ruling."""
    return await tx.row(f"SELECT * FROM ruling WHERE ruling_id = :id {'FOR UPDATE' if lock else ''}", id=ruling_id)


async def decide(tx: Tx, ruling_id: UUID, state: str, by: str, reason: str | None) -> RowMapping | None:
    """Write the second person's word; None when somebody decided before."""
    return await tx.row(
        "UPDATE ruling SET state = :state, decided_by = :by, decided_at = now(), reason = :reason"
        " WHERE ruling_id = :id AND state = 'PROPOSED' RETURNING *",
        id=ruling_id,
        state=state,
        by=by,
        reason=reason,
    )


async def page(tx: Tx, actor: Actor, *, kind: str | None, state: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Rulings of the actor's units and those for everybody, oldest first."""
    scope, params = actor.scope_sql("t.unit_path")
    return await tx.rows(
        f"SELECT * FROM ruling t WHERE (t.unit_path IS NULL OR {scope}) AND (CAST(:kind AS text) IS NULL OR t.kind = :kind)"
        " AND (CAST(:state AS text) IS NULL OR t.state = :state) AND (CAST(:after AS uuid) IS NULL OR t.ruling_id > :after)"
        " ORDER BY t.ruling_id LIMIT :limit",
        kind=kind,
        state=state,
        after=after,
        limit=limit,
        **params,
    )


async def in_force(
    tx: Tx, kind: RulingKind, on: date, *, unit_path: str | None = None, programme: str | None = None, key: str | None = None
) -> Sequence[RowMapping]:
    """Approved rulings of a kind that hold on a day for a unit and programme: the narrowest unit first, then the latest."""
    return await tx.rows(
        "SELECT * FROM ruling t WHERE t.kind = :kind AND t.state = 'APPROVED' AND t.valid_from <= :on"
        " AND (t.valid_to IS NULL OR t.valid_to >= :on) AND (CAST(:key AS text) IS NULL OR t.key = :key)"
        " AND (t.programme IS NULL OR t.programme = :programme)"
        " AND (t.unit_path IS NULL OR t.unit_path = :unit_path OR :unit_path LIKE t.unit_path || '/%')"
        " ORDER BY length(coalesce(t.unit_path, '')) DESC, t.programme IS NULL, t.valid_from DESC, t.decided_at DESC, t.ruling_id DESC",
        kind=kind.value,
        on=on,
        key=key,
        programme=programme,
        unit_path=unit_path,
    )


async def setting(tx: Tx, code: str, on: date) -> str:
    """The answer to a setting's question on a day: the latest approved one, else the default (of the part before a dot)."""
    rows = await in_force(tx, RulingKind.SETTING, on, key=code)
    if rows:
        return str(rows[0]["body"]["value"])
    group = code.split(".", maxsplit=1)[0]
    return await setting(tx, group, on) if group != code else SETTINGS[code].default


async def settings(tx: Tx, codes: Sequence[str], on: date) -> dict[str, str]:
    """The answers that two people gave to these questions and that hold on a day; no defaults."""
    rows = await tx.rows(
        "SELECT DISTINCT ON (key) key, body ->> 'value' AS value FROM ruling WHERE kind = 'SETTING' AND state = 'APPROVED'"
        " AND key = ANY(CAST(:codes AS text[])) AND valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)"
        " ORDER BY key, valid_from DESC, decided_at DESC, ruling_id DESC",
        codes=list(codes),
        on=on,
    )
    return {row["key"]: row["value"] for row in rows}
