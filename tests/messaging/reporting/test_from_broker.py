"""From topics to figures: all seven topics on a real Kafka-protocol broker, repeats included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from reporting_builders import Reporting, incoming, small_month

from common.actor import Role
from common.consumer import Consumer, Incoming
from common.ids import new_id
from common.testing import TestDatabase as Home
from common.topics import ALL_TOPICS, PARTITIONS
from reporting.messaging.subscriptions import SUBSCRIPTIONS
from reporting.settings import Settings

DEADLINE = 90.0


async def publish(bootstrap: str, events: list[Incoming]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    known = set(await admin.list_topics())
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in ALL_TOPICS if topic not in known])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for event in events:
            headers = {"ce_id": str(event.event_id), "ce_type": event.type, **event.headers}
            await producer.send(
                event.topic, event.raw, key=str(event.key).encode(), partition=event.partition,
                headers=[(name, value.encode()) for name, value in headers.items()],
            )  # fmt: skip


async def test_events_become_figures_and_lag_is_shown(
    broker: str,
    database: Callable[[str], Home],
    keys_file: Callable[[str], Path],
    client_as: Callable[..., httpx.AsyncClient],
) -> None:
    home = database("reporting")
    reporting = Reporting(home, Settings(database_url=home.app_url, keys_file=keys_file("reporting"), environment="development"))
    events = incoming(small_month().events)
    await publish(broker, events + events)
    consumer = Consumer(
        home.db, "reporting", SUBSCRIPTIONS, bootstrap=broker, group=f"reporting-{new_id()}", session_ms=1_500, heartbeat_ms=300
    )
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    client = client_as(reporting.app, Role.OPERATOR)
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                lag = (await client.get("/v1/lag")).json()
                if len(lag["rows"]) == PARTITIONS * len(ALL_TOPICS) and lag["behind"] == 0:
                    break
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running
    assert sum(row["applied_offset"] + 1 for row in lag["rows"]) >= 2 * len(events)
    ids = [event.event_id for event in events]  # other tests may use the same topics of this broker
    payments = [event.body["payment_id"] for event in events if "payment_id" in event.body]
    async with home.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM event_log WHERE event_id = ANY(:ids)", ids=ids) == len(events)
        assert await tx.value("SELECT count(*) FROM parked_event WHERE event_id = ANY(:ids)", ids=ids) == 0
        total = await tx.row(
            "SELECT count(*) AS n, sum(amount) AS amount FROM payment WHERE payment_id = ANY(CAST(:ids AS uuid[]))", ids=payments
        )
    assert total is not None
    assert (total["n"], total["amount"]) == (8, 9_539_001)
