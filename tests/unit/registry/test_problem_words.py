"""What a refusal says is said in Vietnamese too: every fixed detail of 404, 409 and «second person» in the code has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import registry
from registry.domain.problem_words import VIETNAMESE

SPOKEN = {"NotFound", "Conflict", "SamePerson", "NotPossibleInState", "TransferNotOpen", "ListNotOpen"}


def _details(names: set[str]) -> Iterator[str]:
    for path in Path(registry.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                said = node.args[0]
                if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value[:1].isupper():
                    yield said.value


def test_every_fixed_refusal_has_vietnamese_words() -> None:
    assert set(_details(SPOKEN)) - set(VIETNAMESE) == set()
    assert all(en != vi and not vi.isascii() for en, vi in VIETNAMESE.items())
