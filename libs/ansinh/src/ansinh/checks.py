"""`./ansinh test` and `./ansinh check`: the same commands a developer and CI run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ansinh.bootstrap import ROOT
from ansinh.lock import problems_of_lock

__all__ = ["check", "test"]

_DEFAULT_TIER = "not slow and not stack and not broker and not compose"


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test(*, everything: bool, arguments: Sequence[str]) -> int:
    """pytest on two workers; the long tiers only when everything is asked for. Its exit code."""
    command = [sys.executable, "-P", "-m", "pytest", "-n", "2", "--dist", "worksteal"]
    command += [] if everything else ["-m", _DEFAULT_TIER]
    return subprocess.run([*command, *arguments], cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode


def check(say: Callable[[str], None]) -> int:
    """Lint, format, types, import rules, lock: all of them run, the exit code says whether all passed."""
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
    say("== lock")
    if problems := problems_of_lock():
        failed.append("lock")
        for problem in problems:
            say(problem)
    say(f"failed: {', '.join(failed)}" if failed else "all checks pass")
    return 1 if failed else 0
