"""What a broker does to us: rebalances with work in hand, restarts, slowness, a missing topic, a lost log.

Nothing is lost and nothing is applied twice.

Each test has a broker of its own: the embedded one, and Apache Kafka (marker `broker`) with an idempotent producer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError
from bus_parts import applied, apply_preferences, consumer_of, everyone, group_name, record, relay_of, running, until

from ansinh.stack.drain import replay
from common import outbox
from common.actor import SYSTEM
from common.consumer import Incoming, Subscription
from common.contracts.registry_v1 import PreferenceRecorded
from common.db import Database, Tx
from common.ids import new_id
from common.testing_brokers import BOTH_BROKERS, OwnBroker
from common.topic_admin import create_topics
from common.topics import PARTITIONS, Topic, partition_of

PEOPLE = 300
pytestmark = pytest.mark.timeout(400)


async def unpublished(db: Database) -> int:
    async with db.read() as tx:
        return await outbox.pending(tx)


async def all_published(db: Database, seconds: float = 90) -> None:
    async def done() -> bool:
        return await unpublished(db) == 0

    await until(done, seconds)


async def beyond(count: Callable[[], int], before: int) -> None:
    """Wait until a number of this process is larger than it was."""

    async def so() -> bool:
        return count() > before

    await until(so)


def dsn(db: Database) -> str:
    return db.url.replace("postgresql+psycopg://", "postgresql://", 1)


async def publish_again(db: Database) -> int:
    """What `events replay` does for one service."""
    return (await asyncio.to_thread(replay, {"bus": dsn(db)}, None))["bus"]


@pytest.mark.slow
async def test_a_member_joins_while_another_has_work_in_hand(db: Database, own_broker: OwnBroker) -> None:
    """The batch in hand belongs to partitions that move meanwhile: it is committed, comes again with its new owner, and is applied once."""
    await create_topics(own_broker.bootstrap)
    in_hand, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx, events: list[Incoming]) -> None:
        await apply_preferences(tx, events)
        in_hand.set()
        await go_on.wait()

    group = group_name()
    first = consumer_of(db, own_broker.bootstrap, group, (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), slow),))
    second = consumer_of(db, own_broker.bootstrap, group)
    people = [new_id() for _ in range(PEOPLE)]
    await record(db, people)
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent), first):
        async with asyncio.timeout(90):
            await in_hand.wait()
        async with running(second):
            more = [new_id() for _ in range(PEOPLE)]
            await record(db, more)
            await all_published(db)
            assert (await applied(db))[0] < PEOPLE, "the first batch is still in hand"
            go_on.set()
            await everyone(db, 2 * PEOPLE)


@pytest.mark.slow
async def test_a_member_that_dies_with_work_in_hand(db: Database, own_broker: OwnBroker) -> None:
    """Committed in the database, offset not: the next member gets the batch again and applies what is new in it."""
    await create_topics(own_broker.bootstrap)
    group = group_name()
    people = [new_id() for _ in range(PEOPLE)]
    await record(db, people)
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent)):
        await all_published(db)
    first = consumer_of(db, own_broker.bootstrap, group)
    real = first._try_apply
    between = asyncio.Event()

    async def then_hang(*batch: object) -> bool:
        await real(*batch)  # type: ignore[arg-type]
        between.set()
        await asyncio.Event().wait()
        return True

    first._try_apply = then_hang  # type: ignore[method-assign]
    dying = asyncio.create_task(first.run(asyncio.Event()))
    async with asyncio.timeout(90):
        await between.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await applied(db))[0] > 0
    async with running(consumer_of(db, own_broker.bootstrap, group)):
        await everyone(db, PEOPLE)


@pytest.mark.slow
async def test_the_broker_is_restarted(db: Database, own_broker: OwnBroker) -> None:
    """Where the log is kept, relay and consumer go on by themselves; where it is not, the window is published again."""
    await create_topics(own_broker.bootstrap)
    group = group_name()
    people = [new_id() for _ in range(3 * PEOPLE)]
    relay = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, send_seconds=3, request_ms=3_000)
    async with running(relay):
        async with running(consumer_of(db, own_broker.bootstrap, group)):
            await record(db, people[:PEOPLE])
            await everyone(db, PEOPLE)
            await record(db, people[PEOPLE : 2 * PEOPLE])
            await asyncio.to_thread(own_broker.restart)
            if own_broker.keeps_log:
                await everyone(db, 2 * PEOPLE)
        if not own_broker.keeps_log:
            await create_topics(own_broker.bootstrap)
            assert await publish_again(db) >= PEOPLE
        async with running(consumer_of(db, own_broker.bootstrap, group)):
            await record(db, people[2 * PEOPLE :])
            await everyone(db, 3 * PEOPLE)


async def test_the_broker_lost_its_log_and_the_window_is_published_again(db: Database, own_broker: OwnBroker) -> None:
    """The relay, with its producer, lives through it; consumers are started again, at the start of the new log."""
    await create_topics(own_broker.bootstrap)
    group = group_name()
    people = [new_id() for _ in range(2 * PEOPLE)]
    relay = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, send_seconds=3, request_ms=3_000)
    async with running(relay):
        await record(db, people[:PEOPLE])
        async with running(consumer_of(db, own_broker.bootstrap, group)):
            await everyone(db, PEOPLE)
        await record(db, people[PEOPLE:])
        await all_published(db)  # in a log that nobody has read, and that is gone now
        await asyncio.to_thread(own_broker.lose_log)
        await create_topics(own_broker.bootstrap)
        assert await publish_again(db) == 2 * PEOPLE
        async with running(consumer_of(db, own_broker.bootstrap, group)):
            await everyone(db, 2 * PEOPLE)
            await all_published(db)


@pytest.mark.slow
async def test_a_slow_broker(db: Database, own_broker: OwnBroker) -> None:
    """It answers in spurts, then not at all for longer than a request may take; then it is well again."""
    await create_topics(own_broker.bootstrap)
    people = [new_id() for _ in range(4 * PEOPLE)]
    relay = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, send_seconds=1.5, request_ms=1_500)
    make, send = relay._make_producer, relay._send
    producers = sends = 0

    def made() -> AIOKafkaProducer:
        nonlocal producers
        producers += 1
        return make()

    async def begun(*what: object) -> list[BaseException]:
        nonlocal sends
        sends += 1
        return await send(*what)  # type: ignore[arg-type]

    relay._make_producer = made
    relay._send = begun  # type: ignore[method-assign]
    async with running(relay, consumer_of(db, own_broker.bootstrap, group_name())):
        await record(db, people[:PEOPLE])
        await all_published(db)
        for part in (1, 2):
            own_broker.freeze()
            before = sends
            await record(db, people[part * PEOPLE : (part + 1) * PEOPLE])
            await beyond(lambda: sends, before)
            own_broker.thaw()
            await all_published(db)
        own_broker.freeze()
        before = producers
        await record(db, people[3 * PEOPLE :])
        await beyond(lambda: producers, before + 2)  # the relay gives a send up and tries again with another producer, several times
        assert await unpublished(db) >= PEOPLE
        own_broker.thaw()
        await everyone(db, 4 * PEOPLE)


@pytest.mark.parametrize("own_broker", [BOTH_BROKERS[1]], indirect=True)  # the embedded one makes topics
async def test_a_missing_topic_holds_no_other_up_and_is_made_good(db: Database, own_broker: OwnBroker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(Topic.BENEFICIARY, PARTITIONS, 1)])
    await admin.close()
    people = [new_id() for _ in range(PEOPLE)]
    strangers = [new_id() for _ in range(5)]
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add_rows(tx, Topic.UNIT, [(new_id(), unit, "AdministrativeUnitChanged", "{}") for unit in strangers])
    await record(db, people)
    relay = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, send_seconds=2, request_ms=2_000)
    async with running(relay, consumer_of(db, own_broker.bootstrap, group_name())):
        await everyone(db, PEOPLE)
        more = [new_id() for _ in range(PEOPLE)]
        await record(db, more)
        await everyone(db, 2 * PEOPLE)
        assert await unpublished(db) == len(strangers), "kept until there is where to publish them"
        await create_topics(own_broker.bootstrap)
        await all_published(db)


@pytest.mark.slow
async def test_a_frozen_relay_loses_its_partitions_to_another(db: Database, own_broker: OwnBroker) -> None:
    """Its database ends a session that says nothing; what it sends when it wakes is known already."""
    await create_topics(own_broker.bootstrap)
    frozen = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, send_seconds=0.2)
    real, sent, wake = frozen._send, asyncio.Event(), asyncio.Event()

    async def then_freeze(*what: object) -> list[BaseException]:
        failures = await real(*what)  # type: ignore[arg-type]
        sent.set()
        await wake.wait()
        return failures

    frozen._send = then_freeze  # type: ignore[method-assign]
    people = [new_id() for _ in range(PEOPLE)]
    await record(db, people)
    async with running(frozen, consumer_of(db, own_broker.bootstrap, group_name())):
        async with asyncio.timeout(90):
            await sent.wait()
        assert await unpublished(db) == PEOPLE
        async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent)):
            await all_published(db)
            wake.set()
            await everyone(db, PEOPLE)
            late = next(person for person in iter(new_id, None) if partition_of(person) == 0)
            await record(db, [late])
            await everyone(db, PEOPLE + 1)


@pytest.mark.slow
async def test_a_database_that_is_away_does_not_drive_the_members_out_of_their_group(
    db: Database, own_broker: OwnBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we are cannot be noted then; leaving for that made every member leave and join at once, and the group stand still."""
    await create_topics(own_broker.bootstrap)
    consumer = consumer_of(db, own_broker.bootstrap, group_name())
    tried = 0

    async def away(_found: object) -> None:
        nonlocal tried
        tried += 1
        raise ConnectionError("the database is away")

    joined = 0
    real = AIOKafkaConsumer.start

    async def counted(self: AIOKafkaConsumer) -> None:
        nonlocal joined
        joined += 1
        await real(self)

    monkeypatch.setattr(AIOKafkaConsumer, "start", counted)
    people = [new_id() for _ in range(PEOPLE)]
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent), consumer):
        await record(db, people[:10])
        await everyone(db, 10)
        with monkeypatch.context() as patched:
            patched.setattr(consumer, "_write_positions", away)
            for upto in range(20, 200, 20):
                before = tried
                await record(db, people[upto - 10 : upto + 10])
                await everyone(db, upto + 10)
                await beyond(lambda: tried, before)
        assert tried > 0
        assert joined == 1


@pytest.mark.slow
async def test_a_member_whose_client_cannot_leave_is_closed_all_the_same(
    db: Database, own_broker: OwnBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own library may wait for ever for a group that waits for it; the next member takes over within the session's time."""
    await create_topics(own_broker.bootstrap)
    group = group_name()
    people = [new_id() for _ in range(2 * PEOPLE)]
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent)):
        with monkeypatch.context() as patched:

            async def never(_self: object) -> None:
                await asyncio.Event().wait()

            patched.setattr(GroupCoordinator, "close", never)
            async with running(consumer_of(db, own_broker.bootstrap, group)):
                await record(db, people[:PEOPLE])
                await everyone(db, PEOPLE)
        async with running(consumer_of(db, own_broker.bootstrap, group)):
            await record(db, people[PEOPLE:])
            await everyone(db, 2 * PEOPLE)


@pytest.mark.slow
@pytest.mark.parametrize("question", ["commit_offsets", "_maybe_refresh_commit_offsets"])
async def test_a_client_that_asks_for_ever_does_not_silence_its_consumer(
    db: Database, own_broker: OwnBroker, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a broker dies it may look for the group's coordinator for ever; a new member goes on, and nothing is applied twice."""
    await create_topics(own_broker.bootstrap)
    people = [new_id() for _ in range(2 * PEOPLE)]
    asked = 0
    real = getattr(GroupCoordinator, question)

    async def hangs_once(self: GroupCoordinator, *given: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.Event().wait()
        return await real(self, *given)

    monkeypatch.setattr("common.consumer._COMMIT_SECONDS", 0.5)
    monkeypatch.setattr(GroupCoordinator, question, hangs_once)
    monkeypatch.setattr("common.consumer._UNHEARD_SECONDS", 5.0)
    consumer = consumer_of(db, own_broker.bootstrap, group_name())
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent), consumer):
        await record(db, people[:PEOPLE])
        await everyone(db, PEOPLE)
        await record(db, people[PEOPLE:])
        await everyone(db, 2 * PEOPLE)
    assert asked > 1


@pytest.mark.slow
@pytest.mark.parametrize("step", ["commit", "stop"])
async def test_a_client_that_is_cancelled_inside_does_not_end_its_consumer(
    db: Database, own_broker: OwnBroker, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a lost connection the library waits for tasks that it has cancelled: the loop ended with them, in silence, and for good."""
    await create_topics(own_broker.bootstrap)
    people = [new_id() for _ in range(2 * PEOPLE)]
    refused = cancelled = 0
    commit, real = AIOKafkaConsumer.commit, getattr(AIOKafkaConsumer, step)

    async def refuses_once(self: AIOKafkaConsumer, offsets: object) -> None:
        nonlocal refused
        refused += 1
        if refused == 1:
            raise KafkaConnectionError("lost")
        await commit(self, offsets)

    async def cancelled_once(self: AIOKafkaConsumer, *given: object) -> None:
        nonlocal cancelled
        cancelled += 1
        if cancelled == 1:
            inner = asyncio.create_task(asyncio.Event().wait())
            asyncio.get_running_loop().call_soon(inner.cancel)
            await inner
        await real(self, *given)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", refuses_once)
    monkeypatch.setattr(AIOKafkaConsumer, step, cancelled_once)
    consumer = consumer_of(db, own_broker.bootstrap, group_name())
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent), consumer):
        await record(db, people[:PEOPLE])
        await everyone(db, PEOPLE)
        await record(db, people[PEOPLE:])
        await everyone(db, 2 * PEOPLE)
    assert cancelled > 0
