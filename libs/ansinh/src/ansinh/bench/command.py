"""The verb `bench`: one month on a fresh stack, its stages as figures, and small loads for what a month does not stress."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

from ansinh.bench.loads import relay, statement, webhook
from ansinh.bench.stages import from_databases
from ansinh.demo_command import DemoStack, on_demo_stack
from ansinh.stack.layout import SERVICES
from ansinh.stack.postgres import Postgres
from ansinh.stack.secrets import Secrets

__all__ = ["run"]

_FAILED = 1
_ORDER = ("imports", "verify", "dues", "list", "accept", "results", "statement", "relay", "projection", "webhook")


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Prints a table, writes JSON when asked; exit code 1 when the month itself went wrong."""
    from ansinh.demo_driver import month

    async def job(stack: DemoStack) -> dict[str, Any]:
        done = await month(stack.info(), stack.sample, stack.layout.run / "result.json")
        postgres = Postgres(stack.layout, Secrets(stack.layout).passwords())
        dsns = {service.name: postgres.owner_dsn(service) for service in SERVICES}
        figures = await asyncio.to_thread(from_databases, dsns)
        if done["exit"] == 0:  # on a month that broke off, further loads would measure nothing
            say("small loads: statement, webhook, relay")
            figures["statement"] = await statement(stack)
            figures["webhook"] = await webhook(stack, dsns["disbursement"])
            figures["relay"] = await relay(dsns)
        return {"figures": figures, "people": done.get("people"), "differences": done.get("differences", []), "exit": done["exit"]}

    options.preset = options.province = None
    code, result = on_demo_stack(options, say, job)
    if not result:
        return code or _FAILED
    peaks = result["memory"]["by_process_mib"]
    stages = {name: result["figures"][name].row(peaks) for name in _ORDER if name in result["figures"]}
    say(f"{'stage':<12}{'n':>10}{'seconds':>10}{'per second':>12}{'peak MiB':>10}")
    for name, row in stages.items():
        rate = f"{row['per_second']:,.0f}" if row["per_second"] else "–"
        say(f"{name:<12}{row['n']:>10,}{row['seconds']:>10.2f}{rate:>12}{row['peak_mib']:>10,.0f}   {row['what']}")
    memory = {key: value for key, value in result["memory"].items() if key.endswith("_mib")}
    if options.json:
        whole = {"people": result["people"], "cores": os.cpu_count(), **stages, "memory": memory, "differences": result["differences"]}
        options.json.write_text(json.dumps(whole, indent=2, ensure_ascii=False), encoding="utf-8")
    return _FAILED if result["differences"] else int(result["exit"]) or code
