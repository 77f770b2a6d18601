"""Cut-off markers: what the producer counted, what our copy holds at that moment, and what is still missing."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common.contracts.registry_v1 import CutOffReached
from common.db import Tx
from common.topics import PARTITIONS, Topic, partition_sql

__all__ = ["EXPECTED_TOPICS", "count_ours", "inputs_of", "record_marker"]

EXPECTED_TOPICS: Final = (Topic.BENEFICIARY, Topic.DUES, Topic.VERIFICATION, Topic.PAYOUT)
"""Topics that carry a marker in every partition."""

_BENEFICIARY_COUNTS: Final = f"""
SELECT jsonb_build_object('beneficiaries', count(*), 'beneficiary_versions', coalesce(sum(version), 0))
FROM beneficiary WHERE {partition_sql("beneficiary_id")} = :partition
"""

_DUES_COUNTS: Final = f"""
SELECT jsonb_build_object(
    'beneficiaries', count(*), 'dues_versions', coalesce(sum(version), 0),
    'due_in_month', (
        SELECT coalesce(sum(amount), 0) FROM due_interval
        WHERE {partition_sql("beneficiary_id")} = :partition AND programme = :programme AND status = 'DUE'
          AND from_month <= CAST(:month AS date) AND coalesce(to_month, 'infinity') >= CAST(:month AS date)))
FROM dues WHERE {partition_sql("beneficiary_id")} = :partition
"""

_VERIFICATION_COUNTS: Final = f"""
SELECT jsonb_build_object('subjects', count(*), 'versions', coalesce(sum(version), 0))
FROM verification WHERE {partition_sql("beneficiary_id")} = :partition
"""

_PAYOUT_COUNTS: Final = f"""
SELECT a.counts || m.counts
FROM (SELECT jsonb_build_object('accounts', count(*), 'account_versions', coalesce(sum(version), 0)) AS counts
      FROM payout_account WHERE {partition_sql("payee_id")} = :partition) a,
     (SELECT jsonb_build_object('methods', count(*), 'method_versions', coalesce(sum(version), 0)) AS counts
      FROM payout_method WHERE {partition_sql("beneficiary_id")} = :partition) m
"""

_COUNTS: Final = {
    Topic.BENEFICIARY: _BENEFICIARY_COUNTS,
    Topic.DUES: _DUES_COUNTS,
    Topic.VERIFICATION: _VERIFICATION_COUNTS,
    Topic.PAYOUT: _PAYOUT_COUNTS,
}

# A number differs when the producer named it and ours is another one, or is not there at all. While events of that topic
# and partition are parked here, our copy may lag by just those keys: such a difference is explained, its people are held
# (DATA_PARKED) and the others go on. A copy that is ahead, or lags by more people than are parked, is never explained.
_INPUTS: Final = """
WITH expected AS (
    SELECT topic, partition FROM unnest(CAST(:topics AS text[])) AS topic, generate_series(0, :partitions - 1) AS partition
), parked AS (
    SELECT topic, partition, count(DISTINCT key) AS keys FROM parked_event WHERE replayed_at IS NULL GROUP BY topic, partition
)
SELECT e.topic, e.partition, m.cut_off_id IS NOT NULL AS arrived, m.unanswered, coalesce(p.keys, 0) AS parked_keys, d.differing
FROM expected e
LEFT JOIN cut_off_marker m ON m.cut_off_id = :cut_off_id AND m.topic = e.topic AND m.partition = e.partition
LEFT JOIN parked p ON p.topic = e.topic AND p.partition = e.partition
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', n.name, 'theirs', n.theirs, 'ours', n.ours) ORDER BY n.name), '[]') AS differing
    FROM (SELECT t.name, CAST(t.value AS bigint) AS theirs, CAST(m.our_counts ->> t.name AS bigint) AS ours
          FROM jsonb_each_text(m.their_counts) AS t (name, value)) n
    WHERE n.ours IS DISTINCT FROM n.theirs
      AND NOT (p.keys IS NOT NULL AND n.ours IS NOT NULL
               AND (n.name = 'due_in_month'
                    OR n.ours <= n.theirs AND (n.name NOT IN ('beneficiaries', 'methods') OR n.theirs - n.ours <= p.keys)))
) d
ORDER BY e.topic, e.partition
"""


async def count_ours(tx: Tx, topic: str, partition: int, month: date, programme: str) -> dict[str, int]:
    """Our totals of one topic and partition, under the producer's names."""
    asked = {"month": month, "programme": programme} if topic == Topic.DUES else {}
    return dict(await tx.value(_COUNTS[topic], partition=partition, **asked))


async def record_marker(tx: Tx, marker: CutOffReached, month: date, ours: dict[str, int]) -> None:
    """Store a marker beside our totals at this moment; the same marker again changes nothing."""
    await tx.execute(
        "INSERT INTO cut_off_marker"
        " (cut_off_id, topic, partition, cycle_id, producer, month, programme, their_counts, our_counts, unanswered)"
        " VALUES (:cut_off_id, :topic, :partition, :cycle_id, :producer, :month, :programme, :theirs, :ours, :unanswered)"
        " ON CONFLICT DO NOTHING",
        cut_off_id=marker.cut_off_id,
        topic=marker.topic,
        partition=marker.partition,
        cycle_id=marker.cycle_id,
        producer=marker.producer,
        month=month,
        programme=marker.programme.value,
        theirs=marker.counts,
        ours=ours,
        unanswered=marker.unanswered,
    )


async def inputs_of(tx: Tx, cut_off_id: UUID) -> dict[str, Any]:
    """Progress of a cut-off: `{complete, expected, arrived, unanswered, missing[], differing[], parked[]}`."""
    rows = await tx.rows(_INPUTS, cut_off_id=cut_off_id, topics=list(EXPECTED_TOPICS), partitions=PARTITIONS)
    missing = [{"topic": r["topic"], "partition": r["partition"]} for r in rows if not r["arrived"]]
    differing = [
        {"topic": r["topic"], "partition": r["partition"], "totals": r["differing"]} for r in rows if r["arrived"] and r["differing"]
    ]
    parked = [{"topic": r["topic"], "partition": r["partition"], "people": r["parked_keys"]} for r in rows if r["parked_keys"]]
    return {
        "complete": not missing and not differing,
        "expected": len(rows),
        "arrived": len(rows) - len(missing),
        "unanswered": sum(r["unanswered"] or 0 for r in rows),
        "missing": missing,
        "differing": differing,
        "parked": parked,
    }
