"""The verb `bench`: which stages, in which order, on a stack of its own that ends with it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ansinh.bench import loads
from ansinh.bench.cycle import Cycle
from ansinh.bench.gauge import Gauge, Reading
from ansinh.bench.stages import Figure, from_databases
from ansinh.demo.client import Api
from ansinh.demo_command import DemoStack, on_demo_stack
from ansinh.stack.drain import drain
from ansinh.stack.layout import SERVICES
from ansinh.stack.postgres import Postgres
from ansinh.stack.secrets import PARTNERS, Secrets

__all__ = ["STAGES", "chosen", "run"]

_FAILED: Final = 1
STAGES: Final = ("imports", "verify", "dues", "list", "accept", "results", "statement", "relay", "projection", "webhook")
_OF_MONTH: Final = frozenset({"imports", "verify", "dues", "projection"})
_OF_CYCLE: Final = ("list", "accept", "results", "statement")
_FEW_PEOPLE: Final = 300  # without a month there is still a stack, whose sample is as small as can be
_FEW_PAYMENTS: Final = 1_000
_STATEMENT_LINES: Final = 50_000
_QUIET_SECONDS: Final = 900.0


def chosen(text: str | None) -> tuple[str, ...]:
    """Stages by name, separated by commas, in the order they run; all of them when nothing is asked for. Raises ValueError."""
    asked = [name.strip() for name in text.split(",")] if text else list(STAGES)
    if unknown := sorted(set(asked) - set(STAGES)):
        raise ValueError(f"no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    return tuple(name for name in STAGES if name in asked)


@dataclass
class _Bench:
    """The stages on one stack; rows as they are written to JSON."""

    stack: DemoStack
    dsns: Mapping[str, str]
    stages: tuple[str, ...]
    size: int
    pace: float
    say: Callable[[str], None]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: int = 0

    async def measured(self, name: str, work: Callable[[], Awaitable[Figure]]) -> None:
        """Run a stage once nothing of the one before is on its way; keep its row when it was asked for, not only needed."""
        if name != "accept":  # which begins by itself as the list is approved
            await drain(self.dsns, lambda _text: None, _QUIET_SECONDS, settle=0.5)
        gauge = Gauge(self.stack.layout)
        async with gauge.reading() as reading:
            figure = await work()
        if name in self.stages:
            self.keep(name, figure, reading)

    def keep(self, name: str, figure: Figure, reading: Reading) -> None:
        """A row, told as soon as it is there."""
        busy = {process: seconds for process, seconds in reading.processor.items() if seconds >= 0.1}
        row = figure.row(reading.peaks) | {"load": Gauge.load(), "processor_seconds": busy}
        self.rows[name] = row
        rate = f"{row['per_second']:,.0f}/s" if row["per_second"] else "–"
        spent = sum(reading.processor.values())
        self.say(f"{name}: {row['n']:,} in {row['seconds']:.2f} s ({rate}), {spent:.0f} s of processor, load {row['load']}")

    async def run_loads(self, api: Api) -> None:
        """Everything but the month."""
        if set(self.stages) & {"list", "accept", "results", "statement", "relay"}:
            await self._cycle(await self._prepared(api, self.size))
        if "statement" in self.stages:
            await self.measured("statement", lambda: loads.statement(self.stack, list(PARTNERS), _STATEMENT_LINES))
        if "relay" in self.stages:
            await self.measured("relay", lambda: loads.relay(self.dsns))
        if "webhook" in self.stages:
            await self._webhook(api)

    async def _prepared(self, api: Api, people: int) -> Cycle:
        self.sources += 1
        cycle = Cycle(self.stack, api, self.dsns["disbursement"], PARTNERS, people, f"BENCH_{self.sources:02d}")
        self.say(f"loading {people:,} people who are owed an allowance")
        await cycle.prepare()
        await cycle.hold(held=True)
        return cycle

    async def _cycle(self, cycle: Cycle) -> None:
        last = max((_OF_CYCLE.index(name) for name in self.stages if name in _OF_CYCLE), default=len(_OF_CYCLE))
        steps = (("list", cycle.list), ("accept", cycle.accept), ("results", cycle.results))
        for name, step in steps[: last + 1]:
            await self.measured(name, step)
        await cycle.hold(held=False)

    async def _webhook(self, api: Api) -> None:
        """Notices about a small cycle, at a steady pace, while a whole other cycle is made, sent and settled."""
        if not {"results", "statement", "relay"} & set(self.stages):
            await self._cycle_done(await self._prepared(api, min(self.size, _FEW_PAYMENTS)))
        cycle = await self._prepared(api, self.size)
        await cycle.hold(held=False)  # instant partners: their notices come while others are being sent

        async def under_load() -> Figure:
            started = time.monotonic()
            async with loads.steady_notices(self.stack, self.dsns["disbursement"], self.pace) as waits:
                await self._cycle_done(cycle)
            spent = time.monotonic() - started
            what = f"notices at {self.pace:g}/s answered while {self.size:,} payments are listed, sent and settled"
            return Figure(len(waits), spent, what, ("disbursement-api",), loads.percentiles(waits))

        await self.measured("webhook", under_load)

    async def _cycle_done(self, cycle: Cycle) -> None:
        await cycle.list()
        await cycle.accept()
        await cycle.results()


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Prints a table, writes JSON when asked; exit code 1 when the month itself went wrong."""
    from ansinh.demo_driver import month

    stages = chosen(options.stages)
    with_month = bool(set(stages) & _OF_MONTH)

    async def job(stack: DemoStack) -> dict[str, Any]:
        postgres = Postgres(stack.layout, Secrets(stack.layout).passwords())
        dsns = {service.name: postgres.owner_dsn(service) for service in SERVICES}
        bench = _Bench(stack, dsns, stages, options.size, options.pace, say)
        done: dict[str, Any] = {"exit": 0}
        if with_month:
            async with Gauge(stack.layout).reading() as reading:
                done = await month(stack.info(), stack.sample, stack.layout.run / "result.json")
            found = await asyncio.to_thread(from_databases, dsns)
            for name in stages:
                if name in _OF_MONTH and name in found:
                    bench.keep(name, found[name], reading)
        if done["exit"] == 0:  # on a month that broke off, further loads would measure nothing
            async with Api(stack.info()) as api:
                await bench.run_loads(api)
        return {"rows": bench.rows, "people": done.get("people"), "differences": done.get("differences", []), "exit": done["exit"]}

    options.preset = options.province = None
    os.environ["ANSINH_PARTNER_CONTRACTS"] = "default"  # the loads sign as every partner
    if not with_month:
        options.people = _FEW_PEOPLE
    code, result = on_demo_stack(options, say, job)
    if not result:
        return code or _FAILED
    _table({name: result["rows"][name] for name in STAGES if name in result["rows"]}, say)
    if options.json:
        memory = {key: value for key, value in result["memory"].items() if key.endswith("_mib")}
        about = {"people": result["people"], "size": options.size, "cores": os.cpu_count()}
        whole = {**about, **result["rows"], "memory": memory, "differences": result["differences"]}
        options.json.write_text(json.dumps(whole, indent=2, ensure_ascii=False), encoding="utf-8")
    return _FAILED if result["differences"] else int(result["exit"]) or code


def _table(rows: Mapping[str, Mapping[str, Any]], say: Callable[[str], None]) -> None:
    say(f"{'stage':<12}{'n':>10}{'seconds':>10}{'per second':>12}{'peak MiB':>10}{'load':>6}")
    for name, row in rows.items():
        rate = f"{row['per_second']:,.0f}" if row["per_second"] else "–"
        say(f"{name:<12}{row['n']:>10,}{row['seconds']:>10.2f}{rate:>12}{row['peak_mib']:>10,.0f}{row['load']:>6}   {row['what']}")
        laps = ", ".join(f"{key.removesuffix('_seconds')} {value:.3f} s" for key, value in row.items() if key.endswith("_seconds")
                         and isinstance(value, float))  # fmt: skip
        if laps:
            say(f"{'':<12}{laps}")
