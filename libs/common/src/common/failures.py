"""What a failure means: whether the same may succeed later, and how it is told without the values it broke on."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

__all__ = ["describe", "is_transient", "unstorable"]

# SQLSTATE classes that pass by themselves or when an operator acts: connection, rollback for others' sake (serialisation,
# deadlock), resources (disk, memory, connections), object in use, intervention (shutdown, a query cancelled by hand), system.
# The driver calls class 54 (program limit, statement too complex) operational too, but the same event meets it every time.
_TRANSIENT: Final = frozenset({"08", "40", "53", "55", "57", "58"})
# Values no column takes, whoever sent them: number, moment, character.
_UNSTORABLE: Final = frozenset({"22003", "22007", "22008", "22021", "22P05"})
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


def unstorable(error: BaseException) -> str | None:
    """What to tell a caller whose value no database takes (a text with NUL or half a character, a number or day out of range)."""
    if isinstance(error, UnicodeEncodeError):
        return "a text holds half a character (surrogate; ký tự hỏng), which is no text"
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(cause, UnicodeEncodeError):
        return "a text holds half a character (surrogate; ký tự hỏng), which is no text"
    if not isinstance(cause, psycopg.DataError):
        return None
    if "NUL" in str(cause):
        return "a text holds the character NUL (ký tự NUL), which is no text"
    return "a number or day is out of range (số hoặc ngày quá lớn)" if cause.sqlstate in _UNSTORABLE else None


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
