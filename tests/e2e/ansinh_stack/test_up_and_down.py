"""The embedded default as a black box, through the launcher's verbs: up, status, logs, replay, down, and up again with its data."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator

import httpx
import psutil
import pytest

from ansinh.stack.layout import SERVICES
from ansinh.testing import OwnStack, own_stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("embedded-stack")]


class Terminal:
    """Runs verbs on one home."""

    def __init__(self, stack: OwnStack) -> None:
        self.stack = stack
        self.layout = stack.layout

    def run(self, *arguments: str) -> tuple[int, str]:
        done = self.stack.run(*arguments)
        return done.returncode, done.stdout + done.stderr

    def processes(self) -> list[psutil.Process]:
        state = json.loads((self.layout.run / "state.json").read_text(encoding="utf-8"))
        return [psutil.Process(entry["pid"]) for entry in state["processes"] if entry["pid"]]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with own_stack() as stack:
        yield Terminal(stack)


def test_everything_comes_up_shows_itself_and_goes_without_orphans(terminal: Terminal) -> None:
    code, text = terminal.run("up", "--detach")
    assert code == 0, text
    code, text = terminal.run("status")
    assert code == 0, text
    assert len(re.findall(r" READY ", text)) == 5 + 2 * len(SERVICES)
    for service in SERVICES:
        assert httpx.get(f"{terminal.layout.url(service.name)}/health/ready").status_code == 200
    assert httpx.get(f"{terminal.layout.url('reporting')}/console/", follow_redirects=True).status_code == 200
    code, text = terminal.run("logs", "registry-worker")
    assert code == 0
    assert "worker.started" in text
    assert terminal.run("up")[0] != 0, "a second supervisor of the same home is refused"
    code, text = terminal.run("events", "replay")
    assert code == 0, text
    watched = terminal.processes()
    code, text = terminal.run("down")
    assert code == 0, text
    assert not any(process.is_running() for process in watched)
    assert terminal.run("status")[0] == 3
    assert not (terminal.layout.run / "undrained").exists(), "a drained stop leaves nothing to publish again"
    code, text = terminal.run("up", "--detach")
    assert code == 0, text
    assert "publish again" not in text


def test_a_killed_supervisor_takes_everything_with_it_and_the_next_start_says_so(terminal: Terminal) -> None:
    assert terminal.run("up", "--detach")[0] == 0
    watched = terminal.processes()
    pid = int((terminal.layout.run / "supervisor.lock").read_text(encoding="ascii"))
    os.kill(pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(watched, timeout=30)
    assert not alive
    code, text = terminal.run("up", "--detach")
    assert code == 0, text
    assert "did not end cleanly" in text
