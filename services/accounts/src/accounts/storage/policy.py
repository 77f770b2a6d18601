"""Settings with their questions, and changes that a second person has to approve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from accounts.domain.policy import POLICIES
from common.db import Tx

__all__ = ["change", "change_page", "decide", "load", "number", "number_sql", "propose", "settings", "text"]

_LOAD: Final = """
INSERT INTO policy_setting AS p (code, value, question_vi, question_en, legal_ref)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (code text, value text, question_vi text, question_en text, legal_ref text)
ON CONFLICT (code) DO UPDATE SET question_vi = excluded.question_vi, question_en = excluded.question_en, legal_ref = excluded.legal_ref
WHERE (p.question_vi, p.question_en, p.legal_ref) IS DISTINCT FROM (excluded.question_vi, excluded.question_en, excluded.legal_ref)
"""
_DEFAULTS: Final = {policy.code: policy.default for policy in POLICIES}


async def load(tx: Tx) -> int:
    """Add settings that are not there yet, with their defaults; values that people decided stay."""
    rows = [
        {"code": p.code, "value": p.default, "question_vi": p.question_vi, "question_en": p.question_en, "legal_ref": p.legal_ref}
        for p in POLICIES
    ]
    return await tx.execute(_LOAD, rows=orjson.dumps(rows).decode())


def number_sql(code: str) -> str:
    """The number of a setting as an SQL expression (`code` is ours, never input)."""
    return f"coalesce((SELECT CAST(value AS integer) FROM policy_setting WHERE code = '{code}'), {int(_DEFAULTS[code])})"


async def text(tx: Tx, code: str) -> str:
    """The value of a setting."""
    value = await tx.value("SELECT value FROM policy_setting WHERE code = :code", code=code)
    return str(value) if value is not None else _DEFAULTS[code]


async def number(tx: Tx, code: str) -> int:
    """The value of a setting that is a number."""
    return int(await text(tx, code))


async def settings(tx: Tx) -> Sequence[RowMapping]:
    """All settings."""
    return await tx.rows("SELECT * FROM policy_setting ORDER BY code")


async def propose(tx: Tx, *, request_id: UUID, kind: str, body: dict[str, Any], business_date: date, by: str) -> None:
    """Store a change that waits for a second person."""
    await tx.execute(
        "INSERT INTO change_request (request_id, kind, body, business_date, proposed_by)"
        " VALUES (:request_id, :kind, CAST(:body AS jsonb), :business_date, :by)",
        request_id=request_id,
        kind=kind,
        body=body,
        business_date=business_date,
        by=by,
    )


async def change(tx: Tx, request_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One change."""
    return await tx.row("SELECT * FROM change_request WHERE request_id = :id" + (" FOR NO KEY UPDATE" if lock else ""), id=request_id)


async def change_page(
    tx: Tx, *, state: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of changes, in the order proposed; of contracts, only those of units in scope (`scope` over `c.body ->> 'unit_path'`)."""
    return await tx.rows(
        f"SELECT * FROM change_request c WHERE (c.body ->> 'unit_path' IS NULL OR {scope})"
        " AND (CAST(:state AS text) IS NULL OR state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR request_id > :after) ORDER BY request_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **scope_params,
    )


async def decide(tx: Tx, request_id: UUID, *, state: str, by: str, note: str | None) -> None:
    """Record the second person's decision."""
    await tx.execute(
        "UPDATE change_request SET state = :state, decided_by = :by, decided_at = now(), note = :note WHERE request_id = :id",
        id=request_id,
        state=state,
        by=by,
        note=note,
    )
