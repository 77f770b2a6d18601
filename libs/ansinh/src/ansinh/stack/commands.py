"""The verbs that start, stop and show the embedded default, from whichever terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from ansinh.stack.control import holder, read_state
from ansinh.stack.drain import replay
from ansinh.stack.embedded import AlreadyRunning, Embedded
from ansinh.stack.layout import SERVICES, Layout
from ansinh.stack.process import PortBusy, ProcessFailed

__all__ = [
    "addresses",
    "down",
    "events_replay",
    "logs",
    "ready_units",
    "run_stack",
    "running_layout",
    "start_and_run",
    "status",
    "up_detached",
    "up_foreground",
]

_FAILED, _UNAVAILABLE = 1, 69
_DOWN_SECONDS = 180.0
Say = Callable[[str], None]


def ready_units(province: str | None) -> tuple[str, str, str] | None:
    """Paths of a province, its first district and that district's first commune, for the ready users; None: the default's."""
    if province is None:
        return None
    from ansinh.sample.units import load_province

    district = load_province(province).districts[0]
    return province, f"{province}/{district.code}", district.communes[0].path


def addresses(layout: Layout) -> list[str]:
    """Where to look, one line each."""
    return [
        f"console          {layout.url('reporting')}/console/",
        f"paid by account  {layout.url('reporting')}/pages/coverage",
        f"users            department.officer, approver, …; names and passwords in {layout.secrets / 'issuer.json'}",
        *(f"{service.name:<16} {layout.url(service.name)}/openapi.json" for service in SERVICES),
        f"simulators       {layout.url('population')} (population)  {layout.url('partner')} (partners)  {layout.url('issuer')} (issuer)",
        f"data             {layout.home}",
    ]


async def run_stack(embedded: Embedded, body: Callable[[], Awaitable[int]], *, drain: Callable[[], bool] = lambda: True) -> int:
    """Start, run `body` while everything is up, stop everything whatever happens. SIGINT and SIGTERM cancel the body."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    signalled = False

    def on_signal() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    loop.add_signal_handler(signal.SIGHUP, on_signal)
    started = False
    try:
        await embedded.up()
        started = True
        return await body()
    except asyncio.CancelledError:
        if not signalled:
            raise
        task.uncancel()
        if not started:
            print("interrupted before everything was ready; what had been started is stopped", flush=True)
        return 0 if started else 130
    finally:
        if started:
            await asyncio.shield(embedded.down(drain_first=drain()))


def start_and_run(embedded: Embedded, body: Callable[[], Awaitable[int]], say: Say, drain: Callable[[], bool] = lambda: True) -> int:
    """:func:`run_stack`, with what can go wrong at the start told in one line each."""
    try:
        return asyncio.run(run_stack(embedded, body, drain=drain))
    except AlreadyRunning as error:
        say(str(error))
        return _FAILED
    except (PortBusy, ProcessFailed) as error:
        say(f"cannot start: {error}")
        return _UNAVAILABLE
    except ExceptionGroup as group:
        for each in group.exceptions:
            say(f"cannot start: {each}")
        return _UNAVAILABLE


def _demo_runs(layout: Layout, say: Say) -> bool:
    demo = replace(layout, home=layout.home / "demo")
    if not (demo.run.exists() and (pid := holder(demo))):
        return False
    say(f"the demo is running on these ports (process {pid}); ./ansinh down stops it")
    return True


def up_foreground(province: str | None, say: Say, *, apache_kafka: bool = False) -> int:
    """Start and stay until Ctrl-C, SIGTERM, or `down` from another terminal."""
    layout = Layout.from_environment()
    if _demo_runs(layout, say):
        return _UNAVAILABLE

    def told(text: str) -> None:
        say(f"{time.strftime('%H:%M:%S')} {text}")

    embedded = Embedded(layout, told, ready_units(province), apache_kafka=apache_kafka)

    async def stay() -> int:
        for line in addresses(layout):
            say(line)
        say("./ansinh down stops everything" + (" (or Ctrl-C here)" if sys.stdin.isatty() else ""))
        await asyncio.Event().wait()
        return 0

    return start_and_run(embedded, stay, say, lambda: not (layout.run / "no-drain").exists())


def running_layout() -> Layout:
    """The layout that runs: this terminal's, or the demo's below it (left running by `demo --keep`); this terminal's when none does."""
    layout = Layout.from_environment()
    demo = replace(layout, home=layout.home / "demo")
    if demo.run.exists() and not (layout.run.exists() and holder(layout)) and holder(demo):
        return demo
    return layout


def up_detached(province: str | None, say: Say, layout: Layout | None = None, *, apache_kafka: bool = False) -> int:
    """Start in the background, return when everything is ready (0) or when it has failed."""
    layout = layout or Layout.from_environment()
    layout.prepare()
    if pid := holder(layout):
        say(f"already running here (process {pid})")
        return 0
    if _demo_runs(layout, say):
        return _UNAVAILABLE
    log = layout.logs / "supervisor.log"
    command = [sys.executable, "-P", "-m", "ansinh.cli", "up", *(["--province", province] if province else [])]
    command += ["--apache-kafka"] if apache_kafka else []
    environment = {**os.environ, "ANSINH_HOME": str(layout.home), "ANSINH_PORT_BASE": str(layout.base)}
    with log.open("ab") as out:
        position = out.tell()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=environment
        )
    while True:
        position = _show_new(log, position, say)
        if process.poll() is not None:
            _show_new(log, position, say)
            return process.returncode or _FAILED
        if holder(layout) == process.pid and read_state(layout).get("status") == "READY":
            _show_new(log, position, say)
            say("running in the background; ./ansinh down stops it")
            return 0
        time.sleep(0.2)


def _show_new(log: os.PathLike[str], position: int, say: Say) -> int:
    with open(log, "rb") as handle:  # noqa: PTH123 - takes any path-like
        handle.seek(position)
        text = handle.read()
        end = text.rfind(b"\n") + 1
        for line in text[:end].decode(errors="replace").splitlines():
            say(line)
        return position + end


def down(say: Say, *, now: bool) -> int:
    """Stop the supervisor of this home and wait until everything has ended."""
    layout = running_layout()
    pid = holder(layout) if layout.run.exists() else None
    if pid is None:
        say("nothing runs here")
        return 0
    no_drain = layout.run / "no-drain"
    if now:
        no_drain.touch()
    say(f"stopping (process {pid})" + ("" if now else "; open work is drained first"))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    try:
        while time.monotonic() < deadline:
            if holder(layout) is None:
                say("stopped")
                return 0
            time.sleep(0.1)
    finally:
        no_drain.unlink(missing_ok=True)
    say(f"process {pid} does not stop; see {layout.logs / 'supervisor.log'}")
    return _FAILED


def status(say: Say) -> int:
    """One line per process; exit code 0 when everything runs, 3 when nothing does, 1 when something is not ready."""
    import psutil

    layout = running_layout()
    pid = holder(layout) if layout.run.exists() else None
    if pid is None:
        say(f"nothing runs in {layout.home}")
        return 3
    state = read_state(layout)
    say(f"{state.get('status', '?')} (supervisor {pid}, {layout.home})")
    ready = state.get("status") == "READY"
    for process in state.get("processes", []):
        memory = since = ""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(process["pid"]) if process["pid"] else None
            if found:
                memory = f"{found.memory_info().rss / 2**20:6.0f} MiB"
                since = datetime.fromtimestamp(found.create_time()).astimezone().strftime("since %H:%M:%S")
        ready = ready and process["state"] == "READY"
        restarts = f"restarted {process['restarts']}×" if process["restarts"] else ""
        ports = ",".join(str(port) for port in process["ports"])
        row = f"  {process['name']:<24} {process['state']:<10} {process['pid'] or '–':>8}"
        say(f"{row} {memory:>10} :{ports:<6} {since} {restarts}".rstrip())
    for line in addresses(layout):
        say(line)
    return 0 if ready else _FAILED


def logs(process: str | None, lines: int, *, follow: bool) -> int:
    """Print the end of the logs (and go on, with `follow`). Exit code 1 when there is no such log."""
    layout = running_layout()
    paths = sorted(layout.logs.glob("*.log")) if process is None else [layout.logs / f"{process}.log"]
    if not paths or not all(path.exists() for path in paths):
        known = ", ".join(path.stem for path in sorted(layout.logs.glob("*.log")))
        told = f"no log of {process}; there are: {known}" if known else f"no logs yet: nothing was started in {layout.home}"
        print(told, file=sys.stderr)
        return _FAILED
    positions = {}
    for path in paths:
        text = path.read_bytes()
        positions[path] = len(text)
        tail = text.decode(errors="replace").splitlines()[-lines:]
        if len(paths) > 1 and tail:
            print(f"== {path.stem}")
        for line in tail:
            print(line)
        if process and not tail:
            print(f"{process} has written nothing yet", file=sys.stderr)
    while follow:
        for path in paths:
            if path.stat().st_size < positions[path]:  # rotated
                positions[path] = 0
            name = f"{path.stem}: " if len(paths) > 1 else ""
            positions[path] = _show_new(path, positions[path], lambda line, name=name: print(name + line, flush=True))  # type: ignore[misc]
        time.sleep(0.3)
    return 0


def events_replay(since: datetime | None, say: Say) -> int:
    """Publish the replay window of every service again; addresses from `<SERVICE>_OWNER_DATABASE_URL`, else from this home."""
    layout = running_layout()
    given = {service.name: os.environ.get(f"{service.prefix}OWNER_DATABASE_URL") for service in SERVICES}
    dsns = {name: url.replace("postgresql+psycopg://", "postgresql://", 1) for name, url in given.items() if url}
    if len(dsns) < len(SERVICES):
        if holder(layout) is None:
            say("nothing runs here, and not every <SERVICE>_OWNER_DATABASE_URL is set")
            return _UNAVAILABLE
        dsns = {**Embedded(layout, say).dsns, **dsns}
    for name, count in replay(dsns, since).items():
        say(f"{name:<16} {count:>10,} events to publish again")
    return 0
