"""How often Python looks for unreachable cycles: seldom, in processes that load once and then move batches of rows."""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["collect_seldom"]

# Young objects before a look, and looks before the next older generation is looked through. Python's own 700 suit a script:
# a batch of thousands of rows set off dozens of looks, a tenth of a worker's time.
_THRESHOLDS: Final = (20_000, 20, 50)


def collect_seldom() -> None:
    """Leave out for good what is loaded by now, and look for cycles seldom. Call it once, after everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
