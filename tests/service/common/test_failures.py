"""What a database failure means, and that its text, which may repeat a person's row, stays out of the logs."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from common.actor import SYSTEM
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import PreferenceRecorded
from common.db import Database, Tx
from common.failures import describe, is_transient
from common.ids import new_id
from common.telemetry import configure_logging, get_logger
from common.topics import Topic

NAME = "Nguyễn Thị Bí Mật"


@pytest.fixture
def db(database: Callable[[str], Any]) -> Database:
    """A database with the mechanism tables."""
    return database("reporting").db


async def _fails(db: Database, statement: str, **params: Any) -> DBAPIError:
    with pytest.raises(DBAPIError) as caught:
        async with db.transaction(SYSTEM("test")) as tx:
            await tx.execute(statement, **params)
    return caught.value


async def _raises(db: Database, sqlstate: str) -> DBAPIError:
    return await _fails(db, f"DO $$ BEGIN RAISE EXCEPTION '{NAME}' USING ERRCODE = '{sqlstate}'; END $$")


@pytest.mark.parametrize("sqlstate", ["08006", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "57P01", "58030"])
async def test_what_passes_is_waited_for(db: Database, sqlstate: str) -> None:
    assert is_transient(await _raises(db, sqlstate))


@pytest.mark.parametrize("sqlstate", ["54000", "54001", "54023", "22001", "23505", "42P01", "P0001"])
async def test_what_meets_the_same_event_every_time_is_not_waited_for(db: Database, sqlstate: str) -> None:
    error = await _raises(db, sqlstate)
    assert isinstance(error, OperationalError) == sqlstate.startswith("54"), "the driver calls a limit of the program operational"
    assert not is_transient(error)


async def test_a_server_that_is_not_there_is_waited_for_and_told() -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        await psycopg.AsyncConnection.connect("postgresql://nobody@127.0.0.1:1/none", connect_timeout=2)
    assert is_transient(caught.value)
    assert "127.0.0.1" in describe(caught.value)


async def test_an_event_beyond_a_limit_of_the_database_is_parked(db: Database) -> None:
    async def too_complex(tx: Tx, _events: list[Incoming]) -> None:
        await tx.execute("DO $$ BEGIN RAISE EXCEPTION 'too complex' USING ERRCODE = '54001'; END $$")

    subscriptions = (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), too_complex),)
    consumer = Consumer(db, "t", subscriptions, bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1_000)
    await consumer.apply([Incoming(Topic.BENEFICIARY, 0, 0, new_id(), new_id(), "PreferenceRecorded", {}, b"{}")])
    async with db.read(SYSTEM("test")) as tx:
        assert await tx.value("SELECT error FROM parked_event") == "StatementTooComplex: 54001"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What the configured logs wrote."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    configure_logging("INFO", "test", "test")
    structlog.configure(cache_logger_on_first_use=False)  # the modules' own loggers must not keep this test's output
    yield out.getvalue
    root.handlers = before
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


async def _broken_row(db: Database) -> DBAPIError:
    return await _fails(
        db, "INSERT INTO job (id, kind, state, requested_by, business_date) VALUES (:id, :name, 'ODD', 'x', now())", id=new_id(), name=NAME
    )


async def _broken_key(db: Database) -> DBAPIError:
    return await _fails(
        db,
        "INSERT INTO idempotency_key (client, key, route, fingerprint) SELECT 'x', :name, 'x', 'x' FROM generate_series(1, 2)",
        name=NAME,
    )


async def _broken_value(db: Database) -> DBAPIError:
    return await _fails(db, "SELECT CAST(CAST(:name AS text) AS date)", name=NAME)


Broken = Callable[[Database], Awaitable[DBAPIError]]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (_broken_row, "CheckViolation: 23514 job job_state_check"),
        (_broken_key, "UniqueViolation: 23505 idempotency_key idempotency_key_pkey"),
        (_broken_value, "InvalidDatetimeFormat: 22007"),
    ],
)
async def test_a_broken_row_never_reaches_a_log(db: Database, lines: Callable[[], str], broken: Broken, told: str) -> None:
    error = await broken(db)
    assert NAME in str(error), "else this test shows nothing"
    log = get_logger("test")
    log.error("raised", exc_info=error)
    log.error("as_field", error=error)
    log.error("as_text", error=repr(error))
    try:
        raise RuntimeError("the batch stopped") from error
    except RuntimeError:
        log.exception("chained")
    log.error("grouped", exc_info=ExceptionGroup("two", [error, ValueError("other")]))
    logging.getLogger("somebody.else").error("Task exception was never retrieved %r", error, exc_info=error)
    written = lines()
    assert NAME not in written
    assert NAME.encode("unicode_escape").decode() not in written
    assert written.count(told) >= 5
    assert "the batch stopped" in written
    assert "ValueError: other" in written
    assert "_broken" in written, "where it happened is told"
    assert len(written.splitlines()) == 6


async def test_what_a_dying_process_leaves_behind_repeats_no_row(
    db: Database, lines: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines() == ""
    error = await _broken_row(db)
    sys.excepthook(type(error), error, error.__traceback__)
    written = capsys.readouterr().err
    assert NAME not in written
    assert written.endswith("CheckViolation: 23514 job job_state_check\n")
