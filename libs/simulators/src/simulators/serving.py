"""How a simulator process starts, says that it is alive, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError, ValidationInfo

__all__ = ["GRACE_SECONDS", "beside", "health", "read_config", "refuse", "serve"]

GRACE_SECONDS = 3
ConfigT = TypeVar("ConfigT", bound=BaseModel)


def read_config(path: Path, model: type[ConfigT]) -> ConfigT:
    """Read a JSON config; relative paths in it are relative to its folder. Exits with 2 and one clear line when it cannot be read."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return model.model_validate(raw, context={"folder": path.resolve().parent})
    except OSError as error:
        line = f"cannot read {path}: {error.strerror}"
    except json.JSONDecodeError as error:
        line = f"{path} is not JSON: line {error.lineno}: {error.msg}"
    except ValidationError as error:
        # Only the place and the kind of mistake: the input may hold secrets.
        mistakes = error.errors(include_input=False)
        line = "; ".join(f"{path}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in mistakes)
    raise SystemExit(refuse(line))


def beside(path: Path, info: ValidationInfo) -> Path:
    """A path of a config file, taken from the file's own folder unless it is absolute."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


def refuse(line: str) -> int:
    """Say on standard error why the process does not start; gives the exit code for that, 2."""
    sys.stderr.write(line + "\n")
    return 2


def health(app: FastAPI) -> None:
    """Add `GET /health/live`."""

    @app.get("/health/live", summary="The process answers")
    async def live() -> dict[str, str]:
        return {"status": "live"}


def serve(app: FastAPI, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT, letting open requests end for GRACE_SECONDS. Returns the exit code (1: port is taken)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.stderr.write(f"cannot listen on {host}:{port}: {error.strerror}\n")
        return 1
    config = uvicorn.Config(app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    with contextlib.closing(listener):
        uvloop.run(_serve(_QuietServer(config), listener))
    return 0


class _QuietServer(uvicorn.Server):
    """uvicorn re-raises the signal after its shutdown; a supervisor would read that as a crash, so the signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
