"""A real API process is told to end (SIGTERM) while people post: whoever was let in is answered, and an answer means a row."""

from __future__ import annotations

import asyncio
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

from common.auth import Role
from common.testing import free_port, jwks, token

if TYPE_CHECKING:
    from common.testing import TestDatabase

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500), pytest.mark.promise("promises.nothing-accepted-is-lost")]
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
    """One API process of disbursement, and the owner's connection to its database."""

    url: str
    process: asyncio.subprocess.Process
    database: psycopg.AsyncConnection[tuple[int]]

    async def post(self, http: httpx.AsyncClient, reason: str) -> httpx.Response:
        """A change that is one row: a pause of a partner, named by its reason."""
        return await http.post(f"{self.url}/v1/pauses", json={"partner": "agribank", "reason": reason}, headers=HEADERS)

    async def reasons(self) -> Counter[str]:
        """The rows."""
        rows = await (await self.database.execute("SELECT reason FROM lane_pause")).fetchall()
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


@pytest.fixture
async def api(database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path], tmp_path: Path) -> AsyncIterator[Api]:
    """Started, ready, and ended by the test."""
    made, port = database("disbursement"), free_port()
    secret = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
    partner = {"kind": "BANK", "url": "http://127.0.0.1:9/agribank", "outbound_secret": secret, "inbound_secrets": [secret]}
    (tmp_path / "partners.json").write_text(json.dumps({"callback_url": "http://127.0.0.1:9", "partners": {"agribank": partner}}))
    async with issuer() as keys:
        environment = {
            **os.environ, "DISBURSEMENT_ENVIRONMENT": "development", "DISBURSEMENT_DATABASE_URL": made.app_url,
            "DISBURSEMENT_KEYS_FILE": str(keys_file("disbursement")), "DISBURSEMENT_PARTNERS_FILE": str(tmp_path / "partners.json"),
            "DISBURSEMENT_HTTP_PORT": str(port), "DISBURSEMENT_OIDC_ISSUER": "http://issuer.test", "DISBURSEMENT_OIDC_JWKS_URL": keys,
        }  # fmt: skip
        with (tmp_path / "api.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "disbursement.main", "api"),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        connection = await psycopg.AsyncConnection.connect(made.owner_url.replace("+psycopg", ""), autocommit=True)
        try:
            await ready(f"http://127.0.0.1:{port}/v1/pauses")
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
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as http:
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
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        async with api.database.transaction():
            await api.database.execute("LOCK TABLE lane_pause IN EXCLUSIVE MODE")
            posts = [asyncio.create_task(api.post(http, f"post {n} waits")) for n in range(many)]
            async with asyncio.timeout(30):
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'lane_pause'::regclass"
                while (await (await api.database.execute(waiting)).fetchone() or (0,))[0] < many:
                    await asyncio.sleep(0.02)
            api.process.send_signal(signal.SIGTERM)
            await closed(api.url)
            assert not any(task.done() for task in posts)
        answers = await asyncio.gather(*posts)
    assert [answer.status_code for answer in answers] == [201] * many
    assert await api.reasons() == Counter(f"post {n} waits" for n in range(many))
    assert await asyncio.wait_for(api.process.wait(), 30) in (0, -signal.SIGTERM)  # the server passes the signal on once it is done


async def test_under_load_an_answer_means_a_row_and_no_answer_means_none(api: Api) -> None:
    """Twelve people post one after the other until they are refused. Nobody is cut off in the middle of an answer."""
    answered: list[str] = []
    ended: Counter[str] = Counter()
    enough = asyncio.Event()

    async def person(number: int) -> None:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
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
    async with asyncio.timeout(90):
        await enough.wait()
        api.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*people)
    assert await asyncio.wait_for(api.process.wait(), 30) in (0, -signal.SIGTERM)  # the server passes the signal on once it is done
    assert await api.reasons() == Counter(answered), ended
    # Not let in any more: refused, or closed by the kernel before the process took the connection; never in the middle of an answer.
    assert set(ended) <= {"ConnectError", "ReadError", "RemoteProtocolError"}
