"""A statement that breaks, in every service: a problem in two languages with the request's id, an error in the log with the same id, and
neither a trace of the stack nor SQL nor what the statement broke on."""

from __future__ import annotations

import importlib
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from fastapi import FastAPI

from ansinh.stack.layout import SERVICES
from common import testing
from common.actor import Role
from common.telemetry import configure_logging

NAME, NUMBER = "Nguyễn Thị Bí Mật", "038123451234"
#: Each table of the service is a view that raises an error with a person's data in its text, as a broken constraint has.
BREAK = f"""
CREATE FUNCTION broken() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN RAISE EXCEPTION 'Failing row contains ({NAME}, {NUMBER})' USING ERRCODE = '23514', DETAIL = 'Key (number)=({NUMBER})'; END $$;
DO $$
DECLARE found text; tables text[] := ARRAY(
    SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'api_client%'
    AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version');
BEGIN
    FOREACH found IN ARRAY tables LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', found, 'gone_' || found);
        EXECUTE format('CREATE VIEW %I AS SELECT * FROM %I WHERE broken()', found, 'gone_' || found);
        EXECUTE format('GRANT ALL ON %I TO PUBLIC', found);
    END LOOP;
END $$
"""
INTERNAL = re.compile(r"Traceback|File \"|\bSELECT\b|\bFROM\b|\bINSERT\b|psycopg|sqlalchemy|CheckViolation|23514|Failing row|gone_|broken")
VIETNAMESE = re.compile("[ăâđêôơưàảãáạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵ]", re.IGNORECASE)
ROLES = tuple(role for role in Role if role not in (Role.SYSTEM, Role.PARTNER))
AT_LEAST = 5


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the configured logs wrote."""
    root = logging.getLogger()
    before, level, kept = list(root.handlers), root.level, structlog.get_config()
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    configure_logging("INFO", "test", "api")
    structlog.configure(cache_logger_on_first_use=False)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers = before
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.configure(**kept)


@pytest.fixture
def broken(database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path], request: Any) -> FastAPI:
    service = next(service for service in SERVICES if service.name == request.param)
    made = database(service.name)
    with psycopg.connect(made.owner_url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute(BREAK)
    kind = importlib.import_module(f"{service.package}.settings").Settings
    given = {"database_url": made.app_url, "keys_file": keys_file(service.name), "environment": "development"}
    needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
    app: FastAPI = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed), made.db)
    app.state.authenticator.issuer = "http://issuer.test"
    app.state.authenticator.use_keys(testing.jwks())
    return app


@pytest.mark.promise("running.hostile-input")
@pytest.mark.parametrize(
    "broken",
    [pytest.param(service.name, marks=[] if service.name == "identity-verify" else [pytest.mark.slow]) for service in SERVICES],
    indirect=True,
)
async def test_a_broken_statement_shows_nothing_and_is_found_by_its_id(broken: FastAPI, lines: Callable[[], list[dict[str, Any]]]) -> None:
    headers = {"Authorization": f"Bearer {testing.token([role.value for role in ROLES], ('60',))}"}
    flat = [inner for route in broken.routes for inner in getattr(route, "original_router", broken).routes if hasattr(inner, "methods")]
    paths = sorted({route.path for route in flat if route.path.startswith("/v1/") and "GET" in route.methods and "{" not in route.path})
    asked: dict[str, str] = {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=broken, raise_app_exceptions=False), base_url="http://test", headers=headers
    ) as http:
        for path in paths:
            answer = await http.get(path, params={"month": "2024-09", "query": NAME})
            if answer.status_code < 500:
                continue  # answered without the database, or refused for a parameter
            body = answer.json()
            assert answer.headers["content-type"] == "application/problem+json", path
            assert (answer.status_code, body["type"]) == (500, "/problems/unexpected"), path
            assert body["request_id"] == answer.headers["x-request-id"], path
            assert VIETNAMESE.search(body["title_vi"])
            assert body["title"].isascii()
            assert not INTERNAL.search(answer.text), answer.text
            assert NAME not in answer.text
            assert NUMBER not in answer.text
            asked[body["request_id"]] = path
    assert len(asked) >= AT_LEAST, f"of {paths}"
    errors = [line for line in lines() if line.get("level") == "error"]
    assert [line for line in errors if "request_id" not in line] == []
    logged = {line["request_id"]: line for line in errors}
    assert asked.keys() <= logged.keys(), "each answer's id is found in the log"
    for request_id, path in asked.items():
        line = logged[request_id]
        assert line["path"] == path
        assert re.search(r"\b[A-Z]\w+: [0-9A-Z]{5}\b", line["exception"]), "what broke is told"
    assert any("CheckViolation: 23514" in line["exception"] for line in logged.values())
    everything = json.dumps([*logged.values()], ensure_ascii=False)
    assert NAME not in everything
    assert NUMBER not in everything
