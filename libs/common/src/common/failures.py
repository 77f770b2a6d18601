"""What a failure means: whether the same may succeed later, and how it is told without the values it broke on."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

__all__ = ["describe", "is_transient"]

# SQLSTATE classes that pass by themselves or when an operator acts: connection, rollback for others' sake (serialisation,
# deadlock), resources (disk, memory, connections), object in use, intervention (shutdown, a query cancelled by hand), system.
# The driver calls class 54 (program limit, statement too complex) operational too, but the same event meets it every time.
_TRANSIENT: Final = frozenset({"08", "40", "53", "55", "57", "58"})
_LONGEST: Final = 500
_DIGITS: Final = re.compile(r"\d{9,}")


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again later can succeed (connection, lock, serialisation, resources)."""
    if isinstance(error, (InterfaceError, PoolTimeout, ConnectionError, TimeoutError, asyncio.TimeoutError)):
        return True
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated) or (error.orig is not None and is_transient(error.orig))
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:  # the server said nothing: it was not reached, or went away
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return error.sqlstate[:2] in _TRANSIENT


def describe(error: BaseException) -> str:
    """What broke and where, without the values it broke on: rows and events are personal, reasons are read by operators."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(cause, psycopg.Error) and not (isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None):
        places = (cause.sqlstate, cause.diag.table_name, cause.diag.column_name, cause.diag.constraint_name)
        return f"{type(cause).__name__}: {' '.join(place for place in places if place)}"
    if isinstance(cause, ValidationError):
        found = cause.errors(include_url=False, include_context=False, include_input=False)
        return f"ValidationError: {'; '.join('.'.join(map(str, item['loc'])) + ' ' + item['type'] for item in found)}"[:_LONGEST]
    return _DIGITS.sub("*", f"{type(cause).__name__}: {cause}")[:_LONGEST]
