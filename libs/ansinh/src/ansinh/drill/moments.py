"""A moment of the embedded databases, kept while everything runs, and the way back to it: all five, or disbursement's alone."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from ansinh.stack.embedded import Embedded
from ansinh.stack.postgres import Postgres

__all__ = ["AllFive", "OneOnly"]

_BACKUP_SECONDS: Final = 300.0


class AllFive:
    """The whole server: `pg_basebackup` with its WAL, taken online; put back by exchanging the data folder while services run on."""

    def __init__(self, stack: Embedded) -> None:
        """Nothing is taken yet."""
        self._stack, self._postgres = stack, stack.postgres
        self._folder = stack.postgres.data.with_name("moment")

    async def take(self) -> None:
        """Copy the server as it is. Raises ProcessFailed."""
        shutil.rmtree(self._folder, ignore_errors=True)
        await self._postgres.base_backup(self._folder, _BACKUP_SECONDS)

    async def put_back(self) -> None:
        """Stop the server, put the copy in its place, start it: everybody's connections break and come to the past."""
        await self._stack.supervisor.pause(["postgres"])
        await asyncio.to_thread(self._exchange)
        await self._stack.supervisor.resume(["postgres"])

    def _exchange(self) -> None:
        gone: Path = self._postgres.data.with_name("gone")
        self._postgres.data.rename(gone)
        self._folder.rename(self._postgres.data)
        shutil.rmtree(gone)


class OneOnly:
    """One service's database on the running server; the service itself is stopped for the seconds of the copy, and of the exchange."""

    def __init__(self, stack: Embedded, service: str = "disbursement") -> None:
        """Nothing is taken yet."""
        self._stack, self._name = stack, service
        self._processes = [name for name in stack.supervisor.children if name.startswith(f"{service}-")]

    async def take(self) -> None:
        """Copy the database."""
        await self._stopped(
            "CREATE DATABASE {then} TEMPLATE {now} OWNER {owner} STRATEGY FILE_COPY", "REVOKE ALL ON DATABASE {then} FROM PUBLIC"
        )

    async def put_back(self) -> None:
        """The copy takes the database's place and name."""
        await self._stopped(
            "DROP DATABASE {now} WITH (FORCE)",
            "ALTER DATABASE {then} RENAME TO {now}",
            "GRANT CONNECT, TEMPORARY ON DATABASE {now} TO {app}",
        )

    async def _stopped(self, *statements: str) -> None:
        supervisor = self._stack.supervisor
        self._processes = [name for name in supervisor.children if name.startswith(f"{self._name}-")]
        await supervisor.pause(self._processes)
        await asyncio.to_thread(self._execute, self._stack.postgres, statements)
        await supervisor.resume(self._processes)

    def _execute(self, postgres: Postgres, statements: tuple[str, ...]) -> None:
        names = {"now": self._name, "then": f"{self._name}_then", "owner": f"{self._name}_owner", "app": f"{self._name}_app"}
        with psycopg.connect(postgres.superuser_dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", (self._name,)
            )
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**{key: sql.Identifier(value) for key, value in names.items()}))
