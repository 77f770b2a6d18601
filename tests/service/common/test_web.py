"""Tokens, roles, problems, idempotency and limits, over a small app on a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import httpx
import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Depends, FastAPI, Request, UploadFile
from pydantic import BaseModel, ConfigDict

from common import audit, idempotency, jobs, testing
from common.actor import SYSTEM, Actor, Role
from common.auth import require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.ids import new_id
from common.problems import Conflict
from common.schema import audit_chain_ddl, mechanism_ddl, restore_ddl, trace_ddl
from common.sealing import Keyring
from common.settings import MechanismSettings
from common.web import create_app, jobs_router, quiet_router


class Order(BaseModel):
    """What the test route takes."""

    model_config = ConfigDict(extra="forbid")

    amount: int
    fail: bool = False


class Made(BaseModel):
    """What it answers."""

    id: str
    amount: int


def orders(db: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/orders")

    @router.post("", status_code=201)
    async def create(
        order: Order, request: Request, key: IdempotencyKey, actor: Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
    ) -> Made:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            await tx.execute("INSERT INTO made (amount) VALUES (:amount)", amount=order.amount)
            await audit.record(tx, "order.made", "order", "1", audit.Created({"amount": order.amount}))
            if order.fail:
                raise Conflict("refused after the write")
            return 201, Made(id=str(new_id()), amount=order.amount)

        answer = await idempotency.run(db, actor, key, "POST /v1/orders", await request.body(), effect)
        return Made(**answer.body)

    @router.post("/list")
    async def take_list(file: UploadFile, _actor: Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]) -> dict[str, bool]:
        return {"in_memory": file._in_memory}

    @router.get("/crash")
    async def crash(_actor: Annotated[Actor, Depends(require(Role.AUDITOR))]) -> None:
        raise RuntimeError("secret detail 060123456789")

    return router


@pytest.fixture
async def app(pg_url: str, keys_file: Callable[[str], Path], keyring: Callable[[str], Keyring]) -> AsyncIterator[FastAPI]:
    name = f"web_{new_id().hex}"
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    url = pg_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(mechanism_ddl() + audit_chain_ddl() + restore_ddl() + trace_ddl())
        conn.execute("CREATE TABLE made (amount bigint NOT NULL)")
    url = url.replace("postgresql://", "postgresql+psycopg://")
    db = Database(url, keyring=keyring("registry"))
    settings = MechanismSettings(database_url=url, keys_file=keys_file("registry"), environment="development")
    made = create_app(
        title="test",
        description="test",
        settings=settings,
        db=db,
        routers=[orders(db), jobs_router(db, Role.AUDITOR), quiet_router(db)],
        body_limits={"/v1/orders/list": 4_000_000},
    )
    yield made
    await db.close()
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_the_same_key_gives_the_same_answer_once(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app, Role.DEPARTMENT_OFFICER)
    answers = await asyncio.gather(
        *(http.post("/v1/orders", json={"amount": 5}, headers={"Idempotency-Key": "k-1234567"}) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await http.post("/v1/orders", json={"amount": 6}, headers={"Idempotency-Key": "k-1234567"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
    missing = await http.post("/v1/orders", json={"amount": 6})
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["field"] == "header.Idempotency-Key"
    async with app.state.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM made") == 1
        assert await tx.value("SELECT count(*) FROM audit_log") == 1
        assert b"amount" not in bytes(await tx.value("SELECT answer FROM idempotency_key"))


async def test_two_people_at_one_console_do_not_share_keys(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    """Everybody who signs in at the console carries its client id."""
    people = [client_as(app, Role.DEPARTMENT_OFFICER, subject=name, azp="console") for name in ("an", "binh")]
    first, second = [await client.post("/v1/orders", json={"amount": 5}, headers={"Idempotency-Key": "order-0001"}) for client in people]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_a_refused_effect_leaves_nothing_and_frees_the_key(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app, Role.DEPARTMENT_OFFICER)
    refused = await http.post("/v1/orders", json={"amount": 7, "fail": True}, headers={"Idempotency-Key": "k-7654321"})
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    async with app.state.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM made") == 0
    assert (await http.post("/v1/orders", json={"amount": 7}, headers={"Idempotency-Key": "k-7654321"})).status_code == 201


async def test_a_field_that_does_not_fit_is_told_in_both_languages(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app, Role.DEPARTMENT_OFFICER)
    headers = {"Idempotency-Key": "k-two-languages"}
    missing = (await http.post("/v1/orders", json={}, headers=headers)).json()["errors"]
    assert missing == [{"field": "amount", "detail": "Field required", "detail_vi": "thiếu trường bắt buộc"}]
    (wrong,) = (await http.post("/v1/orders", json={"amount": "năm"}, headers=headers)).json()["errors"]
    assert (wrong["field"], wrong["detail_vi"]) == ("amount", "phải là số nguyên")


async def test_broken_json_and_other_methods_are_told_as_such(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app, Role.DEPARTMENT_OFFICER)
    headers = {"Idempotency-Key": "k-broken-json", "Content-Type": "application/json"}
    broken = await http.post("/v1/orders", content=b"{bad", headers=headers)
    assert broken.status_code == 422
    assert broken.json()["errors"][0]["field"] == "body"
    assert broken.json()["detail"].startswith("body: ")
    other = await http.delete("/v1/orders")
    assert (other.status_code, other.json()["type"]) == (405, "/problems/method-not-allowed")


async def test_problems_say_the_field_and_never_the_inside(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app, Role.DEPARTMENT_OFFICER, Role.AUDITOR)
    bad = await http.post("/v1/orders", json={"amount": "x", "extra": 1}, headers={"Idempotency-Key": "k-7654321"})
    assert {error["field"] for error in bad.json()["errors"]} == {"amount", "extra"}
    crash = await http.get("/v1/orders/crash", headers={"X-Request-ID": "abc-1"})
    assert (crash.status_code, crash.json()["request_id"]) == (500, "abc-1")
    assert "060123456789" not in crash.text
    large = await http.post("/v1/orders", content=b"x" * (1024 * 1024 + 1), headers={"Idempotency-Key": "k-7654321"})
    assert large.status_code == 413
    unknown = await http.get("/nowhere")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")


def _token(**changes: Any) -> str:
    key = changes.pop("signing_key", testing._TOKEN_KEY)
    header = changes.pop("header", {"kid": "test"})
    algorithm = changes.pop("algorithm", "RS256")
    now = int(time.time())
    claims = {
        "sub": "a",
        "roles": ["AUDITOR"],
        "units": ["60"],
        "iss": "http://issuer.test",
        "aud": "ansinh",
        "iat": now,
        "exp": now + 60,
    } | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm, headers=header)


BAD_TOKENS = {
    "none": lambda: _token(signing_key=None, algorithm="none"),
    "hmac": lambda: _token(signing_key="x" * 64, algorithm="HS256"),
    "other key": lambda: _token(signing_key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "unknown kid": lambda: _token(header={"kid": "other"}),
    "no kid": lambda: _token(header={}),
    "expired": lambda: _token(exp=int(time.time()) - 120),
    "future": lambda: _token(nbf=int(time.time()) + 600),
    "other audience": lambda: _token(aud="someone"),
    "other issuer": lambda: _token(iss="http://evil.test"),
    "no expiry": lambda: _token(exp=None),
    "no subject": lambda: _token(sub=None),
    "garbage": lambda: "not.a.token",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_is_refused(kind: str, app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    http = client_as(app)
    answer = await http.get("/v1/quiet", headers={"Authorization": f"Bearer {BAD_TOKENS[kind]()}"})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")


async def test_roles_and_absence_of_a_token(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    assert (await client_as(app).get("/v1/quiet")).status_code == 401
    assert (await client_as(app, Role.COMMUNE_OFFICER).get("/v1/quiet")).status_code == 403
    assert (await client_as(app, Role.AUDITOR).get("/v1/quiet")).json()["quiet"] is True


async def test_an_uploaded_list_never_lies_in_a_temporary_file(app: FastAPI, client_as: Callable[..., httpx.AsyncClient]) -> None:
    """A list holds national and account numbers in the clear; Starlette writes parts over 1 MiB to disk unless told otherwise."""
    http = client_as(app, Role.DEPARTMENT_OFFICER)
    answer = await http.post("/v1/orders/list", files={"file": ("list.csv", b"x" * 3_500_000)})
    assert (answer.status_code, answer.json()) == (200, {"in_memory": True})


async def test_a_route_without_a_role_stops_the_service(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/v1/open")
    async def forgotten() -> None: ...

    arguments: dict[str, Any] = {"title": "t", "description": "d", "settings": app.state.settings, "db": app.state.db, "routers": [router]}
    with pytest.raises(RuntimeError, match="/v1/open names no role"):
        create_app(**arguments)
    create_app(**arguments, public=["/v1/open"])


async def test_a_job_is_taken_over_when_its_worker_dies(app: FastAPI) -> None:
    db: Database = app.state.db
    done: list[int] = []

    async def handler(job: jobs.Job) -> dict[str, Any]:
        done.append(job.attempt)
        return {"attempt": job.attempt}

    async with db.transaction(SYSTEM("test")) as tx:
        job_id = await jobs.create(tx, "count", {}, date(2024, 8, 20))
    async with db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE job SET state = 'RUNNING', attempts = 1, lease_owner = 'dead', lease_until = now() + interval '1 hour'")
    runner = jobs.JobRunner(db, {"count": handler}, owner="b")
    assert not await runner.run_one()
    async with db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE job SET lease_until = now() - interval '1 second'")
    assert await runner.run_one()
    assert done == [2]
    async with db.read() as tx:
        row = await tx.row("SELECT state, result FROM job WHERE id = :id", id=job_id)
        assert row is not None
        assert (row["state"], row["result"]) == ("DONE", {"attempt": 2})


@pytest.mark.parametrize("late", ["result", "failure"])
async def test_a_worker_that_lost_its_job_decides_nothing_about_it(late: str, app: FastAPI) -> None:
    db: Database = app.state.db
    async with db.transaction(SYSTEM("test")) as tx:
        job_id = await jobs.create(tx, "slow", {}, date(2024, 8, 20))
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: jobs.Job) -> dict[str, Any]:
        started.set()
        await go_on.wait()
        if late == "failure":
            raise ConnectionError("the database went away")
        return {"by": "the one that lost it"}

    async def quick(_job: jobs.Job) -> dict[str, Any]:
        return {"by": "the one that took over"}

    first = asyncio.create_task(jobs.JobRunner(db, {"slow": slow}, owner="a").run_one())
    await started.wait()
    async with db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE id = :id", id=job_id)
    assert await jobs.JobRunner(db, {"slow": quick}, owner="b").run_one()
    go_on.set()
    await asyncio.gather(first, return_exceptions=True)
    async with db.read() as tx:
        row = await tx.row("SELECT state, result FROM job WHERE id = :id", id=job_id)
    assert row is not None
    assert (row["state"], row["result"]) == ("DONE", {"by": "the one that took over"})
