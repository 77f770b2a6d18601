"""Every kind of waiting work, in every service: its query runs, its operation exists, its roles may call that operation."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from common import testing
from common.actor import Actor, Role
from common.settings import MechanismSettings
from common.work_list import Kind, count, operations, statement

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")


def kinds_of(service: str) -> tuple[Kind, ...]:
    kinds: tuple[Kind, ...] = importlib.import_module(f"{service.replace('-', '_')}.storage.work").WORK
    return kinds


def routes(app: FastAPI) -> Iterator[APIRoute]:
    for holder in app.routes:
        router = getattr(holder, "original_router", None)
        for route in router.routes if isinstance(router, APIRouter) else [holder]:
            if isinstance(route, APIRoute):
                yield route


def roles_of(dependant: Dependant) -> set[Role]:
    own: set[Role] = set(getattr(dependant.call, "required_roles", ()))
    return own.union(*(roles_of(inner) for inner in dependant.dependencies))


def fields_of(app: FastAPI, operation: tuple[str, str]) -> set[str]:
    """Fields of an operation's JSON body."""
    (route,) = [route for route in routes(app) if route.path == operation[1] and operation[0] in (route.methods or ())]
    model = route.body_field.field_info.annotation if route.body_field else None
    return set(getattr(model, "model_fields", ()))


@pytest.mark.parametrize("service", SERVICES)
async def test_every_kind_can_be_counted_and_resolved_by_its_roles(
    service: str, database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path]
) -> None:
    package = service.replace("-", "_")
    home = database(service)
    settings: MechanismSettings = importlib.import_module(f"{package}.settings").Settings(
        database_url=home.app_url, keys_file=keys_file(service), environment="development"
    )
    app: FastAPI = importlib.import_module(f"{package}.main").make_app(settings, home.db)
    kinds = kinds_of(service)
    assert len({kind.code for kind in kinds}) == len(kinds)
    guarded = {(method, route.path): roles_of(route.dependant) for route in routes(app) for method in route.methods or ()}
    known = operations(app)
    for kind in kinds:
        for operation in filter(None, (kind.resolve, kind.see)):
            assert known[operation].operation_id, (kind.code, operation)
        assert set(kind.roles) <= guarded[kind.resolve], (kind.code, set(kind.roles) - guarded[kind.resolve])
        assert kind.deadline or kind.days is not None, kind.code
        assert set(re.findall(r"\{(\w+)\}", kind.resolve[1])) <= kind.objects.keys(), (kind.code, "the link opens it without its object")
        told = fields_of(app, kind.resolve)
        assert {name.split("/")[1] for name in kind.objects if name.startswith("/")} <= told, (kind.code, told)
    for units in ((), ("60/593", "60/594")):
        actor = Actor("an", "An", frozenset(Role), units, everywhere=not units)
        async with home.db.read(actor) as tx:
            assert await count(tx, kinds, actor, date(2024, 9, 20), {kinds[0].code: 3}) == []
            sql, params = statement(kinds, actor, date(2024, 9, 20), {})
            plan = "\n".join(row["QUERY PLAN"] for row in await tx.rows(f"EXPLAIN {sql}", **params))
    assert len(re.findall(r"Aggregate", plan)) >= len(kinds)


def test_what_must_be_in_the_inbox_is_in() -> None:
    """The kinds that the work of a province cannot do without; docs/operate/targets-and-work.md tells them all."""
    codes = {service: {kind.code for kind in kinds_of(service)} for service in SERVICES}
    wanted: dict[str, set[str]] = {
        "registry": {"decisions", "duplicates", "imports", "law_changes", "representatives", "authorisations_expiring", "lists_received"},
        "identity-verify": {"mismatches", "mismatches_to_confirm", "police_answers"},
        "accounts": {"account_reviews", "account_decisions", "imports", "fraud_alerts"},
        "disbursement": {"holds", "lists_to_approve", "differences", "quarantine", "unknown_payments", "cases", "complaints", "recoveries",
                         "rulings", "manual_results"},
        "reporting": {"obstacles_province", "milestones", "late_units", "inspection_cases"},
    }  # fmt: skip
    assert all(wanted[service] <= codes[service] for service in SERVICES)
    assert all("parked_events" in found for found in codes.values())
    page = (Path(__file__).parents[2] / "docs" / "operate" / "targets-and-work.md").read_text(encoding="utf-8")
    missing: list[Any] = [(service, code) for service in SERVICES for code in sorted(codes[service]) if f"`{code}`" not in page]
    assert not missing
