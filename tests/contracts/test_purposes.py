"""Every purpose a route asks for is words, and is kept without numbers that may be somebody's."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from ansinh.stack.layout import SERVICES, Service
from ansinh.stack.secrets import make_keyrings


def app_of(service: Service, folder: Path) -> FastAPI:
    keys = folder / service.name
    keys.write_text(json.dumps(make_keyrings()[service.name]), encoding="utf-8")
    kind = importlib.import_module(f"{service.package}.settings").Settings
    given: dict[str, Any] = {
        "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none", "keys_file": keys, "environment": "development",
    }  # fmt: skip
    needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
    app: FastAPI = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed))
    return app


def asked(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Route → how it takes a purpose in its address."""
    for outer in app.routes:
        for route in getattr(getattr(outer, "original_router", None), "routes", [outer]):
            if isinstance(route, APIRoute):
                yield from ((route.path, field) for field in route.dependant.query_params if field.name == "purpose")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_purpose_is_words_and_hides_numbers(service: Service, tmp_path: Path) -> None:
    found = list(asked(app_of(service, tmp_path)))
    assert found, "each service shows somebody's data whole to some"
    for path, field in found:
        said, errors = field.validate("xem hồ sơ của 060150001234", {}, loc=("query", "purpose"))
        assert (said, errors) == ("xem hồ sơ của ***", []), path
        for empty in ("     ", "x        ", "\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0"):
            assert field.validate(empty, {}, loc=("query", "purpose"))[1], (path, empty)
