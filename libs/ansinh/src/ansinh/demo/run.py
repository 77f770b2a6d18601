"""The main job: a province's month through the public APIs, from the offices' files to the published table, checked against the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from ansinh.demo.bars import Stages
from ansinh.demo.check import Differences, check
from ansinh.demo.client import Api, ApiProblem, DeadlineMissed
from ansinh.demo.cycles import CycleDesk
from ansinh.demo.evidence import gather
from ansinh.demo.lists import ListsDesk, linking, verification, wait_quiet
from ansinh.demo.published import beside_published, published_table
from ansinh.demo.report import as_json, print_report
from ansinh.demo.stack_info import StackInfo
from ansinh.sample import Manifest, read_manifest
from ansinh.sample.truth import read_people, read_totals

__all__ = ["DemoFailed", "run"]


_WIDTH_IN_FILES = 160


class DemoFailed(Exception):
    """The month could not be taken to its end; the text says where it stopped and what was open."""


async def run(
    stack: StackInfo,
    sample_dir: Path,
    say: Callable[[str], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Runs the month of `sample_dir` on a running stack and prints it.

    The answer is the object for scripts: its `differences` are empty when all is right.
    `say` is told one line per finished stage, `progress` (stage, done, total) beside the
    bars, beginning with (stage, 0, 0). May be run again after a break:
    it goes on where the stack is. Raises `DemoFailed`.
    """
    shown = console or _console()
    failures: list[BaseException] = []
    try:
        return await _Month(stack, sample_dir, shown, say, progress).run()
    except* (ApiProblem, DeadlineMissed) as errors:
        failures = _leaves(errors)
    raise DemoFailed("; ".join(str(failure) for failure in failures[:3])) from failures[0]


def _console() -> Console:
    """The terminal; in a file or pipe wide enough that no figure is cut off."""
    found = Console()
    return found if found.is_terminal else Console(width=_WIDTH_IN_FILES)


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


class _Month:
    def __init__(
        self,
        stack: StackInfo,
        folder: Path,
        console: Console,
        say: Callable[[str], None] | None,
        listener: Callable[[str, int, int], None] | None,
    ) -> None:
        self._stack, self._folder, self._console, self._say, self._listener = stack, folder, console, say, listener
        self._manifest: Manifest = read_manifest(folder)
        self._differences = Differences()

    async def run(self) -> dict[str, Any]:
        began = time.monotonic()
        m = self._manifest
        self._console.print(f"{m.province_name}, month {m.month}, business date {m.business_date}: {m.people:,} people "
                            f"in {len(m.files):,} files (preset {m.preset}, seed {m.seed})", highlight=False)  # fmt: skip
        async with Api(self._stack) as api:
            with Stages(self._console, self._say, self._listener) as stages:
                lists = ListsDesk(api, self._stack, self._folder, m, "registry")
                await self._register(lists, ListsDesk(api, self._stack, self._folder, m, "accounts"), stages, api)
                cycles = CycleDesk(api, self._stack, m)
                await self._pay(cycles, stages, api)
                with stages.stage("check", "check against truth and books") as stage:
                    await self._check_refused(lists)
                    evidence = await gather(api, self._stack, m, [r.cycle_id for r in cycles.runs], stage)
                    found = check(read_people(self._folder), evidence, read_totals(self._folder).get("standing", ()))
                    published = beside_published(m.preset, evidence.indicators, found)
                    self._differences.texts += found.texts
                    self._differences.kinds.update(found.kinds)
        seconds = time.monotonic() - began
        if published:
            self._console.print(published_table(published))
        print_report(self._console, m, evidence, self._differences)
        slowest = ", ".join(f"{k} {v:.1f}" for k, v in stages.seconds.items())
        self._console.print(f"{seconds:.1f} s from the first file to the checked report ({slowest})", highlight=False)
        listed = sum(int(r.view.get("lines") or 0) for r in cycles.runs)
        return as_json(m, evidence, self._differences, listed, seconds, stages.seconds) | {"published": published}

    async def _register(self, lists: ListsDesk, accounts: ListsDesk, stages: Stages, api: Api) -> None:
        m, stack = self._manifest, self._stack
        of_people = [f for f in m.files if f["kind"] != "ACCOUNTS"]
        with stages.stage("upload", "offices send their lists") as stage:
            await lists.send(stage, [f for f in of_people if not f["supplement"]])
            await lists.send(stage, [f for f in of_people if f["supplement"]])
            await accounts.send(stage, [f for f in m.files if f["kind"] == "ACCOUNTS"])
            stage.done_text = f"{len(of_people):,} lists of people, {len(accounts.imports):,} registrations for payment"
        with stages.stage("register", "checked, approved, registered") as stage:
            await lists.checked(stage)
            await lists.approve(stage)
            counts = lists.counts()
            stage.done_text = f"{counts['rows_total']:,} rows, {counts['rows_refused']:,} refused with a reason"
        with stages.stage("accounts", "ways to be paid approved") as stage:
            await accounts.checked(stage)
            await accounts.approve(stage)
            stage.done_text = f"{accounts.counts()['rows_total']:,} rows"
        with stages.stage("verify", "verification, population database") as stage:
            verdicts = await verification(api, stack, stage, m.people)
            stage.done_text = ", ".join(f"{k} {v:,}" for k, v in sorted(verdicts.items(), key=lambda kv: -kv[1]))
        with stages.stage("link", "accounts linked by name inquiry") as stage:
            await linking(api, stack, stage)
            await wait_quiet(api, stack, stage)
            linked = await linking(api, stack, stage)  # the first look may come before accounts has heard of anybody
            stage.done_text = ", ".join(f"{k} {v:,}" for k, v in sorted((linked.get("by_status") or {}).items(), key=lambda kv: -kv[1]))

    async def _pay(self, cycles: CycleDesk, stages: Stages, api: Api) -> None:
        with stages.stage("open", "take-over, budgets, two cycles") as stage:
            await cycles.take_over()
            await cycles.budgets()
            await cycles.open()
            stage.done_text = ", ".join(r.programme for r in cycles.runs)
        with stages.stage("list", "cut-off and lists") as stage:
            await cycles.compute(stage)
            held = await cycles.holds()
            lines = sum(int(r.view.get("lines") or 0) for r in cycles.runs)
            stage.done_text = f"{lines:,} payments, held: " + (", ".join(f"{k} {v:,}" for k, v in sorted(held.items())) or "nobody")
        with stages.stage("approve", "submit (maker), approve (checker)") as stage:
            await cycles.sign(stage)
            stage.done_text = ", ".join(f"{r.programme} {int(r.view.get('total_amount') or 0):,} đồng" for r in cycles.runs)
        with stages.stage("pay", "partners pay, webhooks come back") as stage:
            await cycles.settle(stage)
            stage.done_text = f"{sum(r.final for r in cycles.runs):,} payments final"
        with stages.stage("report", "everything quiet, cycles closed") as stage:
            await wait_quiet(api, self._stack, stage)
            for text in await cycles.close():
                self._differences.add("close", text)
            await wait_quiet(api, self._stack, stage)

    async def _check_refused(self, lists: ListsDesk) -> None:
        """Every bad row was refused with its row number, and no good one was."""
        expected: dict[str, set[int]] = {}
        for item in read_totals(self._folder)["refused"]:
            expected.setdefault(item["file"], set()).add(item["row"])
        seen = await lists.refused_rows()
        for path in sorted(expected.keys() | seen.keys()):
            must, did = expected.get(path, set()), seen.get(path, set())
            for row in sorted(must - did):
                self._differences.add("row-taken", f"{path} row {row} must be refused and was taken")
            for row in sorted(did - must):
                self._differences.add("row-refused", f"{path} row {row} is good and was refused")
