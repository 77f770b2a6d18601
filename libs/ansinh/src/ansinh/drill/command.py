"""The verb `drill restore`: a month of a stack of its own, put back to the past on the way, and the verdict."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ansinh.chaos.stack import TargetStack
from ansinh.demo_command import DemoStack, fresh, prepare_sample
from ansinh.drill.restore import Rehearsal
from ansinh.stack.commands import ready_units, start_and_run
from ansinh.stack.control import holder
from ansinh.stack.layout import SERVICES, Layout

__all__ = ["rehearse", "run"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE = 1, 69


def run(options: argparse.Namespace, say: Say) -> int:
    """0 when sending was paused by itself, resumed by two people, nobody was paid twice and the books are equal."""
    home = Layout.from_environment()
    layout = replace(home, home=home.home / "drill")
    for each in (home, replace(home, home=home.home / "demo"), layout):
        if each.run.exists() and (pid := holder(each)):
            say(f"the stack of {each.home} is running (process {pid}) on the same ports; ./ansinh down stops it")
            return _UNAVAILABLE
    scopes = ("all", "disbursement") if options.scope == "both" else (options.scope,)
    results: list[dict[str, Any]] = []
    for scope in scopes:
        code, result = rehearse(options, home, layout, scope, say)
        results.append(result)
        if code:
            break
    fresh(layout)  # nothing of a rehearsal is anybody's data
    if options.json:
        options.json.write_text(json.dumps(results, indent=2, ensure_ascii=False), encoding="utf-8")
    return code


def rehearse(options: argparse.Namespace, home: Layout, layout: Layout, scope: str, say: Say) -> tuple[int, dict[str, Any]]:
    """One rehearsal on a stack of `layout`; exit code and what was found."""
    sample = prepare_sample(home, argparse.Namespace(preset=options.preset, province=None, people=options.people, seed=None), say)
    fresh(layout)
    layout.prepare()
    shutil.copyfile(sample / "world.sqlite", layout.world)
    province = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))["province_code"]
    started = time.monotonic()

    def told(text: str) -> None:
        say(f"{time.monotonic() - started:7.1f} {text}")

    stack = TargetStack(layout, told, ready_units(province))
    result: dict[str, Any] = {"scope": scope}

    async def body() -> int:
        urls = {name: layout.url(name) for name in (*(service.name for service in SERVICES), "population", "partner", "issuer")}
        info = DemoStack(sample, urls, layout.secrets / "issuer.json", layout).info()
        rehearsal = Rehearsal(stack, info, scope, told)
        result.update(await rehearsal.verdict(await rehearsal.month(sample)))
        return _FAILED if result["findings"] else 0

    code = start_and_run(stack, body, told, drain=lambda: False)
    result["seconds"] = round(time.monotonic() - started, 1)
    for text in result.get("findings", [])[:40]:
        say(text)
    if "doubled" in result:
        say(
            f"restore of {scope}: {result.get('left_at_disaster')} payments had left, the database knew {result.get('left_at_moment')};"
            f" doubled {result['doubled']}, lost events {result['lost']}, unexplained {result['unexplained']},"
            f" books equal: {'yes' if result['books_equal'] else 'NO'}"
        )
    return code, result
