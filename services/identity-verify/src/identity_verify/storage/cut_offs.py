"""Cut-off markers received, and how far this service's own work up to them is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.contracts.registry_v1 import CutOffReached
from common.db import Tx
from common.topics import PARTITIONS, Topic, partition_sql

__all__ = [
    "Compared", "add_marker", "find", "lock_open", "mark_passed", "open_ids", "parked_people", "published_counts", "waiting",
]  # fmt: skip

_WAITING: Final = """
SELECT count(*) AS unanswered,
       count(*) FILTER (WHERE c.attempts < :tries) AS hopeful,
       coalesce(max(extract(epoch FROM now() - s.failing_since)), -1) AS away_seconds,
       coalesce(max(extract(epoch FROM now() - o.complete_at)), 0) AS waited_seconds
FROM cut_off o
CROSS JOIN source_state s
LEFT JOIN check_request c ON c.state = 'PENDING' AND c.pending_since <= o.complete_at
WHERE o.cut_off_id = :id AND s.source = 'population'
GROUP BY o.cut_off_id
HAVING count(c.subject_id) > 0
"""


# People whose events wait to be replayed. A marker that is parked itself says nothing of anybody.
_PARKED: Final = """
    parked_event e WHERE e.replayed_at IS NULL AND e.topic = :topic AND e.type <> 'CutOffReached'
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One partition at its marker: totals found, unexplained and explained differences, people parked."""

    found: Mapping[str, int]
    difference: Mapping[str, int]
    lagging: Mapping[str, int]
    parked: int


async def parked_people(tx: Tx, partition: int) -> int:
    """How many people of a partition have events parked now."""
    count = await tx.value(
        f"SELECT count(DISTINCT e.key) FROM {_PARKED} AND e.partition = :partition", topic=Topic.BENEFICIARY, partition=partition
    )
    return int(count)


async def add_marker(tx: Tx, marker: CutOffReached, compared: Compared) -> None:
    """Keep one partition's marker; the last of them completes the cut-off."""
    await tx.execute(
        "INSERT INTO cut_off (cut_off_id, cycle_id, month, programme, business_date)"
        " VALUES (:id, :cycle_id, :month, :programme, :business_date) ON CONFLICT DO NOTHING",
        id=marker.cut_off_id,
        cycle_id=marker.cycle_id,
        month=marker.month,
        programme=marker.programme,
        business_date=marker.business_date,
    )
    await tx.execute(
        "INSERT INTO cut_off_partition (cut_off_id, partition, announced, found, difference, lagging, parked)"
        " VALUES (:id, :partition, :announced, :found, :difference, :lagging, :parked) ON CONFLICT DO NOTHING",
        id=marker.cut_off_id,
        partition=marker.partition,
        announced=dict(marker.counts),
        found=dict(compared.found),
        difference=dict(compared.difference),
        lagging=dict(compared.lagging),
        parked=compared.parked,
    )
    # NO KEY: the rows above hold a key share. clock_timestamp, after the lock: two consumers may bring the last two markers at once,
    # and one of them must see both.
    await tx.execute("SELECT 1 FROM cut_off WHERE cut_off_id = :id FOR NO KEY UPDATE", id=marker.cut_off_id)
    await tx.execute(
        "UPDATE cut_off SET complete_at = clock_timestamp() WHERE cut_off_id = :id AND complete_at IS NULL"
        " AND (SELECT count(*) FROM cut_off_partition WHERE cut_off_id = :id) = :partitions",
        id=marker.cut_off_id,
        partitions=PARTITIONS,
    )


async def open_ids(tx: Tx) -> list[UUID]:
    """Cut-offs whose markers have all arrived, none with an unexplained difference, and are not passed on yet; oldest first."""
    rows = await tx.rows(
        "SELECT cut_off_id FROM cut_off o WHERE complete_at IS NOT NULL AND passed_at IS NULL AND NOT EXISTS"
        " (SELECT FROM cut_off_partition p WHERE p.cut_off_id = o.cut_off_id AND p.difference <> '{}') ORDER BY complete_at"
    )
    return [row["cut_off_id"] for row in rows]


async def waiting(tx: Tx, cut_off_id: UUID, tries: int) -> RowMapping | None:
    """The subjects known at the marker that have no answer to the data they had then, or None when all have.

    `hopeful`: those the source has not failed on `tries` times itself. `away_seconds`: how long the source has been failing,
    negative while it is not.
    `waited_seconds`: how long the cut-off has been complete.
    """
    return await tx.row(_WAITING, id=cut_off_id, tries=tries)


async def lock_open(tx: Tx, cut_off_id: UUID) -> RowMapping | None:
    """Lock a cut-off not passed on yet."""
    return await tx.row("SELECT * FROM cut_off WHERE cut_off_id = :id AND passed_at IS NULL FOR NO KEY UPDATE", id=cut_off_id)


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
    found = {row["partition"]: {name: int(row[name]) for name in none} for row in rows}
    parked = await _parked_unanswered(tx)
    counts = {partition: found.get(partition, dict(none)) for partition in range(PARTITIONS)}
    return {partition: {**count, "unanswered": count["unanswered"] + parked.get(partition, 0)} for partition, count in counts.items()}


async def _parked_unanswered(tx: Tx) -> dict[int, int]:
    """Per partition: people parked now who are not counted as unanswered already by a check of theirs."""
    rows = await tx.rows(
        f"SELECT e.partition, count(DISTINCT e.key) AS people FROM {_PARKED}"
        " AND NOT EXISTS (SELECT FROM check_request c WHERE c.beneficiary_id = e.key AND c.state = 'PENDING') GROUP BY 1",
        topic=Topic.BENEFICIARY,
    )
    return {row["partition"]: int(row["people"]) for row in rows}


async def mark_passed(tx: Tx, cut_off_id: UUID, counts: Mapping[int, Mapping[str, int]]) -> None:
    """Record that, and with which totals, a cut-off was passed on."""
    await tx.execute(
        "UPDATE cut_off SET passed_at = now(), unanswered = :unanswered WHERE cut_off_id = :id",
        id=cut_off_id,
        unanswered=sum(count["unanswered"] for count in counts.values()),
    )
    await tx.execute(
        "UPDATE cut_off_partition p SET passed = i.passed FROM unnest(CAST(:partitions AS smallint[]), CAST(:passed AS jsonb[]))"
        " AS i (partition, passed) WHERE p.cut_off_id = :id AND p.partition = i.partition",
        id=cut_off_id,
        partitions=list(counts),
        passed=[_json(count) for count in counts.values()],
    )


async def find(tx: Tx, cut_off_id: UUID) -> dict[str, Any] | None:
    """A cut-off with its partitions."""
    row = await tx.row("SELECT * FROM cut_off WHERE cut_off_id = :id", id=cut_off_id)
    if row is None:
        return None
    partitions = await tx.rows(
        "SELECT partition, announced, found, difference, lagging, parked, arrived_at, passed FROM cut_off_partition"
        " WHERE cut_off_id = :id ORDER BY partition",
        id=cut_off_id,
    )
    return {**row, "partitions": [dict(partition) for partition in partitions]}


def _json(count: Mapping[str, int]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in count.items()) + "}"
