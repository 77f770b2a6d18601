"""What a refusal says is said in Vietnamese too: every fixed detail has its words. The register's are in a test of its own."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import accounts
import common
import disbursement
import identity_verify
import reporting
from common import lists, problem_words, problems
from common.actor import OF_A_PROVINCE

FOR_PROGRAMMERS = {
    "The token is signed with an unknown key", "The token is not valid", "The token's algorithm or key id is not accepted",
    "The token's claim partner is not a text", "Send a bearer token", "not an ETag of this resource", "not a cursor of this list",
}  # fmt: skip


FOR_PARTNERS = {"NoticeUnreadable", "NoticeNotBelieved"}


def _said(package: ModuleType) -> set[str]:
    """The first word-for-word argument of every problem made in a package."""
    domain = lists if package is common else import_module(f"{package.__name__}.domain")
    homes = [problems, *(import_module(f"{domain.__name__}.{module.name}") for module in pkgutil.iter_modules(domain.__path__))]
    kinds = {name for home in homes for name, kind in vars(home).items() if isinstance(kind, type) and issubclass(kind, problems.Problem)}
    found = set()
    assert package.__file__ is not None
    for path in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds - FOR_PARTNERS and node.args:
                said = node.args[0]
                if isinstance(said, ast.Constant) and isinstance(said.value, str):
                    found.add(said.value)
    return found


@pytest.mark.parametrize("package", [common, identity_verify, accounts, disbursement, reporting], ids=lambda package: package.__name__)
def test_every_fixed_refusal_has_vietnamese_words(package: ModuleType) -> None:
    module = problem_words if package is common else import_module(f"{package.__name__}.domain.problem_words")
    words: Mapping[str, str] = module.VIETNAMESE
    said = _said(package)
    assert len(said) > 5
    assert said - set(words) - FOR_PROGRAMMERS == set()
    assert set(words) - said - {OF_A_PROVINCE} == set(), "words of what nobody says any more"
    assert all(en != vi and not vi.isascii() and " · " not in vi for en, vi in words.items())
