"""HTTP of the population simulator."""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Body, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from simulators.population import books, files
from simulators.population.answers import answer
from simulators.population.behaviour import Behaviour
from simulators.population.config import Correction, PopulationConfig, Script
from simulators.serving import health
from simulators.sqlite_lane import Lane, WorldLink

__all__ = ["MAX_PERSONS", "create_app"]

MAX_PERSONS = 1000
_MAX_BODY = 1 << 20


def create_app(config: PopulationConfig) -> FastAPI:
    """The simulator as an application; it opens its books when it starts."""
    world = WorldLink(config.world)
    behaviour = Behaviour(config)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # OFF: the counts outlive a killed process, and nobody needs them after a power cut.
        app.state.lane = Lane(config.state, books.DDL, "OFF")
        yield
        app.state.lane.close()

    app = FastAPI(title="Population database (simulator)", version="1", lifespan=lifespan)
    health(app)
    door = _Door(config, behaviour)
    _checks(app, door, world, behaviour)
    _lists(app, door, world, behaviour)
    _control(app, world, behaviour)
    return app


class _Door:
    """What stands before every answer: the token, and the scripted trouble."""

    def __init__(self, config: PopulationConfig, behaviour: Behaviour) -> None:
        self._token = config.token
        self._behaviour = behaviour

    async def pass_through(self, request: Request) -> None:
        """Let the request through, late, or not at all."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), self._token.encode()):
            raise HTTPException(401, "bearer token missing or wrong", {"WWW-Authenticate": "Bearer"})
        if self._behaviour.outage_until > time.monotonic():
            raise HTTPException(503, "population database is away")
        if self._behaviour.latency_ms:
            await asyncio.sleep(self._behaviour.latency_ms / 1000)
        if self._behaviour.fails_now():
            raise HTTPException(500, "internal error")

    def too_many(self, persons: int) -> Response | None:
        """The answer to a request over the rate."""
        wait = self._behaviour.wait_seconds(persons, time.monotonic())
        return JSONResponse({"detail": "too many persons a second"}, 429, {"Retry-After": str(wait)}) if wait else None


def _checks(app: FastAPI, door: _Door, world: WorldLink, behaviour: Behaviour) -> None:
    @app.post("/v1/checks", summary="Compare up to 1,000 persons with the population database")
    async def checks(request: Request) -> Response:
        await door.pass_through(request)
        persons = _persons(await request.body())
        if (refused := door.too_many(len(persons))) is not None:
            return refused
        results = await _answers(app.state.lane, world, persons)
        behaviour.bend(results, [person["number"] for person in persons])
        if behaviour.talks_nonsense():
            return HTMLResponse("<html><body>Bảo trì hệ thống</body></html>")
        return Response(behaviour.told(results, [person["number"] for person in persons]), media_type="application/json")

    @app.post("/v1/check", summary="Compare one person with the population database")
    async def check(request: Request) -> Response:
        await door.pass_through(request)
        persons = _persons(b'{"persons":[' + await request.body() + b"]}")
        if (refused := door.too_many(len(persons))) is not None:
            return refused
        results = await _answers(app.state.lane, world, persons)
        behaviour.bend(results, [person["number"] for person in persons])
        return Response(orjson.dumps(results[0]), media_type="application/json")


def _lists(app: FastAPI, door: _Door, world: WorldLink, behaviour: Behaviour) -> None:
    @app.post("/v1/files", summary="The police answer a list (CSV), row by row")
    async def answer_file(request: Request) -> Response:
        await door.pass_through(request)
        try:
            rows, head, asked = files.read(await request.body())
        except (files.NotAListError, UnicodeDecodeError):
            raise HTTPException(400, "not a list of people to check") from None
        results: list[dict[str, Any]] = []
        for start in range(0, len(asked), MAX_PERSONS):
            results += await _answers(app.state.lane, world, asked[start : start + MAX_PERSONS])
        behaviour.bend(results, [person["number"] for person in asked])
        return Response(files.answered(rows, head, results, behaviour.accounts), media_type="text/csv")

    @app.get("/v1/deaths", summary="Deaths recorded since a day, in the order they were recorded")
    async def deaths(
        request: Request,
        since: date = date(1900, 1, 1),
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> dict[str, Any]:
        await door.pass_through(request)
        try:
            return await _lane(app).run(lambda connection: books.deaths(connection, world, since.isoformat(), cursor, limit))
        except books.WorldMissingError:
            raise HTTPException(503, "no population data yet") from None
        except ValueError as error:
            raise HTTPException(400, str(error)) from None


def _control(app: FastAPI, world: WorldLink, behaviour: Behaviour) -> None:
    @app.get("/control/script", summary="What is in force")
    async def script_state() -> dict[str, Any]:
        return behaviour.state(time.monotonic())

    @app.post("/control/script", summary="Script outages, slowness, errors, rate and lies")
    async def script(script: Script) -> dict[str, Any]:
        return behaviour.apply(script, time.monotonic())

    @app.post("/control/accounts", summary="What the police know of people's accounts, for answered lists: number → match or mismatch")
    async def accounts(known: Annotated[dict[str, Literal["match", "mismatch"]], Body(max_length=10_000)]) -> dict[str, int]:
        behaviour.accounts |= known
        return {"known": len(behaviour.accounts)}

    @app.post("/control/corrections", summary="Change or add persons; kept over a restart")
    async def corrections(corrections: Annotated[list[Correction], Body(embed=True, max_length=10_000)]) -> dict[str, int]:
        try:
            count = await _lane(app).run(lambda connection: books.correct(connection, world, corrections, _now()))
        except books.WorldMissingError:
            raise HTTPException(503, "no population data yet") from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return {"corrected": count}

    @app.get("/control/asked", summary="How many times each number was asked, and under which refs")
    async def asked(
        min_times: Annotated[int, Query(ge=1)] = 1,
        number: str | None = None,
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> dict[str, Any]:
        return await _lane(app).run(lambda connection: books.asked(connection, min_times, number, after, limit))


def _persons(body: bytes) -> list[dict[str, Any]]:
    if len(body) > _MAX_BODY:
        raise HTTPException(413, "body is larger than 1 MiB")
    try:
        persons = orjson.loads(body)["persons"]
        fit = all(isinstance(person["ref"], str) and isinstance(person["number"], str) for person in persons)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise HTTPException(400, 'expected {"persons": [{"ref", "number", ...}]}') from None
    if not fit:
        raise HTTPException(400, "ref and number must be text")
    if not 1 <= len(persons) <= MAX_PERSONS:
        raise HTTPException(413 if persons else 400, f"1 to {MAX_PERSONS} persons a request")
    return list(persons)


async def _answers(lane: Lane, world: WorldLink, persons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    checked_at = _now()

    def work(connection: sqlite3.Connection) -> list[dict[str, Any]]:
        known = books.look_up(connection, world, [person["number"] for person in persons])
        books.count_asked(connection, ((person["number"], person["ref"]) for person in persons))
        return [answer(person, known.get(person["number"]), checked_at) for person in persons]

    try:
        return await lane.run(work)
    except books.WorldMissingError:
        raise HTTPException(503, "no population data yet") from None


def _lane(app: FastAPI) -> Lane:
    lane: Lane = app.state.lane
    return lane


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
