"""Real processes of every service are told to end (SIGTERM) under load.

The api: whoever was let in is answered, and an answer means a row. The worker: what it has sent is marked as sent, so that its successor
sends the rest, nothing twice and nothing never.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from common.auth import Role
from common.clock import today
from common.ids import new_id
from common.settings import MechanismSettings
from common.testing import free_port, jwks, token
from common.topic_admin import create_topics
from common.topics import PARTITIONS, Topic

if TYPE_CHECKING:
    from common.testing import TestDatabase

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.promise("promises.nothing-accepted-is-lost")]
SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
TABLE = "api_client"
TODAY = today()
HEADERS = {"Authorization": f"Bearer {token([Role.OPERATOR.value])}", "Connection": "close"}


class _Keys(BaseHTTPRequestHandler):
    """The issuer's key set."""

    def do_GET(self) -> None:
        content = json.dumps(jwks()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass
class Api:
    """One API process, and the owner's connection to its database."""

    url: str
    process: asyncio.subprocess.Process
    database: psycopg.AsyncConnection[tuple[int]]

    async def post(self, http: httpx.AsyncClient, agency: str) -> httpx.Response:
        """A change that is one row in every service: a system asked to be let in, named by its agency."""
        body = {
            "client_id": f"s-{new_id().hex}", "agency": agency, "contact": "cntt@so.example", "roles": ["INTEGRATOR"], "units": ["60"],
            "per_minute": 100, "per_day": 1000, "valid_from": str(TODAY), "valid_to": None, "basis": "Quy chế 12/QC",
        }  # fmt: skip
        return await http.post(f"{self.url}/v1/clients", json=body, headers=HEADERS)

    async def agencies(self) -> Counter[str]:
        """The rows."""
        rows = await (await self.database.execute(f"SELECT agency FROM {TABLE}")).fetchall()
        return Counter(str(row[0]) for row in rows)


@asynccontextmanager
async def issuer() -> AsyncIterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Keys)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    thread.join()


async def started(service: str, kind: str, made: TestDatabase, keys: Path, folder: Path, **more: str) -> asyncio.subprocess.Process:
    """A process of a service on a test's database."""
    package = service.replace("-", "_")
    secret = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
    partner = {"kind": "BANK", "url": "http://127.0.0.1:9/agribank", "outbound_secret": secret, "inbound_secrets": [secret]}
    (folder / "partners.json").write_text(json.dumps({"callback_url": "http://127.0.0.1:9", "partners": {"agribank": partner}}))
    known: type[MechanismSettings] = importlib.import_module(f"{package}.settings").Settings
    given = {
        "environment": "development", "database_url": made.app_url, "keys_file": str(keys), "oidc_issuer": "http://issuer.test",
        "partners_file": str(folder / "partners.json"), "population_url": "http://127.0.0.1:9", "person_calls_at_once": "100000", **more,
    }  # fmt: skip
    environment = {f"{package}_{name}".upper(): value for name, value in given.items() if name in known.model_fields}
    with (folder / f"{kind}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"{package}.main", kind), env={**os.environ, **environment}, stdin=asyncio.subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip


@pytest.fixture(params=SERVICES)
async def api(
    request: pytest.FixtureRequest, database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path], tmp_path: Path
) -> AsyncIterator[Api]:
    """Started, ready, and ended by the test."""
    made, port = database(request.param), free_port()
    async with issuer() as keys:
        process = await started(
            request.param, "api", made, keys_file(request.param), tmp_path, http_port=str(port), oidc_jwks_url=keys
        )  # fmt: skip
        connection = await psycopg.AsyncConnection.connect(made.owner_url.replace("+psycopg", ""), autocommit=True)
        try:
            await ready(f"http://127.0.0.1:{port}/v1/clients")
            yield Api(f"http://127.0.0.1:{port}", process, connection)
        finally:
            await connection.close()
            if process.returncode is None:
                process.kill()
            await process.wait()


async def ready(url: str) -> None:
    async with asyncio.timeout(200), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                if (await http.get(url, headers=HEADERS)).status_code == 200:  # the issuer's keys are known then, too
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def closed(url: str) -> None:
    """Until nobody new is let in."""
    async with asyncio.timeout(120), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(f"{url}/health/live")
            except httpx.ConnectError:
                return
            except httpx.TransportError:
                continue


async def test_whoever_was_let_in_is_answered(api: Api) -> None:
    """Posts wait in the database when the process is told to end; it ends after they are answered."""
    many = 5
    async with httpx.AsyncClient(timeout=240, trust_env=False) as http:
        async with api.database.transaction():
            await api.database.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")
            posts = [asyncio.create_task(api.post(http, f"post {n} waits")) for n in range(many)]
            async with asyncio.timeout(120):
                waiting = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{TABLE}'::regclass"
                while (await (await api.database.execute(waiting)).fetchone() or (0,))[0] < many:
                    await asyncio.sleep(0.02)
            api.process.send_signal(signal.SIGTERM)
            await closed(api.url)
            assert not any(task.done() for task in posts)
        answers = await asyncio.gather(*posts)
    assert [answer.status_code for answer in answers] == [201] * many
    assert await api.agencies() == Counter(f"post {n} waits" for n in range(many))
    assert await asyncio.wait_for(api.process.wait(), 120) in (0, -signal.SIGTERM)  # the server passes the signal on once it is done


async def test_under_load_an_answer_means_a_row_and_no_answer_means_none(api: Api) -> None:
    """Twelve people post one after the other until they are refused. Nobody is cut off in the middle of an answer."""
    answered: list[str] = []
    ended: Counter[str] = Counter()
    enough = asyncio.Event()

    async def person(number: int) -> None:
        async with httpx.AsyncClient(timeout=240, trust_env=False) as http:
            for n in range(10_000):
                reason = f"person {number} post {n}"
                try:
                    answer = await api.post(http, reason)
                except httpx.TransportError as error:
                    ended[type(error).__name__] += 1
                    return
                assert answer.status_code == 201, answer.text
                answered.append(reason)
                if len(answered) >= 60:
                    enough.set()

    people = [asyncio.create_task(person(n)) for n in range(12)]
    async with asyncio.timeout(240):
        await enough.wait()
        api.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*people)
    assert await asyncio.wait_for(api.process.wait(), 120) in (0, -signal.SIGTERM)  # the server passes the signal on once it is done
    assert await api.agencies() == Counter(answered), ended
    # Not let in any more: refused, or closed by the kernel before the process took the connection; never in the middle of an answer.
    assert set(ended) <= {"ConnectError", "ReadError", "RemoteProtocolError"}


#: Who publishes, and a topic of its own that it does not hear itself. Reporting publishes nothing; its worker is `run_worker` like theirs.
PUBLISHED = {
    "registry": Topic.BENEFICIARY, "identity-verify": Topic.VERIFICATION, "accounts": Topic.PAYOUT, "disbursement": Topic.PAYMENT,
}  # fmt: skip
FEW, MANY = 300, 3_000


@pytest.mark.parametrize("service", PUBLISHED)
async def test_a_worker_that_is_told_to_end_leaves_nothing_half_sent(
    service: str, broker: str, database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path], tmp_path: Path
) -> None:
    """Two lives of a worker while events are being committed; every event is in the log once, and marked as sent."""
    await create_topics(broker)
    made, topic = database(service), PUBLISHED[service]
    before = set(await in_the_log(broker, topic))
    owner = made.owner_url.replace("+psycopg", "")
    insert = (
        "INSERT INTO outbox (event_id, topic, partition, key, type, body) SELECT e.id, %s, get_byte(uuid_send(e.id), 15) %% %s, e.id, 't',"
        " json_build_object('id', e.id)::text FROM (SELECT uuidv7() AS id FROM generate_series(1, 50)) AS e RETURNING event_id"
    )
    told: list[str] = []
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute("DELETE FROM outbox")  # what the reference data said of itself

        async def commit(count: int) -> None:
            while len(told) < count:
                told.extend(str(row[0]) for row in await (await connection.execute(insert, (topic, PARTITIONS))).fetchall())

        async def sent() -> int:
            row = await (await connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL")).fetchone()
            assert row is not None
            return int(row[0])

        for wanted in (MANY, 2 * MANY):
            worker = await started(
                service, "worker", made, keys_file(service), tmp_path, worker_port=str(free_port()), kafka_bootstrap=broker,
                kafka_idempotence="false",
            )  # fmt: skip
            already = await sent()
            async with asyncio.timeout(300):
                while await sent() < already + FEW:
                    await commit(min(wanted, len(told) + 50))
                    await asyncio.sleep(0.01)
                worker.send_signal(signal.SIGTERM)
                await commit(wanted)
                assert await worker.wait() == 0, (tmp_path / "worker.log").read_text(encoding="utf-8")[-2000:]
            log = [event for event in await in_the_log(broker, topic) if event not in before]
            assert len(log) == len(set(log)) == await sent(), "what is marked as sent is what was sent"
            assert set(log) <= set(told)


async def in_the_log(broker: str, topic: str) -> list[str]:
    """The ids of all events in a topic."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[str] = []
        await consumer.seek_to_beginning(*partitions)
        async with asyncio.timeout(120):
            while any([await consumer.position(each) < end for each, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [json.loads(record.value)["id"] if record.value else "" for record in records]
        return found
    finally:
        await consumer.stop()
