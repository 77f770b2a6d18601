"""Published figures: kept, and read by anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["add", "latest", "months"]


async def add(tx: Tx, head: dict[str, Any], rows: Sequence[dict[str, Any]]) -> int:
    """Keep what is published; its edition."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))", place=f"public|{head['unit_path']}|{head['month']}")
    names = ", ".join(head)
    return int(
        await tx.value(
            f"INSERT INTO public_report ({names}, rows, edition) SELECT {', '.join(':' + name for name in head)}, CAST(:rows AS jsonb),"
            " coalesce((SELECT max(edition) FROM public_report WHERE unit_path = :unit_path AND month = :month), 0) + 1 RETURNING edition",
            rows=orjson.dumps(list(rows)).decode(),
            **head,
        )
    )


async def latest(tx: Tx, unit_path: str, month: date) -> RowMapping | None:
    """The newest edition of a month."""
    return await tx.row(
        "SELECT * FROM public_report WHERE unit_path = :unit AND month = :month ORDER BY edition DESC LIMIT 1", unit=unit_path, month=month
    )


async def months(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """What is published, newest month first."""
    return await tx.rows(
        "SELECT unit_path, unit_name, month, edition, published_at FROM public_report AS r WHERE edition ="
        " (SELECT max(edition) FROM public_report AS o WHERE o.unit_path = r.unit_path AND o.month = r.month)"
        " ORDER BY month DESC, unit_path LIMIT :limit",
        limit=limit,
    )
