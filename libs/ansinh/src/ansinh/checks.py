"""`./ansinh test` and `./ansinh check`: the same commands a developer and CI run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ansinh import all_tests
from ansinh.bootstrap import ROOT
from ansinh.lock import problems_of_lock
from ansinh.sbom import problems_of_sbom

__all__ = ["check", "test"]


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test(say: Callable[[str], None], *, everything: bool, minutes: float | None, arguments: Sequence[str]) -> int:
    """The default tier; every test once when everything is asked for; with arguments for pytest: what they choose. An exit code."""
    if everything and not arguments:
        return all_tests.run(say, minutes or all_tests.MINUTES)
    chosen = ["--dist", "loadgroup"] if everything else ["--dist", "worksteal", "-m", all_tests.DEFAULT_TIER]
    command = [sys.executable, "-P", "-m", "pytest", "-n", all_tests.WORKERS, *chosen, *arguments]
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
