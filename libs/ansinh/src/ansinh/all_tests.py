"""`./ansinh test --all`: every test once, in parts that follow each other; what each part said, in one table at the end.

A part that fails, or does not end, holds no other up: all run, and the exit code says whether all passed. The whole has a limit, and each
part the moment by which it must have ended; time that a quick part leaves is the next ones'.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ansinh.bootstrap import ROOT

__all__ = ["DEFAULT_TIER", "MINUTES", "NONE_CHOSEN", "PARTS", "WORKERS", "Outcome", "Part", "run", "summary"]

DEFAULT_TIER: Final = "not slow and not stack and not broker and not compose"
_LONG: Final = f"not ({DEFAULT_TIER})"
#: One more than the cores: a test in process waits for the database a third of its time.
WORKERS: Final = "3"
#: pytest's exit code when nothing was chosen.
NONE_CHOSEN: Final = 5
_GOODBYE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Part:
    """Long tests of some folders, `minutes` of the whole at most; without folders: those of every folder that no other part names."""

    name: str
    minutes: float
    folders: tuple[str, ...] = ()
    chosen: str = _LONG
    workers: str = WORKERS

    def arguments(self, others: Sequence[Part] = ()) -> list[str]:
        """What pytest is told; `others`: whose folders are not this part's, also where they lie in this part's."""
        taken = [f"--ignore={folder}" for part in others for folder in part.folders]
        how = "worksteal" if self.chosen == DEFAULT_TIER else "loadgroup"
        return ["-n", self.workers, "--dist", how, "-m", self.chosen, *taken, *self.folders]


_DEFAULT: Final = Part("default tests", 8, chosen=DEFAULT_TIER)
#: Together they choose every test once: what is quick is known first. Whole stacks take both cores: one beside other work, never three.
_FOLDERS: Final = (
    Part("brokers", 5, ("tests/messaging",)),
    Part("security", 9, ("tests/security",)),
    Part("services", 9, ("tests/service",)),
    Part("resilience", 17, ("tests/resilience",), workers="2"),
)
_STACKS: Final = Part("whole stacks", 14, ("tests/e2e",), workers="2")
#: A month of a whole province has the machine to itself; last, since it is the longest of one test.
_PROVINCES: Final = Part("provinces", 12, ("tests/e2e/provinces",), workers="1")
_REST: Final = Part("all others", 11)
PARTS: Final = (
    (_DEFAULT, ()), *((part, ()) for part in _FOLDERS), (_STACKS, (_PROVINCES,)), (_REST, (*_FOLDERS, _STACKS)), (_PROVINCES, ()),
)  # fmt: skip
#: Of everything, on two quiet cores; a province's sizes and busy machines take more (`--minutes`).
MINUTES: Final = sum(part.minutes for part, _ in PARTS)


@dataclass(frozen=True)
class Outcome:
    """What a part said. `stopped`: it did not end in time; `skips` and `failures`: reason or message, and the test."""

    name: str
    code: int
    seconds: float
    stopped: bool = False
    passed: int = 0
    skips: tuple[tuple[str, str], ...] = ()
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def good(self) -> bool:
        """Nothing failed, and everything was run."""
        return self.code in (0, NONE_CHOSEN) and not self.failures and not self.stopped


def run(say: Callable[[str], None], minutes: float = MINUTES, parts: Sequence[tuple[Part, Sequence[Part]]] = PARTS) -> int:
    """All parts, one after the other, and the table; 0 when all passed."""
    began, allowed, outcomes = time.monotonic(), 0.0, []
    scale = minutes / sum(part.minutes for part, _ in parts)
    with tempfile.TemporaryDirectory(prefix="ansinh-tests-") as folder:
        for number, (part, others) in enumerate(parts, 1):
            allowed += part.minutes * scale
            left = began + 60 * allowed - time.monotonic()
            say(f"\n== part {number} of {len(parts)}: {part.name} ({time.strftime('%H:%M:%S')}; at most {left / 60:.0f} minutes)")
            report = Path(folder) / f"{number}.jsonl"
            outcome = _outcome(part.name, report, *_pytest([*part.arguments(others), "-p", "ansinh.test_lines", f"--lines={report}"], left))
            say(f"== part {number} of {len(parts)}: {part.name}: {_counts(outcome)}")
            outcomes.append(outcome)
    for line in summary(outcomes, (time.monotonic() - began) / 60):
        say(line)
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _pytest(arguments: Sequence[str], seconds: float) -> tuple[int, float, bool]:
    """(exit code, seconds, whether it was stopped). It is asked as Ctrl-C asks, so that what tests have started is ended."""
    started = time.monotonic()
    command = [sys.executable, "-P", "-m", "pytest", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and what it starts would too
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    stopped = False
    try:
        process.wait(max(seconds, 0.1))
    except subprocess.TimeoutExpired:
        stopped = True
    finally:
        if process.poll() is None:
            _end(process)
    return process.returncode, time.monotonic() - started, stopped


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GOODBYE_SECONDS)
            return


def _outcome(name: str, report: Path, code: int, seconds: float, stopped: bool) -> Outcome:
    """What became of each test, by the lines of :mod:`ansinh.test_lines`."""
    open_, passed, skips, failures = set[str](), set[str](), dict[str, str](), dict[str, str]()
    for line in report.read_text(encoding="utf-8").splitlines() if report.exists() else ():
        said = json.loads(line)
        test, what = said["test"], said["what"]
        if what == "begun":
            open_.add(test)
        elif what == "ended":
            open_.discard(test)
        elif what == "passed":
            passed.add(test)
        else:
            (skips if what == "skipped" else failures).setdefault(test, said["why"])
    if stopped:
        failures |= dict.fromkeys(open_ - failures.keys(), "it was running when the time was over")
    count = len(passed - failures.keys() - skips.keys())
    return Outcome(name, code, seconds, stopped, count, _turned(skips, but=failures), _turned(failures))


def _turned(found: Mapping[str, str], but: Container[str] = ()) -> tuple[tuple[str, str], ...]:
    return tuple((why, test) for test, why in found.items() if test not in but)


def _counts(outcome: Outcome) -> str:
    text = f"{outcome.passed} passed, {len(outcome.skips)} skipped, {len(outcome.failures)} failed, {outcome.seconds / 60:.1f} min"
    if outcome.stopped:
        return f"{text}: STOPPED, its time was over"
    return text if outcome.good or outcome.failures else f"{text}: FAILED, pytest ended with {outcome.code}"


def summary(outcomes: Sequence[Outcome], minutes: float) -> list[str]:
    """The table of parts, what was skipped and why, what failed."""
    lines = ["", f"{'part':18}{'tests':>8}{'passed':>8}{'skipped':>9}{'failed':>8}{'minutes':>9}"]
    for one in outcomes:
        tests = one.passed + len(one.skips) + len(one.failures)
        mark = "" if one.good else f"  STOPPED after {one.seconds / 60:.1f} min" if one.stopped else "  FAILED"
        row = f"{one.name:18}{tests:8}{one.passed:8}{len(one.skips):9}{len(one.failures):8}{one.seconds / 60:9.1f}"
        lines.append(f"{row}{mark}")
    reasons: dict[str, list[str]] = {}
    for reason, test in (skip for one in outcomes for skip in one.skips):
        reasons.setdefault(reason, []).append(test)
    for reason, skipped in reasons.items():
        lines += [f"skipped {len(skipped)}: {reason}", *(f"    {test}" for test in skipped[:3]), *(["    …"] if len(skipped) > 3 else [])]
    for one in outcomes:
        lines += [f"failed: {test}: {message}" for message, test in one.failures]
        if not one.good and not one.failures:
            lines.append(f"failed: {one.name}: {_counts(one)}")
    passed = all(one.good for one in outcomes)
    lines.append(
        f"{'all parts passed' if passed else 'NOT all parts passed'}: {sum(one.passed for one in outcomes)} tests, {minutes:.1f} minutes"
    )
    return lines
