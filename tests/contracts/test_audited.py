"""Whoever opens a write transaction leaves an audit row, or is named here with the reason why no person needs to be named for it.

Read from the code: from each function that opens a transaction, everything it refers to is followed through the service and the shared
mechanisms until `audit.record` is met.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMON = ROOT / "libs" / "common" / "src" / "common"
PACKAGES = ("registry", "identity_verify", "accounts", "disbursement", "reporting")
RECORD = "common.audit.record"

#: Functions that open the transaction in which they run what their caller gives them: the caller counts as having opened it.
OPENERS = {"reporting.api.parts.created"}

UNNAMED: dict[str, str] = {
    "registry.usecases.law_desk.step": "runs the use case it is given, which is looked at by itself",
    "registry.usecases.self_registration.look_up": "counts wrong digits of somebody who has no account here",
    "registry.usecases.what_ifs.WhatIf.run": "computes figures of a question whose asking is audited; nothing of the register changes",
    "accounts.usecases.importing.Importer.retry_waiting": "rows find the person they waited for; applying them is audited",
    "accounts.usecases.say_again.say_again_once": "publishes again what has not changed",
    "disbursement.api.cycles._once": "runs the use case it is given, which is looked at by itself",
    "disbursement.api.precheck.verify": "queues a comparison that changes nothing; the job's row names who asked",
    "disbursement.usecases.manage_lane.view_lane": "makes a lane's row with its defaults when it is first looked at",
    "disbursement.usecases.no_partner.no_partner_round": "puts batches before a person; nothing of them changes",
    "disbursement.usecases.payment_context.PaymentContext.in_turn": "gives its caller a transaction: whoever calls it is looked at",
    "disbursement.usecases.verify_list.ListVerifier.verify": "compares in temporary tables and changes nothing",
    "reporting.api.parts.created": "runs what it is given: whoever calls it is looked at",
    "reporting.usecases.rebuild.extend_log": "makes coming months' empty partitions",
}


class _Module:
    """What a module defines, and what each definition refers to by full name."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.names: dict[str, str] = {}
        self.refers: dict[str, set[str]] = {}
        self.opens: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.names[node.name] = f"{name}.{node.name}"
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._read(f"{name}.{node.name}", node, "")
            elif isinstance(node, ast.ClassDef):
                self.refers[f"{name}.{node.name}"] = set()
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                        self._read(f"{name}.{node.name}.{inner.name}", inner, f"{name}.{node.name}")

    def _read(self, full: str, function: ast.AST, own_class: str) -> None:
        found = self.refers.setdefault(full, set())
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in self.names:
                found.add(self.names[node.id])
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "self" and own_class:
                    found.add(f"{own_class}.{node.attr}")
                elif node.value.id in self.names:
                    found.add(f"{self.names[node.value.id]}.{node.attr}")
            if isinstance(node, ast.Call):
                place = ast.unparse(node.func)
                if place.endswith((".transaction", ".in_turn")) or place == "idempotency.run" or self.names.get(place) in OPENERS:
                    self.opens.add(full)


def _modules(folder: Path, package: str) -> Iterator[_Module]:
    for path in sorted(folder.rglob("*.py")):
        if "migrations" not in path.parts:
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            yield _Module(name, ast.parse(path.read_text(encoding="utf-8")))


@cache
def _common() -> tuple[_Module, ...]:
    return tuple(_modules(COMMON, "common"))


def _graph(package: str) -> tuple[dict[str, set[str]], set[str]]:
    folder = ROOT / "services" / package.replace("_", "-") / "src" / package
    own = tuple(_modules(folder, package))
    refers: dict[str, set[str]] = {}
    for module in (*_common(), *own):
        for name, found in module.refers.items():
            refers.setdefault(name, set()).update(found)
        refers.setdefault(module.name, set())
        for alias, target in module.names.items():  # what a package hands on from its modules
            if not target.startswith(module.name + "."):
                refers.setdefault(f"{module.name}.{alias}", set()).add(target)
    opens = {name for module in own for name in module.opens}
    return refers, opens


def unaudited(package: str) -> set[str]:
    """Functions of a service that open a write transaction and never come to `audit.record`."""
    refers, opens = _graph(package)
    audited = {RECORD}
    while True:
        more = {name for name, found in refers.items() if name not in audited and not found.isdisjoint(audited)}
        if not more:
            return opens - audited
        audited |= more


@pytest.mark.parametrize("package", PACKAGES)
def test_whoever_changes_something_is_named(package: str) -> None:
    found = unaudited(package)
    allowed = {name for name in UNNAMED if name.startswith(f"{package}.")}
    assert sorted(found - allowed) == [], "call audit.record in the transaction, or say in UNNAMED why nobody is named"
    assert sorted(allowed - found) == [], "these are audited now: take them out of UNNAMED"


def test_a_change_without_a_name_is_found() -> None:
    bare = _Module("x", ast.parse("async def change(db):\n    async with db.transaction() as tx:\n        await tx.execute('UPDATE y')\n"))
    assert bare.opens == {"x.change"}
    assert RECORD not in bare.refers["x.change"]
    named = _Module("x", ast.parse("from common import audit\n\nasync def change(tx):\n    await audit.record(tx, 'a', 'b', 'c')\n"))
    assert RECORD in named.refers["x.change"]
