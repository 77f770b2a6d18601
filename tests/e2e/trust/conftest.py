"""The runner of the documents' examples finds the objects, and the collector of traces lies beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "openapi")]
