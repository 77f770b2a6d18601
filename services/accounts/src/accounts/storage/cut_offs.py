"""How far this service's own work up to a cut-off is done, and what it has published."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.cut_offs import parked_by_partition
from common.db import Tx
from common.topics import PARTITIONS, Topic, partition_sql

__all__ = ["published_counts", "waiting"]

_WAITING: Final = """
SELECT (SELECT count(*) FROM account a LEFT JOIN partner_state s USING (partner)
        WHERE a.check_due AND a.due_since <= o.complete_at AND a.attempts < :tries
          AND (s.failing_since IS NULL OR s.failing_since > now() - make_interval(secs => :away_seconds))) AS hopeful,
       (SELECT count(*) FROM job
        WHERE state IN ('QUEUED', 'RUNNING') AND kind = 'import-apply' AND created_at <= o.complete_at)
         + (SELECT count(*) FROM import_row WHERE retry) + (SELECT count(*) FROM account WHERE say_again) AS applying,
       extract(epoch FROM now() - o.complete_at) AS waited_seconds
FROM cut_off o WHERE o.cut_off_id = :id
"""

_CHECK_DUE: Final = "EXISTS (SELECT FROM account a WHERE a.via_beneficiary_id = e.key AND a.check_due)"


async def waiting(tx: Tx, cut_off_id: UUID, *, tries: int, away_seconds: float) -> RowMapping | None:
    """Work known at the marker that is not done.

    `hopeful`: accounts without an answer, except those their partner failed on `tries` times or whose partner is away.
    `applying`: approved lists not applied, rows whose person has arrived, and accounts to be said again.
    `waited_seconds`: how long the cut-off has been complete.
    """
    return await tx.row(_WAITING, id=cut_off_id, tries=tries, away_seconds=away_seconds)


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
    for partition, waiting_people in (await parked_by_partition(tx, Topic.BENEFICIARY, _CHECK_DUE)).items():
        counts[partition]["unanswered"] += waiting_people
    return counts
