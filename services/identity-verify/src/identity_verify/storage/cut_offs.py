"""How far this service's own work up to a cut-off is done, and what it has published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.cut_offs import parked_by_partition
from common.db import Tx
from common.topics import PARTITIONS, Topic, partition_sql

__all__ = ["mark_rechecked", "not_rechecked", "published_counts", "waiting"]

_WAITING: Final = """
SELECT count(*) AS unanswered,
       count(*) FILTER (WHERE c.attempts < :tries AND c.exchange_id IS NULL AND (:online OR EXISTS (
           SELECT FROM subject p WHERE p.beneficiary_id = c.beneficiary_id AND p.subject_id = c.subject_id AND p.number_token IS NULL
       ))) AS hopeful,
       coalesce(max(extract(epoch FROM now() - s.failing_since)), -1) AS away_seconds,
       coalesce(max(extract(epoch FROM now() - o.complete_at)), 0) AS waited_seconds
FROM cut_off o
CROSS JOIN source_state s
LEFT JOIN check_request c ON c.state = 'PENDING' AND c.pending_since <= o.complete_at
WHERE o.cut_off_id = :id AND s.source = 'population'
GROUP BY o.cut_off_id
HAVING count(c.subject_id) > 0
"""

_CHECK_PENDING: Final = "EXISTS (SELECT FROM check_request c WHERE c.beneficiary_id = e.key AND c.state = 'PENDING')"


async def waiting(tx: Tx, cut_off_id: UUID, tries: int, *, online: bool) -> RowMapping | None:
    """The subjects known at the marker that have no answer to the data they had then, or None when all have.

    `hopeful`: those the source has not failed on `tries` times itself, and whom no list waits for that people carry (all with a
    number, where nobody is asked `online`). `away_seconds`: how long the source has been failing,
    negative while it is not.
    `waited_seconds`: how long the cut-off has been complete.
    """
    return await tx.row(_WAITING, id=cut_off_id, tries=tries, online=online)


async def not_rechecked(tx: Tx) -> Sequence[RowMapping]:
    """Cut-offs all of whose markers are here and for which nobody has looked yet whose evidence is too old."""
    return await tx.rows(
        "SELECT cut_off_id, business_date FROM cut_off WHERE complete_at IS NOT NULL AND passed_at IS NULL AND rechecked_at IS NULL"
        " ORDER BY complete_at"
    )


async def mark_rechecked(tx: Tx, cut_off_id: UUID) -> None:
    """Everybody whose evidence is too old at this cut-off is being asked about."""
    await tx.execute("UPDATE cut_off SET rechecked_at = now() WHERE cut_off_id = :id", id=cut_off_id)


async def published_counts(tx: Tx) -> dict[int, dict[str, int]]:
    """Per partition: subjects with a published verification, the sum of their versions, and who has no answer now.

    Unanswered are subjects, and people whose events are parked: a new one has no verdict yet, and a changed one a verdict
    on data the register no longer has. The payer holds both as not verified.
    """
    rows = await tx.rows(
        f"SELECT {partition_sql('s.beneficiary_id')} AS partition, count(v.version) AS subjects,"
        " coalesce(sum(v.version), 0) AS versions, count(*) FILTER (WHERE c.state = 'PENDING') AS unanswered"
        " FROM subject s LEFT JOIN verification v USING (beneficiary_id, subject_id)"
        " LEFT JOIN check_request c USING (beneficiary_id, subject_id) GROUP BY 1"
    )
    none = {"subjects": 0, "versions": 0, "unanswered": 0}
    counts = {partition: dict(none) for partition in range(PARTITIONS)}
    for row in rows:
        counts[row["partition"]] = {name: int(row[name]) for name in none}
    for partition, people in (await parked_by_partition(tx, Topic.BENEFICIARY, _CHECK_PENDING)).items():
        counts[partition]["unanswered"] += people
    return counts
