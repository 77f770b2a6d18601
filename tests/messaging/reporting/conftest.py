"""The same reporting service as in the service tests, here behind a real broker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "service" / "reporting"))  # its helper module is shared
