"""The pytest plugin of whole stacks: a home and ports that no other test of this machine has; the last lines of its logs with a failure."""

from __future__ import annotations

import fcntl
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from ansinh.bootstrap import ROOT
from ansinh.stack.layout import Layout
from ansinh.stack.process import port_is_free

__all__ = ["OwnStack", "own_stack", "ports", "watched"]

#: Below the range the kernel takes ports of outgoing connections from: a restarted process finds its port free.
_BASES: Final = range(20_000, 31_500, 500)
_PORTS: Final = (1, 2, 3, 4, 5, 11, 12, 13, 92, 93, 101, 102, 103, 104, 105, 432)
_LINES: Final = 12
_BYTES: Final = 20_000
_homes: Final[set[Path]] = set()


@contextmanager
def ports() -> Iterator[int]:
    """A base of ports that are free, and stay this block's: other workers and other runs of the tests see the lock."""
    folder = Path(tempfile.gettempdir()) / f"ansinh-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for base in random.sample(_BASES, len(_BASES)):
        with (folder / str(base)).open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if all(port_is_free(base + port) for port in _PORTS):
                yield base
                return
    raise RuntimeError(f"no free ports from {_BASES.start} to {_BASES.stop}")


@contextmanager
def watched(home: Path) -> Iterator[None]:
    """A test that fails inside this block shows the last lines of the logs below `home`."""
    _homes.add(home)
    try:
        yield
    finally:
        _homes.discard(home)


@dataclass(frozen=True)
class OwnStack:
    """A home and ports of one's own. `demo`: where `demo --keep` leaves its stack."""

    home: Path
    base: int
    more: dict[str, str] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Of what `up` starts."""
        return Layout(self.home, self.base)

    @property
    def demo(self) -> Layout:
        """Of what `demo` starts."""
        return Layout(self.home / "demo", self.base)

    @property
    def env(self) -> dict[str, str]:
        """What the command finds in its environment."""
        return {**os.environ, "ANSINH_HOME": str(self.home), "ANSINH_PORT_BASE": str(self.base), **self.more}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A verb of the command, run to its end."""
        command = [sys.executable, "-P", "-m", "ansinh.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def must(self, *arguments: str) -> None:
        """A verb that has to succeed; else its last words are the failure's."""
        done = self.run(*arguments)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4_000:]


@contextmanager
def own_stack(**more: str) -> Iterator[OwnStack]:
    """Nothing is started yet; what is started there, and what it has written, ends with the block. `more`: of its environment."""
    with ports() as base, tempfile.TemporaryDirectory(prefix="ansinh-stack-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # the database's own user passes through: its data lies here too, and goes with it
        home = Path(folder) / "home"
        with watched(home):
            made = OwnStack(home, base, more)
            try:
                yield made
            finally:
                made.run("down", "--now")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A stack's own words stand beside a failure: in CI nobody can look at its files."""
    report = yield
    if report.failed:
        report.sections += [(f"last lines of {log}", text) for home in sorted(_homes) for log, text in _ends(home)]
    return report


def _ends(home: Path) -> Iterator[tuple[str, str]]:
    for log in sorted(home.glob("**/logs/*.log")):
        with log.open("rb") as content:
            content.seek(max(0, log.stat().st_size - _BYTES))
            lines = content.read().decode(errors="replace").splitlines()[-_LINES:]
        if lines:
            yield str(log.relative_to(home)), "\n".join(line[:400] for line in lines)
