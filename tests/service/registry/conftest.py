"""One migrated database, the API and a worker, per test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

_NAME = "registry_test_helpers"
_OFFICE = "registry_decision_helpers"
for _name, _file in ((_NAME, "helpers.py"), ("registry_law_model", "law_model.py"), (_OFFICE, "decision_helpers.py")):
    if _name not in sys.modules:  # tests are imported by path (importlib mode): siblings are loaded by name here
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).parent / _file)
        assert _spec is not None
        assert _spec.loader is not None
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])


@pytest.fixture
def world(database: Callable[[str], Any], keys_file: Callable[[str], Path], client_as: Callable[..., httpx.AsyncClient]) -> Any:
    """The registry, ready."""
    return sys.modules[_NAME].World(database("registry"), keys_file("registry"), client_as)


@pytest.fixture
def office(world: Any) -> Any:
    """An office that decides."""
    return sys.modules[_OFFICE].Office(world)
