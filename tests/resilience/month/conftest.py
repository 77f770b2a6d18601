"""A province's month on a stack of its own, in which processes are killed at named moments."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from rich.console import Console

from ansinh.chaos import books
from ansinh.chaos.stack import QUICK, TargetStack
from ansinh.demo import run
from ansinh.demo.stack_info import StackInfo
from ansinh.demo_command import DemoStack
from ansinh.sample import write_sample
from ansinh.stack.layout import SERVICES, Layout
from ansinh.testing import ports, watched
from common import apache_kafka

PEOPLE, SEED = 400, 7
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Death:
    """`victim` gets SIGKILL once `stage` has begun and `share` of it is done, and then as soon as `when` finds something.

    `when`: a service and a query on its database whose first value is true at the moment meant.
    """

    victim: str
    stage: str
    share: float = 0.0
    when: tuple[str, str] | None = None


@dataclass
class Month:
    """One stack and the month on it. `said` is what the supervisor said, `printed` what the demo printed."""

    sample: Path
    layout: Layout
    apache_kafka: bool = False
    said: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    armed: dict[str, list[str]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _times: list[float] = field(default_factory=list)
    _out: io.StringIO = field(default_factory=io.StringIO)
    _dead: set[int] = field(default_factory=set)
    _waiting: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing runs yet."""
        self.embedded = TargetStack(self.layout, self._hear, apache_kafka=self.apache_kafka)
        shutil.copyfile(self.sample / "world.sqlite", self.layout.world)

    def _hear(self, text: str) -> None:
        self.said.append(text)
        self._times.append(time.monotonic() - self._began)

    @property
    def story(self) -> str:
        """Everything said and printed, for a failure's message."""
        said = (f"{at:6.1f} {text}" for at, text in zip(self._times, self.said, strict=True))
        return "\n".join((*said, self._out.getvalue()))

    def info(self) -> StackInfo:
        """Addresses and users for the demo."""
        urls = {service.name: self.layout.url(service.name) for service in SERVICES}
        urls |= {name: self.layout.url(name) for name in ("population", "partner", "issuer")}
        return DemoStack(self.sample, urls, self.layout.secrets / "issuer.json", self.layout).info()

    death = staticmethod(Death)

    async def play(self, deaths: Sequence[Death] = ()) -> dict[str, Any]:
        """Start the stack, run the month with these deaths in it, and check that it ended as if nobody had died."""
        for name, points in self.armed.items():
            self.embedded.once[name].extend({"ANSINH_FAILPOINTS": point} for point in points)
        await self.embedded.up()
        try:
            result = await self.month(deaths)
            await asyncio.gather(*self._waiting)
            await self.everything_back()
            self._hear(f"-- done: {', '.join(f'{k} {v}' for k, v in result['stages'].items())}")
            self.check(result, deaths)
            print(self.story)
            return result
        finally:
            for task in self._waiting:
                task.cancel()
            await asyncio.gather(*self._waiting, return_exceptions=True)
            await self.embedded.down(drain_first=False)

    async def month(self, deaths: Sequence[Death] = (), told: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
        """The main job on the running stack."""
        open_deaths = list(deaths)

        def progress(stage: str, done: int, total: int) -> None:
            for death in [d for d in open_deaths if d.stage == stage and done >= d.share * total and (total or not d.share)]:
                open_deaths.remove(death)
                self._meet(death)
            if told is not None:
                told(stage, done, total)

        try:
            return await run(self.info(), self.sample, progress=progress, console=Console(file=self._out, width=200))
        except Exception as error:
            raise AssertionError(f"the month broke off: {error}\n{self.story}") from error

    def _meet(self, death: Death) -> None:
        if death.when is None and self._alive(death.victim):
            self.kill(death.victim, death.stage)  # at this very moment, not one step of the loop later
        else:
            self._waiting.append(asyncio.create_task(self._kill_later(death)))

    async def _kill_later(self, death: Death) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            if death.when:
                await self._until(*death.when)
            while not self._alive(death.victim):
                await asyncio.sleep(0.01)
        self.kill(death.victim, death.stage)

    def _alive(self, victim: str) -> bool:
        """Ready, and not the one just killed, whose end the supervisor has not seen yet."""
        child = self.embedded.supervisor.children[victim]
        return child.state == "READY" and child.pid is not None and child.pid not in self._dead

    async def _until(self, service: str, query: str) -> None:
        async with await psycopg.AsyncConnection.connect(self.embedded.dsns[service], autocommit=True) as connection:
            while not (row := await (await connection.execute(query)).fetchone()) or not row[0]:
                await asyncio.sleep(0.005)

    def kill(self, victim: str, stage: str) -> None:
        """SIGKILL."""
        pid = self.embedded.supervisor.children[victim].pid
        assert pid is not None, f"{victim} does not run\n{self.story}"
        os.kill(pid, signal.SIGKILL)
        self._dead.add(pid)
        self.killed[victim] += 1
        self._hear(f"-- {victim} killed by the test in stage {stage}")

    async def everything_back(self) -> None:
        """Until every process of the stack is ready again."""
        children = self.embedded.supervisor.children
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not all(child.state == "READY" for child in children.values()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            states = {name: child.state for name, child in children.items() if child.state != "READY"}
            raise AssertionError(f"not back: {states}\n{self.story}") from None

    def check(self, result: Mapping[str, Any], deaths: Sequence[Death]) -> None:
        """The same books as without a death; every death happened, was mended and was said."""
        assert result["differences"] == [], self.story
        assert books.doubled(self.layout.url("partner"), self.embedded.dsns["disbursement"]) == [], self.story
        assert books.lost_events(self.embedded.dsns) == [], self.story
        assert books.not_audited(self.embedded.dsns) == [], self.story
        assert books.chains(self.embedded.dsns)[1] == [], self.story
        assert self.killed == Counter(death.victim for death in deaths), self.story
        wanted = self.killed + Counter({name: len(points) for name, points in self.armed.items()})
        for name in wanted:
            ends = sum(line.startswith(f"{name} ended (signal 9)") for line in self.said)
            assert ends >= wanted[name], f"{name} was to die {wanted[name]} times and died {ends} times\n{self.story}"
            assert any(line.startswith(f"{name} is back") for line in self.said), self.story


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small month's input; written once."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, people=PEOPLE, seed=SEED, processes=1)
    return folder


@pytest.fixture
def home() -> Iterator[Path]:
    """A stack's home that the database's own user can reach too, which a test's usual folder does not let it."""
    with tempfile.TemporaryDirectory(prefix="ansinh-month-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.broker)])
def on_apache_kafka(request: pytest.FixtureRequest) -> bool:
    """Every test of a month runs on the embedded broker and on a real Apache Kafka, which the supervisor starts like its other children."""
    return bool(request.param == "kafka")


@pytest.fixture
def month(sample: Path, home: Path, on_apache_kafka: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    """A month whose stack is not started yet; nothing of it outlives the test."""
    if on_apache_kafka and (missing := apache_kafka.why_not()):
        pytest.skip(f"no Apache Kafka that a test may kill: {missing}")
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)  # for the verbs of the launcher that a test starts
    monkeypatch.delenv("ANSINH_FAILPOINTS", raising=False)
    before = {process.pid for process in psutil.Process().children(recursive=True)}  # the session's own servers
    with ports() as base, watched(home):
        made = Month(sample, Layout(home, base), on_apache_kafka)
        monkeypatch.setenv("DISBURSEMENT_PARTNERS_FILE", str(made.embedded.impatient_partners()))
        yield made
        left = [process for process in psutil.Process().children(recursive=True) if process.pid not in before]
        for process in left:
            process.kill()
    assert not left, f"left running: {left}"
