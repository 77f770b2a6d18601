"""`./ansinh demo` and `./ansinh sample`: the input, a stack of its own, the main job on it, and the verdict."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansinh.stack.commands import addresses, ready_units, start_and_run, up_detached
from ansinh.stack.control import holder
from ansinh.stack.embedded import Embedded
from ansinh.stack.layout import SERVICES, Layout
from ansinh.stack.memory import MemoryWatch

if TYPE_CHECKING:
    from ansinh.demo.stack_info import StackInfo

__all__ = ["DemoStack", "demo_layout", "fresh", "on_demo_stack", "prepare_sample", "run", "write_sample"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE, _INTERRUPTED = 1, 69, 130


@dataclass(frozen=True)
class DemoStack:
    """What the driver of the main job is given: where the input lies, and the public addresses."""

    sample: Path
    urls: dict[str, str]
    issuer_file: Path
    layout: Layout
    province: str = "60"

    def info(self) -> StackInfo:
        """The addresses and ready users, as the driver wants them."""
        from ansinh.demo.stack_info import StackInfo

        users = json.loads(self.issuer_file.read_text(encoding="utf-8"))["users"]
        services = {service.name: self.urls[service.name] for service in SERVICES}
        passwords = {name: user["password"] for name, user in users.items()}
        return StackInfo(services, self.urls["issuer"], self.urls["partner"], passwords["operator"], passwords)


def demo_layout(layout: Layout) -> Layout:
    """The demo has a home of its own below the home: it starts empty each time and never touches what `up` has."""
    return replace(layout, home=layout.home / "demo")


def write_sample(options: argparse.Namespace, _say: Say) -> int:
    """The verb `sample`."""
    from ansinh.sample import command
    from ansinh.sample.generate import DEFAULT_SEED
    from ansinh.sample.presets import DEFAULT_PRESET

    options.preset = options.preset or DEFAULT_PRESET
    options.seed = DEFAULT_SEED if options.seed is None else options.seed
    return command(options)


def prepare_sample(layout: Layout, options: argparse.Namespace, say: Say) -> Path:
    """The sample folder for these options; written once, and again when the generator has changed."""
    from ansinh import sample

    code = hashlib.sha256()
    for source in sorted(Path(sample.__file__).parent.rglob("*")):
        if source.suffix in (".py", ".csv"):
            code.update(source.read_bytes())
    wanted = (options.preset or "default", options.province or "", options.people or "", "" if options.seed is None else options.seed)
    folder = layout.home / "sample" / ("-".join(str(part) for part in wanted if part != "") + f"-{code.hexdigest()[:8]}")
    if (folder / "manifest.json").exists():
        say(f"sample: {folder} (written before)")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    manifest = sample.write_sample(partial, options.preset, options.province, options.people, options.seed)
    partial.rename(folder)
    say(f"sample: {manifest.people:,} people of {manifest.province_name}, {manifest.month}: {folder} ({time.monotonic() - started:.0f} s)")
    return folder


def fresh(layout: Layout) -> None:
    """Throw away what an earlier demo left (nothing of it is anybody's data)."""
    pg = layout.home / "pg"
    if pg.is_symlink():  # the database's folder lies elsewhere; see ansinh.stack.postgres
        shutil.rmtree(pg.resolve(), ignore_errors=True)
        pg.unlink()
    for name in ("pg", "run", "secrets", "sim", "logs"):
        shutil.rmtree(layout.home / name, ignore_errors=True)


async def _with_memory(layout: Layout, body: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    watch = MemoryWatch(layout)
    watching = asyncio.create_task(watch.run())
    try:
        result = await body()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    by_process = {name: round(mib) for name, mib in sorted(watch.by_process.items())}
    return {**result, "memory": {**watch.rounded(), "by_process_mib": by_process}}


def on_demo_stack(
    options: argparse.Namespace, say: Say, job: Callable[[DemoStack], Awaitable[dict[str, Any]]]
) -> tuple[int, dict[str, Any]]:
    """Run a job on a fresh stack with the sample these options ask for; exit code of the stack, and the job's result."""
    home = Layout.from_environment()
    layout = demo_layout(home)
    for each in (home, layout):
        if each.run.exists() and (pid := holder(each)):
            say(f"the stack of {each.home} is running (process {pid}) on the same ports; ./ansinh down stops it")
            return _UNAVAILABLE, {}
    sample = prepare_sample(home, options, say)
    fresh(layout)
    layout.prepare()
    layout.training.touch()
    shutil.copyfile(sample / "world.sqlite", layout.world)
    province = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))["province_code"]
    urls = {service.name: layout.url(service.name) for service in SERVICES}
    urls |= {name: layout.url(name) for name in ("population", "partner", "issuer")}
    stack = DemoStack(sample, urls, layout.secrets / "issuer.json", layout, province)
    result: dict[str, Any] = {}

    async def body() -> int:
        result.update(await _with_memory(layout, lambda: job(stack)))
        return 0

    if getattr(options, "keep", False):
        code = up_detached(province, say, layout)
        if code == 0:
            code = asyncio.run(_alone(body))
            for line in (*addresses(layout), "everything is still running; ./ansinh down stops it"):
                say(line)
        return code, result
    # The next demo starts empty, so there is nothing to drain for.
    return start_and_run(Embedded(layout, say, ready_units(province)), body, say, drain=lambda: False), result


async def _alone(body: Callable[[], Awaitable[int]]) -> int:
    return await body()


def run(options: argparse.Namespace, say: Say) -> int:
    """The verb `demo`: 0 only when everything happened and nothing differs from the truth."""
    from ansinh.demo_driver import month

    started = time.monotonic()
    code, result = on_demo_stack(options, say, lambda stack: month(stack.info(), stack.sample, stack.layout.run / "result.json"))
    if not result and code == 0:
        say("interrupted before the end: nothing was checked")
        return _INTERRUPTED
    if not result:
        return code
    ended = result.pop("exit")
    result["seconds_with_start_and_stop"] = round(time.monotonic() - started, 1)
    memory = result["memory"]
    say(
        f"memory at most: our processes together {memory['ours_mib']:,.0f} MiB;"
        f" apart: broker {memory['broker_mib']:,.0f} MiB, PostgreSQL with its cache {memory['postgres_mib']:,.0f} MiB"
    )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    return _FAILED if result.get("differences") else int(ended) or code
