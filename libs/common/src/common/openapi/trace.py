"""Which problems a route can answer: read from the code it can reach, so that no list has to be kept by hand.

From an endpoint's source, every function of ours that it names is read too, and so on; each problem class met on the way (raised, called or
handed on, not merely caught) is one the route can answer. It errs on the side of naming one too many: what a caller up the line catches
and mends is still named.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from pydantic import BaseModel

from common.problems import Problem

__all__ = ["problems_of"]

_Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_ASKING: Final = frozenset({"isinstance", "issubclass"})
_SILENT: Final = ("common.db", "common.telemetry", "common.settings", "common.cli", "common.contracts")
"""Mechanisms whose inside answers nobody: what they raise is no problem, or the edge's own."""


@cache
def _functions(file: str) -> Mapping[int, _Node]:
    """Every function of a source file by the line its code begins at (a decorator's, when it has one)."""
    found: dict[int, _Node] = {}
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"), file)
    except OSError:  # made in memory, as a dataclass makes its methods
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found


def _names(node: ast.AST) -> Iterator[ast.Name | ast.Attribute]:
    """Names read in a function's body, the longest chains only; not in annotations, `except` clauses and questions of type."""
    if isinstance(node, ast.Name | ast.Attribute):
        if isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name | ast.Attribute):
            yield from _names(node.value)
        yield node
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "ctx") or (isinstance(node, ast.ExceptHandler) and name == "type"):
            continue
        if name == "args" and isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKING:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _names(child)


def _imported(node: ast.AST) -> dict[str, object]:
    """What a function imports inside itself."""
    found: dict[str, object] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.ImportFrom) and inner.module in sys.modules:
            module = sys.modules[inner.module]
            found |= {alias.asname or alias.name: getattr(module, alias.name, None) for alias in inner.names}
    return found


def _resolved(node: ast.expr, names: Mapping[str, object]) -> object:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, names)
        if owner is None:
            return None
        # Only what lies there: nothing is computed, no property is run.
        return inspect.getattr_static(owner, node.attr, None)
    return None


def _inner(thing: object) -> Callable[..., Any] | None:
    while True:
        if isinstance(thing, staticmethod | classmethod):
            thing = thing.__func__
        elif hasattr(thing, "__wrapped__"):
            thing = thing.__wrapped__
        elif hasattr(thing, "func") and not isinstance(thing, type | FunctionType):  # functools.partial
            thing = thing.func
        elif inspect.ismethod(thing):
            thing = thing.__func__
        else:
            return thing if isinstance(thing, FunctionType) else None


def _is_ours(module: str | None, roots: tuple[str, ...]) -> bool:
    return module is not None and module.split(".", 1)[0] in roots and not module.startswith(_SILENT)


@cache
def _reached(function: FunctionType, roots: tuple[str, ...]) -> tuple[frozenset[type[Problem]], frozenset[FunctionType]]:
    """Problems a function names itself, and the functions of ours that it names."""
    node = _functions(function.__code__.co_filename).get(function.__code__.co_firstlineno)
    problems: set[type[Problem]] = set()
    calls: set[FunctionType] = set()
    if node is None:
        return frozenset(), frozenset()
    closure = dict(zip(function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()), strict=True))
    names = function.__globals__ | closure | _imported(node)
    for body in node.body if isinstance(node.body, list) else [node.body]:
        for name in _names(body):
            for thing in _things(_resolved(name, names)):
                if isinstance(thing, type) and issubclass(thing, Problem):
                    problems.add(thing)
                elif (inner := _inner(thing)) is not None and _is_ours(inner.__module__, roots):
                    assert isinstance(inner, FunctionType)
                    calls.add(inner)
                elif isinstance(thing, type) and _is_ours(thing.__module__, roots) and not issubclass(thing, BaseModel):
                    calls |= {
                        member for member in vars(thing).values() if isinstance(member, FunctionType) and _is_ours(member.__module__, roots)
                    }
    return frozenset(problems), frozenset(calls)


def _things(found: object) -> Iterator[object]:
    """A thing, or the things in a table of them (states to errors, kinds to functions)."""
    if isinstance(found, Mapping):
        yield from list(found.values())[:200]
    elif isinstance(found, tuple | list | frozenset | set):
        yield from list(found)[:200]
    elif not isinstance(found, ModuleType):
        yield found


def problems_of(endpoint: Callable[..., Any], roots: tuple[str, ...]) -> frozenset[type[Problem]]:
    """The problems a function can answer; `roots` are the packages whose code is read."""
    found: set[type[Problem]] = set()
    first = _inner(endpoint)
    waiting, seen = [first] if isinstance(first, FunctionType) else [], set[FunctionType]()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        problems, calls = _reached(function, roots)
        found |= problems
        waiting.extend(calls - seen)
    return frozenset(found) - {Problem}
