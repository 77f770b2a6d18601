"""`python -m <service>.main api|worker|migrate`: the same three commands for every service."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any, TypeVar

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import ValidationError

from common import clock, failpoints, tracing
from common.garbage import collect_seldom
from common.http import keep_to
from common.migrate import upgrade
from common.refusals import refusals
from common.rekey import reseal
from common.saturation import watch
from common.sealing import Keyring
from common.settings import MechanismSettings
from common.telemetry import configure_logging

__all__ = ["server_config", "service_main"]

S = TypeVar("S", bound=MechanismSettings)


def _read(settings_class: type[S]) -> S:
    try:
        return settings_class()
    except ValidationError as error:
        prefix = settings_class.model_config.get("env_prefix", "")
        for item in error.errors():
            name = prefix + "_".join(str(part) for part in item["loc"]).upper()
            sys.stderr.write(f"setting {name}: {item['msg']}\n")
        raise SystemExit(2) from None


def service_main(
    package: str,
    settings_class: type[S],
    make_app: Callable[[S], FastAPI],
    run: Callable[[S], Awaitable[None]],
    *,
    after_migrate: Callable[[S], Awaitable[Any]] | None = None,
    sealed: Sequence[str] = (),
) -> None:
    """Dispatch the command line of a service. `make_app` builds the API, `run` is the worker, `after_migrate` loads reference data.

    `sealed`: the fields it keeps encrypted, which `reseal` puts under the newest key.
    """
    commands = ("api", "worker", "migrate", "reseal")
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command not in commands:
        sys.stderr.write(f"usage: python -m {package}.main {'|'.join(commands)}\n")
        raise SystemExit(2)
    settings = _read(settings_class)
    refused = refusals(settings)
    if refused:
        sys.stderr.write("".join(f"refused in production: {line}\n" for line in refused))
        raise SystemExit(2)
    keep_to(production=settings.environment == "production")
    configure_logging(settings.log_level, package.replace("_", "-"), command)
    failpoints.arm(os.environ.get("ANSINH_FAILPOINTS", ""), production=settings.environment == "production")
    clock.shift(os.environ.get("ANSINH_CLOCK_OFFSET_SECONDS", ""), production=settings.environment == "production")
    if command in ("api", "worker"):
        tracing.begin(settings, package.replace("_", "-"), command)
    if command == "migrate":
        upgrade(settings, package)
        if after_migrate is not None:
            uvloop.run(_call(after_migrate, settings))
    elif command == "reseal":
        _reseal(settings, package, sealed)
    elif command == "worker":
        os.nice(5)  # on one machine, people at the API go first
        collect_seldom()
        uvloop.run(_call(run, settings))
    else:
        app = make_app(settings)
        collect_seldom()
        _serve(app, settings)


def _reseal(settings: MechanismSettings, package: str, sealed: Sequence[str]) -> None:
    """One JSON line per batch, and one at the end: what shows progress to whoever called."""
    keyring = Keyring.load(settings.keys_file, package.replace("_", "-"))
    dsn = (settings.owner_database_url or settings.database_url).replace("postgresql+psycopg://", "postgresql://", 1)

    def say(item: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(item) + "\n")
        sys.stdout.flush()

    total = reseal(dsn, keyring, sealed, lambda progress: say(asdict(progress)))
    say({"resealed": total, "key": keyring.at_rest_ids[-1]})


class _Server(uvicorn.Server):
    """Tells the app at once that the process ends (`app.state.on_leaving`): an endless answer must not hold the others' graceful stop."""

    def __init__(self, config: uvicorn.Config, on_leaving: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_leaving = on_leaving

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM and SIGINT."""
        if self._on_leaving is not None:
            self._on_leaving()
        super().handle_exit(sig, frame)


def _serve(app: FastAPI, settings: MechanismSettings) -> None:
    app.state.db.limit_statements(settings.request_seconds)
    watch(app.state.db)
    server = _Server(server_config(app, settings), getattr(app.state, "on_leaving", None))
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(3)


def server_config(app: FastAPI, settings: MechanismSettings) -> uvicorn.Config:
    """How an API is served."""
    return uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who calls stands in the token; a header about it is anybody's word
        timeout_graceful_shutdown=15,
        h11_max_incomplete_event_size=16 * 1024,
    )


async def _call(function: Callable[[S], Awaitable[Any]], settings: S) -> None:
    await function(settings)
