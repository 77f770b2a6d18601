"""What can be looked at: progress, accounts, imports, and whether work is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.storage import accounts
from common.actor import Actor
from common.db import Database, Tx

__all__ = ["account_page", "progress", "work_left"]


async def progress(db: Database, actor: Actor) -> dict[str, Any]:
    """Accounts by status, accounts without an answer, methods by kind, rows that wait: all in the actor's units."""
    async with db.read(actor) as tx:
        scope, params = actor.scope_sql("unit_path")
        pending = await tx.value(f"SELECT count(*) FROM account WHERE check_due AND {scope}", **params)
        by_status = await tx.rows(f"SELECT status, count(*) AS n FROM account WHERE {scope} GROUP BY 1 ORDER BY 1", **params)
        by_reason = await tx.rows(
            f"SELECT reason, count(*) AS n FROM account WHERE reason IS NOT NULL AND {scope} GROUP BY 1 ORDER BY 1", **params
        )
        by_method = await tx.rows(f"SELECT method, count(*) AS n FROM payout_method WHERE {scope} GROUP BY 1 ORDER BY 1", **params)
        waiting = await tx.value(
            "SELECT count(*) FROM import_row r JOIN import_file f USING (import_id)"
            f" WHERE r.verdict = 'WAITING' AND NOT f.dry_run AND {scope}",
            **params,
        )
    return {
        "pending": int(pending),
        "by_status": {row["status"]: int(row["n"]) for row in by_status},
        "by_reason": {row["reason"]: int(row["n"]) for row in by_reason},
        "by_method": {row["method"]: int(row["n"]) for row in by_method},
        "rows_waiting": int(waiting),
    }


async def account_page(db: Database, actor: Actor, *, status: str | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """One page of accounts in the actor's units."""
    scope, params = actor.scope_sql("a.unit_path")
    async with db.read(actor) as tx:
        return [dict(row) for row in await accounts.page(tx, status=status, after=after, limit=limit, scope=scope, scope_params=params)]


async def work_left(tx: Tx) -> dict[str, int]:
    """Counts of work not done yet, for `/v1/quiet`."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM account WHERE check_due) AS checks_pending,"
        " (SELECT count(*) FROM import_row WHERE retry) AS rows_to_retry,"
        " (SELECT count(*) FROM account WHERE say_again) AS accounts_to_say_again,"
        " (SELECT count(*) FROM cut_off o WHERE complete_at IS NOT NULL AND passed_at IS NULL"
        "   AND NOT EXISTS (SELECT FROM cut_off later WHERE later.passed_at > o.complete_at)) AS cut_offs_open"
    )
    return {name: int(value) for name, value in (row or {}).items()}
