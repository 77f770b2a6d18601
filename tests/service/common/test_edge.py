"""What a request may weigh and how long it may take, over real sockets: the answer is a problem, the place and the connection come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import StreamingResponse

from common import testing
from common.auth import Actor, Role, require
from common.db import Database
from common.sealing import Keyring
from common.settings import MechanismSettings
from common.web import create_app

Auditor = Annotated[Actor, Depends(require(Role.AUDITOR))]


def slow_things(db: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/slow")

    @router.get("/statement")
    async def statement(_actor: Auditor) -> None:
        async with db.transaction() as tx:
            await tx.value("SELECT pg_sleep(30) /* the slow one */")

    @router.post("/body")
    async def body(request: Request, _actor: Auditor) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/endless")
    async def endless(_actor: Auditor) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(12):
                await asyncio.sleep(0.1)  # house: sleep - the answer itself is slow; this is what is tested
                yield b"."

        return StreamingResponse(parts())

    return router


@asynccontextmanager
async def serving(pg_url: str, keys_file: Path, keyring: Keyring, *, pool: int = 10, **limits: Any) -> AsyncIterator[tuple[int, FastAPI]]:
    url = pg_url.replace("postgresql://", "postgresql+psycopg://")
    db = Database(url, keyring=keyring, pool_size=pool, pool_seconds=0.3)
    settings = MechanismSettings(database_url=url, keys_file=keys_file, environment="development", **limits)
    app = create_app(title="edge", description="edge", settings=settings, db=db, routers=[slow_things(db)])
    app.state.authenticator.issuer = "http://issuer.test"
    app.state.authenticator.use_keys(testing.jwks())
    port = testing.free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, http="httptools", log_config=None, access_log=False))
    running = asyncio.create_task(server._serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield port, app
    finally:
        server.should_exit = True
        await running


def head(method: str, path: str, **headers: str) -> bytes:
    given = {"Host": "test", "Authorization": f"Bearer {testing.token(['AUDITOR'])}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return f"{method} {path} HTTP/1.1\r\n{''.join(f'{name}: {value}{chr(13)}{chr(10)}' for name, value in given.items())}\r\n".encode()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body; the connection's end ends an answer without a length."""
    async with asyncio.timeout(20):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"])) if "content-length" in headers else await reader.read()
    return int(lines[0].split()[1]), headers, json.loads(body) if "json" in headers.get("content-type", "") else body


async def ask(port: int, *parts: bytes) -> tuple[int, dict[str, str], Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await answer_of(reader)
    finally:
        writer.close()


@pytest.fixture
def serve(pg_url: str, keys_file: Callable[[str], Path], keyring: Callable[[str], Keyring]) -> Callable[..., Any]:
    return lambda **limits: serving(pg_url, keys_file("registry"), keyring("registry"), **limits)


async def test_what_takes_too_long_is_given_up_and_its_statement_with_it(serve: Callable[..., Any], pg_url: str) -> None:
    async with serve(request_seconds=0.7) as (port, _):
        status, headers, problem = await ask(port, head("GET", "/v1/slow/statement"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "30")
        with psycopg.connect(pg_url) as conn:
            running = conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%the slow one%' AND state = 'active' AND pid <> pg_backend_pid()"
            ).fetchone()
        assert running == (0,)
        # An answer that has begun is not cut.
        status, _, body = await ask(port, head("GET", "/v1/slow/endless", Connection="close"))
        assert status == 200
        assert body.count(b".") == 12


async def test_the_database_itself_ends_a_statement_of_a_process_that_answers_people(serve: Callable[..., Any]) -> None:
    async with serve() as (port, app):
        app.state.db.limit_statements(0.3)
        status, headers, problem = await ask(port, head("GET", "/v1/slow/statement"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "5")
        assert "pg_sleep" not in json.dumps(problem)


async def test_one_person_cannot_take_a_service_for_himself(serve: Callable[..., Any]) -> None:
    async with serve(person_calls_per_second=0.1, person_calls_at_once=3) as (port, _):
        post = head("POST", "/v1/slow/body", Content_Length="2")
        answers = [await ask(port, post, b"ab") for _ in range(4)]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        _, headers, problem = answers[-1]
        assert problem["type"] == "/problems/too-many-requests"
        assert 1 <= int(headers["retry-after"]) <= 10
        other = post.replace(testing.token(["AUDITOR"]).encode(), testing.token(["AUDITOR"], subject="another").encode())
        assert (await ask(port, other, b"ab"))[0] == 200


async def test_a_body_that_trickles_is_cut_and_one_that_grows_too(serve: Callable[..., Any]) -> None:
    async with serve(body_pause_seconds=0.3) as (port, _):
        post = head("POST", "/v1/slow/body", Content_Length="10")
        status, headers, problem = await ask(port, post, b"12345")
        assert (status, problem["type"], headers["connection"]) == (408, "/problems/slow-request", "close")
        assert (await ask(port, post, b"12345", b"67890"))[2] == {"bytes": 10}
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        status, headers, problem = await ask(port, head("POST", "/v1/slow/body", Transfer_Encoding="chunked"), *[chunk] * 33, b"0\r\n\r\n")
        assert (status, problem["type"], headers["connection"]) == (413, "/problems/payload-too-large", "close")
    async with serve(request_seconds=0.5) as (port, _):
        assert (await ask(port, post, b"12345"))[0] == 408


async def test_headers_and_addresses_have_a_weight(serve: Callable[..., Any]) -> None:
    async with serve() as (port, _):
        for request in (head("GET", "/v1/slow/endless", X_Heavy="x" * 33_000), head("GET", "/v1/slow/endless?q=" + "x" * 33_000)):
            status, _, problem = await ask(port, request)
            assert (status, problem["type"]) == (431, "/problems/headers-too-large")
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="9" * 30)))[0] in (400, 413)


async def test_too_many_at_once_are_told_to_come_back(serve: Callable[..., Any]) -> None:
    async with serve(requests_at_once=3, request_seconds=2.0) as (port, app):
        slow = [asyncio.create_task(ask(port, head("GET", "/v1/slow/statement"))) for _ in range(3)]
        edge = app.middleware_stack
        async with asyncio.timeout(10):
            while app.state.db.engine.pool.checkedout() < 3:
                await asyncio.sleep(0.01)
        assert edge is not None
        status, headers, problem = await ask(port, head("GET", "/v1/slow/endless"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "1")
        assert (await ask(port, head("GET", "/health/live")))[0] == 200, "who watches over us is always answered"
        assert {status for status, _, _ in await asyncio.gather(*slow)} == {503}
        assert (await ask(port, head("GET", "/v1/slow/endless", Connection="close")))[0] == 200, "the places came back"


async def test_nobody_waits_long_for_a_connection_to_the_database(serve: Callable[..., Any]) -> None:
    async with serve(pool=1, request_seconds=3.0) as (port, _):
        answers = await asyncio.gather(*(ask(port, head("GET", "/v1/slow/statement")) for _ in range(5)))
        assert [status for status, _, _ in answers] == [503] * 5
        assert sorted(headers["retry-after"] for _, headers, _ in answers) == ["30", "5", "5", "5", "5"]
