"""How a second terminal finds the supervisor: a lock that says it lives, its process id, and its state as one file."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

from ansinh.stack.layout import Layout

__all__ = ["Lock", "holder", "read_state", "write_state"]


class Lock:
    """Held for as long as the supervisor lives; the operating system lets go of it whatever way it ends."""

    def __init__(self, layout: Layout) -> None:
        """Does not take it yet."""
        self._path = layout.run / "supervisor.lock"
        self._handle: IO[str] | None = None

    def take(self) -> bool:
        """Whether it is now ours."""
        handle = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go."""
        if self._handle:
            self._handle.truncate(0)
            self._handle.close()
            self._handle = None


def holder(layout: Layout) -> int | None:
    """Process id of the living supervisor of this home, or None."""
    path = layout.run / "supervisor.lock"
    if not path.exists():
        return None
    with path.open("r", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = handle.read().strip()
            return int(text) if text.isdigit() else None
    return None


def _state_path(layout: Layout) -> Path:
    return layout.run / "state.json"


def write_state(layout: Layout, state: dict[str, Any]) -> None:
    """Replace the state file in one step."""
    path = _state_path(layout)
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(state, indent=1), encoding="utf-8")
    partial.replace(path)


def read_state(layout: Layout) -> dict[str, Any]:
    """What the supervisor wrote last; empty when nothing was ever started here."""
    path = _state_path(layout)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
