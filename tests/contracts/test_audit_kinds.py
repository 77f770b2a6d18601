"""Every audit row says which kind of thing it tells of, and the kind fits what was done: a change has before and after.

The types force a choice (`common.audit`); what they cannot see is read from the code here: which action is recorded as what.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS = frozenset({"Created", "Changed", "Bulk", "Read", "Noted"})

CHANGES = re.compile(
    r"(change|changed|answer|answered|decide|decided|approve|approved|confirm|confirmed|accept|refuse|refused|reject|rejected|close|closed"
    r"|end|ended|withdraw|withdrawn|revoke|move|moved|postponed|reached|applied|apply|receive-list|return|leave|resume\w*|resumed|kept|undo"
    r"|sign|lost|late-refused|handed_over|hand_over|choose|order|reconcile|compute|submit|submit-again|send|set|forgotten|merge|merge-undo|\{\})"
)
"""Last words of actions that change what stands: recorded as a change, or as bulk work. `{}` is a word known when it runs only."""

MADE: dict[str, str] = {
    "transfer.send": "a hand-over is made by sending it",
    "data-set.order": "a reading is ordered, with its purpose",
    "list.submit": "registry: a list that travels is made by submitting it",
    "target.set": "a target is given for the first time; another value is target.changed",
    "pause.set": "a stop is made",
    "ruling.propose.{}": "a ruling is proposed",
}
"""Actions with such a word that make something, and what they make."""

NOTED: dict[str, str] = {
    "audit.read": "the audit log was asked; its values are masked",
    "audit.export": "the same, as a file",
    "beneficiary.search-number": "somebody looked for a number; the answer is masked",
    "counter.search": "somebody at the counter looked for a person; the answer is masked",
    "list.export": "a list went out with masked numbers; with whole ones it is a reading with its purpose",
    "report.made_again": "a frozen report was compared with what its events give; nothing changed",
    "sample.redrawn": "the same of a sample",
    "unpaid_list.taken": "a list went out with masked numbers",
}
"""Rows that tell of neither a change nor a full read: few, each with its reason."""


def _files() -> Iterator[Path]:
    for folder in (*ROOT.glob("services/*/src"), ROOT / "libs" / "common" / "src"):
        for path in sorted(folder.rglob("*.py")):
            if "migrations" not in path.parts and path.name != "audit.py" and "audit" in path.read_text(encoding="utf-8"):
                yield path


def _kind_of_name(node: ast.AST | None) -> str | None:
    """`audit.Changed` → Changed."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "audit" and node.attr in KINDS:
        return node.attr
    return None


@cache
def _helpers() -> dict[str, str]:
    """Functions that make what is recorded, by their annotation."""
    found = {}
    for path in _files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (kind := _kind_of_name(node.returns)):
                found[node.name] = kind
    return found


def _kinds(node: ast.AST, names: dict[str, set[str]]) -> set[str]:
    if isinstance(node, ast.IfExp):
        return _kinds(node.body, names) | _kinds(node.orelse, names)
    if isinstance(node, ast.Name):
        return names.get(node.id, set())
    if isinstance(node, ast.Call):
        func = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "of" else node.func
        if kind := _kind_of_name(func):
            return {kind}
        last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if last in _helpers():
            return {_helpers()[last]}
    return set()


def _actions(node: ast.AST, names: dict[str, ast.AST]) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _actions(node.body, names) | _actions(node.orelse, names)
    if isinstance(node, ast.JoinedStr):  # the part that is computed stands as {}
        return {"".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)}
    if isinstance(node, ast.Name) and node.id in names:
        return _actions(names[node.id], names)
    return {"?"}


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions in it, in order of the text."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own(node)


def recorded(source: str) -> list[tuple[int, set[str], set[str]]]:
    """(line, actions, kinds) of every call of `audit.record` in a module."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        kinds: dict[str, set[str]] = {}
        values: dict[str, ast.AST] = {}
        own = list(_own(function))
        for node in own:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                kinds.setdefault(node.targets[0].id, set()).update(_kinds(node.value, kinds))
                values[node.targets[0].id] = node.value
        for node in own:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                assert len(node.args) == 5, ast.unparse(node)
                found.append((node.lineno, _actions(node.args[1], values), _kinds(node.args[4], kinds)))
    return found


@cache
def _all() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """(where, action, kinds)."""
    found = []
    for path in _files():
        for line, actions, kinds in recorded(path.read_text(encoding="utf-8")):
            found += [(f"{path.relative_to(ROOT)}:{line}", action, frozenset(kinds)) for action in actions]
    return tuple(found)


def test_every_row_says_what_kind_of_thing_it_tells_of() -> None:
    found = _all()
    assert len(found) > 250
    assert [where for where, _, kinds in found if not kinds] == [], "pass audit.Created, Changed, Bulk, Read or Noted"
    assert [where for where, action, _ in found if action == "?"] == [], "the action must be readable here"


def test_what_changes_something_is_recorded_with_before_and_after() -> None:
    wrong = [
        f"{where} {action}: {', '.join(kinds)}"
        for where, action, kinds in _all()
        if CHANGES.fullmatch(action.rsplit(".", 1)[-1]) and not kinds <= {"Changed", "Bulk"} and action not in MADE
    ]
    assert wrong == [], "a change is recorded as Changed (before and after) or Bulk, or said to make something (MADE)"
    named = {action for _, action, _ in _all()}
    assert sorted(set(MADE) - named) == []


def test_rows_that_are_neither_are_few_and_named() -> None:
    noted = {action for _, action, kinds in _all() if "Noted" in kinds}
    assert sorted(noted - set(NOTED)) == [], "a change is Changed, a full read is Read with its purpose; else say why in NOTED"
    assert sorted(set(NOTED) - noted) == []


def test_a_change_recorded_as_something_made_is_found() -> None:
    source = "async def f(tx):\n    what = audit.Created({})\n    await audit.record(tx, 'a.change' if x else 'a.open', 'b', 'c', what)\n"
    assert recorded(source) == [(3, {"a.change", "a.open"}, {"Created"})]
    assert CHANGES.fullmatch("change")
    assert not CHANGES.fullmatch("open")
