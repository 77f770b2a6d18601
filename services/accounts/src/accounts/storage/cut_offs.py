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
SELECT (SELECT count(*) FROM account a LEFT JOIN partner_state s USING (partner)
        WHERE a.check_due AND a.due_since <= o.complete_at AND a.attempts < :tries
          AND (s.failing_since IS NULL OR s.failing_since > now() - make_interval(secs => :away_seconds))) AS hopeful,
       (SELECT count(*) FROM job
        WHERE state IN ('QUEUED', 'RUNNING') AND kind = 'import-apply' AND created_at <= o.complete_at)
         + (SELECT count(*) FROM import_row WHERE retry) AS applying,
       extract(epoch FROM now() - o.complete_at) AS waited_seconds
FROM cut_off o WHERE o.cut_off_id = :id
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


async def waiting(tx: Tx, cut_off_id: UUID, *, tries: int, away_seconds: float) -> RowMapping | None:
    """Work known at the marker that is not done.

    `hopeful`: accounts without an answer, except those their partner failed on `tries` times or whose partner is away.
    `applying`: approved lists not applied, and rows whose person has arrived. `waited_seconds`: how long the cut-off has been complete.
    """
    return await tx.row(_WAITING, id=cut_off_id, tries=tries, away_seconds=away_seconds)


async def lock_open(tx: Tx, cut_off_id: UUID) -> RowMapping | None:
    """Lock a cut-off not passed on yet."""
    return await tx.row("SELECT * FROM cut_off WHERE cut_off_id = :id AND passed_at IS NULL FOR NO KEY UPDATE", id=cut_off_id)


async def published_counts(tx: Tx) -> dict[int, dict[str, int]]:
    """Per partition of each row's own key: published accounts and methods, the sums of their versions, and what is unanswered now:
    accounts, and people whose events are parked.

    An account published before the parked event stays as it was said: nothing newer was published, so the payer is not
    behind. It is paid into as one whose partner is away would be; what the parked event asks is asked after its replay.
    """
    counts = {
        partition: {"accounts": 0, "account_versions": 0, "methods": 0, "method_versions": 0, "unanswered": 0}
        for partition in range(PARTITIONS)
    }
    accounts = await tx.rows(
        f"SELECT {partition_sql('payee_id')} AS partition, count(*) FILTER (WHERE version > 0) AS accounts,"
        " coalesce(sum(version), 0) AS account_versions, count(*) FILTER (WHERE check_due) AS unanswered FROM account GROUP BY 1"
    )
    methods = await tx.rows(
        f"SELECT {partition_sql('beneficiary_id')} AS partition, count(*) AS methods, sum(version) AS method_versions"
        " FROM payout_method GROUP BY 1"
    )
    for row in (*accounts, *methods):
        counts[row["partition"]] |= {name: int(value) for name, value in row.items() if name != "partition"}
    for partition, people in (await _parked_unanswered(tx)).items():
        counts[partition]["unanswered"] += people
    return counts


async def _parked_unanswered(tx: Tx) -> dict[int, int]:
    """Per partition: people parked now who are not counted as unanswered already by an account of theirs."""
    rows = await tx.rows(
        f"SELECT e.partition, count(DISTINCT e.key) AS people FROM {_PARKED}"
        " AND NOT EXISTS (SELECT FROM account a WHERE a.via_beneficiary_id = e.key AND a.check_due) GROUP BY 1",
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
