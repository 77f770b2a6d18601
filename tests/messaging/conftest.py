"""A database with the mechanism tables and one projection; the parts that tests of the bus share are beside this file."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from common.db import Database
from common.ids import new_id
from common.schema import audit_chain_ddl, mechanism_ddl, restore_ddl, trace_ddl

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
async def db(pg_url: str) -> AsyncIterator[Database]:
    """A database with the mechanism tables and one projection."""
    name = f"bus_{new_id().hex}"
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    url = pg_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(mechanism_ddl() + audit_chain_ddl() + restore_ddl() + trace_ddl())
        conn.execute("CREATE TABLE preference (beneficiary_id uuid PRIMARY KEY, version bigint NOT NULL, answer text NOT NULL)")
        conn.execute("CREATE TABLE marker (partition int PRIMARY KEY, seen int NOT NULL)")
        conn.execute("CREATE TABLE applied (event_id uuid NOT NULL)")
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    yield database
    await database.close()
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
