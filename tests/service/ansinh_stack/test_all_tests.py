"""`./ansinh test --all`: every test once; a part that fails or hangs hides no other; the table says what happened."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ansinh.all_tests import MINUTES, PARTS, Outcome, Part, run, summary
from ansinh.bootstrap import ROOT


def test_the_table_counts_each_part_and_names_what_was_skipped_and_what_failed() -> None:
    outcomes = [
        Outcome("default tests", 0, 204, passed=3_300, skips=tuple(("no browser here", f"tests/a.py::{name}") for name in ("one", "two"))),
        Outcome("brokers", 1, 60, passed=3, failures=(("assert 1 == 2", "tests/b.py::three"),)),
        Outcome("security", 3, 6),
        Outcome("whole stacks", 2, 120, stopped=True),
    ]  # fmt: skip
    said = summary(outcomes, 6.5)
    assert re.split(r"\s{2,}", said[2]) == ["default tests", "3302", "3300", "2", "0", "3.4"]
    assert said[5].endswith("STOPPED after 2.0 min")
    assert "skipped 2: no browser here" in said
    assert "failed: tests/b.py::three: assert 1 == 2" in said
    assert any(line.startswith("failed: security") and "pytest ended with 3" in line for line in said)
    assert said[-1] == "NOT all parts passed: 3303 tests, 6.5 minutes"
    assert summary(outcomes[:1], 3.4)[-1] == "all parts passed: 3300 tests, 3.4 minutes"


def test_all_of_it_leaves_a_submission_s_90_minutes_time_for_set_up_and_checks() -> None:
    assert MINUTES <= 85
    for part, _ in PARTS:
        assert all((ROOT / folder).is_dir() for folder in part.folders)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_part_that_fails_and_one_that_hangs_hide_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hangs = (
        "import pathlib, threading\n"
        "def test_it():\n"
        "    try: threading.Event().wait(600)\n"
        "    finally: pathlib.Path(__file__).with_name('ended').touch()"
    )
    texts = {
        "hangs": (0.6, hangs),
        "fails": (3, "def test_it(): assert 1 == 2"),
        "skips": (3, "import pytest\ndef test_it(): pytest.skip('nothing here')\ndef test_other(): pass"),
        "none": (3, ""),
    }
    parts = []
    for name, (minutes, text) in texts.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"test_{name}_of_all.py").write_text(text, encoding="utf-8")
        parts.append((Part(name, minutes, (str(folder),), chosen="not slow", workers="1"), ()))
    said: list[str] = []
    assert run(said.append, minutes=9.6, parts=parts) == 1
    table = [line for line in said if line.startswith(tuple(texts))]
    assert [line.split()[1:5] for line in table] == [["1", "0", "0", "1"], ["1", "0", "0", "1"], ["2", "1", "1", "0"], ["0", "0", "0", "0"]]
    assert "skipped 1: nothing here" in said
    assert any(re.fullmatch(r"failed: .*test_hangs_of_all.py::test_it: it was running when the time was over", line) for line in said)
    assert any(re.fullmatch(r"failed: .*test_fails_of_all.py::test_it: .*assert 1 == 2", line) for line in said)
    assert "STOPPED" in table[0]
    assert (tmp_path / "hangs" / "ended").exists(), "what a test has begun is ended with it"
    assert said[-1].startswith("NOT all parts passed: 1 tests")
    assert run(said.append, minutes=6, parts=parts[2:]) == 0
    assert "assert 1 == 2" in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_parts_choose_every_test_once() -> None:
    def collected(arguments: list[str]) -> Counter[str]:
        command = [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-n", "0", *arguments]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 5), done.stdout[-3_000:] + done.stderr[-3_000:]
        return Counter(line for line in done.stdout.splitlines() if "::" in line)

    chosen: Counter[str] = Counter()
    for part, others in PARTS:
        arguments = part.arguments(others)
        chosen += collected(arguments[arguments.index("-m") :])
    assert chosen == collected([])
    assert set(chosen.values()) == {1}
