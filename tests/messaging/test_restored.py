"""A database put back to the past sees it by itself, reads back what it had published, and hears again what it had heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from bus_parts import consumer_of, everyone, group_name, preference, record, relay_of, running, until

from common import outbox, restored
from common.actor import SYSTEM
from common.db import Database, Tx
from common.ids import new_id
from common.restored import Look
from common.testing_brokers import OwnBroker
from common.topic_admin import create_topics

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def put_back(db: Database, pg_url: str) -> Iterator[Callable[[], Database]]:
    """Copies the database now; the answer opens that copy later, under the name it was made with."""
    name = db.url.rsplit("/", 1)[1]
    opened: list[Database] = []

    def later() -> Database:
        opened.append(Database(db.url + "_then"))
        return opened[-1]

    with psycopg.connect(pg_url, autocommit=True) as conn:
        later.copy = lambda: conn.execute(f"CREATE DATABASE {name}_then TEMPLATE {name}")  # type: ignore[attr-defined]
        yield later
        conn.execute(f"DROP DATABASE IF EXISTS {name}_then WITH (FORCE)")


async def lost(db: Database) -> set[UUID]:
    async with db.read() as tx:
        return {row["key"] for row in await tx.rows("SELECT key FROM lost_event")}


@pytest.mark.promise("rules.13")
async def test_a_restored_database_is_told_what_it_has_lost(db: Database, own_broker: OwnBroker, put_back: Callable[[], Database]) -> None:
    await create_topics(own_broker.bootstrap)
    group, stopped = group_name(), list[UUID]()

    async def stop_sending(_tx: Tx, restore_id: UUID) -> None:
        stopped.append(restore_id)

    def parts(of: Database) -> tuple[object, ...]:
        look = Look(of, "registry", own_broker.bootstrap, 14, stop_sending)
        return (
            relay_of(of, own_broker.bootstrap, idempotent=own_broker.idempotent, look=look),
            consumer_of(of, own_broker.bootstrap, group),
        )

    before, after = [new_id() for _ in range(200)], [new_id() for _ in range(100)]
    async with running(*parts(db)):  # type: ignore[arg-type]
        await record(db, before)
        await everyone(db, 200)
    await db.engine.dispose()
    put_back.copy()  # type: ignore[attr-defined]

    async with running(*parts(db)):  # type: ignore[arg-type]
        await record(db, after)
        await everyone(db, 300)
    assert stopped == []

    then = put_back()
    async with then.read() as tx:
        assert not await restored.known(tx)

    async def read_back() -> bool:
        async with then.read() as tx:
            return await restored.known(tx)

    async with running(*parts(then)):  # type: ignore[arg-type]
        await until(read_back)
        assert await lost(then) == set(after)
        await everyone(then, 300)
        async with then.read() as tx:
            assert stopped == [await tx.value("SELECT restore_id FROM database_restore WHERE lost_events = 100 AND read_at IS NOT NULL")]
    async with running(*parts(then)):  # type: ignore[arg-type]
        await record(then, [new_id() for _ in range(10)])
        await everyone(then, 310)
    assert len(stopped) == 1
    await then.close()


async def test_a_database_that_only_started_again_was_not_restored(db: Database, own_broker: OwnBroker) -> None:
    """A new life with the same past: nothing is found, also where the broker's log is a new one and none that is kept."""
    await create_topics(own_broker.bootstrap)

    async def never(_tx: Tx, _restore_id: UUID) -> None:
        raise AssertionError("not restored")

    look = Look(db, "registry", own_broker.bootstrap, 14, never, log_is_kept=False)
    relay = relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, look=look)
    async with running(relay, consumer_of(db, own_broker.bootstrap, group_name())):
        await record(db, [new_id() for _ in range(100)])
        await everyone(db, 100)
    for _ in range(2):
        async with db.transaction() as tx:
            await tx.execute("UPDATE database_life SET life = 'of yesterday'")
        async with db.read() as tx:
            assert not await restored.known(tx)
        await look()
        async with db.read() as tx:
            assert await restored.known(tx)
        own_broker.lose_log()
        await create_topics(own_broker.bootstrap)
    assert await lost(db) == set()


@pytest.mark.promise("rules.13")
async def test_what_was_published_long_ago_is_lost_too(db: Database, own_broker: OwnBroker, put_back: Callable[[], Database]) -> None:
    """A backup of the first of the month, opened on the twenty-eighth: the outbox keeps fourteen days."""
    await create_topics(own_broker.bootstrap)
    stopped = list[UUID]()

    async def stop_sending(_tx: Tx, restore_id: UUID) -> None:
        stopped.append(restore_id)

    before, after = [new_id() for _ in range(60)], [new_id() for _ in range(30)]
    look = Look(db, "registry", own_broker.bootstrap, 14, stop_sending)
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, look=look)):
        await record(db, before)
        await until(lambda: all_published(db))
    await db.engine.dispose()
    put_back.copy()  # type: ignore[attr-defined]
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add(tx, [preference(person, 1) for person in after])
        await tx.execute("UPDATE outbox SET created_at = now() - interval '20 days' WHERE published_at IS NULL")
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, look=look)):
        await until(lambda: all_published(db))
    assert stopped == []
    then = put_back()
    await Look(then, "registry", own_broker.bootstrap, 14, stop_sending)()
    assert await lost(then) == set(after)
    assert len(stopped) == 1
    await then.close()


@pytest.mark.promise("rules.13")
async def test_a_log_that_is_kept_and_is_gone_counts_as_a_restore(db: Database, own_broker: OwnBroker) -> None:
    """Nothing can be compared with it: whether money has left is not known, so two people look before any more does."""
    await create_topics(own_broker.bootstrap)
    stopped = list[UUID]()

    async def stop_sending(_tx: Tx, restore_id: UUID) -> None:
        stopped.append(restore_id)

    look = Look(db, "registry", own_broker.bootstrap, 14, stop_sending)
    async with running(relay_of(db, own_broker.bootstrap, idempotent=own_broker.idempotent, look=look)):
        await record(db, [new_id() for _ in range(60)])
        await until(lambda: all_published(db))
    async with db.transaction() as tx:
        await tx.execute("UPDATE database_life SET life = 'of yesterday'")
    own_broker.lose_log()
    await create_topics(own_broker.bootstrap)
    await look()
    async with db.read() as tx:
        assert await restored.known(tx)
        assert stopped == [await tx.value("SELECT restore_id FROM database_restore WHERE lost_events = 0 AND read_at IS NOT NULL")]
    await look()
    assert len(stopped) == 1


async def all_published(db: Database) -> bool:
    async with db.read() as tx:
        return bool(await tx.value("SELECT NOT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"))
