"""The supervisor with children that do nothing: order, restart, busy ports, and no orphans."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ansinh.stack.process import Child, PortBusy, ProcessFailed, Spec, rotate
from ansinh.stack.supervisor import Stage, Supervisor

WAIT = "import signal; signal.sigwait({signal.SIGTERM})"
SECONDS = 60


def spec(name: str, code: str = WAIT, **more: object) -> Spec:
    async def ready() -> bool:
        return True

    settings: dict[str, object] = {"ready": ready, "env": dict(os.environ), **more}
    return Spec(name, (sys.executable, "-I", "-S", "-c", code), **settings)  # type: ignore[arg-type]


def living(supervisor: Supervisor, name: str) -> int:
    """Process id, 0 when it does not run."""
    return supervisor.children[name].pid or 0


class Said:
    """What the supervisor said, waited for instead of slept for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._new = asyncio.Event()

    def __call__(self, text: str) -> None:
        self.lines.append(text)
        self._new.set()

    async def wait_for(self, found: Callable[[str], bool]) -> str:
        async with asyncio.timeout(SECONDS):
            while True:
                for line in self.lines:
                    if found(line):
                        return line
                self._new.clear()
                await self._new.wait()


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[tuple[Supervisor, Said]]:
    said = Said()
    made = Supervisor(tmp_path, said, first_delay=0.01)
    yield made, said
    await made.stop()


async def test_a_crashed_child_is_started_again_and_said_so(supervisor: tuple[Supervisor, Said]) -> None:
    made, said = supervisor
    await made.start([Stage("one", [spec("one")])])
    first = made.children["one"].pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert "signal 9" in await said.wait_for(lambda line: line.startswith("one ended"))
    await said.wait_for(lambda line: line.startswith("one is back (restart 1)"))
    assert made.children["one"].pid not in (None, first)


async def test_children_stop_in_reverse_order(supervisor: tuple[Supervisor, Said], tmp_path: Path) -> None:
    made, _ = supervisor
    order = tmp_path / "order"

    def stage(name: str) -> Stage:
        waits = tmp_path / f"{name}-waits"
        code = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}}); open({str(waits)!r}, 'w').close()"
        code += f"; signal.sigwait({{signal.SIGTERM}}); open({str(order)!r}, 'a').write('{name} ')"

        async def ready() -> bool:
            return waits.exists()

        return Stage(name, [spec(name, code, ready=ready)])

    await made.start([stage("database"), stage("broker"), stage("service")])
    await made.stop()
    assert order.read_text().split() == ["service", "broker", "database"]
    assert all(child.pid is None for child in made.children.values())


async def test_a_child_that_ignores_the_request_is_killed(supervisor: tuple[Supervisor, Said], tmp_path: Path) -> None:
    made, _ = supervisor
    deaf = tmp_path / "deaf"
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(deaf)!r}, 'w').close(); signal.pause()"

    async def ready() -> bool:
        return deaf.exists()

    await made.start([Stage("deaf", [spec("deaf", code, ready=ready, stop_seconds=0.1)])])
    await made.stop()
    assert made.children["deaf"].pid is None


async def test_a_busy_port_is_refused_with_a_clear_line_and_nothing_stays(supervisor: tuple[Supervisor, Said]) -> None:
    made, _ = supervisor
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortBusy, match=f"port {port} is taken, second needs it"):
            await made.start([Stage("a", [spec("first")]), Stage("b", [spec("second", ports=(port,))])])
    assert not made.children, "ports are looked at before anything starts"


async def test_a_child_that_ends_at_once_fails_the_start_with_its_last_words(supervisor: tuple[Supervisor, Said]) -> None:
    made, _ = supervisor

    async def never() -> bool:
        return False

    with pytest.raises(ProcessFailed, match=r"(?s)bad ended with 3 before it was ready.*setting MISSING"):
        await made.start([Stage("bad", [spec("bad", "print('setting MISSING'); raise SystemExit(3)", ready=never)])])


async def test_a_paused_child_is_not_restarted_until_resumed(supervisor: tuple[Supervisor, Said]) -> None:
    made, said = supervisor
    await made.start([Stage("both", [spec("broker"), spec("worker", group="worker")])])
    await made.pause(["worker"])
    assert living(made, "worker") == 0
    await made.resume(["worker"])
    pid = living(made, "worker")
    assert pid
    os.kill(pid, signal.SIGKILL)
    await said.wait_for(lambda line: line.startswith("worker is back"))


async def test_a_death_that_concerns_others_is_handled_by_its_own_rule(supervisor: tuple[Supervisor, Said]) -> None:
    made, said = supervisor
    handled = []

    async def refill() -> None:
        await made.pause(["worker"])
        await made.children["broker"].start()
        handled.append("refilled")
        await made.resume(["worker"])

    made.on_death["broker"] = refill
    await made.start([Stage("both", [spec("broker"), spec("worker")])])
    pid = made.children["broker"].pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    await said.wait_for(lambda line: line.startswith("broker is back"))
    assert handled == ["refilled"]
    assert made.children["worker"].state == "READY"


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor process of its own, and its child's process id."""
    program = f"""
import asyncio, os, sys
from pathlib import Path
from ansinh.stack.process import Child, Spec

async def main():
    async def ready(): return True
    spec = Spec("child", (sys.executable, "-I", "-S", "-c", {WAIT!r}), ready, env=dict(os.environ))
    child = Child(spec, Path({str(tmp_path)!r}) / "child.log")
    await child.start()
    print(child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        yield process, child
        process.kill()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the parent-death signal is Linux's")
def test_a_killed_supervisor_leaves_no_orphan(doomed: tuple[subprocess.Popen[str], int]) -> None:
    process, child = doomed
    watched = psutil.Process(child)
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)
    watched.wait(SECONDS)
    assert not watched.is_running()


def test_a_long_log_is_cut_and_its_predecessor_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("y" * 100)
    rotate(log, limit=1000)
    assert log.stat().st_size == 100
    rotate(log, limit=10)
    assert log.stat().st_size == 0
    assert (tmp_path / "x.log.1").read_text() == "y" * 100


async def test_the_log_s_end_is_shown(tmp_path: Path) -> None:
    child = Child(spec("talker", "print('one'); print('two')"), tmp_path / "talker.log")
    await child.start()
    await child.wait()
    assert child.tail(1).strip() == "two"
