"""The house rules find what they are for, and the tree keeps them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / "tools/lint/house_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BROKEN = {
    "clock": ("usecases/a.py", "from datetime import datetime\nx = datetime.now()\n"),
    "transaction": ("api/a.py", "async def f(db):\n    async with db.transaction():\n        pass\n"),
    "http-client": ("channels/a.py", "import httpx\nx = httpx.AsyncClient()\n"),
    "sheet-writer": ("usecases/a.py", "import csv\nwriter = csv.writer(open('a'))\n"),
    "division": ("domain/a.py", "def f(a, b):\n    return a / b\n"),
    "float": ("domain/a.py", "x: float = 1\n"),
    "compare": ("api/a.py", "def f(given_signature, expected):\n    return given_signature == expected\n"),
    "environ": ("usecases/a.py", "import os\nx = os.environ['A']\n"),
    "function-size": ("usecases/a.py", "def f():\n" + "    x = 1\n" * 71),
    "file-size": ("usecases/a.py", "x = 1\n" * 401),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_finds_its_breach_and_honours_a_reasoned_exception(
    rule: str, rules: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ROOT", tmp_path)
    name, text = BROKEN[rule]
    path = tmp_path / "services/registry/src/registry" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    (finding,) = rules.check_file(path)
    assert f": {rule}: " in finding
    line = int(finding.split(":")[1]) - 1
    rows = text.splitlines()
    rows[line] += f"  # house: {rule} - the test says so"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert rules.check_file(path) == []


@pytest.mark.parametrize("text", [
    "import requests", "from urllib import request", "from urllib.request import urlopen", "import http.client", "import smtplib",
    "import asyncio\nx = asyncio.open_connection('a', 1)", "import socket\nx = socket.create_connection(('a', 1))",
    "import httpx\nx = httpx.get('http://a')", "import httpx\nx = httpx.Client()",
])  # fmt: skip
def test_no_other_way_leads_outside(text: str, rules: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ROOT", tmp_path)
    for place, found in (("services/registry/src/registry/usecases/a.py", 1), ("libs/common/src/common/a.py", 1),
                         ("libs/common/src/common/testing.py", 0), ("libs/ansinh/src/ansinh/a.py", 0)):  # fmt: skip
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
        assert len([each for each in rules.check_file(path) if ": http-client: " in each]) == found, place


@pytest.mark.parametrize(("text", "rule"), [
    ("import time\ntime.sleep(1)", "sleep"),
    ("import asyncio\nasync def f():\n    for _ in 'ab':\n        await asyncio.sleep(1)", "sleep"),
    ("import asyncio\nasync def f():\n    while not done():\n        await asyncio.sleep(1)", ""), ("x = 1\n" * 450, ""),
    ("x = 1\n" * 451, "file-size"), ("import time\ntime.sleep(1)  # house: sleep - what is slow is the matter", ""),
])  # fmt: skip
def test_a_test_waits_for_conditions_and_is_not_too_long(
    text: str, rule: str, rules: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ROOT", tmp_path)
    path = tmp_path / "tests/test_a.py"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert [finding.split(": ")[1] for finding in rules.check_file(path)] == [rule] * bool(rule)


def test_the_tree_keeps_the_rules(rules: ModuleType) -> None:
    files = (*rules.production_files(), *rules.test_files())
    assert [finding for path in files for finding in rules.check_file(path)] == []
