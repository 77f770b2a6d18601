"""One SQLite connection on one thread: every write of a simulator goes through one lane, so it needs no locks of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

__all__ = ["Lane", "WorldLink", "transaction"]

T = TypeVar("T")


class Lane:
    """Runs functions that take the connection, one after another, away from the event loop."""

    def __init__(self, path: Path, ddl: str, synchronous: str) -> None:
        """Open (and create) `path` in WAL mode. `synchronous` FULL survives a power cut, NORMAL and OFF a killed process."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        self._connection = sqlite3.connect(f"file:{path}", uri=True, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._connection.executescript(ddl)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Wait for the lane, run `work` there and give its answer; an exception of `work` comes back here."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    def close(self) -> None:
        """Let the work in hand end, then close."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._connection.close()


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; committed at the end of the block."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class WorldLink:
    """Attaches world.sqlite read-only as schema `world`, and again when the file was replaced by another month."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._attached: tuple[int, int, int] | None = None

    def ensure(self, connection: sqlite3.Connection) -> bool:
        """True when `world` can be queried. Call it outside a transaction."""
        seen = self._identity()
        if seen == self._attached:
            return seen is not None
        if self._attached is not None:
            connection.execute("DETACH DATABASE world")
            self._attached = None
        if seen is not None:
            connection.execute("ATTACH DATABASE ? AS world", (f"file:{self.path}?mode=ro",))
            self._attached = seen
        return seen is not None

    def _identity(self) -> tuple[int, int, int] | None:
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
