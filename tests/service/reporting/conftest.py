"""Reporting on a real database, fed by its own consumer code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported by path; their helper module lies beside them

from reporting_builders import Reporting

from common.testing import TestDatabase
from reporting.settings import Settings


@pytest.fixture
def make_reporting(database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path]) -> Callable[[], Reporting]:
    def make() -> Reporting:
        home = database("reporting")
        return Reporting(home, Settings(database_url=home.app_url, keys_file=keys_file("reporting"), environment="development"))

    return make


@pytest.fixture
def reporting(make_reporting: Callable[[], Reporting]) -> Reporting:
    return make_reporting()
