"""PostgreSQL: one engine per process, explicit transactions opened by use cases, plain SQL, COPY.

A :class:`Tx` is handed inward to `storage`; it commits when its block ends, which is before any HTTP answer is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import JsonbDumper, set_json_dumps
from sqlalchemy import RowMapping, TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from common import tracing

if TYPE_CHECKING:
    from common.auth import Actor
    from common.sealing import Keyring

__all__ = ["Database", "Tx"]

_STATEMENTS: Final = 2_000
_LED_BY: Final = f"SELECT set_config('{tracing.SESSION_SETTING}', :led_by, true)"

set_json_dumps(lambda value: orjson.dumps(value, default=str))
psycopg.adapters.register_dumper(dict, JsonbDumper)


@lru_cache(maxsize=_STATEMENTS)
def _statement(sql: str) -> TextClause:
    return text(sql)


class Tx:
    """One open transaction. SQL is text with `:name` parameters; Python lists become arrays, dicts jsonb."""

    def __init__(self, conn: AsyncConnection, db: Database, actor: Actor | None) -> None:
        self.conn = conn
        self.db = db
        self.actor = actor
        self.causes: Mapping[UUID, tuple[str | None, str]] = {}
        """Set while events are applied: key → (correlation id, event id) of the last event under that key."""
        self.traces: Mapping[UUID, str] = {}
        """Set while work of several traces is done at once: key (of an event) → trace context of what is done about it."""

    def traces_json(self) -> dict[str, str]:
        """`traces` as a parameter: `CAST(:traces AS jsonb) ->> CAST(key AS text)` is the trace context of a row, null without one."""
        return {str(key): context for key, context in self.traces.items()}

    async def rows(self, sql: str, **params: Any) -> Sequence[RowMapping]:
        """All rows of a query."""
        result = await self.conn.execute(_statement(sql), params)
        return result.mappings().all()

    async def row(self, sql: str, **params: Any) -> RowMapping | None:
        """The first row, or None."""
        result = await self.conn.execute(_statement(sql), params)
        return result.mappings().first()

    async def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        result = await self.conn.execute(_statement(sql), params)
        first = result.first()
        return None if first is None else first[0]

    async def execute(self, sql: str, **params: Any) -> int:
        """Run a statement; the number of rows it touched."""
        result = await self.conn.execute(_statement(sql), params)
        return result.rowcount

    async def _driver(self) -> psycopg.AsyncConnection[Any]:
        raw = await self.conn.get_raw_connection()
        driver = raw.driver_connection
        if not isinstance(driver, psycopg.AsyncConnection):
            raise TypeError("COPY needs the psycopg driver")
        return driver

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """COPY rows into a table (`table` and `columns` are ours, never input). Returns the number of rows."""
        driver = await self._driver()
        names = ", ".join(f'"{column}"' for column in columns)
        count = 0
        async with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                await copy.write_row(row)
                count += 1
        return count

    async def stream(self, sql: str, **params: Any) -> AsyncIterator[RowMapping]:
        """Rows through a server-side cursor: memory stays flat for any size."""
        result = await self.conn.stream(_statement(sql), params, execution_options={"yield_per": 2_000})
        async for row in result.mappings():
            yield row


class Database:
    """The engine of one service's database."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        pool_seconds: float = 5.0,
        keyring: Keyring | None = None,
        statement_timeout_ms: int = 0,
        application: str = "ansinh",
    ) -> None:
        """`keyring` encrypts what mechanisms keep at rest (idempotent answers, raw notices).

        `pool_seconds`: longest wait for one of the `pool_size` connections; who waits longer is told to come back (503).
        """
        self.keyring = keyring
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_seconds,
            pool_pre_ping=True,
            hide_parameters=True,  # parameters are people's data: an error's text ends in logs
            connect_args={
                "connect_timeout": 5,
                "application_name": application,
                "options": f"-c statement_timeout={statement_timeout_ms} -c idle_in_transaction_session_timeout=600000 -c timezone=UTC",
            },
        )

    def limit_statements(self, seconds: float) -> None:
        """From its next connection on, the database itself ends statements that take longer (a process that answers people)."""

        limit = f" -c statement_timeout={round(seconds * 1_000)}"

        def on_connect(_dialect: Any, _record: Any, _args: Any, settings: dict[str, Any]) -> None:
            settings["options"] = settings["options"].removesuffix(limit) + limit

        event.listen(self.engine.sync_engine, "do_connect", on_connect)

    @asynccontextmanager
    async def transaction(self, actor: Actor | None = None, *, isolation: str | None = None) -> AsyncIterator[Tx]:
        """A read-write transaction: commits at the end of the block, rolls back on an exception."""
        async with self.engine.connect() as conn:
            if isolation is not None:
                await conn.execution_options(isolation_level=isolation)
            async with conn.begin():
                if (led_by := tracing.current()) is not None:
                    await conn.execute(_statement(_LED_BY), {"led_by": led_by})
                yield Tx(conn, self, actor)

    @asynccontextmanager
    async def read(self, actor: Actor | None = None, *, isolation: str | None = None) -> AsyncIterator[Tx]:
        """A read-only transaction."""
        async with self.engine.connect() as conn:
            if isolation is not None:
                await conn.execution_options(isolation_level=isolation)
            async with conn.begin():
                await conn.execute(_statement("SET TRANSACTION READ ONLY"))
                yield Tx(conn, self, actor)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
