"""A real Apache Kafka of one node (KRaft) on this machine, from the jars Maven brings: for tests and drills, never for production.

Needs `mvn` and Java 17 or newer. The jars are fetched once, into the user's cache; `pom.xml` beside this file says which.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["by_maven", "jars", "prepare", "why_not"]

_POM: Final = Path(__file__).with_name("pom.xml")
_FETCH_SECONDS: Final = 300.0
_CLUSTER: Final = "YW5zaW5oLXRlc3RzLW9uZQ"
_JAVA: Final = (
    "java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)  # fmt: skip
#: One node has nobody to replicate to; topics are made by `common.topic_admin` and never by use; sessions may be as short as tests want.
_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
}


@functools.cache
def why_not() -> str | None:
    """What is missing here for it, jars that cannot be fetched included; None when nothing is."""
    missing = [name for name in ("mvn", "java") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not found"
    try:
        jars()
    except RuntimeError as error:
        return str(error)
    return None


def by_maven(command: Sequence[str], what: str) -> None:
    """Let Maven bring something. Raises RuntimeError with what it says is wrong (a machine without a network: it cannot fetch)."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"Maven has not brought {what} within {_FETCH_SECONDS:g} s") from None
    if done.returncode:
        said = [line.removeprefix("[ERROR]").strip() for line in (done.stdout + done.stderr).splitlines()]
        raise RuntimeError(f"Maven cannot bring {what}: {' '.join(filter(None, said))[:300] or f'exit code {done.returncode}'}")


def jars() -> Path:
    """The folder of the jars; fetched when it is not there. Raises RuntimeError with what Maven says."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ansinh"
    folder = cache / f"apache-kafka-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix="apache-kafka-", dir=cache))
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
    try:
        by_maven(command, "Apache Kafka")
    except RuntimeError:
        shutil.rmtree(partial)
        raise
    try:
        partial.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(partial)
    return folder


def prepare(folder: Path, port: int, controller_port: int) -> tuple[str, ...]:
    """The command of a node whose log lies in `folder` (made there when it has none); it listens on this machine only."""
    java = (*_JAVA, "-cp", f"{jars()}/*")
    folder.mkdir(parents=True, exist_ok=True)
    settings = _SETTINGS | {
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(folder / "log"),
    }
    properties = folder / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="ascii")
    if not (folder / "log" / "meta.properties").exists():
        shutil.rmtree(folder / "log", ignore_errors=True)
        command = [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(properties)]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return (*java, "kafka.Kafka", str(properties))
