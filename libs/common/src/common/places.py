"""Where a consumer goes on: the earlier of its group's offset and the position in its database.

A database that was put back to the past reads again what it has lost, and its inbox knows the rest. A server that started again looks
the same from here, and costs one look and the few events since the position was last noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from common.actor import Actor
from common.db import Database, Tx
from common.failures import describe, is_transient
from common.restored import LIFE
from common.telemetry import get_logger

__all__ = ["OtherLife", "Places", "give_back", "position_of"]

#: A process that is frozen in a transaction holds what the member that takes its partitions over must write: the database ends it.
_FROZEN: Final = f"SELECT {LIFE} AS life, set_config('idle_in_transaction_session_timeout', '60s', true)"
_log = get_logger(__name__)

Polled = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]


class OtherLife(ConnectionError):
    """The database has started again since its places were read, or is a copy of an earlier moment. Passes when they are read again."""


class Places(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types for it
    """The places of one consumer; as a listener it notes which partitions came to us."""

    def __init__(self, db: Database, actor: Actor, name: str) -> None:
        self._db, self._actor, self._name = db, actor, name
        self._life: str | None = None
        self._wanted: set[TopicPartition] = set()
        self.stale = False
        self.database_away = False

    @property
    def wanted(self) -> bool:
        """Whether places must be found before anything is applied."""
        return self.stale or bool(self._wanted)

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing: what was polled of them is applied all the same, once."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Their places are found before the next batch."""
        self._wanted.update(assigned)

    async def find(self, consumer: AIOKafkaConsumer) -> bool:
        """Go back to where the database says it has read to, wherever that is earlier; False when it cannot be asked now."""
        if self.stale:
            self._wanted.update(consumer.assignment())
        wanted = set(self._wanted)
        try:
            async with self._db.read(self._actor) as tx:
                life: str = await tx.value(f"SELECT {LIFE}")
                rows = await tx.rows(
                    "SELECT topic, partition, position FROM consumer_position WHERE consumer = :consumer", consumer=self._name
                )
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("consumer.waits", consumer=self._name, error=describe(error))
            self.database_away = True
            return False
        self.database_away = False
        read_to = {TopicPartition(row["topic"], row["partition"]): int(row["position"]) for row in rows}
        for partition in wanted & consumer.assignment() & read_to.keys():
            position, _ = await position_of(consumer, partition)
            if position is None:
                return False
            if read_to[partition] < position and partition in consumer.assignment():
                consumer.seek(partition, read_to[partition])
        self._wanted -= wanted
        self._life, self.stale = life, False
        return True

    async def check(self, tx: Tx) -> None:
        """First in every transaction that applies. Raises :class:`OtherLife` when the database is not the one whose places we know."""
        life: str = await tx.value(_FROZEN)
        if self._life is None:  # a batch given by hand: nobody polls
            self._life = life
        if self.stale or life != self._life:
            self.stale = True
            raise OtherLife("another life of the database")


def give_back(consumer: AIOKafkaConsumer, polled: Polled) -> None:
    """Polled and not applied: it is polled again, by whoever has the partition."""
    for partition, records in polled.items():
        if records and partition in consumer.assignment():
            consumer.seek(partition, records[0].offset)


async def position_of(consumer: AIOKafkaConsumer, partition: TopicPartition) -> tuple[int | None, int | None]:
    """Where we are and how far the log goes; unknown when the partition has moved meanwhile, or the broker is away."""
    try:
        async with asyncio.timeout(1.0):
            position = int(await consumer.position(partition))
            return position, consumer.highwater(partition)
    except (TimeoutError, KafkaError, AssertionError):  # the library asserts that a partition is still assigned
        return None, None
