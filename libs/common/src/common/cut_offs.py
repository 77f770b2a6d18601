"""Cut-offs on their way through a service: markers heard are compared with what is held here, and passed on when this
service's own work up to them is done.

The service says what it counts (:class:`Totals`, `found`), what it publishes (`published`) and when its work is done
(`ready`); everything between is here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.actor import SYSTEM
from common.contracts.registry_v1 import CutOffReached, Programme
from common.db import Database, Tx
from common.telemetry import get_logger
from common.topics import PARTITIONS

__all__ = ["Counts", "CutOffs", "Totals", "find", "parked_by_partition"]

Counts = dict[str, int]
UNANSWERED: Final = "unanswered"
_log = get_logger(__name__)

# Keys whose events wait to be replayed. A marker that is parked itself says nothing of anybody.
_PARKED: Final = "parked_event e WHERE e.replayed_at IS NULL AND e.topic = :topic AND e.type <> 'CutOffReached'"


@dataclass(frozen=True, slots=True)
class Totals:
    """Which of the producer's totals are compared at a marker.

    `members`: the total that counts keys themselves: it may lag by as many as are parked. `required` totals count as zero
    where they were not announced, so that a marker that says nothing never passes for one that agrees; `optional` ones
    are compared where they are announced. Totals of other things concern other consumers.
    """

    members: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def difference(self, announced: Mapping[str, int], found: Mapping[str, int]) -> Counts:
        """Announced minus found, for every total that differs; empty where all agree."""
        names = [*self.required, *(name for name in self.optional if name in announced)]
        gaps = {name: announced.get(name, 0) - found.get(name, 0) for name in names}
        return {name: gap for name, gap in gaps.items() if gap != 0}

    def split(self, gaps: Mapping[str, int], parked: int) -> tuple[Counts, Counts]:
        """Differences that `parked` keys do not explain, and those they do.

        A key whose events are parked is missing here or stands at an older version: as many members as are parked may be
        missing, and sums of versions (and parts, of which one key may have several) may lag. A copy that is ahead, or
        lacks more members than are parked, is never explained: it blocks.
        """
        lagging = {name: gap for name, gap in gaps.items() if parked > 0 < gap and (name != self.members or gap <= parked)}
        return {name: gap for name, gap in gaps.items() if name not in lagging}, lagging


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The cut-offs one service takes from the topic `heard` and passes on as `producer` to its own `topic`.

    `found(tx, partition)`: the totals held here for one partition. `published(tx)`: per partition, this service's own totals,
    with `unanswered` among them: what is told as unanswered and is not one of the marker's counts.
    """

    producer: str
    heard: str
    topic: str
    totals: Totals
    found: Callable[[Tx, int], Awaitable[Counts]]
    published: Callable[[Tx], Awaitable[dict[int, Counts]]]

    async def take_marker(self, tx: Tx, marker: CutOffReached) -> None:
        """Compare what was announced for a partition with what is held here at this very point of the log.

        Who is parked is counted at the same point: a replay before the cut-off is passed on must not turn a difference
        that was explained into one that blocks.
        """
        found = await self.found(tx, marker.partition)
        parked = int(
            await tx.value(
                f"SELECT count(DISTINCT e.key) FROM {_PARKED} AND e.partition = :partition", topic=self.heard, partition=marker.partition
            )
        )
        gaps, lagging = self.totals.split(self.totals.difference(marker.counts, found), parked)
        if gaps:
            _log.error("cut_off_differs", cut_off=str(marker.cut_off_id), partition=marker.partition, difference=gaps, parked=parked)
        elif lagging:
            _log.warning("cut_off_lags", cut_off=str(marker.cut_off_id), partition=marker.partition, lagging=lagging, parked=parked)
        await _add_marker(tx, marker, found, gaps, lagging, parked)

    async def pass_on_once(self, db: Database, ready: Callable[[Tx, UUID], Awaitable[bool]]) -> bool:
        """Pass on the cut-offs whose work is done, as `ready` says. Returns whether any was.

        One whose totals differ is never passed on, a person must look; unless the keys whose events are parked explain
        the difference: they are told as unanswered, and the month goes on for everybody else.
        """
        async with db.read(SYSTEM(self.producer)) as tx:
            done = [cut_off_id for cut_off_id in await _open_ids(tx) if await ready(tx, cut_off_id)]
        for cut_off_id in done:
            await self._pass_on(db, cut_off_id)
        return bool(done)

    async def _pass_on(self, db: Database, cut_off_id: UUID) -> None:
        async with db.transaction(SYSTEM(self.producer)) as tx:
            await outbox.barrier(tx)
            cut_off = await tx.row("SELECT * FROM cut_off WHERE cut_off_id = :id AND passed_at IS NULL FOR NO KEY UPDATE", id=cut_off_id)
            if cut_off is None:
                return
            published = await self.published(tx)
            counts = {partition: published.get(partition, {}) for partition in range(PARTITIONS)}
            await outbox.add_to_every_partition(tx, self.topic, lambda partition: self._marker(cut_off, partition, counts[partition]))
            await _mark_passed(tx, cut_off_id, counts)

    def _marker(self, cut_off: RowMapping, partition: int, count: Counts) -> CutOffReached:
        return CutOffReached(
            version=1,
            business_date=cut_off["business_date"],
            cut_off_id=cut_off["cut_off_id"],
            cycle_id=cut_off["cycle_id"],
            producer=self.producer,
            topic=self.topic,
            partition=partition,
            month=cut_off["month"],
            programme=Programme(cut_off["programme"]),
            counts={name: value for name, value in count.items() if name != UNANSWERED},
            unanswered=count.get(UNANSWERED, 0),
        )


async def parked_by_partition(tx: Tx, topic: str, unless: str) -> dict[int, int]:
    """Per partition: keys parked now, except those for which the SQL condition `unless` (over `e.key`) holds."""
    rows = await tx.rows(f"SELECT e.partition, count(DISTINCT e.key) AS n FROM {_PARKED} AND NOT ({unless}) GROUP BY 1", topic=topic)
    return {row["partition"]: int(row["n"]) for row in rows}


async def find(tx: Tx, cut_off_id: UUID) -> dict[str, Any] | None:
    """A cut-off with its partitions, None when no marker of it has arrived."""
    row = await tx.row("SELECT * FROM cut_off WHERE cut_off_id = :id", id=cut_off_id)
    if row is None:
        return None
    partitions = await tx.rows(
        "SELECT partition, announced, found, difference, lagging, parked, arrived_at, passed FROM cut_off_partition"
        " WHERE cut_off_id = :id ORDER BY partition",
        id=cut_off_id,
    )
    return {**row, "partitions": [dict(partition) for partition in partitions]}


async def _add_marker(tx: Tx, marker: CutOffReached, found: Mapping[str, int], difference: Counts, lagging: Counts, parked: int) -> None:
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
        found=dict(found),
        difference=difference,
        lagging=lagging,
        parked=parked,
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


async def _open_ids(tx: Tx) -> Sequence[UUID]:
    """Cut-offs whose markers have all arrived, none with an unexplained difference, and are not passed on yet; oldest first."""
    rows = await tx.rows(
        "SELECT cut_off_id FROM cut_off o WHERE complete_at IS NOT NULL AND passed_at IS NULL AND NOT EXISTS"
        " (SELECT FROM cut_off_partition p WHERE p.cut_off_id = o.cut_off_id AND p.difference <> '{}') ORDER BY complete_at"
    )
    return [row["cut_off_id"] for row in rows]


async def _mark_passed(tx: Tx, cut_off_id: UUID, counts: Mapping[int, Counts]) -> None:
    """Record that, and with which totals, a cut-off was passed on."""
    await tx.execute(
        "UPDATE cut_off SET passed_at = now(), unanswered = :unanswered WHERE cut_off_id = :id",
        id=cut_off_id,
        unanswered=sum(count.get(UNANSWERED, 0) for count in counts.values()),
    )
    await tx.execute(
        "UPDATE cut_off_partition p SET passed = i.value FROM jsonb_each(:passed) AS i"
        " WHERE p.cut_off_id = :id AND p.partition = CAST(i.key AS smallint)",
        id=cut_off_id,
        passed={str(partition): count for partition, count in counts.items()},
    )
