"""Published figures: kept, and read by anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping

from common.db import Tx
from reporting.storage.lines import LINES, below

__all__ = ["add", "latest", "lock", "months", "payees"]

# By the lines themselves, not by the sums: there a person counts in one unit only, while the money lies where each line of it lies.
_PAYEES: Final = f"""
WITH {LINES}
SELECT programme, segment, state, count(DISTINCT beneficiary_id) AS people
FROM (
    SELECT programme, state, beneficiary_id,
           CASE WHEN unit_path = :unit_from THEN '' ELSE :unit_from || '/' || split_part(unit_path, '/', :depth) END AS segment
    FROM line WHERE state IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH') AND amount > 0
) AS l GROUP BY programme, segment, state
"""


async def payees(tx: Tx, unit_path: str, month: date) -> Sequence[RowMapping]:
    """How many people the money paid in a month is of, by programme, unit directly below ('' for the unit's own) and state."""
    return await tx.rows(_PAYEES, month=month, depth=unit_path.count("/") + 2, **below(unit_path))


async def lock(tx: Tx, unit_path: str, month: date) -> None:
    """Two who publish the same month at once go one after the other, from before the figures are read until they are kept."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))", place=f"public|{unit_path}|{month}")


async def add(tx: Tx, head: dict[str, Any], rows: Sequence[dict[str, Any]]) -> int:
    """Keep what is published; its edition. The caller holds :func:`lock`, in a transaction that sees what is committed."""
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
