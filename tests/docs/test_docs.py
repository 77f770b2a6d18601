"""What the documents say exists, exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
STEPS = re.findall(
    r"^\| .+? \| `([^`]+)` \| `([^`]+)` \|$", (ROOT / "docs/architecture/follow-one-payment.md").read_text("utf-8"), re.MULTILINE
)


def test_the_walk_has_steps_through_all_services() -> None:
    assert len(STEPS) > 40
    for service in ("registry", "identity-verify", "accounts", "disbursement", "reporting"):
        assert any(file.startswith(f"services/{service}/") for file, _ in STEPS), service


@pytest.mark.parametrize(("file", "function"), STEPS, ids=[f"{file.rsplit('/', 1)[-1]}:{function}" for file, function in STEPS])
def test_each_step_of_the_walk_exists(file: str, function: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    assert function in names


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_internal_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_verbs_named_in_the_documents_exist() -> None:
    verbs = set(re.findall(r'verb\(\s*"([a-z-]+)"', (ROOT / "libs/ansinh/src/ansinh/cli.py").read_text(encoding="utf-8")))
    for page in PAGES:
        for verb in re.findall(r"\./ansinh ([a-z][a-z-]*)", page.read_text(encoding="utf-8")):
            assert verb in verbs, f"{page.name} names ./ansinh {verb}"
