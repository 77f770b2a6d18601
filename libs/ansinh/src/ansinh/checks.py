"""`./ansinh test` and `./ansinh check`: the same commands a developer and CI run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ansinh.bootstrap import ROOT
from ansinh.lock import problems_of_lock
from ansinh.sbom import problems_of_sbom

__all__ = ["check", "test"]

_DEFAULT_TIER = "not slow and not stack and not broker and not compose"
_LONG = f"not ({_DEFAULT_TIER})"
#: Folders whose long tests start whole stacks: they come last, and those that share ports follow each other (`xdist_group`).
_STACKS = ("tests/e2e", "tests/resilience/month")
#: Together they choose every test once: what is quick is known first.
_TIERS = (
    ("default tests", ["--dist", "worksteal", "-m", _DEFAULT_TIER]),
    ("long tests in process", ["--dist", "loadgroup", "-m", _LONG, *(f"--ignore={folder}" for folder in _STACKS)]),
    ("long tests of whole stacks", ["--dist", "loadgroup", "-m", _LONG, *_STACKS]),
)
_NONE_CHOSEN = 5


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test(*, everything: bool, arguments: Sequence[str]) -> int:
    """pytest on three workers; the long tiers only when everything is asked for, after the default one. Its exit code, or the worst."""
    if not everything:
        return _pytest(["--dist", "worksteal", "-m", _DEFAULT_TIER], arguments)
    if arguments:
        return _pytest(["--dist", "loadgroup"], arguments)
    codes = []
    for name, chosen in _TIERS:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        started = time.monotonic()
        codes.append(_pytest(chosen, ()))
        sys.stdout.write(f"== {name}: {(time.monotonic() - started) / 60:.1f} min\n")
    return max((code for code in codes if code != _NONE_CHOSEN), default=0)


#: One more than the cores: a test waits for the database a third of its time.
_WORKERS: Final = "3"


def _pytest(chosen: Sequence[str], arguments: Sequence[str]) -> int:
    command = [sys.executable, "-P", "-m", "pytest", "-n", _WORKERS, *chosen, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode


def check(say: Callable[[str], None]) -> int:
    """Lint, format, types, import rules, lock, bill of materials: all of them run, the exit code says whether all passed."""
    steps = (
        ("lint", [_tool("ruff"), "check", "."]),
        ("format", [_tool("ruff"), "format", "--check", "--quiet", "."]),
        ("types", [_tool("mypy")]),
        ("import rules", [_tool("lint-imports"), "--no-cache"]),
        ("house rules", [sys.executable, str(ROOT / "tools" / "lint" / "house_rules.py")]),
    )
    failed = []
    for name, command in steps:
        say(f"== {name}")
        if subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"}).returncode:
            failed.append(name)
    for name, problems_of in (("lock", problems_of_lock), ("bill of materials", problems_of_sbom)):
        say(f"== {name}")
        if problems := problems_of():
            failed.append(name)
            for problem in problems:
                say(problem)
    say(f"failed: {', '.join(failed)}" if failed else "all checks pass")
    return 1 if failed else 0
