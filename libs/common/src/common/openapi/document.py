"""What is added to FastAPI's document: the guard's roles, the problems the code can answer, a Vietnamese summary, examples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from common.actor import ROLE_NAMES, Role
from common.openapi.examples import Examples, apply
from common.openapi.trace import problems_of
from common.openapi.words import tell, words_of
from common.problems import (
    Forbidden,
    InvalidInput,
    PayloadTooLarge,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnexpectedError,
)

__all__ = ["document_of", "roles_of"]

_ALWAYS: Final[frozenset[type[Problem]]] = frozenset({ServiceUnavailable, UnexpectedError})
_SENTENCE: Final = re.compile(r"(?<=[^\d\s.][.!?…])\s+(?=[A-ZÀ-Ỹ`\d])")
_SIGNED: Final = "không cần phiên đăng nhập, chữ ký của lời gọi là bằng chứng · no token, the call's signature is its proof"
_EVERYBODY: Final = "mọi người, không cần đăng nhập · everybody, without a token"
_LONG: Final = 110  # a summary stands on one line


def document_of(app: FastAPI, routers: Sequence[APIRouter], package: str, examples: Examples) -> dict[str, Any]:
    """The document of one service; `package` is where its code is read for problems."""
    document = get_openapi(
        title=app.title, version=app.version, openapi_version=app.openapi_version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for schema in schemas.values():
        if "enum" in schema:
            schema.pop("description", None)  # a class's docstring is for who reads the code; each field says in both languages what it is
    schemas["Problem"] = _PROBLEM
    catalogue: dict[str, type[Problem]] = {}
    for route in _routes(routers):
        for method in route.methods or ():
            operation = document["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                problems = _problems(route, package)
                catalogue |= {problem.type: problem for problem in problems}
                _say_who(operation, route)
                _say_errors(operation, problems)
    document["components"]["examples"] = {name: {"summary": kind.title, "value": _body(kind)} for name, kind in sorted(catalogue.items())}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    apply(document, examples)
    tell(document, words_of(package))
    return document


def roles_of(dependant: Dependant) -> tuple[Role, ...]:
    """The roles a route's guard asks for, as a token can carry them; none where the route carries no token."""
    found: tuple[Role, ...] = tuple(role for role in getattr(dependant.call, "required_roles", ()) if role in ROLE_NAMES)
    for inner in dependant.dependencies:
        found += tuple(role for role in roles_of(inner) if role not in found)
    return found


def _routes(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield route


def _calls(dependant: Dependant) -> Iterator[Any]:
    if dependant.call is not None and not hasattr(dependant.call, "required_roles"):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _problems(route: APIRoute, package: str) -> frozenset[type[Problem]]:
    found = _ALWAYS | problems_of(route.endpoint, (package, "common"))
    for call in _calls(route.dependant):
        found |= problems_of(call, (package, "common"))
    if roles_of(route.dependant):
        found |= {Unauthenticated, Forbidden, TooManyRequests}  # a person's pace, a client's quota
    dependant = route.dependant
    if dependant.path_params or dependant.query_params or dependant.header_params or route.body_field:
        found |= {InvalidInput}
    return found | {PayloadTooLarge} if route.body_field else found


def _summary_vi(summary: str, told: str) -> str:
    """The Vietnamese half of a summary in both languages, else the first sentence of the description, which is Vietnamese."""
    half = next((half for half in summary.split(" · ") if not half.isascii()), None)
    sentence = half or _SENTENCE.split(told, maxsplit=1)[0].rstrip(".")
    return sentence if len(sentence) <= _LONG else re.split(r"[:;(]", sentence, maxsplit=1)[0].strip()


def _say_who(operation: dict[str, Any], route: APIRoute) -> None:
    roles = roles_of(route.dependant)
    told = str(operation.get("description", "")).strip()
    operation["x-summary-vi"] = _summary_vi(str(operation.get("summary", "")), told)
    operation["x-required-roles"] = [role.value for role in roles]
    if roles:
        who = "; ".join(f"{ROLE_NAMES[role][0]} · {ROLE_NAMES[role][1]} (`{role.value}`)" for role in roles)
    else:
        signed = "/webhooks/" in route.path
        who = _SIGNED if signed else _EVERYBODY
        operation["security"] = []
    operation["description"] = f"{told}\n\n**Ai được làm · Who may:** {who}"


def _say_errors(operation: dict[str, Any], problems: Iterable[type[Problem]]) -> None:
    responses: dict[str, Any] = {
        status: answer for status, answer in operation.get("responses", {}).items() if status.isdigit() and int(status) < 400
    }
    by_status: dict[int, list[type[Problem]]] = defaultdict(list)
    for problem in sorted(problems, key=lambda kind: kind.type):
        by_status[problem.status].append(problem)
    for status, kinds in sorted(by_status.items()):
        lines = [f"`{kind.type}` {kind.title_vi} · {kind.title}" for kind in kinds]
        shown = {kind.type: {"$ref": f"#/components/examples/{kind.type}"} for kind in kinds}
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": shown}
        responses[str(status)] = {"description": "\n\n".join(lines), "content": {"application/problem+json": content}}
    operation["responses"] = responses
    operation["x-problem-types"] = sorted(f"/problems/{kind.type}" for kind in problems)


def _body(kind: type[Problem]) -> dict[str, Any]:
    return kind().body() | {"request_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"}


_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "Lỗi theo RFC 9457 · Problem details (RFC 9457)",
    "required": ["type", "title", "title_vi", "status"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "description": "Mã lỗi ổn định · Stable kind of error"},
        "title": {"type": "string"},
        "title_vi": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "detail_vi": {"type": "string"},
        "request_id": {"type": "string", "description": "Nêu mã này khi báo lỗi · Quote it when you report a defect"},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Trường hoặc dòng nào sai · Which field or row is wrong"},
    },
}
