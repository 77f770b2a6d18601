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
if _NAME not in sys.modules:  # tests are imported by path (importlib mode): siblings are loaded by name here
    _spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).parent / "helpers.py")
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_NAME])


@pytest.fixture
def world(database: Callable[[str], Any], keys_file: Callable[[str], Path], client_as: Callable[..., httpx.AsyncClient]) -> Any:
    """The registry, ready."""
    return sys.modules[_NAME].World(database("registry"), keys_file("registry"), client_as)
