"""What a request may weigh and how long it may take, over real sockets: the answer is a problem, the place and the connection come back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import pytest
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request

from common import testing
from common.auth import Actor, Role, require
from common.db import Database
from common.edge import Edge
from common.sealing import Keyring
from common.settings import MechanismSettings
from common.streams import StreamingResponse
from common.web import create_app

Auditor = Annotated[Actor, Depends(require(Role.AUDITOR))]
#: Who is at it in the database now.
SLOW = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%the slow one%' AND state = 'active' AND pid <> pg_backend_pid()"


def slow_things(db: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/slow")

    @router.get("/statement")
    async def statement(_actor: Auditor) -> None:
        async with db.transaction() as tx:
            await tx.value("SELECT pg_sleep(30) /* the slow one */")

    @router.post("/body")
    async def body(request: Request, _actor: Auditor) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.post("/notice")
    async def notice(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/rows")
    async def rows(_actor: Auditor) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            async with db.read() as tx:
                async for _ in tx.stream("SELECT repeat('x', 1000) AS row FROM generate_series(1, 100000)"):
                    yield b"x" * 1000

        return StreamingResponse(parts())

    @router.get("/endless")
    async def endless(_actor: Auditor) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(20):
                await asyncio.sleep(0.1)  # house: sleep - the answer itself is slow; this is what is tested
                yield b"."

        return StreamingResponse(parts())

    return router


@asynccontextmanager
async def serving(pg_url: str, keys_file: Path, keyring: Keyring, *, pool: int = 10, **limits: Any) -> AsyncIterator[tuple[int, FastAPI]]:
    url = pg_url.replace("postgresql://", "postgresql+psycopg://")
    db = Database(url, keyring=keyring, pool_size=pool, pool_seconds=0.3)
    settings = MechanismSettings(database_url=url, keys_file=keys_file, environment="development", **limits)
    app = create_app(title="edge", description="edge", settings=settings, db=db, routers=[slow_things(db)], public=("/v1/slow/notice",))
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


async def at_work(pg_url: str, count: int) -> None:
    """Until so many are at the slow statement."""
    with psycopg.connect(pg_url, autocommit=True) as conn:
        async with asyncio.timeout(20):
            while len(conn.execute(SLOW).fetchall()) != count:
                await asyncio.sleep(0.01)


def edge_of(app: FastAPI) -> Edge:
    """The edge around the app, as it was built for serving."""
    layer: Any = app.middleware_stack
    while not isinstance(layer, Edge):
        layer = layer.app
    return layer


@pytest.fixture
def serve(pg_url: str, keys_file: Callable[[str], Path], keyring: Callable[[str], Keyring]) -> Callable[..., Any]:
    return lambda **limits: serving(pg_url, keys_file("registry"), keyring("registry"), **limits)


async def test_what_takes_too_long_is_given_up_and_its_statement_with_it(serve: Callable[..., Any], pg_url: str) -> None:
    async with serve(request_seconds=1.5) as (port, _):
        status, headers, problem = await ask(port, head("GET", "/v1/slow/statement"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "30")
        await at_work(pg_url, 0)  # of itself it ends after 30 s
        # An answer that has begun is not cut.
        status, _, body = await ask(port, head("GET", "/v1/slow/endless", Connection="close"))
        assert status == 200
        assert body.count(b".") == 20


async def test_the_database_itself_ends_a_statement_of_a_process_that_answers_people(serve: Callable[..., Any]) -> None:
    async with serve() as (port, app):
        app.state.db.limit_statements(0.3)
        status, headers, problem = await ask(port, head("GET", "/v1/slow/statement"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "5")
        assert "pg_sleep" not in json.dumps(problem)


async def test_who_sends_a_body_is_known_before_it_is_taken(serve: Callable[..., Any]) -> None:
    async with serve(requests_at_once=3) as (port, _):
        nobody = head("POST", "/v1/slow/body", Content_Length="60000000", Authorization="")
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        for _, writer in waiting:
            writer.write(nobody.replace(b"60000000", b"6000"))  # not one byte of it follows
        answers = [await answer_of(reader) for reader, _ in waiting]
        assert {(status, problem["type"], headers["connection"]) for status, headers, problem in answers} == {
            (401, "/problems/unauthenticated", "close")
        }
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="2", Authorization="Bearer x.y.z")))[0] == 401
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="2"), b"ab"))[0] == 200
        for _, writer in waiting:
            writer.close()


async def test_who_need_not_be_known_takes_a_part_of_the_places_only(serve: Callable[..., Any]) -> None:
    """Anybody may send to where a signature in the body is the proof, as slowly as a body may come: others must still be served."""
    async with serve(requests_at_once=8, bodies_in_hand_bytes=4000) as (port, app):
        edge = edge_of(app)
        notice = head("POST", "/v1/slow/notice", Content_Length="400", Authorization="")
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        for _, writer in waiting:
            writer.write(notice)  # not one byte of it follows
        answers = [asyncio.create_task(answer_of(reader)) for reader, _ in waiting]
        async with asyncio.timeout(20):
            while edge.in_hand + sum(answer.done() for answer in answers) < 8:
                await asyncio.sleep(0.01)
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="2"), b"ab"))[0] == 200
        refused = [answer.result() for answer in answers if answer.done()]
        assert {(status, problem["type"], headers["retry-after"]) for status, headers, problem in refused} == {
            (503, "/problems/service-unavailable", "1")
        }
        assert len(refused) == 6, "a quarter of the places is theirs"
        for (_, writer), answer in zip(waiting, answers, strict=True):
            if not answer.done():
                writer.write(b"x" * 400)
                assert (await answer)[2] == {"bytes": 400}
            writer.close()
        assert edge.of_strangers == edge.stranger_bytes == 0
        big = head("POST", "/v1/slow/notice", Content_Length="1001", Authorization="")
        status, headers, _ = await ask(port, big, b"x" * 1001)
        assert (status, headers["retry-after"]) == (503, "10"), "and a quarter of the bytes"
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="1001"), b"x" * 1001))[0] == 200


async def test_bodies_in_hand_have_a_sum(serve: Callable[..., Any]) -> None:
    async with serve(bodies_in_hand_bytes=1000, body_pause_seconds=30.0) as (port, app):
        post = head("POST", "/v1/slow/body", Content_Length="800")
        first_reader, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(post + b"x" * 700)
        await first.drain()
        edge = edge_of(app)
        async with asyncio.timeout(20):
            while edge.bytes_in_hand < 700:
                await asyncio.sleep(0.01)
        status, headers, problem = await ask(port, post, b"x" * 800)
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "10")
        first.write(b"x" * 100)
        assert (await answer_of(first_reader))[2] == {"bytes": 800}
        first.close()
        assert edge.bytes_in_hand == 0
        assert (await ask(port, post, b"x" * 800))[2] == {"bytes": 800}


async def test_who_does_not_read_holds_no_connection_of_the_database(serve: Callable[..., Any]) -> None:
    """One person with many slow downloads would stop the service, its health check too."""
    async with serve(reading_pause_seconds=2.0, answers_of_one_person=2, pool=2) as (port, app):
        slow = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.write(head("GET", "/v1/slow/rows"))
            slow.append((reader, writer))
        async with asyncio.timeout(20):
            while edge_of(app).answers["tester"] < 2:
                await asyncio.sleep(0.01)
        status, headers, problem = await ask(port, head("GET", "/v1/slow/endless"))
        assert (status, problem["type"], headers["retry-after"]) == (429, "/problems/too-many-requests", "5")
        done = await ask(port, head("POST", "/v1/slow/body", Content_Length="2"), b"ab")
        assert (done[0], done[2]) == (200, {"bytes": 2}), "what was done is never answered as refused"
        async with asyncio.timeout(20):
            while edge_of(app).answers["tester"]:
                await asyncio.sleep(0.01)
        assert (await ask(port, head("GET", "/health/ready")))[0] == 200
        assert not edge_of(app).answers
        for _, writer in slow:
            writer.close()


async def test_one_person_cannot_take_a_service_for_himself(serve: Callable[..., Any]) -> None:
    async with serve(person_calls_per_second=0.1, person_calls_at_once=3) as (port, _):
        post = head("POST", "/v1/slow/body", Content_Length="2")
        answers = [await ask(port, post, b"ab") for _ in range(4)]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        _, headers, problem = answers[-1]
        assert problem["type"] == "/problems/too-many-requests"
        assert 1 <= int(headers["retry-after"]) <= 10
        other = head("POST", "/v1/slow/body", Content_Length="2", Authorization=f"Bearer {testing.token(['AUDITOR'], subject='another')}")
        assert (await ask(port, other, b"ab"))[0] == 200


async def test_a_body_that_trickles_is_cut_and_one_that_grows_too(serve: Callable[..., Any]) -> None:
    async with serve(body_pause_seconds=0.3) as (port, _):
        post = head("POST", "/v1/slow/body", Content_Length="10")
        status, headers, problem = await ask(port, post, b"12345")
        assert (status, problem["type"], headers["connection"]) == (408, "/problems/slow-request", "close")
    async with serve() as (port, _):
        assert (await ask(port, post, b"12345", b"67890"))[2] == {"bytes": 10}
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        status, headers, problem = await ask(port, head("POST", "/v1/slow/body", Transfer_Encoding="chunked"), *[chunk] * 33, b"0\r\n\r\n")
        assert (status, problem["type"], headers["connection"]) == (413, "/problems/payload-too-large", "close")
    async with serve(request_seconds=1.0) as (port, _):
        assert (await ask(port, post, b"12345"))[0] == 408


async def test_headers_and_addresses_have_a_weight(serve: Callable[..., Any]) -> None:
    async with serve() as (port, _):
        for request in (head("GET", "/v1/slow/endless", X_Heavy="x" * 33_000), head("GET", "/v1/slow/endless?q=" + "x" * 33_000)):
            status, _, problem = await ask(port, request)
            assert (status, problem["type"]) == (431, "/problems/headers-too-large")
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="9" * 30)))[0] in (400, 413)


async def test_too_many_at_once_are_told_to_come_back(serve: Callable[..., Any], pg_url: str) -> None:
    async with serve(requests_at_once=3) as (port, app):
        slow = [asyncio.create_task(ask(port, head("GET", "/v1/slow/statement"))) for _ in range(3)]
        edge = app.middleware_stack
        await at_work(pg_url, 3)
        assert edge is not None
        status, headers, problem = await ask(port, head("GET", "/v1/slow/endless"))
        assert (status, problem["type"], headers["retry-after"]) == (503, "/problems/service-unavailable", "1")
        assert (await ask(port, head("GET", "/health/live")))[0] == 200, "who watches over us is always answered"
        with psycopg.connect(pg_url, autocommit=True) as conn:
            conn.execute(f"SELECT pg_cancel_backend(pid) FROM ({SLOW}) AS slow")
        assert {status for status, _, _ in await asyncio.gather(*slow)} == {503}
        assert (await ask(port, head("POST", "/v1/slow/body", Content_Length="2"), b"ab"))[0] == 200, "the places came back"


async def test_nobody_waits_long_for_a_connection_to_the_database(serve: Callable[..., Any]) -> None:
    async with serve(pool=1, request_seconds=3.0) as (port, _):
        answers = await asyncio.gather(*(ask(port, head("GET", "/v1/slow/statement")) for _ in range(5)))
        assert [status for status, _, _ in answers] == [503] * 5
        assert sorted(headers["retry-after"] for _, headers, _ in answers) == ["30", "5", "5", "5", "5"]
