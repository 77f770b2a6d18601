"""What the registry holds per partition at a cut-off."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from common.topics import PARTITIONS, partition_sql

__all__ = ["counts", "remember"]

_PEOPLE: Final = f"""
SELECT {partition_sql("p.person_id")} AS partition, count(*) AS beneficiaries, sum(p.version) AS beneficiary_versions
FROM person p WHERE p.is_beneficiary GROUP BY 1
"""
_DUES: Final = f"""
SELECT {partition_sql("s.person_id")} AS partition, count(*) AS beneficiaries, sum(s.version) AS dues_versions
FROM dues_state s GROUP BY 1
"""
_DUE: Final = f"""
SELECT {partition_sql("d.person_id")} AS partition, sum(d.amount) AS due_in_month
FROM due_interval d
WHERE d.programme = :programme AND d.status = 'DUE' AND d.from_month <= :month AND d.until > :month GROUP BY 1
"""


async def counts(tx: Tx, month: date, programme: str) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
    """Per partition: the counts for the beneficiary topic and for the dues topic."""
    people = [{"beneficiaries": 0, "beneficiary_versions": 0} for _ in range(PARTITIONS)]
    dues = [{"beneficiaries": 0, "dues_versions": 0, "due_in_month": 0} for _ in range(PARTITIONS)]
    for sql, params, into in ((_PEOPLE, {}, people), (_DUES, {}, dues), (_DUE, {"programme": programme, "month": month}, dues)):
        for row in await tx.rows(sql, **params):
            into[row["partition"]] |= {name: int(value) for name, value in row.items() if name != "partition"}
    return people, dues


async def remember(tx: Tx, cut_off_id: UUID, cycle_id: UUID, month: date, programme: str, written: dict[str, Any]) -> bool:
    """Note a cut-off; False when it was written before."""
    return bool(
        await tx.execute(
            "INSERT INTO cut_off (cut_off_id, cycle_id, month, programme, counts) VALUES (:id, :cycle, :month, :programme, :counts)"
            " ON CONFLICT DO NOTHING",
            id=cut_off_id,
            cycle=cycle_id,
            month=month,
            programme=programme,
            counts=written,
        )
    )
