"""The service's API in a process of its own. Not in a test's module: the new process imports this one by its name."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import httpx
import uvicorn

from common.testing import free_port, jwks
from reporting.main import make_app
from reporting.settings import Settings

__all__ = ["served"]


def _serve(settings: Settings, keys: dict[str, Any], port: int) -> None:
    app = make_app(settings)
    app.state.authenticator.issuer = "http://issuer.test"
    app.state.authenticator.use_keys(keys)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


@contextlib.contextmanager
def served(settings: Settings) -> Iterator[tuple[str, int]]:
    """The service's API in a process of its own: its address and its process id."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, jwks(), port), daemon=True)
    process.start()
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}/v1/public/months", timeout=5).status_code == 200:
                    break
            assert process.is_alive()
            time.sleep(0.1)
        assert process.pid is not None
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.join(20)
