"""What a refusal of the shared mechanisms or of reporting says is said in Vietnamese too: every fixed detail has its words."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import common
import reporting
from common import problem_words, problems
from reporting.domain import errors
from reporting.domain import problem_words as reporting_words

FOR_PROGRAMMERS = {
    "The token is signed with an unknown key", "The token is not valid", "The token's algorithm or key id is not accepted",
    "The token's claim partner is not a text", "Send a bearer token", "not an ETag of this resource", "not a cursor of this list",
}  # fmt: skip


def _said(package: ModuleType) -> set[str]:
    """The first word-for-word argument of every problem made in a package."""
    kinds = {
        name
        for module in (problems, errors)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, problems.Problem)
    }
    found = set()
    assert package.__file__ is not None
    for path in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                said = node.args[0]
                if isinstance(said, ast.Constant) and isinstance(said.value, str):
                    found.add(said.value)
    return found


@pytest.mark.parametrize(("package", "words"), [(common, problem_words.VIETNAMESE), (reporting, reporting_words.VIETNAMESE)])
def test_every_fixed_refusal_has_vietnamese_words(package: ModuleType, words: Mapping[str, str]) -> None:
    said = _said(package)
    assert len(said) > 15
    assert said - set(words) - FOR_PROGRAMMERS == set()
    assert all(en != vi and not vi.isascii() and " · " not in vi for en, vi in words.items())
