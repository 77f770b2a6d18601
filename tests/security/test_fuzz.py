"""Schemathesis over the five documents, with a valid token, in process on a real database.

For every operation, requests that fit its schema and requests that do not: no answer is a 500, every error is a problem that the operation
names, every answer fits its schema. `FUZZ_SEED` replays a run (it is printed), `FUZZ_EXAMPLES` is how many requests of each of the two
kinds an operation gets, `FUZZ_ONLY` a part of the operation's name.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from ansinh.stack.layout import SERVICES
from common import testing
from common.actor import Role

#: The same requests every time; another seed, or `random`, looks further.
SEED = random.SystemRandom().randrange(2**32) if os.environ.get("FUZZ_SEED") == "random" else int(os.environ.get("FUZZ_SEED") or 20_261_122)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
ONLY = os.environ.get("FUZZ_ONLY", "")
#: Everything a person may be; a partner is refused other partners' addresses, which hides what lies behind them.
ROLES = tuple(role for role in Role if role not in (Role.SYSTEM, Role.PARTNER))
QUIET = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
load_all_checks()
CONFORMS = CHECKS.get_by_names(["status_code_conformance", "content_type_conformance", "response_schema_conformance"])


@pytest.fixture
async def fuzzed(database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path], request: Any) -> FastAPI:
    service = next(service for service in SERVICES if service.name == request.param)
    made = database(service.name)
    kind = importlib.import_module(f"{service.package}.settings").Settings
    given: dict[str, Any] = {"database_url": made.app_url, "keys_file": keys_file(service.name), "environment": "development"}
    given["person_calls_at_once"] = 1_000_000  # one person asks everything here
    needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
    given |= {"client_calls_per_minute": 1_000_000}  # the stranger who sends all this has no quota here
    app: FastAPI = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed), made.db)
    app.state.authenticator.issuer = "http://issuer.test"
    app.state.authenticator.use_keys(testing.jwks())
    return app


def complaint(case: Any, answer: httpx.Response, document: dict[str, Any]) -> str | None:
    """What is wrong with an answer."""
    operation = document["paths"][case.operation.path][case.operation.method.lower()]
    if answer.status_code >= 500:
        return f"{answer.status_code}: {answer.text[:200]}"
    if answer.status_code >= 400:
        if answer.headers.get("content-type") != "application/problem+json":
            return f"{answer.status_code} is no problem: {answer.headers.get('content-type')}"
        if answer.json()["type"] not in operation["x-problem-types"]:
            return f"{answer.status_code} {answer.json()['type']} is not named: {answer.text[:200]}"
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return None  # figures as they change: their schema is that of one event's data
    try:
        case.validate_response(answer, checks=list(CONFORMS))
    except FailureGroup as group:
        return "; ".join(f"{failure.title}: {failure.message[:300]}" for failure in cast("Any", group).exceptions)
    return None


def sent(case: Any, token: str) -> httpx.Request:
    """The request of a case, as bytes on the wire would be."""
    parts = case.as_transport_kwargs(base_url="http://test", headers={"Authorization": f"Bearer {token}"})
    known = ("method", "url", "headers", "params", "json", "data", "files", "cookies")
    prepared = requests.Request(**{name: value for name, value in parts.items() if name in known}).prepare()
    headers = [(_bytes(name), _bytes(value)) for name, value in prepared.headers.items() if name.lower() not in ("host", "accept-encoding")]
    return httpx.Request(prepared.method or "GET", str(prepared.url), headers=headers, content=cast("bytes | str | None", prepared.body))


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", "ignore")


def fuzz(document: dict[str, Any], send: Callable[[httpx.Request], httpx.Response]) -> dict[str, str]:
    """Operation → what is wrong with it."""
    token = testing.token([role.value for role in ROLES], ("60",), subject="fuzz")
    wrong: dict[str, str] = {}
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = cast("Any", result).ok()
        name = f"{operation.method.upper()} {operation.path}"
        if ONLY in name and (found := tried(operation, token, document, send)):
            wrong[name] = found
    return wrong


def tried(operation: Any, token: str, document: dict[str, Any], send: Callable[[httpx.Request], httpx.Response]) -> str | None:
    """The first wrong answer of one operation; one that nothing could be sent to is wrong as well."""
    wrong: list[str] = []
    answered = 0
    for mode in schemathesis.GenerationMode:

        @QUIET
        @hypothesis.seed(SEED)
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            nonlocal answered
            try:
                request = sent(case, token)
            except (ValueError, UnicodeError):
                return  # no client can write such a request down
            if wrong:
                return
            found = complaint(case, send(request), document)
            answered += 1
            if found:
                wrong.append(f"{found}\n    {request.method} {request.url} {request.content[:300]!r}")

        with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong with a request that has no parts
            one()
    if not answered:
        return "no request could be made of its document"
    return wrong[0] if wrong else None


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("fuzzed", [service.name for service in SERVICES], indirect=True)
async def test_no_request_breaks_a_service(fuzzed: FastAPI) -> None:
    document = fuzzed.openapi()
    loop = asyncio.get_running_loop()
    transport = httpx.ASGITransport(app=fuzzed, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:

        def send(request: httpx.Request) -> httpx.Response:
            return asyncio.run_coroutine_threadsafe(http.send(request), loop).result()

        wrong = await asyncio.to_thread(fuzz, document, send)
    told = "\n".join(f"{name}: {re.sub(chr(10) + ' +', chr(10) + '    ', why)}" for name, why in wrong.items())
    assert not wrong, f"FUZZ_SEED={SEED}, {len(wrong)} operations:\n{told}"


PROBLEM = {"type": "/problems/invalid-input", "title": "x", "title_vi": "x", "status": 422}
KIND = {"content-type": "application/problem+json"}
ANSWERS: dict[str, httpx.Response] = {
    "500:": httpx.Response(500, text="boom"),
    "is no problem": httpx.Response(404, json={"detail": "Not Found"}),
    "is not named": httpx.Response(
        409, json=PROBLEM | {"type": "/problems/conflict"}, headers={"content-type": "application/problem+json"}
    ),
    "Response violates schema": httpx.Response(200, json={"count": "three"}),
}


@pytest.mark.parametrize("told", [*ANSWERS, ""])
def test_a_wrong_answer_is_told(told: str) -> None:
    counted = {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer"}}}
    asked = {"name": "n", "in": "query", "schema": {"type": "integer"}}
    operation = {
        "parameters": [asked],
        "x-problem-types": ["/problems/invalid-input"],
        "responses": {
            "200": {"description": "well", "content": {"application/json": {"schema": counted}}},
            "422": {"description": "no", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
        },
    }
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/v1/things": {"get": operation}}}

    def send(request: httpx.Request) -> httpx.Response:
        answer = ANSWERS.get(told, httpx.Response(200, json={"count": 3}))
        made = httpx.Response(answer.status_code, content=answer.content, headers=answer.headers, request=request)
        made.elapsed = timedelta(0)
        return made

    wrong = fuzz(document, send)
    assert bool(wrong) == bool(told)
    assert told in wrong.get("GET /v1/things", "")
