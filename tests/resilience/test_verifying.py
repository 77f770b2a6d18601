"""A province is verified: from registered people in Kafka to verdicts in Kafka, with a source that answers, and with one that fails.

The worker and the population database are processes of their own, as in production; the source's own books say who was asked how
often. `ANSINH_MEASURE_PEOPLE=100000 .venv/bin/python -m pytest -m slow -s tests/resilience/test_verifying.py` prints the rate.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ansinh.effort import connections_seconds
from common import testing
from common.contracts.registry_v1 import BeneficiaryRegistered
from common.ids import new_id, stable_id
from common.sealing import Keyring
from common.testing import free_port, wait_for
from common.testing_brokers import OwnBroker
from common.topic_admin import create_topics
from common.topics import PARTITIONS, Topic, partition_of
from simulators.population.generate import generate, people

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PEOPLE = int(os.environ.get("ANSINH_MEASURE_PEOPLE", "3000"))
OUTAGE_SECONDS = float(os.environ.get("ANSINH_MEASURE_OUTAGE", "10"))
FLOOR = float(os.environ.get("ANSINH_MEASURE_FLOOR", "0"))
SEED = 5
TOKEN = "token of the measurement"
_CHUNK = 2_000


@contextmanager
def process(arguments: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended by its own id."""
    with log.open("wb") as out:
        started = subprocess.Popen([sys.executable, "-m", *arguments], stdout=out, stderr=out, env={**os.environ, **environment})
        try:
            yield started
        finally:
            started.terminate()
            started.wait(timeout=60)


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def database_seconds(database: testing.TestDatabase) -> float:
    """What the connections to a database have used so far: the server names it in their titles."""
    return sum(connections_seconds(database.app_url).values())


@contextmanager
def population(folder: Path, name: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A population database with books of its own; a client of its control, and its process."""
    port, config = free_port(), folder / f"{name}.json"
    config.write_text(json.dumps({"port": port, "world": str(folder / "world.sqlite"), "state": f"{name}.sqlite", "token": TOKEN}))
    with process(["simulators.population", "--config", str(config)], folder / f"{name}.log") as started:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(lambda: _lives(client), 120, "the population database")
            yield client, started


def _lives(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def worker(
    folder: Path, name: str, database: testing.TestDatabase, keys: Path, broker: str, source: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The worker of identity-verify, with defaults but for addresses and a short back-off."""
    settings = {
        "DATABASE_URL": database.app_url, "KEYS_FILE": str(keys), "KAFKA_BOOTSTRAP": broker, "WORKER_PORT": str(free_port()),
        "KAFKA_GROUP_SUFFIX": f"-{name}-{new_id().hex}", "KAFKA_SESSION_TIMEOUT_MS": "6000", "KAFKA_HEARTBEAT_MS": "1000",
        "POPULATION_URL": source, "POPULATION_TOKEN": TOKEN, "POPULATION_REQUESTS_PER_SECOND": "1000", "ENVIRONMENT": "development",
        "BACKOFF_LONGEST_SECONDS": "5", "BUSINESS_DATE": "2024-08-20",
    }  # fmt: skip
    environment = {f"IDENTITY_VERIFY_{setting}": value for setting, value in settings.items()}
    with process(["identity_verify.main", "worker"], folder / f"{name}.log", **environment) as started:
        yield started


async def publish_people(broker: str, registry: Keyring) -> None:
    """Registered people, in Kafka as the registry's relay writes them."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=900_000, max_request_size=1_000_000)
    await producer.start()
    lanes: dict[int, list[tuple[UUID, UUID, bytes]]] = {}
    for index, (number, name, birth, sex, *_) in enumerate(people(PEOPLE, SEED)):
        person, event_id = stable_id("measured", index), new_id()
        event = BeneficiaryRegistered(
            version=1, business_date=date(2024, 8, 20), beneficiary_id=person, file_code=None, full_name=name, birth_date=birth, sex=sex,
            unit_code="22924", unit_path="60/593/22924", programmes=["MERIT"], status="ACTIVE",
            national_number={"identity-verify": registry.seal("identity-verify", event_id, "national_number", number)},
            identity_fingerprint=registry.fingerprint(number, name, birth, sex),
        )  # fmt: skip
        lane = lanes.setdefault(partition_of(person), [])
        lane.append((person, event_id, event.model_dump_json().encode()))
        if len(lane) == _CHUNK:
            await _send(producer, partition_of(person), lane)
            lane.clear()
    for partition, lane in lanes.items():
        await _send(producer, partition, lane)
    await producer.stop()


async def _send(producer: AIOKafkaProducer, partition: int, lane: list[tuple[UUID, UUID, bytes]]) -> None:
    sent = []
    for person, event_id, body in lane:
        headers = [("ce_id", str(event_id).encode()), ("ce_type", b"BeneficiaryRegistered")]
        sent.append(await producer.send(Topic.BENEFICIARY, body, key=str(person).encode(), partition=partition, headers=headers))
    await asyncio.gather(*sent)


@asynccontextmanager
async def verdicts(broker: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of the verdicts from here on."""
    reader = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024 * 1024)
    await reader.start()
    reader.assign([TopicPartition(Topic.VERIFICATION, partition) for partition in range(PARTITIONS)])
    yield reader
    await reader.stop()


async def read_until_all(reader: AIOKafkaConsumer, seconds: float) -> tuple[dict[bytes, str], int, float, float]:
    """Verdict by person, how many events said them, and when the first and the last person had one."""
    found: dict[bytes, str] = {}
    events, deadline, first, last = 0, time.monotonic() + seconds, 0.0, 0.0
    while len(found) < PEOPLE:
        assert time.monotonic() < deadline, f"{len(found)} of {PEOPLE} people have a verdict after {seconds:g} s"
        for records in (await reader.getmany(timeout_ms=500, max_records=10_000)).values():
            for record in records:
                events += 1
                found[record.key] = dict(record.headers)["ce_type"].decode()
            first = first or time.monotonic()
        last = time.monotonic()
    return found, events, first, last


def asked(source: httpx.Client) -> dict[str, Any]:
    """The source's own books."""
    return dict(source.get("/control/asked", params={"min_times": 2}).json())


async def test_a_province_is_verified_also_when_the_source_fails(
    tmp_path: Path,
    database: Callable[[str], testing.TestDatabase],
    keyring: Callable[[str], Keyring],
    keys_file: Callable[[str], Path],
    own_broker: OwnBroker,
) -> None:
    print(f"seed {SEED}, {PEOPLE:,} people")
    broker = own_broker.bootstrap  # what others said there would be verdicts here
    generate(tmp_path / "world.sqlite", PEOPLE, SEED)
    await create_topics(broker)
    await publish_people(broker, keyring("registry"))
    keys = keys_file("identity-verify")
    async with verdicts(broker) as reader:
        with population(tmp_path, "calm") as (source, source_process):
            started = time.monotonic()
            own = database("identity-verify")
            with worker(tmp_path, "calm-worker", own, keys, broker, str(source.base_url)) as work:
                calm, events, first, ended = await read_until_all(reader, 240 + PEOPLE / 100)
                used = {"worker": processor_seconds(work.pid), "source": processor_seconds(source_process.pid)}
                used["database"] = database_seconds(own)
            books = asked(source)
        rate = PEOPLE / (ended - started)
        print(f"calm: {ended - started:.1f} s with the start of the process, {rate:,.0f} persons/s from event to verdict in Kafka;")
        print(f"  {ended - first:.1f} s from the first verdict to the last; processor seconds: {used}")
        assert set(calm.values()) == {"BeneficiaryVerified"}
        assert events == PEOPLE
        assert (books["numbers"], books["answers"], books["max_times"]) == (PEOPLE, PEOPLE, 1), "everybody once"

        with population(tmp_path, "rough") as (source, _):
            source.post("/control/script", json={"error_rate": 0.05}).raise_for_status()
            started = time.monotonic()
            with worker(tmp_path, "rough-worker", database("identity-verify"), keys, broker, str(source.base_url)):
                outage = asyncio.create_task(_outage(source))
                rough, events, _, ended = await read_until_all(reader, 300 + OUTAGE_SECONDS + PEOPLE / 100)
                await outage
            books = asked(source)
        print(f"5% failing, away for {OUTAGE_SECONDS:g} s: {ended - started:.1f} s")
        assert rough == calm, "the same final state"
        assert events == PEOPLE, "and said once each"
        assert (books["numbers"], books["answers"], books["max_times"]) == (PEOPLE, PEOPLE, 1), "nobody is asked more than needed"
    assert rate >= FLOOR


async def _outage(source: httpx.Client) -> None:
    """Away in the middle: once a part of the people has been asked about."""
    while (await asyncio.to_thread(asked, source))["numbers"] < PEOPLE / 5:
        await asyncio.sleep(0.05)
    await asyncio.to_thread(source.post, "/control/script", json={"outage_seconds": OUTAGE_SECONDS})
