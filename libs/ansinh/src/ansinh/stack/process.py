"""One child process: how it is started, known to be ready, watched and stopped; and never outlives its parent."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["Child", "PortBusy", "ProcessFailed", "Spec", "port_is_free", "ports_free", "rotate"]

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
LOG_LIMIT: Final = 32 * 2**20


class ProcessFailed(Exception):
    """A child ended before it was ready, or was not ready in time; the message ends with the last lines of its log."""


class PortBusy(Exception):
    """Another program already listens where a child should."""


@dataclass(frozen=True)
class Spec:
    """What to run, and what is promised about it."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    group: str = ""
    nice: int = 0
    uid: int | None = None
    gid: int | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 25.0
    orphan_signal: int = signal.SIGKILL
    ready_seconds: float = 90.0


def port_is_free(port: int) -> bool:
    """Whether a port of this machine can be listened on (an orphan that holds it would answer in our place)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ports_free(spec: Spec) -> None:
    """Raises :class:`PortBusy` when another program holds a port of this process."""
    for port in spec.ports:
        if not port_is_free(port):
            raise PortBusy(f"port {port} is taken, {spec.name} needs it; stop what holds it, or set ANSINH_PORT_BASE")


def rotate(log: Path, limit: int = LOG_LIMIT) -> None:
    """Keep a log and its predecessor: children append, so copying and cutting is safe while they run."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > limit:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


class Child:
    """A running (or ended) process of one :class:`Spec`."""

    def __init__(self, spec: Spec, log: Path) -> None:
        """`log` is appended to, standard output and error together."""
        self.spec = spec
        self.log = log
        self.restarts = 0
        self.state = "STOPPED"
        self.started_at = 0.0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start and wait until ready. Raises :class:`PortBusy` or :class:`ProcessFailed`."""
        ports_free(self.spec)
        rotate(self.log)
        self.state, self.started_at = "STARTING", time.monotonic()
        parent, spec = os.getpid(), self.spec

        def before_exec() -> None:
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, spec.orphan_signal)
                if os.getppid() != parent:  # the parent died before the line above
                    os._exit(1)
            if spec.nice:
                os.nice(spec.nice)

        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(spec.env),
                start_new_session=True,
                preexec_fn=before_exec,  # two system calls, no locks taken
                **({} if spec.uid is None else {"user": spec.uid, "group": spec.gid, "extra_groups": []}),  # type: ignore[arg-type]
            )
        await self._until_ready()

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + self.spec.ready_seconds
        while time.monotonic() < deadline:
            if self._process is None or self._process.returncode is not None:
                self.state = "FAILED"
                code = self._process.returncode if self._process else None
                raise ProcessFailed(f"{self.spec.name} ended with {code} before it was ready\n{self.tail()}")
            if await self.spec.ready():
                self.state = "READY"
                return
            await asyncio.sleep(0.1)
        self.state = "FAILED"
        raise ProcessFailed(f"{self.spec.name} was not ready in {self.spec.ready_seconds:.0f} s\n{self.tail()}")

    async def wait(self) -> int:
        """Until it ends; its exit code (negative: the signal)."""
        return await self._process.wait() if self._process else 0

    async def stop(self, send: int | None = None, seconds: float | None = None) -> None:
        """Ask it to end, then insist (after `seconds`, by default its own)."""
        process = self._process
        self.state = "STOPPED"
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(send or self.spec.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.spec.stop_seconds if seconds is None else seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as handle:
            handle.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(f"    {line}" for line in handle.read().decode(errors="replace").splitlines()[-lines:])
        return ""
