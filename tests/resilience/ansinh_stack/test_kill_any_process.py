"""`kill -9` of any one process in the middle of the month, started again by the supervisor, ends in the same books."""

from __future__ import annotations

import io
import os
import shutil
import signal
from pathlib import Path

import pytest
from rich.console import Console

from ansinh.demo import run
from ansinh.demo_command import DemoStack
from ansinh.sample import write_sample
from ansinh.stack.embedded import Embedded
from ansinh.stack.layout import SERVICES, Layout

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("embedded-stack")]

PEOPLE, SEED = 1200, 7

#: Which process dies while which stage of the month is under way.
DEATHS = [
    ("registry-api", "upload"),
    ("registry-worker", "register"),
    ("broker", "register"),
    ("accounts-api", "accounts"),
    ("identity-verify-worker", "verify"),
    ("population", "verify"),
    ("accounts-worker", "link"),
    ("issuer", "link"),
    ("disbursement-worker", "list"),
    ("disbursement-worker", "pay"),
    ("disbursement-api", "pay"),
    ("partner", "pay"),
    ("broker", "pay"),
    ("postgres", "pay"),
    ("reporting-worker", "pay"),
    ("reporting-api", "report"),
    ("identity-verify-api", "report"),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, people=PEOPLE, seed=SEED)
    return folder


@pytest.mark.parametrize(("victim", "stage"), DEATHS, ids=lambda value: str(value))
async def test_the_month_ends_in_the_same_books(victim: str, stage: str, sample: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "home", 41000)
    said: list[str] = []
    embedded = Embedded(layout, said.append)
    shutil.copyfile(sample / "world.sqlite", layout.world)
    urls = {service.name: layout.url(service.name) for service in SERVICES}
    urls |= {name: layout.url(name) for name in ("population", "partner", "issuer")}
    killed: list[int] = []

    def kill() -> None:
        pid = embedded.supervisor.children[victim].pid
        if pid and not killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    def progress(name: str, done: int, _total: int) -> None:
        if name == stage and done >= 1:
            kill()

    output = io.StringIO()
    await embedded.up()
    try:
        info = DemoStack(sample, urls, layout.secrets / "issuer.json", layout).info()
        result = await run(info, sample, progress=progress, console=Console(file=output, width=160))
        assert killed, f"{victim} was never killed: no progress was told in stage {stage}"
        assert embedded.supervisor.children[victim].restarts >= 1, said
        assert result["differences"] == [], output.getvalue() + "\n".join(said)
    finally:
        await embedded.down(drain_first=False)
