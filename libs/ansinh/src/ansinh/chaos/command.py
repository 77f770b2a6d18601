"""The verb `chaos`: months of people, ill-treated until so many processes have died, and the verdict."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ansinh.chaos import books
from ansinh.chaos.hands import Hands
from ansinh.chaos.plan import REPLICAS, Deed, deeds
from ansinh.chaos.stack import TargetStack
from ansinh.demo_command import DemoStack, fresh, prepare_sample
from ansinh.stack.commands import ready_units, start_and_run
from ansinh.stack.control import holder
from ansinh.stack.layout import SERVICES, Layout

__all__ = ["month_under_attack", "run"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE, _INTERRUPTED = 1, 69, 130
_BACK_SECONDS = 120.0
#: One process may be killed again and again while the month asks for it.
_PATIENCE_SECONDS = 600.0


@dataclass
class Account:
    """What came of all months so far."""

    kills: int = 0
    rounds: int = 0
    people: int = 0
    by_victim: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    not_audited: list[str] = field(default_factory=list)
    audit_rows: Counter[str] = field(default_factory=Counter)
    audit_broken: list[str] = field(default_factory=list)
    disbelieved: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    def well(self) -> bool:
        """Every promise was kept."""
        return not (self.doubled or self.lost or self.unexplained or self.books or self.not_audited or self.audit_broken)


async def month_under_attack(stack: TargetStack, sample: Path, plan: Iterator[Deed], kills: int, say: Say, account: Account) -> None:
    """Run the month of a sample on a stack that is up, with the deeds of a plan until `kills` have died, and add its verdict."""
    from ansinh.demo.run import DemoFailed
    from ansinh.demo.run import run as month

    urls = {name: stack.layout.url(name) for name in (*(service.name for service in SERVICES), "population", "partner", "issuer")}
    info = replace(DemoStack(sample, urls, stack.layout.secrets / "issuer.json", stack.layout).info(), patience_seconds=_PATIENCE_SECONDS)
    hands = Hands(stack, plan, kills, say)

    def progress(stage: str, _done: int, _total: int) -> None:
        if stage == "check":
            hands.enough()

    working = asyncio.create_task(hands.run())
    result: dict[str, Any] = {"differences": []}
    try:
        with (stack.layout.logs / "month.log").open("a", encoding="utf-8") as out:
            result = await month(info, sample, say, progress, Console(file=out, width=200))
    except DemoFailed as error:
        account.unexplained.append(f"the month did not come to its end: {error}")
    finally:
        hands.enough()
        await working
    await _back(stack)
    sorted_texts = books.sort_differences(result["differences"])
    account.rounds += 1
    account.people += int(result.get("people", 0))
    account.kills += hands.kills
    account.by_victim.update(stack.ends)
    account.deeds.update(hands.done)
    account.skipped += hands.skipped
    account.unexplained += sorted_texts["people"]
    account.books += sorted_texts["books"]
    account.disbelieved += sorted_texts["disbelieved"]
    account.doubled += sorted_texts["twice"]
    account.doubled += await asyncio.to_thread(books.doubled, stack.layout.url("partner"), stack.dsns["disbursement"])
    account.lost += await asyncio.to_thread(books.lost_events, stack.dsns)
    account.not_audited += await asyncio.to_thread(books.not_audited, stack.dsns)
    rows, wrong = await asyncio.to_thread(books.chains, stack.dsns)
    account.audit_rows.update(rows)
    account.audit_broken += wrong


async def _back(stack: TargetStack) -> None:
    """Until every process is ready again."""
    async with asyncio.timeout(_BACK_SECONDS):
        while not all(child.state == "READY" for child in stack.supervisor.children.values()):
            await asyncio.sleep(0.1)


def run(options: argparse.Namespace, say: Say) -> int:
    """0 when everybody was paid once or said why not, the books are equal, nothing was lost and every change is in the audit log."""
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    home = Layout.from_environment()
    layout = replace(home, home=home.home / "chaos")
    for each in (home, replace(home, home=home.home / "demo"), layout):
        if each.run.exists() and (pid := holder(each)):
            say(f"the stack of {each.home} is running (process {pid}) on the same ports; ./ansinh down stops it")
            return _UNAVAILABLE
    say(f"seed {seed}: --seed {seed} draws the same deeds again")
    asked = argparse.Namespace(preset=options.preset, province=None, people=options.people, seed=None)
    sample = prepare_sample(home, asked, say)
    province = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))["province_code"]
    plan, account, started = deeds(seed), Account(), time.monotonic()

    def told(text: str) -> None:
        say(f"{time.monotonic() - started:7.1f} {text}")

    code = 0
    while account.kills < options.kills and code == 0 and account.well():
        fresh(layout)
        shutil.rmtree(layout.home / "kafka", ignore_errors=True)
        layout.prepare()
        shutil.copyfile(sample / "world.sqlite", layout.world)
        stack = TargetStack(layout, told, ready_units(province), replicas=REPLICAS, apache_kafka=options.apache_kafka)
        ended: list[bool] = []

        async def body(stack: TargetStack = stack, ended: list[bool] = ended) -> int:
            await month_under_attack(stack, sample, plan, options.kills - account.kills, told, account)
            ended.append(True)
            return 0

        code = start_and_run(stack, body, told, drain=lambda: False)
        if not ended:
            say("interrupted before the end")
            return code or _INTERRUPTED
        _write(options, _result(options, seed, account, time.monotonic() - started))
        told(f"month {account.rounds}: {account.kills} killed so far; " + ("all is well" if account.well() else "NOT WELL"))
    return _finish(options, say, seed, account, time.monotonic() - started) or code


def _result(options: argparse.Namespace, seed: int, account: Account, seconds: float) -> dict[str, Any]:
    return {
        "seed": seed, "kills": account.kills, "doubled": len(account.doubled), "lost": len(account.lost),
        "unexplained": len(account.unexplained), "books_equal": not account.books and account.rounds > 0,
        "people": account.people, "rounds": account.rounds, "not_audited": len(account.not_audited),
        "audit_whole": not account.audit_broken and account.rounds > 0, "audit_rows": dict(account.audit_rows),
        "disbelieved": account.disbelieved,
        "killed": dict(account.by_victim.most_common()), "deeds": dict(account.deeds.most_common()), "skipped": account.skipped,
        "broker": "Apache Kafka" if options.apache_kafka else "embedded", "seconds": round(seconds, 1),
        "findings": [*account.doubled, *account.lost, *account.unexplained, *account.books, *account.not_audited, *account.audit_broken],
    }  # fmt: skip


def _write(options: argparse.Namespace, found: dict[str, Any]) -> None:
    if options.json:
        options.json.write_text(json.dumps(found, indent=2, ensure_ascii=False), encoding="utf-8")


def _finish(options: argparse.Namespace, say: Say, seed: int, account: Account, seconds: float) -> int:
    found = _result(options, seed, account, seconds)
    _write(options, found)
    for text in found["findings"][:40]:
        say(text)
    say(
        f"{account.kills} killed in {account.rounds} months, {account.people:,} people, {seconds:.0f} s: doubled {found['doubled']},"
        f" lost {found['lost']}, unexplained {found['unexplained']}, books equal: {'yes' if found['books_equal'] else 'NO'},"
        f" without audit row {found['not_audited']}, audit chains of {account.audit_rows.total():,} rows"
        f" {'whole' if found['audit_whole'] else 'NOT WHOLE'}"
    )
    return 0 if account.well() and account.rounds else _FAILED
