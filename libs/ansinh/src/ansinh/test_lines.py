"""A pytest plugin for `./ansinh test --all`: a line of JSON for each test that begins, and for what became of it, written at once.

What a run has done is known even when it was stopped or killed: pytest's own report is written at the end, or never.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Lines"]


class Lines:
    """Writes what pytest (with workers: the process that leads them) is told of its tests."""

    def __init__(self, path: Path) -> None:
        """A new file."""
        self._out = path.open("w", encoding="utf-8", buffering=1)

    def _say(self, test: str, what: str, why: str = "") -> None:
        self._out.write(json.dumps({"test": test, "what": what, "why": why.split("\n", 1)[0][:300]}) + "\n")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """It begins."""
        self._say(nodeid, "begun")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One of its three steps is over; the last one ends it."""
        if report.failed:
            self._say(report.nodeid, "failed", _reason(report.longrepr))
        elif report.skipped:
            self._say(report.nodeid, "skipped", _reason(report.longrepr))
        elif report.when == "call":
            self._say(report.nodeid, "passed")
        if report.when == "teardown":
            self._say(report.nodeid, "ended")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read has no tests to fail."""
        if report.failed:
            self._say(report.nodeid, "failed", str(report.longrepr).strip().rsplit("\n", 1)[-1])


def _reason(found: Any) -> str:
    if isinstance(found, (tuple, list)):
        return str(found[-1]).removeprefix("Skipped: ")
    crash = getattr(found, "reprcrash", None)
    return str(crash.message if crash is not None else found)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the lines go."""
    parser.addoption("--lines", type=Path, default=None, help="write what became of each test, line by line")


def pytest_configure(config: pytest.Config) -> None:
    """The process that leads writes; its workers report to it."""
    if (path := config.getoption("lines")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lines(path))
