"""The worker process of a service: relay, consumer, loops, and a small health and metrics server."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from common.audit_chain import anchor_once, seal_once
from common.consumer import Consumer, Subscription, asked_to_end
from common.db import Database
from common.erasure_keys import note_destroyed
from common.housekeeping import clean
from common.invariants import Checker, Invariant
from common.relay import Relay
from common.restored import Look, OnRestore
from common.retention import Keep, apply_terms
from common.saturation import note, watch
from common.settings import MechanismSettings
from common.telemetry import get_logger

__all__ = ["Loop", "every", "owner_name", "run_worker"]

_STOP_SECONDS: Final = 15.0
_RESTART_SECONDS: Final = 1.0
_CLEAN_SECONDS: Final = 600.0
_REPLAY_SECONDS: Final = 2.0
_INVARIANTS_SECONDS: Final = 15.0
_SEAL_SECONDS: Final = 1.0
_LIFE: Final = secrets.token_hex(4)
_log = get_logger(__name__)

Run = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Loop:
    """A named piece of work that runs until told to stop."""

    name: str
    run: Run


def owner_name() -> str:
    """Who holds a lease: host, process, and this life of it (a container that starts again has the same host and number)."""
    return f"{socket.gethostname()}:{os.getpid()}:{_LIFE}"


def every(seconds: float, work: Callable[[], Awaitable[bool]]) -> Run:
    """Run `work` again at once while it returns True, else after `seconds`."""

    async def run(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await work():
                await _wait(stop, seconds)

    return run


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _keep(loop: Loop, stop: asyncio.Event) -> None:
    """A loop that ends by an exception is logged and started again: one defect must not stop the others.

    So is one that ends by a cancellation that nobody asked for (a client's own task, cancelled inside it): it would end in silence.
    """
    while not stop.is_set():
        try:
            await loop.run(stop)
            return
        except (Exception, asyncio.CancelledError):
            if asked_to_end():
                raise
            _log.exception("worker.loop_failed", loop=loop.name)
            await _wait(stop, _RESTART_SECONDS)


def _producer(settings: MechanismSettings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_idempotence=settings.kafka_idempotence,
        acks="all",
        linger_ms=0,
        max_batch_size=900_000,
        max_request_size=1_000_000,
        request_timeout_ms=20_000,
    )


def _health(relay: Relay | None) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/health/live")
    async def live() -> dict[str, object]:
        return {"status": "live", "partitions": relay.owned if relay else []}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


async def run_worker(
    settings: MechanismSettings,
    db: Database,
    name: str,
    subscriptions: Sequence[Subscription],
    loops: Sequence[Loop] = (),
    *,
    invariants: Sequence[Invariant] = (),
    on_restore: OnRestore | None = None,
    retention: Sequence[Keep] = (),
) -> None:
    """Run until SIGTERM or SIGINT; work in hand is finished, then everything closes.

    `on_restore`: what must stop when the database turns out to have been put back to the past (`common.restored`).
    `retention`: the service's own rules, by which housekeeping empties or deletes what is past its term.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    look = Look(
        db, name, settings.kafka_bootstrap, settings.replay_window_days, on_restore, log_is_kept=settings.environment == "production"
    )
    relay = Relay(db, lambda: _producer(settings), name, look=look)

    places: dict[str, int] = {}

    async def housekeeping() -> bool:
        await note_destroyed(db, settings.erasure_key_days)
        more = await clean(db, settings.replay_window_days, settings.retention_days)
        return await apply_terms(db, retention, places) or more

    work = [Loop("relay", relay.run), Loop("housekeeping", every(_CLEAN_SECONDS, housekeeping)), *loops]
    work.append(Loop("invariants", every(_INVARIANTS_SECONDS, Checker(db, invariants).round)))
    watch(db)
    work.append(Loop("saturation", every(_INVARIANTS_SECONDS, lambda: note(db))))
    work += [
        Loop("audit-seal", every(_SEAL_SECONDS, lambda: seal_once(db))),
        Loop("audit-anchors", every(settings.audit_anchor_seconds, lambda: anchor_once(db, name, settings.audit_anchors_file))),
    ]
    if subscriptions:
        consumer = Consumer(
            db,
            name,
            subscriptions,
            bootstrap=settings.kafka_bootstrap,
            group=name + settings.kafka_group_suffix,
            session_ms=settings.kafka_session_timeout_ms,
            heartbeat_ms=settings.kafka_heartbeat_ms,
        )
        work += [Loop("consumer", consumer.run), Loop("replay-parked", every(_REPLAY_SECONDS, consumer.replay_approved))]
    server = uvicorn.Server(
        uvicorn.Config(_health(relay), host=settings.http_host, port=settings.worker_port, log_config=None, access_log=False)
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    http = asyncio.create_task(server._serve())  # noqa: SLF001 - serve() would take over the signals
    tasks = [asyncio.create_task(_keep(item, stop), name=item.name) for item in work]
    _log.info("worker.started", loops=[item.name for item in work])
    await stop.wait()
    _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for task in late:
        task.cancel()
    server.should_exit = True
    await asyncio.gather(http, *late, return_exceptions=True)
    await db.close()
    _log.info("worker.stopped", late=[task.get_name() for task in late])
